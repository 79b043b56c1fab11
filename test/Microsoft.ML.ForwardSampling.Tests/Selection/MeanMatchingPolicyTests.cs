using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class MeanMatchingPolicyTests
{
    private static readonly MeanMatchingPolicy s_stride = new() { Refinement = MeanMatchingRefinement.Stride };

    [Fact]
    public void Select_Exact_ResidualIsAHundredThousandthOfUniformsAndStridesAThird()
    {
        double exact = RootMeanSquareResidual(new MeanMatchingPolicy()), stride = RootMeanSquareResidual(s_stride),
            uniform = RootMeanSquareResidual(new UniformPolicy());

        Assert.True(exact < uniform / 100_000, $"exact {exact}, uniform {uniform}");
        Assert.True(stride < uniform / 3, $"stride {stride}, uniform {uniform}");

        static double RootMeanSquareResidual(IRowSelectionPolicy policy)
        {
            var selector = new RowSelector(policy, 6);
            double sum = 0;
            for (int i = 0; i < 200; i++)
            {
                WindowData data = WindowData.Distinct(640, i);
                double residual = SelectionDiagnostics.LossResidual(data.Loss, Choice.Of(selector, data, 64).Rows);
                sum += residual * residual;
            }

            return Math.Sqrt(sum / 200);
        }
    }

    [Theory]
    [InlineData(100, 0)]
    [InlineData(100, 0.5)]
    [InlineData(100, 0.9)] // one stratum is open: (1 − 0.9)·10 is a little less than 1 in floating point
    [InlineData(300, 0.5)]
    [InlineData(1000, 0)]
    [InlineData(1000, 0.5)]
    public void Select_Exact_ResidualIsWithinAMillionthOfTheStandardDeviation(int n, double keptShare)
    {
        // 0 is a lower bound of any solver's residual. Skewed losses, 100 windows, one row in ten.
        var policy = new MeanMatchingPolicy { KeptShare = keptShare };
        for (int seed = 0; seed < 100; seed++)
        {
            WindowData data = WindowData.Classes(n, seed);
            for (int row = 0; row < n; row++)
                data.Loss[row] = -MathF.Log(data.GradientNorm[row] / 1.6f);
            Assert.InRange(RelativeResidual(data.Loss, Choice.Of(policy, data, n / 10, seed).Rows), 0, 1e-6);
        }
    }

    [Theory]
    [InlineData(8, 4, 70, 0.09)]
    [InlineData(12, 6, 924, 0.007)]
    [InlineData(16, 5, 4368, 0.0015)]
    public void Select_NothingKept_MedianGapToTheBestOfAllSubsetsIsSmall(int n, int b, int count, double gap)
    {
        // Exhaustive search, 60 windows; the gap in units of the window's s.d. The median of the same search over no subset but the start,
        // Stride's, is over ten times as large.
        int[][] subsets =
        [
            .. from bits in Enumerable.Range(0, 1 << n)
               where int.PopCount(bits) == b
               select Enumerable.Range(0, n).Where(row => (bits >> row & 1) == 1).ToArray(),
        ];
        Assert.Equal(count, subsets.Length);
        var exact = new List<double>();
        var stride = new List<double>();
        for (int seed = 0; seed < 60; seed++)
        {
            WindowData data = WindowData.Distinct(n, seed);
            double best = subsets.Min(subset => RelativeResidual(data.Loss, subset));
            exact.Add(RelativeResidual(data.Loss, Choice.Of(new MeanMatchingPolicy { KeptShare = 0 }, data, b, seed).Rows) - best);
            stride.Add(RelativeResidual(data.Loss, Choice.Of(s_stride, data, b, seed).Rows) - best);
        }

        Assert.All(exact, difference => Assert.True(difference > -1e-9));
        Assert.True(Median(exact) < gap && Median(exact) < Median(stride) / 3, $"median gap {Median(exact)}, Stride's {Median(stride)}");

        static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
    }

    [Fact]
    public void Select_AllKept_OneRowFromEachStratumOfTheLossOrder_AndHalfOfThemByDefault()
    {
        WindowData data = WindowData.Distinct(200, 2);
        int[] rank = new int[200];
        foreach ((int row, int position) in Enumerable.Range(0, 200).OrderBy(row => data.Loss[row])
            .Select((row, position) => (row, position)))
            rank[row] = position;
        for (int seed = 0; seed < 50; seed++)
        {
            Assert.Equal(Enumerable.Range(0, 20), Strata(new MeanMatchingPolicy { KeptShare = 1 }, seed).Order());
            Assert.InRange(Strata(new MeanMatchingPolicy(), seed).Distinct().Count(), 10, 20);
        }

        IEnumerable<int> Strata(MeanMatchingPolicy policy, int seed) =>
            Choice.Of(policy, data, 20, seed).Rows.Select(row => rank[row] / 10);
    }

    [Fact]
    public void Select_AllLossesEqual_SearchesForNothing()
    {
        // A loss that sums with rounding: without a stop, the search for a residual of exactly 0 would draw numbers to its end.
        WindowData data = WindowData.Distinct(100, 2);
        Array.Fill(data.Loss, 0.1f);
        var random = new RepeatableRandom(5);
        RepeatableRandom start = random;
        new MeanMatchingPolicy().Select(data.Window(new SelectionScratch()), ref random, new int[10], new float[10]);
        int drawn = 0;
        for (; start.State != random.State; drawn++)
            start.NextUInt64();
        Assert.InRange(drawn, 10, 16);
    }

    [Fact]
    public void Select_LossesThatDifferInTheirLastPlacesOnly_MeanIsMatchedToHalfAPlaceWithoutALongSearch()
    {
        // Losses of a network that has not learned yet: multiples of 2⁻²⁴ near ln 2, and so are their sums. 20 windows of 100 rows, at most
        // 8 walks of two numbers and a shuffle each.
        for (int seed = 0; seed < 20; seed++)
        {
            WindowData data = WindowData.Distinct(100, seed);
            for (int row = 0; row < 100; row++)
                data.Loss[row] = 0.6931f + 1e-5f * data.Margin[row];
            var random = new RepeatableRandom(seed);
            RepeatableRandom start = random;
            int[] rows = new int[10];
            new MeanMatchingPolicy().Select(data.Window(new SelectionScratch()), ref random, rows, new float[10]);
            int drawn = 0;
            for (; start.State != random.State && drawn < 1000; drawn++)
                start.NextUInt64();

            Assert.InRange(Math.Abs(SelectionDiagnostics.LossResidual(data.Loss, rows)) * 10, 0, Math.Pow(2, -25) * 1.001);
            Assert.InRange(drawn, 10, 200);
        }
    }

    [Theory]
    [InlineData(60)]
    [InlineData(200)]
    public void Select_OutlierThatNoSubsetMakesUpFor_KeepsItsChance(int n)
    {
        // Whether it is in or out, the mean is out of reach: then no kept row is given up. Even chance 1/10, floor 1/20; seed 9, 4,000
        // draws.
        const int draws = 4000;
        WindowData data = WindowData.Distinct(n, 2);
        data.Loss[13] = 500;
        var selector = new RowSelector(new MeanMatchingPolicy(), 9);
        int hits = 0;
        for (int i = 0; i < draws; i++)
            hits += Choice.Of(selector, data, n / 10).Rows.Contains(13) ? 1 : 0;

        Assert.InRange((double)hits / draws, 0.05 - 4 * Math.Sqrt(0.05 * 0.95 / draws), 0.07);
    }

    [Fact]
    public void Select_RowsAtTheEndsOfSkewedLosses_KeepTheirChance()
    {
        // Windows of 100 rows in which one row has 0.7 of what the ten chosen ones should sum to: where it is kept, other kept rows are
        // given up, not it. Seed 9, five windows, 2,000 draws each, floor 1/20.
        const int draws = 2000;
        var selector = new RowSelector(new MeanMatchingPolicy(), 9);
        for (int seed = 0; seed < 5; seed++)
        {
            WindowData data = WindowData.Distinct(100, seed);
            int largest = data.Loss.IndexOf(data.Loss.Max());
            data.Loss[largest] = 7 * data.Loss.Average();
            int hits = 0;
            for (int i = 0; i < draws; i++)
                hits += Choice.Of(selector, data, 10).Rows.Contains(largest) ? 1 : 0;
            Assert.True((double)hits / draws >= 0.05 - 4 * Math.Sqrt(0.05 * 0.95 / draws), $"{hits} of {draws}, seed {seed}");
        }
    }

    [Fact]
    public void Select_OneRowWithAnEnormousLoss_StillChosenAtLeastHalfAsOftenAsEven()
    {
        // No subset with that row can match the mean: matching alone would never take it. n = 30, b = 6: even 1/5, floor 1/10; seed 9,
        // 20,000 draws.
        const int draws = 20_000;
        WindowData data = WindowData.Distinct(30, 2);
        data.Loss[13] = 1e6f;
        var selector = new RowSelector(new MeanMatchingPolicy(), 9);
        var hits = new int[30];
        for (int i = 0; i < draws; i++)
        {
            foreach (int row in Choice.Of(selector, data, 6).Rows)
                hits[row]++;
        }

        double error = 4 * Math.Sqrt(0.1 * 0.9 / draws);
        Assert.All(hits, count => Assert.True((double)count / draws >= 0.1 - error, $"{count} of {draws}"));
        // And it is what the swaps avoid where they may: clearly below even.
        Assert.True((double)hits[13] / draws < 0.13, $"{hits[13]} of {draws}");
    }

    [Fact]
    public void Select_Stride_IsTheLossStratifiedDrawWithoutClasses()
    {
        WindowData data = WindowData.Classes(333, 2);
        for (int seed = 0; seed < 20; seed++)
            Assert.Equal(Choice.Of(new LossStratifiedPolicy { ByClass = false }, data, 33, seed), Choice.Of(s_stride, data, 33, seed));
    }

    [Fact]
    public void IsUnbiased_OnlyWithStride()
    {
        Assert.False(new MeanMatchingPolicy().IsUnbiased);
        Assert.True(s_stride.IsUnbiased);
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal("MeanMatchingPolicy { Refinement = Exact, KeptShare = 0.5, Name = MeanMatching, Needs = Loss, IsUnbiased = False }",
            new MeanMatchingPolicy().ToString());
    }

    // In units of the window's standard deviation.
    private static double RelativeResidual(float[] loss, int[] rows)
    {
        double mean = loss.Average(value => (double)value);
        return Math.Abs(SelectionDiagnostics.LossResidual(loss, rows)) / Math.Sqrt(loss.Average(value => (value - mean) * (value - mean)));
    }
}
