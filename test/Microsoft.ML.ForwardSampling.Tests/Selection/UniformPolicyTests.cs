using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class UniformPolicyTests
{
    [Fact]
    public void Select_EveryPairOfRows_HasTheSameChance()
    {
        // All 15 pairs of 6 rows: seed 2, 30,000 draws, four standard errors. A systematic draw would never choose some pairs.
        const int draws = 30_000;
        var selector = new RowSelector(new UniformPolicy(), 2);
        var hits = new Dictionary<(int, int), int>();
        WindowData data = WindowData.Classes(6, 1);
        for (int i = 0; i < draws; i++)
        {
            int[] rows = Choice.Of(selector, data, 2).Rows;
            hits[(rows[0], rows[1])] = hits.GetValueOrDefault((rows[0], rows[1])) + 1;
        }

        Assert.Equal(15, hits.Count);
        foreach (((int, int) pair, int count) in hits)
            Oracle.AssertFrequency(1.0 / 15, count, draws, pair.ToString());
    }

    [Fact]
    public void Select_OtherStatisticsOrNone_TheSameRows()
    {
        var policy = new UniformPolicy();

        Assert.Equal(Choice.Of(policy, WindowData.Classes(90, 1), 9), Choice.Of(policy, WindowData.Classes(90, 2), 9));
        Assert.Equal(
            Choice.Of(policy, WindowData.Classes(90, 1), 9),
            Choice.Of(new RowSelector(policy, 1), WindowData.Classes(90, 1), 9, RecordStatistics.None));
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal("UniformPolicy { Name = Uniform, Needs = None, IsUnbiased = True }", new UniformPolicy().ToString());
    }
}
