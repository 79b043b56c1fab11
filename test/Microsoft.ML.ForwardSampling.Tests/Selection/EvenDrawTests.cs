using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class EvenDrawTests
{
    [Fact]
    public void Choose_AnyCountAndBudget_DistinctAscendingRows_Meets_Specification()
    {
        Gen<(int Count, int Budget, int Seed)> inputs =
            from count in Gen.Choose(1, 500)
            from budget in Gen.Choose(1, count)
            from seed in Gen.Choose(0, int.MaxValue)
            select (count, budget, seed);

        Properties.Hold(inputs, input =>
        {
            var random = new RepeatableRandom(input.Seed);
            var rows = new int[input.Budget];
            EvenDraw.Choose(input.Count, ref random, rows, new SelectionScratch());

            Assert.Equal(rows.Distinct().Order(), rows);
            Assert.All(rows, row => Assert.InRange(row, 0, input.Count - 1));
        });
    }

    [Fact]
    public void Choose_SmallCount_EverySubsetEquallyOften()
    {
        // All 35 subsets of 3 of 7: seed 12, 35,000 draws, four standard errors.
        const int draws = 35_000;
        var random = new RepeatableRandom(12);
        var scratch = new SelectionScratch();
        var hits = new Dictionary<int, int>();
        var rows = new int[3];
        for (int i = 0; i < draws; i++)
        {
            EvenDraw.Choose(7, ref random, rows, scratch);
            int subset = rows.Sum(row => 1 << row);
            hits[subset] = hits.GetValueOrDefault(subset) + 1;
        }

        Assert.Equal(35, hits.Count);
        Assert.All(hits, subset => Oracle.AssertFrequency(1.0 / 35, subset.Value, draws, $"subset {subset.Key:b7}"));
    }
}
