using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Examples.Tests;

/// <summary>Each example runs as it is shown, and what its comments promise holds.</summary>
public sealed class ExampleTests
{
    // A gain is the mean over seeds of the paired ratio; the bound is its own 95 % interval, which must leave out 1.
    [Theory]
    [InlineData("heavy-tailed-regression", 25_600)]
    [InlineData("own-network", 25_600)]
    [InlineData("binary-clicks", 200_000)]
    [InlineData("fast-tree-deployed", 20_000)]
    [InlineData("light-gbm-deployed", 20_000)]
    [InlineData("onnx-deployed", 64_000)]
    public void Run_FiveSeeds_SelectionBeatsUniformOnEquallyManyRows(string name, long rows)
    {
        Example example = Example.All.Single(e => e.Name == name);
        var output = new StringWriter();

        Comparison[] found = [.. Enumerable.Range(1, 5).Select(
            seed => example.Run(output, example.Rows, seed, TestContext.Current.CancellationToken))];

        Assert.All(found, comparison => Assert.Equal((rows, rows), (comparison.UniformRows, comparison.SelectedRows)));
        var gain = PairedDifference.Of([.. found.Select(f => Math.Log(f.Uniform))], [.. found.Select(f => Math.Log(f.Selected))]);
        Assert.True(gain.Low > 0, $"{gain}\n{output}");
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
    public void RareWideEvents_FewRows_CountsEveryStage()
    {
        const int Rows = 10_240;
        var output = new StringWriter();

        Comparison found = RareWideEvents.Run(output, Rows, 1, TestContext.Current.CancellationToken);

        Assert.Equal((2 * Rows / 10, 2 * Rows / 10), (found.UniformRows, found.SelectedRows));
        Assert.InRange(found.Selected, 0.01, 0.5);
        Dictionary<string, string[]> table = output.ToString().Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToDictionary(cells => cells[1]);
        double Number(string stage, int column) => double.Parse(table[stage][column], CultureInfo.InvariantCulture);
        // Three bytes a slot, sixteen a record, four a weight.
        Assert.Equal(3 * WideEvents.Slots, Number("low-memory model learns", 4));
        Assert.Equal(16 * Rows, Number("it serves and records", 4));
        Assert.Equal(4 * ((16 * (WideEvents.Slots + 2)) + 17), Number("network, a tenth by an even draw", 4));
        Assert.InRange(Number("group testing screens", 3) / Number("one test a row would", 3), 0.1, 0.9);
        Assert.InRange(Number("low-memory model learns", 6), 0.55, 0.99);
        // Cost by values: 36 of them, not 262,144 slots.
        Assert.InRange(Number("network, a tenth by BalancedGradientNorm", 3), 2 * 30 * 16, (2 * 37 * 16) + 48);
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
        (int exitCode, string output, string error) = await Runner.RunAsync(["heavy-tailed-regression", "--rows", "2560", "--seed", "3"],
            TestContext.Current.CancellationToken);

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
