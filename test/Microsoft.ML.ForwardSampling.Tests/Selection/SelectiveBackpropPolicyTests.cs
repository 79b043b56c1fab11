using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class SelectiveBackpropPolicyTests
{
    private static readonly float[] s_losses = [0.3f, 2f, 0.1f, 0.3f, 5f, 1f];

    // By hand: shares of losses strictly below, in sixths; the two 0.3 share theirs.
    private static readonly double[] s_percentiles = [1 / 6.0, 4 / 6.0, 0, 1 / 6.0, 5 / 6.0, 3 / 6.0];

    [Theory]
    [InlineData(3, 0)]
    [InlineData(1, 0)]
    [InlineData(1.5, 0)]
    [InlineData(3, 0.05)]
    [InlineData(0, 0)]
    [InlineData(3, 1)]
    public void Select_SmallWindow_FrequenciesAreThoseOfAllOrdersEnumerated(double beta, double minimum)
    {
        double[] weights = [.. s_percentiles.Select(percentile => Math.Max(Math.Pow(percentile, beta), minimum))];
        AssertFrequencies(new SelectiveBackpropPolicy { Beta = beta, MinimumProbability = minimum }, Oracle.SuccessiveSampling(weights, 3));
    }

    [Fact]
    public void Select_LowestLoss_IsNeverChosenUntilTheOthersRunOut()
    {
        var selector = new RowSelector(new SelectiveBackpropPolicy(), 4);
        var data = new WindowData(s_losses, s_losses, s_losses, s_losses, new int[6]);
        for (int i = 0; i < 500; i++)
            Assert.DoesNotContain(2, Choice.Of(selector, data, 5).Rows);
        Assert.Contains(2, Choice.Of(selector, data, 6).Rows);
    }

    [Fact]
    public void Select_LargestBeta_IsAlmostTheTopLosses()
    {
        WindowData data = WindowData.Distinct(40, 3);
        int[] top = [.. Enumerable.Range(0, 40).OrderByDescending(row => data.Loss[row]).Take(2)];
        var selector = new RowSelector(new SelectiveBackpropPolicy { Beta = 64 }, 4);
        int hits = 0;
        for (int i = 0; i < 200; i++)
            hits += Choice.Of(selector, data, 2).Rows.Count(top.Contains);

        Assert.True(hits > 320, $"{hits} of 400");
    }

    [Fact]
    public void Select_WholeAndBrokenExponents_GiveNearlyTheSameDraw()
    {
        // Whole exponents are powers by squaring, others by Pow: next to each other they must agree.
        WindowData data = WindowData.Distinct(300, 3);
        for (int seed = 0; seed < 20; seed++)
        {
            Assert.Equal(
                Choice.Of(new SelectiveBackpropPolicy { Beta = 5 }, data, 30, seed),
                Choice.Of(new SelectiveBackpropPolicy { Beta = Math.BitIncrement(5.0) }, data, 30, seed));
        }
    }

    [Fact]
    public void Select_MeanLoss_IsFarAboveTheWindows()
    {
        WindowData data = WindowData.Distinct(640, 3);
        var selector = new RowSelector(new SelectiveBackpropPolicy(), 4);
        double spread = Math.Sqrt(data.Loss.Average(loss => loss * loss) - Math.Pow(data.Loss.Average(), 2));
        for (int i = 0; i < 50; i++)
            Assert.True(SelectionDiagnostics.LossResidual(data.Loss, Choice.Of(selector, data, 64).Rows) > 0.5 * spread);
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal(
            "SelectiveBackpropPolicy { Beta = 3, MinimumProbability = 0, Name = SelectiveBackprop, Needs = Loss, IsUnbiased = False }",
            new SelectiveBackpropPolicy().ToString());
    }

    private static void AssertFrequencies(SelectiveBackpropPolicy policy, double[] expected)
    {
        const int draws = 20_000;
        var selector = new RowSelector(policy, 14);
        var data = new WindowData(s_losses, s_losses, s_losses, s_losses, new int[6]);
        var hits = new int[6];
        for (int i = 0; i < draws; i++)
        {
            Choice choice = Choice.Of(selector, data, 3);
            Assert.All(choice.Weights, weight => Assert.Equal(1f, weight));
            foreach (int row in choice.Rows)
                hits[row]++;
        }

        for (int row = 0; row < 6; row++)
            Oracle.AssertFrequency(expected[row], hits[row], draws, $"row {row}, {policy}");
    }
}
