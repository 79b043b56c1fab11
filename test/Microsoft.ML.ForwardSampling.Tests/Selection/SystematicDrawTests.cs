using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class SystematicDrawTests
{
    private static readonly double[] s_edges = [0, double.Epsilon, 1e-9, 0.5, 1 - 1e-9, Math.BitDecrement(1.0)];

    /// <summary>Beyond 2^25 rows a chance of (n - 1)/n is 1 in single precision, and there are more certain rows than wanted
    /// ones.</summary>
    [Theory]
    [InlineData(10, 9)]
    [InlineData(10, 4)]
    [InlineData(7, 1)]
    public void Choose_MoreCertainRowsThanWanted_LeavesOutEachEquallyOften(int count, int wanted)
    {
        float[] certain = [.. Enumerable.Repeat(1f, count)];
        int[] order = [.. Enumerable.Range(0, count).Reverse()], hits = new int[count], rows = new int[wanted];
        for (int start = 0; start < count; start++)
        {
            SystematicDraw.Choose(certain, order, (start + 0.5) / count, rows, new SelectionScratch());
            Assert.Equal(rows.Distinct().Order(), rows);
            foreach (int row in rows)
                hits[row]++;
        }

        Assert.All(hits, hit => Assert.Equal(wanted, hit));
    }

    [Fact]
    public void Choose_AnyProbabilitiesOrderAndOffset_Meets_Specification()
    {
        Gen<(float[] Sizes, int Budget, double Offset, int Seed)> inputs =
            from count in Gen.Choose(1, 300)
            from budget in Gen.Choose(1, count)
            from kind in Gen.Choose(0, 3)
            from sizes in Gen.Choose(0, 1000).ArrayOf(count)
            from offset in Gen.OneOf(Gen.Elements(s_edges), Gen.Choose(0, 1 << 20).Select(value => value / (double)((1 << 20) + 1)))
            from seed in Gen.Choose(0, int.MaxValue)
            select (sizes.Select(size => Size(kind, size)).ToArray(), budget, offset, seed);

        Properties.Hold(
            inputs,
            input =>
            {
                int n = input.Sizes.Length;
                var p = new float[n];
                InclusionProbabilities.Solve(input.Sizes, 0, input.Budget, p);
                int[] order = [.. Enumerable.Range(0, n)];
                new Random(input.Seed).Shuffle(order);
                var rows = new int[input.Budget];
                SystematicDraw.Choose(p, order, input.Offset, rows, new SelectionScratch());

                Assert.Equal(rows.Distinct().Order(), rows);
                Assert.All(rows, row => Assert.InRange(row, 0, n - 1));
                Assert.All(rows, row => Assert.True(p[row] > 0));
                Assert.All(Enumerable.Range(0, n).Where(row => p[row] >= 1), row => Assert.Contains(row, rows));
            },
            tests: 1000);

        static float Size(int kind, int value) => kind switch
        {
            0 => value,
            1 => value < 900 ? 0 : value,
            2 => MathF.Pow(1.2f, value % 200),
            _ => 1,
        };
    }

    [Fact]
    public void Choose_AllOffsetsInTurn_EachRowIsChosenForAShareEqualToItsProbability()
    {
        // The chance over the offset is a length of the unit interval: 20,000 equal steps measure it to 1/10,000.
        const int steps = 20_000;
        float[] sizes = [3, 1, 0, 40, 2, 2, 5, 0.5f, 1, 7];
        var p = new float[10];
        InclusionProbabilities.Solve(sizes, 0.1, 4, p);
        int[] order = [4, 9, 0, 3, 2, 8, 1, 7, 6, 5], hits = new int[10], rows = new int[4];
        for (int i = 0; i < steps; i++)
        {
            SystematicDraw.Choose(p, order, (i + 0.5) / steps, rows, new SelectionScratch());
            foreach (int row in rows)
                hits[row]++;
        }

        for (int row = 0; row < 10; row++)
            Assert.Equal(p[row], (double)hits[row] / steps, 1e-4);
    }

    [Theory]
    [InlineData(0.99f)]
    [InlineData(1.01f)]
    public void Choose_ProbabilitiesDoNotSumToTheBudget_ThatManyRowsAllTheSameInProportion(float factor)
    {
        // Far worse than rounding can make them: what is missing or too much must be spread over all rows, not cut off the end of the
        // order.
        const int steps = 2_000;
        float[] p = [.. Enumerable.Range(0, 100).Select(i => i == 50 ? 1 : (i % 7 == 0 ? 0.3f : 0.05f) * factor)];
        const int budget = 10;
        double others = p.Sum(value => value < 1 ? value : 0.0);
        int[] order = [.. Enumerable.Range(0, 100)], rows = new int[budget], hits = new int[100];
        foreach (double offset in s_edges.Concat(Enumerable.Range(0, steps).Select(i => (i + 0.5) / steps)))
        {
            SystematicDraw.Choose(p, order, offset, rows, new SelectionScratch());
            Assert.Equal(rows.Distinct().Order(), rows);
            foreach (int row in rows)
                hits[row]++;
        }

        for (int row = 0; row < 100; row++)
            Assert.Equal(row == 50 ? 1 : p[row] * (budget - 1) / others, hits[row] / (steps + 6.0), 0.005);
    }

    [Fact]
    public void Choose_OffsetJustBelowOneAndMassOnlyAtTheStart_TheLastDrawStillFindsARow()
    {
        // The probabilities end before the order does; what rounding can take from the end must be found among rows of positive chance.
        float[] p = [0.1f, 0.2f, 0.3f, 0.4f, 0f, 0f];
        int[] order = [0, 1, 2, 3, 4, 5], rows = [-1];
        SystematicDraw.Choose(p, order, Math.BitDecrement(1.0), rows, new SelectionScratch());

        Assert.Equal([3], rows);
    }

    [Fact]
    public void Choose_OffsetZero_TheFirstRowOfEachStep()
    {
        float[] p = [0.5f, 0.5f, 0.5f, 0.5f];
        int[] order = [3, 1, 2, 0], rows = new int[2];
        SystematicDraw.Choose(p, order, 0, rows, new SelectionScratch());

        Assert.Equal([2, 3], rows);
    }

    [Fact]
    public void Choose_ProbabilityLongerThanAStep_RowsWithoutAChanceDoNotGetTheNextDraw()
    {
        float[] p = [0.99f, 0.99f, 0, 0, 0.02f];
        int[] order = [0, 1, 2, 3, 4], rows = new int[3];
        SystematicDraw.Choose(p, order, 0, rows, new SelectionScratch());

        Assert.Equal([0, 1, 4], rows);
    }

    [Fact]
    public void ChooseEvenly_AllStartsInTurn_EveryRankEquallyOften()
    {
        for (int n = 1; n <= 30; n++)
        {
            for (int b = 1; b <= n; b++)
            {
                var hits = new int[n];
                var ranks = new int[b];
                for (int start = 0; start < n; start++)
                {
                    SystematicDraw.ChooseEvenly(n, start, ranks);
                    Assert.Equal(ranks.Distinct().Order(), ranks);
                    foreach (int rank in ranks)
                        hits[rank]++;
                }

                Assert.All(hits, count => Assert.Equal(b, count)); // b of n starts: a chance of exactly b/n
            }
        }
    }

    [Fact]
    public void ChooseEvenly_LargestWindow_DoesNotOverflow()
    {
        const int n = SelectionOptions.MaxWindowSize;
        var ranks = new int[n - 1];
        SystematicDraw.ChooseEvenly(n, n - 1, ranks);

        Assert.Equal(n - 1, ranks[^1]);
        Assert.Equal(1, ranks[0]);
    }
}
