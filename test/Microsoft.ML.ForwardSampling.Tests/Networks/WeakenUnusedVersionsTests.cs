using Microsoft.ML.ForwardSampling.Build;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>The build step that lets TorchSharp load beside an older libstdc++, on copies of the library as the package has it.</summary>
public sealed class WeakenUnusedVersionsTests : IDisposable
{
    private const string Unused = "GLIBCXX_3.4.32"; // asked for by TorchSharp 0.107.0, and used by nothing in it

    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-elf-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WeakenFile_OldSystem_FlagsTheUnusedVersionAndNothingElse()
    {
        string file = CopyOfPackaged();
        byte[] before = File.ReadAllBytes(file);
        IReadOnlyDictionary<string, bool> needed = WeakenUnusedVersions.NeededVersions(before);
        Assert.False(needed[Unused]);

        IReadOnlyList<string> changed = WeakenUnusedVersions.WeakenFile(file, [.. needed.Keys.Where(name => name != Unused)]);

        Assert.Equal([Unused], changed);
        byte[] after = File.ReadAllBytes(file);
        Assert.Equal([Unused], WeakenUnusedVersions.NeededVersions(after).Where(v => v.Value).Select(v => v.Key));
        Assert.Equal(1, before.Zip(after).Count(pair => pair.First != pair.Second));
        Assert.Equal(before.Length, after.Length);
    }

    [Fact]
    public void WeakenFile_NoVersionPresent_LeavesThoseThatAreUsed()
    {
        string file = CopyOfPackaged();

        IReadOnlyList<string> changed = WeakenUnusedVersions.WeakenFile(file, []);

        Assert.Equal([Unused], changed); // the others are looked up when it loads: missing ones must stay an error
    }

    [Fact]
    public void WeakenFile_NewSystem_TouchesNothing()
    {
        string file = CopyOfPackaged();
        File.SetLastWriteTimeUtc(file, new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));

        Assert.Empty(WeakenUnusedVersions.WeakenFile(file, [.. WeakenUnusedVersions.NeededVersions(File.ReadAllBytes(file)).Keys]));

        Assert.Equal(File.ReadAllBytes(Packaged()), File.ReadAllBytes(file));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void WeakenFile_SecondTime_FindsNothingToDo()
    {
        string file = CopyOfPackaged();
        WeakenUnusedVersions.WeakenFile(file, []);

        Assert.Empty(WeakenUnusedVersions.WeakenFile(file, []));
    }

    [Fact]
    public void WeakenFile_KeepsTimeAndMode_AndLeavesTheOtherNameOfALink()
    {
        if (OperatingSystem.IsWindows())
            return; // no modes there
        string package = CopyOfPackaged(), output = Path.Combine(_folder, "output.so");
        Assert.SkipUnless(HardLink(package, output), "There is no ln here.");
        DateTime time = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(package, time);
        File.SetUnixFileMode(package, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Assert.NotEmpty(WeakenUnusedVersions.WeakenFile(output, []));

        Assert.Equal(File.ReadAllBytes(Packaged()), File.ReadAllBytes(package));
        Assert.True(WeakenUnusedVersions.NeededVersions(File.ReadAllBytes(output))[Unused]);
        Assert.Equal((time, UnixFileMode.UserRead | UnixFileMode.UserExecute),
            (File.GetLastWriteTimeUtc(output), File.GetUnixFileMode(output)));
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MZ, a Windows library")]
    [InlineData("\u007fELF\u0002\u0001 cut off after a few bytes of its header, so that the table of sections lies beyond the end")]
    public void WeakenFile_NoWholeLibrary_IsLeftAlone(string content)
    {
        string file = Path.Combine(_folder, "other.so");
        File.WriteAllText(file, content);

        Assert.Empty(WeakenUnusedVersions.WeakenFile(file, []));

        Assert.Equal(content, File.ReadAllText(file));
    }

    [Fact]
    public void DefinedVersions_Libstdcxx_EndsAtSomeVersionOfEach()
    {
        string? library = Array.Find(["/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/lib64/libstdc++.so.6"], File.Exists);
        Assert.SkipWhen(library is null, "There is no libstdc++ in the usual places.");

        HashSet<string> versions = WeakenUnusedVersions.DefinedVersions(File.ReadAllBytes(library));

        Assert.Superset(new HashSet<string> { "GLIBCXX_3.4", "GLIBCXX_3.4.21", "CXXABI_1.3" }, versions);
        Assert.DoesNotContain("GLIBCXX_9.9.99", versions);
    }

    private string CopyOfPackaged()
    {
        string file = Path.Combine(_folder, "package.so");
        File.Copy(Packaged(), file);
        return file;
    }

    /// <summary>The library as the package has it: the build must not have changed that.</summary>
    private static string Packaged()
    {
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        string file = Path.Combine(cache, "torchsharp", "0.107.0", "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        Assert.SkipUnless(File.Exists(file), $"There is no {file}.");
        return file;
    }

    private static bool HardLink(string from, string to)
    {
        if (!File.Exists("/usr/bin/ln") && !File.Exists("/bin/ln"))
            return false;
        using var process = System.Diagnostics.Process.Start("ln", [from, to]);
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
