using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests;

/// <summary>The tool as users get it: packed for this platform, installed from the folder with the packages, started by its name.</summary>
public sealed class ToolPackageTests(ToolPackageTests.Installed tool) : IClassFixture<ToolPackageTests.Installed>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Records_OfALog_AreShown()
    {
        using var folder = new TemporaryFolder();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path))
            log.Append(new RegressionRecord(1, 0.5f));

        (int exitCode, string output) = await tool.RunAsync(folder.Path, "records", folder.Path);

        Assert.True(exitCode == 0, output);
        Assert.Contains("Records: 1 (Regression 1)", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_OfASmallFile_TrainsWithItsOwnLibtorch()
    {
        using var folder = new TemporaryFolder();
        string csv = TinyCsv.Write(folder), json = folder.File("results.json");

        (int exitCode, string output) = await tool.RunAsync(
            folder.Path, "compare", "--data", csv, "--label", "Bought", "--task", "binary", "--ignore", "Kind,Price", "--hidden", "4",
                "--passes", "1", "--policies", "cube", "--seeds", "1", "--full-seeds", "0", "--batches", "shuffled",
                "--json", json);

        Assert.True(exitCode == 0, output);
        Assert.Equal(["Uniform", "Cube", "Early-stopped full training"], CompareResults.FromFile(json).Runs.Select(run => run.Arm));
    }

    [Fact]
    public void Packages_HoldThisPlatformsLibtorchAndNoOthers()
    {
        string[] packages = [.. Directory.GetFiles(tool.Packages).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        Assert.Equal(2, packages.Length);
        using ZipArchive archive = ZipFile.OpenRead(
            Path.Combine(tool.Packages, packages.Single(name => name.Contains(Installed.Platform, StringComparison.Ordinal))));

        string[] torch = [.. archive.Entries.Select(entry => entry.FullName)
            .Where(name => name.Contains("torch_cpu.", StringComparison.Ordinal))];

        Assert.StartsWith($"tools/net10.0/{Installed.Platform}/",
            Assert.Single(torch, name => !name.EndsWith(".lib", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains(archive.Entries, entry => entry.FullName == "README.md");
    }

    /// <summary>Packs and installs once, in a folder of its own: neither the build's output nor the user's tools and packages are
    /// touched.</summary>
    public sealed class Installed : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();

        public static string Platform =>
            $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}"
            + $"-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

        public string Packages => _folder.File("packages");

        private string Tools => _folder.File("tools");

        public async ValueTask InitializeAsync()
        {
            string project = Path.Combine(Repository(), "src", "Microsoft.ML.ForwardSampling.Tool");
            await DotnetAsync(_folder.Path, "pack", project, "-c", "Release", "-v", "quiet", "-o", Packages,
                $"-p:ToolPackageRuntimeIdentifiers={Platform}", $"-p:ArtifactsPath={_folder.File("artifacts")}", "-nodeReuse:false");
            await DotnetAsync(_folder.Path, "tool", "install", "Microsoft.ML.ForwardSampling.Tool", "--prerelease", "--tool-path", Tools,
                "--source", Packages);
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }

        public Task<(int ExitCode, string Output)> RunAsync(string workingDirectory, params string[] arguments)
            => StartAsync(Path.Combine(Tools, OperatingSystem.IsWindows() ? "forward-sampling.exe" : "forward-sampling"), workingDirectory,
                arguments);

        private static async Task DotnetAsync(string workingDirectory, params string[] arguments)
        {
            (int exitCode, string output) = await StartAsync("dotnet", workingDirectory, arguments);
            Assert.True(exitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{output}");
        }

        private static async Task<(int ExitCode, string Output)> StartAsync(string program, string workingDirectory, string[] arguments)
        {
            var start = new ProcessStartInfo(program, arguments)
            { WorkingDirectory = workingDirectory, RedirectStandardOutput = true, RedirectStandardError = true };
            // `dotnet test` leaves the places of its own build in the environment.
            foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase))
                .ToArray())
                start.Environment.Remove(name);
            using Process process = Process.Start(start)!;
            try
            {
                Task<string> output = process.StandardOutput.ReadToEndAsync(Token), error = process.StandardError.ReadToEndAsync(Token);
                await process.WaitForExitAsync(Token);
                return (process.ExitCode, await output + await error);
            }
            finally
            {
                if (!process.HasExited)
                    process.Kill(entireProcessTree: true);
            }
        }

        private static string Repository()
        {
            string? folder = AppContext.BaseDirectory;
            while (folder is not null && !File.Exists(Path.Combine(folder, "ForwardSampling.slnx")))
                folder = Path.GetDirectoryName(folder);
            return folder ?? throw new DirectoryNotFoundException(
                $"No folder above {AppContext.BaseDirectory} holds ForwardSampling.slnx.");
        }
    }
}
