using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>What only a real file system can refuse. Mounting and locking a folder take rights: without them these tests are
/// skipped.</summary>
public class RealDiskTests
{
    [Fact]
    public void DiskFull_RecordsWaitAndGoOnOnceThereIsRoom()
    {
        using var folder = new LogFolder();
        using var mount = Change.Try("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", folder.Path], "umount", [folder.Path]);
        string ballast = Path.Combine(folder.Path, "ballast");
        File.WriteAllBytes(ballast, new byte[64 << 10]);
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { SegmentBytes = 16 << 10, MemoryBytes = 256 << 10 }))
        {
            ulong next = 0;
            IOException? refused = null;
            while (refused is null)
            {
                for (int i = 0; i < 100; i++, next++)
                    log.Append(LogFolder.Record(next));
                refused = Record.Exception(() => log.Flush()) as IOException;
                Assert.True(next < 20_000, "A file system of 128 KiB took more than it has room for.");
            }

            Assert.Contains("No space left on device", refused.Message, StringComparison.Ordinal);
            Assert.InRange(log.Acknowledged, 1, (long)next - 1);
            File.Delete(ballast);
            log.Append(LogFolder.Record(next++));
            log.Flush();
            Assert.Equal((long)next, log.Acknowledged);
            Assert.Equal(LogFolder.Range(0, (int)next), folder.Keys(out ForwardRecordReaderReport read));
            Assert.Equal((0, 0), (read.LostRecords, read.DuplicateRecords));
        }
    }

    [Fact]
    public void ReadOnlyFileSystem_ConstructorThrows()
    {
        using var folder = new LogFolder();
        using var mount = Change.Try("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", folder.Path], "umount", [folder.Path]);
        Exception refused = Assert.ThrowsAny<Exception>(() => new ForwardRecordLog<RegressionRecord>(folder.Path));
        Assert.True(refused is IOException or UnauthorizedAccessException, refused.ToString());
        Assert.Contains(folder.Path, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>The folder becomes read-only while a log is open: the segment in use goes on, the next one waits.</summary>
    [Fact]
    public void Folder_BecomesReadOnly_NextSegmentWaitsUntilItIsWritableAgain()
    {
        using var folder = new LogFolder();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small with { SegmentBytes = 4096 }))
        {
            ulong next = 0;
            using (Change.Try("chattr", ["+i", folder.Path], "chattr", ["-i", folder.Path]))
            {
                for (; next < 1000; next++)
                    log.Append(LogFolder.Record(next));
                IOException refused = Assert.Throws<IOException>(() => log.Flush());
                Assert.IsType<UnauthorizedAccessException>(refused.InnerException);
                Assert.InRange(log.Acknowledged, 0, 999);
            }

            log.Flush();
            Assert.Equal(1000, log.Acknowledged);
        }

        Assert.Equal(LogFolder.Range(0, 1000), folder.Keys(out ForwardRecordReaderReport read));
        Assert.Equal((0, 0), (read.LostRecords, read.DuplicateRecords));
    }

    /// <summary>Not even root may create something there.</summary>
    [Fact]
    public void Folder_ThatNobodyMayWrite_ConstructorThrowsAndNamesIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/sys is there on Linux only.");
        Assert.Contains("/sys/forward-records", Assert.Throws<UnauthorizedAccessException>(
            () => new ForwardRecordLog<RegressionRecord>("/sys/forward-records")).Message, StringComparison.Ordinal);
    }

    /// <summary>A reader whose folder disappears finds nothing until there is one again.</summary>
    [Fact]
    public void Folder_RemovedUnderAReader_ReadsTheNewOne()
    {
        using var folder = new LogFolder();
        folder.Write(0, 5);
        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        Assert.Equal(3, reader.Read(new RegressionRecord[3]));
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not delete a file in use.");
        Directory.Delete(folder.Path, recursive: true);
        Assert.Equal(LogFolder.Range(3, 2), LogFolder.ReadAll(reader).Select(r => r.Key));
        Directory.CreateDirectory(folder.Path);
        folder.Write(5, 4);
        Assert.Equal(LogFolder.Range(5, 4), LogFolder.ReadAll(reader).Select(r => r.Key));
    }

    /// <summary>A change to the system for the length of a test.</summary>
    private sealed class Change(string undo, string[] undoArguments) : IDisposable
    {
        public static Change Try(string program, string[] arguments, string undo, string[] undoArguments)
        {
            Assert.SkipUnless(OperatingSystem.IsLinux(), $"{program} is tried on Linux only.");
            string error = Run(program, arguments);
            Assert.SkipUnless(error.Length == 0, $"{program} is not possible here: {error}");
            return new Change(undo, undoArguments);
        }

        public void Dispose() => Run(undo, undoArguments);

        private static string Run(string program, string[] arguments)
        {
            try
            {
                using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
                string error = process.StandardError.ReadToEnd();
                process.WaitForExit();
                return process.ExitCode == 0 ? "" : $"exit code {process.ExitCode}. {error.Trim()}";
            }
            catch (System.ComponentModel.Win32Exception e)
            {
                return e.Message;
            }
        }
    }
}
