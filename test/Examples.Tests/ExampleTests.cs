namespace Microsoft.ML.ForwardSampling.Examples.Tests;

/// <summary>Each example runs as it is shown, and what its comments promise holds.</summary>
public sealed class ExampleTests
{
    // The promised gain is that of the full size; seed 1 is the one on the command line.
    [Theory]
    [InlineData("heavy-tailed-regression", 25_600, 0.85)]
    [InlineData("own-network", 25_600, 0.95)]
    [InlineData("binary-clicks", 200_000, 0.96)]
    [InlineData("fast-tree-deployed", 20_000, 0.98)]
    public void Run_DefaultSize_SelectionBeatsUniformOnEquallyManyRows(string name, long rows, double ratio)
    {
        foreach ((string missing, string reason) in Example.Unavailable)
            Assert.SkipWhen(missing == name, reason);
        Example example = Example.All.Single(e => e.Name == name);
        var output = new StringWriter();

        Comparison found = example.Run(output, example.Rows, 1, TestContext.Current.CancellationToken);

        Assert.Equal((rows, rows), (found.UniformRows, found.SelectedRows));
        Assert.True(found.Selected < ratio * found.Uniform, $"{found}\n{output}");
        Assert.Contains("BalancedGradientNorm", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("heavy-tailed-regression")]
    [InlineData("own-network")]
    [InlineData("binary-clicks")]
    public void Run_SameSeedTwice_GivesTheSameFigures(string name)
    {
        Example example = Example.All.Single(e => e.Name == name);
        CancellationToken token = TestContext.Current.CancellationToken;

        Comparison first = example.Run(TextWriter.Null, 5120, 7, token);
        Comparison second = example.Run(TextWriter.Null, 5120, 7, token);
        Comparison other = example.Run(TextWriter.Null, 5120, 8, token);

        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
    }

    [Fact]
    public void OwnNetwork_LoadedAgain_ScoresAsBefore()
    {
        var output = new StringWriter();

        Comparison found = OwnNetwork.Run(output, 2560, 1, TestContext.Current.CancellationToken);

        Assert.Contains($"Loaded again: RMSE {found.Selected:F3}", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_FromTheCommandLine_ReturnsZero()
    {
        (int exitCode, string output, string error) = await Runner.RunAsync(["heavy-tailed-regression", "--rows", "2560", "--seed", "3"], TestContext.Current.CancellationToken);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("Uniform:", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Friedman1_NoiselessTarget_HasMeanZeroAndDeviationOne()
    {
        double[] targets = [.. Friedman1.Rows(100_000, Friedman1Noise.None, 1).Select(row => (double)row.Target)];

        Assert.Equal(0, targets.Average(), 0.02);
        Assert.Equal(1, Statistics.StandardDeviation(targets), 0.02);
        Assert.All(Friedman1.Rows(100, Friedman1Noise.None, 1), row => Assert.Equal(row.Target, row.Label));
    }

    [Fact]
    public void Friedman1_Noise_HasThePromisedTails()
    {
        // P(|t2| > 4.303) = 0.05; P(|normal| > 1.96) = 0.05; 3 % outliers of at least 4.
        Assert.Equal(0.05, ShareBeyond(Friedman1Noise.StudentT2, 0.2 * 4.3027), 0.003);
        Assert.Equal(0.05, ShareBeyond(Friedman1Noise.Normal, 0.2 * 1.95996), 0.003);
        Assert.Equal(0.03, ShareBeyond(Friedman1Noise.Outliers, 3), 0.002);

        static double ShareBeyond(Friedman1Noise noise, double bound)
            => Friedman1.Rows(100_000, noise, 1).Average(row => Math.Abs(row.Label - row.Target) > bound ? 1.0 : 0.0);
    }

    [Fact]
    public void Visits_Clicks_AreRare()
        => Assert.InRange(Visits.Rows(100_000, 1).Average(visit => visit.Label ? 1.0 : 0.0), 0.04, 0.06);
}
