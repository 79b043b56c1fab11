using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class MeanMatchingPolicyTests
{
    private static readonly MeanMatchingPolicy s_stride = new() { Refinement = MeanMatchingRefinement.Stride };

    [Fact]
    public void Select_Exact_ResidualIsAHundredthOfUniformsAndATwentiethOfStrides()
    {
        double exact = RootMeanSquareResidual(new MeanMatchingPolicy()), stride = RootMeanSquareResidual(s_stride), uniform = RootMeanSquareResidual(new UniformPolicy());

        Assert.True(exact < uniform / 100, $"exact {exact}, uniform {uniform}");
        Assert.True(exact < stride / 20, $"exact {exact}, stride {stride}");
        Assert.True(stride < uniform / 3, $"stride {stride}, uniform {uniform}");

        static double RootMeanSquareResidual(IRowSelectionPolicy policy)
        {
            var selector = new RowSelector(policy, 6);
            double sum = 0;
            for (int i = 0; i < 200; i++)
            {
                WindowData data = WindowData.Distinct(640, (ulong)i);
                double residual = SelectionDiagnostics.LossResidual(data.Loss, Choice.Of(selector, data, 64).Rows);
                sum += residual * residual;
            }

            return Math.Sqrt(sum / 200);
        }
    }

    [Fact]
    public void Select_Exact_OneRowFromEachStratumOfTheLossOrder()
    {
        WindowData data = WindowData.Distinct(200, 2);
        int[] rank = new int[200];
        foreach ((int row, int position) in Enumerable.Range(0, 200).OrderBy(row => data.Loss[row]).Select((row, position) => (row, position)))
            rank[row] = position;
        for (int seed = 0; seed < 50; seed++)
            Assert.Equal(Enumerable.Range(0, 20), Choice.Of(new MeanMatchingPolicy(), data, 20, seed).Rows.Select(row => rank[row] / 10).Order());
    }

    [Fact]
    public void Select_OneRowWithAnEnormousLoss_StillChosenAtLeastHalfAsOftenAsEven()
    {
        // No subset with that row can match the mean: matching alone would never take it. n = 30, b = 6: even 1/5, floor 1/10; seed 9, 20,000 draws.
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
    public void Select_SmallWindow_MedianResidualNeedsMoreThanOneSweep()
    {
        // 2,000 windows of 40 rows, 10 chosen: 0.0040 with the sweeps, 0.0065 with one of them.
        double[] residuals =
        [
            .. Enumerable.Range(0, 2000)
                .Select(seed => (Data: WindowData.Classes(40, (ulong)seed), Seed: seed))
                .Select(window => Math.Abs(SelectionDiagnostics.LossResidual(window.Data.Loss, Choice.Of(new MeanMatchingPolicy(), window.Data, 10, window.Seed).Rows)))
                .Order(),
        ];

        Assert.InRange(residuals[1000], 0, 0.005);
    }

    [Fact]
    public void Select_FourOfEightRows_IsFarUpAmongAllSeventySubsets()
    {
        var ranks = new List<int>();
        for (int seed = 0; seed < 200; seed++)
        {
            WindowData data = WindowData.Distinct(8, (ulong)seed);
            double residual = Math.Abs(SelectionDiagnostics.LossResidual(data.Loss, Choice.Of(new MeanMatchingPolicy(), data, 4, seed).Rows));
            int[][] subsets =
            [
                .. from bits in Enumerable.Range(0, 256)
                   where int.PopCount(bits) == 4
                   select Enumerable.Range(0, 8).Where(row => (bits >> row & 1) == 1).ToArray(),
            ];
            Assert.Equal(70, subsets.Length);
            ranks.Add(subsets.Count(subset => Math.Abs(SelectionDiagnostics.LossResidual(data.Loss, subset)) < residual - 1e-9));
        }

        // Mean number of better subsets; Uniform's is 34.5.
        Assert.True(ranks.Average() < 20, $"mean rank {ranks.Average()}");
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
        Assert.Equal("MeanMatchingPolicy { Refinement = Exact, Name = MeanMatching, Needs = Loss, IsUnbiased = False }", new MeanMatchingPolicy().ToString());
    }
}
