using System.Runtime.InteropServices;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>One way to replace a file, for a join's state and for a model.</summary>
public partial class AtomicFileTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Replace_ThroughLinks_TheirTargetIsWritten_AndTheLinksStay(bool targetIsThere)
    {
        using var folder = new LogFolder();
        string target = Path.Combine(folder.Path, "there", "model.zip"), second = Path.Combine(folder.Path, "second"),
            first = Path.Combine(folder.Path, "first");
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.CreateSymbolicLink(second, Path.Combine("there", "model.zip"));
        File.CreateSymbolicLink(first, second);
        if (targetIsThere)
            File.WriteAllText(target, "former");
        Write(first, "new");
        Assert.Equal("new", File.ReadAllText(target));
        Assert.Equal((second, Path.Combine("there", "model.zip")), (new FileInfo(first).LinkTarget, new FileInfo(second).LinkTarget));
        Assert.Equal([target], Directory.GetFiles(Path.GetDirectoryName(target)!));
    }

    [Theory]
    [InlineData(0b110_100_000)]
    [InlineData(0b110_110_110)]
    [InlineData(0b100_000_000)]
    public void Replace_ModeOwnerAndGroupOfTheFormerFile_AreKept(int mode)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no modes.");
            return;
        }

        using var folder = new LogFolder();
        string file = Path.Combine(folder.Path, "state"), fresh = Path.Combine(folder.Path, "fresh"),
            plain = Path.Combine(folder.Path, "plain");
        File.WriteAllText(file, "former");
        File.SetUnixFileMode(file, (UnixFileMode)mode);
        bool isRoot = Environment.IsPrivilegedProcess;
        if (isRoot)
            Assert.Equal(0, Chown(file, 1234, 4321));
        Write(file, "new");
        Assert.Equal((UnixFileMode)mode, File.GetUnixFileMode(file));
        if (isRoot)
        {
            using System.Diagnostics.Process stat = System.Diagnostics.Process.Start(
                new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%u:%g", file]) { RedirectStandardOutput = true })!;
            Assert.Equal("1234:4321", stat.StandardOutput.ReadToEnd().Trim());
        }

        Write(fresh, "new");
        File.WriteAllText(plain, "");
        Assert.Equal(File.GetUnixFileMode(plain), File.GetUnixFileMode(fresh));
    }

    [Fact]
    public void Replace_AFailureHalfWay_LeavesTheFormerFileAndNothingElse()
    {
        using var folder = new LogFolder();
        string file = Path.Combine(folder.Path, "state");
        Write(file, "former");
        Assert.Throws<NotSupportedException>(() => AtomicFile.Replace(file, stream =>
        {
            stream.Write("half"u8);
            throw new NotSupportedException();
        }, AtomicFile.FlushFolder));
        Assert.Throws<IOException>(() => AtomicFile.Replace(file, stream => stream.Write("whole"u8), _ => throw new IOException()));
        Assert.Equal("former", File.ReadAllText(file));
        Assert.Equal([file], Directory.GetFiles(folder.Path));
    }

    /// <summary>What a killed process left is taken away; what another one is writing, or has nothing to do with this file,
    /// stays.</summary>
    [Fact]
    public void Replace_TakesAwayWhatAKilledProcessLeft_AndNothingElse()
    {
        using var folder = new LogFolder();
        string file = Path.Combine(folder.Path, "model.zip");
        string left = Named(".model.zip.{0}.tmp"), live = Named(".model.zip.{0}.tmp"), other = Named(".model.zip2.{0}.tmp"),
            noId = Path.Combine(folder.Path, ".model.zip.mine.tmp");
        foreach (string path in new[] { left, live, other, noId })
            File.WriteAllText(path, "x");
        using (new FileStream(live, FileMode.Open, FileAccess.ReadWrite, FileShare.Read))
        {
            // two at once
            AtomicFile.Replace(file, _ => AtomicFile.Replace(file, stream => stream.WriteByte(1), AtomicFile.FlushFolder),
                AtomicFile.FlushFolder);
            Assert.Equal(new[] { file, live, other, noId }.Order(), Directory.GetFiles(folder.Path).Order());
        }

        Write(file, "again");
        Assert.False(File.Exists(live));

        string Named(string name) => Path.Combine(folder.Path, string.Format(null, name, Guid.NewGuid().ToString("N")));
    }

    /// <summary>A watcher for changes, as ML.NET's PredictionEnginePool has one, hears of the new file when it is whole.</summary>
    [Fact]
    public async Task Replace_AWatcherForChanges_HearsOfIt()
    {
        using var folder = new LogFolder();
        string file = Path.Combine(folder.Path, "model.zip");
        Write(file, "former");
        var heard = new TaskCompletionSource<string>();
        using var watcher = new FileSystemWatcher(folder.Path, "model.zip");
        watcher.Changed += (_, _) => heard.TrySetResult(File.ReadAllText(file));
        watcher.EnableRaisingEvents = true;
        Write(file, "new");
        Assert.Equal("new", await heard.Task.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Replace_WhatIsNoOrdinaryFile_IsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/null is there on Unix; only Linux tells.");
        Assert.Contains("/dev/null is no ordinary file", Assert.Throws<IOException>(() => Write("/dev/null", "x")).Message,
            StringComparison.Ordinal);
    }

    private static void Write(string path, string content) =>
        AtomicFile.Replace(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(content)), AtomicFile.FlushFolder);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);
}
