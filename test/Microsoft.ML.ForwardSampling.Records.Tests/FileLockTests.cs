using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>A file in use is seen to be in use, whatever the runtime does about locks; where nothing locks, no log is opened.</summary>
public class FileLockTests
{
    /// <summary>.NET takes no locks in the writer, in the one who opens a log beside it, or in both.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Locking_SwitchedOffInTheRuntime_LiveSegmentsAreLeftAlone(bool offInWriter, bool offInOpener)
    {
        using var folder = new LogFolder();
        using var child = new Child(offInWriter, folder.Path, "0", nameof(RecordDurability.ProcessCrash));
        Process writer = child.Process;
        for (int i = 0; i < 20; i++)
            Assert.NotNull(await writer.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        for (int i = 0; i < 3; i++)
        {
            using var second = new Child(offInOpener, "open", folder.Path);
            Process opener = second.Process;
            Assert.Equal("0", await opener.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            await opener.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, opener.ExitCode);
        }

        writer.Kill();
        string[] lines = (await writer.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n')[..^1];
        var acknowledged = new long[2];
        foreach (string line in lines)
            acknowledged[line[0] - '0'] = long.Parse(line[2..], CultureInfo.InvariantCulture);
        ulong[] keys = folder.Keys(out ForwardRecordReaderReport report);
        for (int thread = 0; thread < 2; thread++)
            Assert.True(acknowledged[thread] > 0 && keys.Count(k => (int)(k >> 40) == thread) >= acknowledged[thread]);
        Assert.Equal((0, 0, 0), (report.LostRecords, report.DuplicateRecords, report.DeletedRecords));
    }

    [Fact]
    public async Task Locking_SwitchedOffInTheRuntime_CrashedSegmentsAreFinishedOnceTheirWriterIsGone()
    {
        using var folder = new LogFolder();
        using (var writer = new Child(locksOff: true, folder.Path, "0", nameof(RecordDurability.ProcessCrash)))
            Assert.NotNull(await writer.Process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        using var opener = new Child(locksOff: true, "open", folder.Path);
        Assert.Equal("1", await opener.Process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Locks_ThatDoNotLock_ConstructorThrows_AndTouchesNothing()
    {
        using var folder = new LogFolder();
        string crashed = folder.Write(0, 10);
        byte[] bytes = File.ReadAllBytes(crashed)[..^70];
        File.WriteAllBytes(crashed, bytes);
        IOException refused = Assert.Throws<IOException>(() => new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { RetentionBytes = 1 << 20 }, new FaultyStorage { LocksNothing = true }));
        Assert.Equal(
            $"No log can be written in {folder.Path}: file locks do not lock there, so that the next log would take this one's file for "
                + $"that of a crashed process, and cut or delete it while it is being written. Use a directory on a local disk, or on a "
                + $"share whose locks work.",
            refused.Message);
        Assert.Equal(crashed, Assert.Single(folder.Files));
        Assert.Equal(bytes, File.ReadAllBytes(crashed));
    }

    [Fact]
    public void TryOpenAlone_FileInUse_Null_AndTheSegmentIsKept()
    {
        using var folder = new LogFolder();
        string path = folder.Write(0, 5, 5);
        using (var reader = new ForwardRecordReader<RegressionRecord>(folder.Path))
        {
            Assert.Equal(2, reader.Read(new RegressionRecord[2]));
            Assert.Null(FileLock.TryOpenAlone(path));
            using (new ForwardRecordLog<RegressionRecord>(folder.Path,
                LogFolder.Small with { SegmentBytes = 4096, RetentionBytes = 4096, RetentionAge = TimeSpan.FromSeconds(1) }))
                Assert.True(File.Exists(path));
        }

        using (FileLock.TryOpenAlone(path))
            Assert.Null(FileLock.TryOpenAlone(path));
        using Microsoft.Win32.SafeHandles.SafeFileHandle? free = FileLock.TryOpenAlone(path);
        Assert.NotNull(free);
    }
}
