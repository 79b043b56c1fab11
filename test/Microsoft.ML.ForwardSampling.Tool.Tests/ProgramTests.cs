using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests;

public sealed class ProgramTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("no-such-command", "no-such-command")]
    [InlineData("quick-start --seeds 0", "--seeds must be a number between 1 and 1000. Got '0'.")]
    [InlineData("quick-start --budget 0", "--budget must be a number between 0.001 and 1.")]
    [InlineData("quick-start --noise 1.5", "--noise must be a number between 0 and 1. Got '1.5'.")]
    [InlineData("quick-start --statistic-bits 10", "--statistic-bits must be 8, 12 or 16. Got '10'.")]
    [InlineData("quick-start --policies uniform,best", "Got 'best'.")]
    [InlineData("quick-start --seeds many", "Got 'many'.")]
    [InlineData("quick-start --budget NaN", "Got 'NaN'.")]
    public async Task Run_BadArguments_FailsAndNamesThem(string arguments, string expected)
    {
        (int exitCode, _, string error) = await Runner.RunAsync(arguments.Split(' '), Token);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QuickStart_MissingData_FailsWithOneLineThatNamesThePackage()
    {
        using var folder = new TemporaryFolder();

        (int exitCode, _, string error) = await Runner.RunAsync(
            ["quick-start", "--data", folder.Path, "--html", folder.File("page.html")], Token);

        Assert.Equal(1, exitCode);
        Assert.Single(error.TrimEnd().Split(Environment.NewLine));
        Assert.Contains("dataset-fashion-mnist", error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("page.html")));
    }

    [Fact]
    public async Task QuickStart_Stopped_EndsWith130AndSaysHowToGoOn()
    {
        using var folder = new TemporaryFolder();
        TinyFashionMnist.Write(folder.Path);
        using var stop = new CancellationTokenSource();
        string json = folder.File("results.json");
        Task<(int ExitCode, string Output, string Error)> run =
            Runner.RunAsync(["quick-start", "--data", folder.Path, "--json", json, "--passes", "1000", "--chunk", "640"], stop.Token);

        await Task.Delay(500, Token);
        await stop.CancelAsync();
        (int exitCode, _, string error) = await run;

        Assert.Equal(130, exitCode);
        Assert.Contains("Stopped: partial: ", error, StringComparison.Ordinal);
        Assert.Contains($"--resume {json}", error, StringComparison.Ordinal);
        Assert.True(CompareResults.FromFile(json).IsPartial);
    }
}
