using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class LossStratifiedPolicyTests
{
    [Fact]
    public void Select_EveryRunOfTheLossOrder_GetsItsShareWithinOneRow()
    {
        WindowData data = WindowData.Distinct(203, 3);
        int[] order = [.. Enumerable.Range(0, 203).OrderBy(row => data.Loss[row])];
        for (int seed = 0; seed < 100; seed++)
        {
            HashSet<int> chosen = [.. Choice.Of(new LossStratifiedPolicy { ByClass = false }, data, 21, seed).Rows];
            for (int first = 0; first < 203; first += 7)
            {
                for (int end = first + 1; end <= 203; end += 11)
                {
                    double share = (end - first) * 21 / 203.0;
                    int hits = order[first..end].Count(chosen.Contains);
                    Assert.InRange(hits, (int)Math.Floor(share), (int)Math.Ceiling(share));
                }
            }
        }
    }

    [Fact]
    public void Select_ByClass_EveryClassGetsItsShareWithinOneRow()
    {
        WindowData data = WindowData.Classes(400, 5);
        for (int seed = 0; seed < 100; seed++)
        {
            int[] rows = Choice.Of(new LossStratifiedPolicy(), data, 40, seed).Rows;
            foreach (IGrouping<int, int> byClass in data.Label.GroupBy(label => label))
            {
                double share = byClass.Count() / 10.0;
                Assert.InRange(rows.Count(row => data.Label[row] == byClass.Key), (int)Math.Floor(share), (int)Math.Ceiling(share));
            }
        }
    }

    [Fact]
    public void Select_ByClassInAWindowWithoutClasses_IsTheDrawByLoss()
    {
        WindowData data = WindowData.Classes(100, 5);

        Assert.Equal(
            Choice.Of(new RowSelector(new LossStratifiedPolicy { ByClass = false }, 3), data, 10),
            Choice.Of(new RowSelector(new LossStratifiedPolicy(), 3), data, 10, ~RecordStatistics.Label));
    }

    [Fact]
    public void Needs_ByClassOrNot_AsksForTheLabelOrNot()
    {
        Assert.Equal(RecordStatistics.Loss | RecordStatistics.Label, new LossStratifiedPolicy().Needs);
        Assert.Equal(RecordStatistics.Loss, new LossStratifiedPolicy { ByClass = false }.Needs);
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal("LossStratifiedPolicy { ByClass = True, Name = LossStratified, Needs = Loss, Label, IsUnbiased = True }",
            new LossStratifiedPolicy().ToString());
    }
}
