using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class InfoBatchPolicyTests
{
    // Mean 2: rows 0, 2, 4, 5, 7 and 8 are below it, row 6 is not.
    private static readonly float[] s_losses = [1, 3, 0.5f, 6, 1, 0.5f, 2, 1.5f, 0.5f, 4];

    [Theory]
    [InlineData(0.5, 3)]
    [InlineData(0.5, 8)]
    [InlineData(0.9, 5)]
    [InlineData(0, 4)]
    [InlineData(0.99, 4)]
    public void Select_SmallWindow_ChancesAndWeightsAreThoseByHand(double dropRate, int budget)
    {
        // Seed 5, 20,000 draws, four standard errors.
        const int draws = 20_000;
        double[] p = Oracle.InclusionProbabilities([.. s_losses.Select(loss => loss < 2 ? (float)(1 - dropRate) : 1)], 0, budget);
        var selector = new RowSelector(new InfoBatchPolicy { DropRate = dropRate }, 5);
        var data = new WindowData(s_losses, s_losses, s_losses, s_losses, new int[10]);
        var hits = new int[10];
        for (int i = 0; i < draws; i++)
        {
            Choice choice = Choice.Of(selector, data, budget);
            foreach ((int row, float weight) in choice.Rows.Zip(choice.Weights))
            {
                hits[row]++;
                Assert.Equal(budget / 10.0 / p[row], weight, 1e-5 * weight);
            }
        }

        for (int row = 0; row < 10; row++)
            Oracle.AssertFrequency(p[row], hits[row], draws, $"row {row}");
    }

    [Fact]
    public void Select_BudgetOfTheOriginal_RowsAboveTheMeanAreAllKeptAndWeightsAreItsOwn()
    {
        // Six rows below the mean, half of them dropped: 4 + 3 rows; the original's weights 1 and 1/(1 − r), times b/n.
        var data = new WindowData(s_losses, s_losses, s_losses, s_losses, new int[10]);
        for (int seed = 0; seed < 50; seed++)
        {
            Choice choice = Choice.Of(new InfoBatchPolicy(), data, 7, seed);
            Assert.All(new[] { 1, 3, 6, 9 }, row => Assert.Contains(row, choice.Rows));
            foreach ((int row, float weight) in choice.Rows.Zip(choice.Weights))
                Assert.Equal(s_losses[row] < 2 ? 1.4f : 0.7f, weight, 1e-6f);
        }
    }

    [Fact]
    public void Select_EachSide_GetsItsExpectedRowsWithinOne()
    {
        WindowData data = WindowData.Distinct(640, 3);
        double mean = data.Loss.Average(loss => (double)loss);
        int above = data.Loss.Count(loss => loss >= mean);
        double expected = 64.0 * above / (above + 0.5 * (640 - above));
        for (int seed = 0; seed < 100; seed++)
        {
            int fromAbove = Choice.Of(new InfoBatchPolicy(), data, 64, seed).Rows.Count(row => data.Loss[row] >= mean);
            Assert.InRange(fromAbove, Math.Floor(expected), Math.Ceiling(expected));
        }
    }

    [Fact]
    public void Select_PairsWithinASide_AllHaveTheSameChance()
    {
        // An even draw among the six rows below the mean: 15 pairs. Seed 2, 30,000 windows; a systematic draw would never choose some.
        const int draws = 30_000;
        var selector = new RowSelector(new InfoBatchPolicy(), 2);
        var data = new WindowData(s_losses, s_losses, s_losses, s_losses, new int[10]);
        var pairs = new Dictionary<(int, int), int>();
        int windows = 0;
        for (int i = 0; i < draws; i++)
        {
            int[] below = [.. Choice.Of(selector, data, 5).Rows.Where(row => s_losses[row] < 2)];
            if (below.Length != 2)
                continue;
            windows++;
            pairs[(below[0], below[1])] = pairs.GetValueOrDefault((below[0], below[1])) + 1;
        }

        Assert.Equal(15, pairs.Count);
        foreach (((int, int) pair, int count) in pairs)
            Oracle.AssertFrequency(1.0 / 15, count, windows, pair.ToString());
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal("InfoBatchPolicy { DropRate = 0.5, Name = InfoBatch, Needs = Loss, IsUnbiased = True }",
            new InfoBatchPolicy().ToString());
    }
}
