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

    [Theory]
    [InlineData(3, 0, 1)]
    [InlineData(3, 0, 2)]
    [InlineData(1, 0.1, 3)]
    [InlineData(0.5, 0, 4)]
    [InlineData(0, 0, 2)]
    public void Select_WithHistory_FrequenciesAreThoseOfAcceptingRowByRow(double beta, double minimum, int budget)
    {
        // Two windows in turn and a history of both: shares of the twelve losses strictly below, by counting.
        float[] others = [0.2f, 0.3f, 4f, 0.05f, 0.9f, 7f];
        var policy = new SelectiveBackpropPolicy { Beta = beta, MinimumProbability = minimum, History = 12 };
        var selector = new RowSelector(policy, 14);
        const int draws = 20_000;
        var hits = new int[6];
        Choice.Of(selector, Data(others), budget);
        for (int i = 0; i < draws; i++)
        {
            foreach (int row in Choice.Of(selector, Data(s_losses), budget).Rows)
                hits[row]++;
            Choice.Of(selector, Data(others), budget);
        }

        double[] chances = [.. s_losses.Select(
            loss => Math.Max(Math.Pow(s_losses.Concat(others).Count(other => other < loss) / 12.0, beta), minimum))];
        double[] expected = Oracle.AcceptingInRandomOrder(chances, budget);
        for (int row = 0; row < 6; row++)
            Oracle.AssertFrequency(expected[row], hits[row], draws, $"row {row}, {policy}");

        static WindowData Data(float[] losses) => new(losses, losses, losses, losses, new int[6]);
    }

    [Fact]
    public void Select_HistoryNotFull_DrawsEvenly()
    {
        var hits = new int[6];
        var data = new WindowData(s_losses, s_losses, s_losses, s_losses, new int[6]);
        for (int seed = 0; seed < 8000; seed++)
        {
            foreach (int row in Choice.Of(new SelectiveBackpropPolicy { History = 7 }, data, 2, seed).Rows)
                hits[row]++;
        }

        for (int row = 0; row < 6; row++)
            Oracle.AssertFrequency(1 / 3.0, hits[row], 8000, $"row {row}");
    }

    [Fact]
    public void Select_WithHistory_PercentilesAreOfTheLastLossesNotOfTheWindow()
    {
        // After a window of large losses, all of this window's are in the lower half, and none below it was seen: the largest is chosen
        // most.
        var policy = new SelectiveBackpropPolicy { History = 100, Beta = 1 };
        var selector = new RowSelector(policy, 5);
        float[] large = [.. Enumerable.Range(0, 50).Select(i => 100f + i)], small = [.. Enumerable.Range(0, 50).Select(i => (float)i)];
        int[] hits = [0, 0];
        for (int i = 0; i < 400; i++)
        {
            Choice.Of(selector, new WindowData(large, large, large, large, new int[50]), 5);
            foreach (int row in Choice.Of(selector, new WindowData(small, small, small, small, new int[50]), 1).Rows)
                hits[row / 25]++;
        }

        // Chances i/100: the upper 25 rows have 925 of 1,225 parts.
        Oracle.AssertFrequency(925 / 1225.0, hits[1], 400, "upper half");
    }

    [Fact]
    public void Select_WindowLongerThanTheHistory_TheLastLossesCount()
    {
        float[] losses = [.. Enumerable.Range(0, 20).Select(i => i < 10 ? 50f : i)]; // the last ten are 10 … 19, all below 50
        var data = new WindowData(losses, losses, losses, losses, new int[20]);
        var selector = new RowSelector(new SelectiveBackpropPolicy { History = 10, Beta = 64 }, 5);

        Assert.Equal(Enumerable.Range(0, 10), Choice.Of(selector, data, 10).Rows); // percentile 1 there, 0.9^64 at most elsewhere
    }

    [Fact]
    public void Select_WindowWithoutTheHistory_SaysHowToRunIt()
    {
        WindowData data = WindowData.Classes(20, 1);
        var random = new RepeatableRandom(1);

        Assert.Equal(
            "The policy needs a LossHistory in SelectionWindow.State, which holds nothing: run the policy through a RowSelector, or give "
                + "the window what the policy's NewState returns. (Parameter 'window')",
            Assert.Throws<ArgumentException>(() => new SelectiveBackpropPolicy
            { History = 10 }.Select(data.Window(new SelectionScratch()), ref random, new int[2], new float[2])).Message);
    }

    [Fact]
    public void History_OutsideTheRange_NamesIt()
        => Assert.StartsWith(
            "SelectiveBackpropPolicy.History must be in [0, 16384].",
            Assert.Throws<ArgumentOutOfRangeException>(() => new SelectiveBackpropPolicy { History = 16385 }).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal(
            "SelectiveBackpropPolicy { Beta = 3, MinimumProbability = 0, History = 0, Name = SelectiveBackprop, Needs = Loss, IsUnbiased "
                + "= False }",
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
