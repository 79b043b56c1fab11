using System.Diagnostics;
using System.IO.Compression;
using Microsoft.ML.ForwardSampling.Tool.Files;
using Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Files;

public sealed class FilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Open_ANamedPipe_IsCopiedAndReadTwice()
    {
        string pipe = MakePipe();
        Task write = Task.Run(() => File.AppendAllText(pipe, "y,x\n1,2\n"), Token);

        using InputFile input = InputFile.Open("--data", pipe, Token);
        await write;

        Assert.Equal("y,x\n1,2\n", Read(input));
        Assert.Equal("y,x\n1,2\n", Read(input));
    }

    [Fact]
    public void Open_ANamedPipeThatNothingWritesTo_IsRefusedAfterAWhile()
    {
        string pipe = MakePipe();

        var error = Assert.Throws<InvalidDataException>(() => InputFile.Open("--data", pipe, Token, TimeSpan.FromMilliseconds(50)));

        Assert.StartsWith($"--data {pipe} is a pipe, and nothing began to write to it within ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ANamedPipeWhoseWriterIsSilent_IsRefusedAfterAWhile()
    {
        string pipe = MakePipe();
        using var writer = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite); // both ends: it opens at once, and stays open

        var error = Assert.Throws<InvalidDataException>(() => InputFile.Open("--data", pipe, Token, TimeSpan.FromMilliseconds(200)));

        Assert.StartsWith($"{pipe} is a pipe, and nothing came through it for ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AFolderAndAMissingFile_SayWhatTheyAre()
    {
        Assert.Contains($"--data must be a file, and {_folder.Path} is a folder.",
            Assert.Throws<InvalidDataException>(() => InputFile.Open("--data", _folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains(" is missing: --test takes a file, - for standard input. It was looked for at ",
            Assert.Throws<FileNotFoundException>(() => InputFile.Open("--test", "no-such.csv")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenRead_GzipUnderAnotherName_IsUnpacked()
    {
        string path = _folder.File("rows.csv");
        using (var writer = new StreamWriter(new GZipStream(File.Create(path), CompressionLevel.Fastest)))
            writer.Write("y,x\n");
        using InputFile input = InputFile.Open("--data", path);

        Assert.Equal("y,x\n", Read(input));
    }

    [Theory]
    [InlineData("--json", "folder", "--json must be a file, and '")]
    [InlineData("--html", "folder", "--html must be a file, and '")]
    [InlineData("--json", "file.txt/results.json", "' cannot be written: ")]
    [InlineData("--json", "file.txt", "' , which is no file of this program: it begins with 'I' instead of '{'")]
    [InlineData("--html", "file.txt", "' , which is no file of this program: it begins with 'I' instead of '<'")]
    [InlineData("--json", "rows.csv", "is that of --data.")]
    [InlineData("--html", "rows.csv", "is that of --data.")]
    [InlineData("--html", "results.json", "is that of --json.")]
    [InlineData("--json", "out.html", "is that of --json.")]
    public async Task Compare_AnOutputThatCannotBeWritten_IsToldBeforeTheFirstTrainingAndNothingIsLost(string option, string name,
        string expected)
    {
        string rows = TinyCsv.Write(_folder);
        Directory.CreateDirectory(_folder.File("folder"));
        File.WriteAllText(_folder.File("file.txt"), "Important.");
        string[] other = option == "--html" ? ["--json", _folder.File("results.json")] : [];

        (int exitCode, string output, string error) = await Runner.RunAsync(["compare", "--data", rows, "--label", "Bought", "--task",
            "binary", option, _folder.File(name), .. other], Token);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected.Replace("' ,", "',", StringComparison.Ordinal), error, StringComparison.Ordinal);
        Assert.DoesNotContain("seed 1", output, StringComparison.Ordinal);
        Assert.Equal("Important.", File.ReadAllText(_folder.File("file.txt")));
        Assert.Equal(["file.txt", "rows.csv"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Check_AFileOfOurs_MayBeWrittenOverAndIsNotTouched()
    {
        string path = _folder.File("results.json");
        File.WriteAllText(path, "\ufeff\n {}");
        DateTime before = File.GetLastWriteTimeUtc(path);

        OutputFile.Check("--json", path, '{', []);
        OutputFile.Check("--json", _folder.File("made/new.json"), '{', []);

        Assert.Equal(before, File.GetLastWriteTimeUtc(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
        Assert.Empty(Directory.GetFiles(_folder.File("made")));
    }

    [Fact]
    public void Check_ADevice_IsRefused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no device files.");
        Assert.Contains("is a device.", Assert.Throws<InvalidDataException>(() => OutputFile.Check("--json", "/dev/null", '{', [])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void BuildScript_HandsOverTheCallersFolder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no bash.");
        // The script beside programs that tell where they are started and with what.
        string root = _folder.File("a repository"), caller = Directory.CreateDirectory(_folder.File("caller's")).FullName,
            programs = Directory.CreateDirectory(_folder.File("programs")).FullName;
        Directory.CreateDirectory(root);
        File.Copy(Path.Combine(RepositoryFolder.Root, "build.sh"), Path.Combine(root, "build.sh"));
        Script("dotnet", "if [[ $1 == build ]]; then cat; else echo \"$PWD|$1|$2|$3|$(cat)\"; fi");
        Script("dpkg-query", "echo install ok installed");

        foreach (string command in (string[])["compare", "profile", "run", "records", "crashtest"])
        {
            var start = new ProcessStartInfo("bash", [Path.Combine(root, "build.sh"), command, "rows.csv"])
            {
                WorkingDirectory = caller,
                RedirectStandardOutput = true,
                RedirectStandardInput = true,
                Environment = { ["PATH"] = $"{programs}:{Environment.GetEnvironmentVariable("PATH")}", ["PWD"] = caller },
            };
            using Process script = Process.Start(start)!;
            script.StandardInput.Write("piped");
            script.StandardInput.Close();
            string[] told = script.StandardOutput.ReadToEnd().TrimEnd().Split('|');
            script.WaitForExit();

            Assert.Equal((0, caller), (script.ExitCode, told[0]));
            Assert.Equal((command == "run" ? "quick-start" : command, "rows.csv", "piped"), (told[2], told[3], told[4]));
            Assert.StartsWith(root, told[1], StringComparison.Ordinal);
        }

        void Script(string name, string body)
        {
            string path = Path.Combine(programs, name);
            File.WriteAllText(path, $"#!/usr/bin/env bash\n{body}\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static string Read(InputFile input)
    {
        using var reader = new StreamReader(input.OpenRead());
        return reader.ReadToEnd();
    }

    private string MakePipe()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no mkfifo.");
        string path = _folder.File("pipe");
        using Process made = Process.Start("mkfifo", [path]);
        made.WaitForExit();
        return path;
    }
}
