using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class BalancedGradientNormPolicyTests
{
    [Theory]
    [InlineData(0.2f)]
    [InlineData(0f)]
    [InlineData(1f)]
    public void Select_Frequencies_AreTheInclusionProbabilities_AndWeightsTheirInverse(float uniformShare)
    {
        const int n = 30, b = 6, draws = 20_000;
        WindowData data = WindowData.Classes(n, 8);
        data.GradientNorm[11] = 50;
        double[] p = Oracle.InclusionProbabilities(data.GradientNorm, uniformShare, b);
        var selector = new RowSelector(new BalancedGradientNormPolicy { UniformShare = uniformShare }, 19);
        var hits = new int[n];
        for (int i = 0; i < draws; i++)
        {
            Choice choice = Choice.Of(selector, data, b);
            foreach ((int row, float weight) in choice.Rows.Zip(choice.Weights))
            {
                hits[row]++;
                Assert.Equal((double)b / n / p[row], weight, 1e-5 * weight);
            }
        }

        for (int row = 0; row < n; row++)
            Oracle.AssertFrequency(p[row], hits[row], draws, $"row {row}");
    }

    [Fact]
    public void Select_OneRowCarriesAllTheNorm_ThatRowIsAlwaysChosen()
    {
        WindowData data = WindowData.Classes(100, 8);
        Array.Clear(data.GradientNorm);
        data.GradientNorm[63] = 1;
        for (int seed = 0; seed < 100; seed++)
            Assert.Contains(63, Choice.Of(new BalancedGradientNormPolicy(), data, 10, seed).Rows);
    }

    [Fact]
    public void Select_AnyNorms_NoWeightAboveOneOverTheUniformShare()
    {
        WindowData data = WindowData.Classes(300, 8);
        for (int i = 0; i < 300; i += 2)
            data.GradientNorm[i] = i % 4 == 0 ? 0 : 1e-12f;
        foreach (float share in new[] { 0.05f, 0.2f, 0.9f })
        {
            for (int seed = 0; seed < 50; seed++)
                Assert.True(Choice.Of(new BalancedGradientNormPolicy { UniformShare = share }, data, 150, seed)
                    .Weights.Max() <= 1 / share * 1.0001f);
        }
    }

    [Fact]
    public void Select_EveryClassAndEveryRunOfLosses_GetsItsExpectedRowsWithinOne()
    {
        const int n = 200, b = 20;
        WindowData data = WindowData.Distinct(n, 5);
        double[] p = Oracle.InclusionProbabilities(data.GradientNorm, 0.2f, b);
        int[] order = [.. Enumerable.Range(0, n).OrderBy(row => data.Label[row]).ThenBy(row => data.Loss[row])];
        for (int seed = 0; seed < 50; seed++)
        {
            HashSet<int> chosen = [.. Choice.Of(new BalancedGradientNormPolicy(), data, b, seed).Rows];
            for (int first = 0; first < n; first += 13)
            {
                for (int end = first + 1; end <= n; end += 17)
                {
                    double expected = order[first..end].Sum(row => p[row]);
                    Assert.InRange(order[first..end].Count(chosen.Contains), Math.Floor(expected - 1e-4), Math.Ceiling(expected + 1e-4));
                }
            }
        }
    }

    [Fact]
    public void Select_AgainstGradientNorm_MeansVaryLess()
    {
        // What the strata are for: the same chances, a steadier mean loss. 500 windows, seed 3.
        WindowData data = WindowData.Distinct(640, 3);
        double Variance(IRowSelectionPolicy policy)
        {
            var selector = new RowSelector(policy, 3);
            return Enumerable.Range(0, 500).Average(_ =>
            {
                Choice choice = Choice.Of(selector, data, 64);
                return Math.Pow(SelectionDiagnostics.LossResidual(data.Loss, choice.Rows, choice.Weights), 2);
            });
        }

        double balanced = Variance(new BalancedGradientNormPolicy()), plain = Variance(new GradientNormPolicy()),
            uniform = Variance(new UniformPolicy());
        Assert.True(balanced < plain / 1.5 && balanced < uniform / 10, $"balanced {balanced}, plain {plain}, uniform {uniform}");
    }

    [Fact]
    public void UniformShare_OutOfRange_NamesRangeAndValue()
    {
        Assert.Equal(
            "BalancedGradientNormPolicy.UniformShare must be in [0, 1]. (Parameter 'UniformShare')" + Environment.NewLine
                + "Actual value was 1.5.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new BalancedGradientNormPolicy { UniformShare = 1.5 }).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BalancedGradientNormPolicy() with { UniformShare = -1 });
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal(
            "BalancedGradientNormPolicy { UniformShare = 0.2, Name = BalancedGradientNorm, Needs = Loss, GradientNorm, Label, IsUnbiased "
                + "= True }",
            new BalancedGradientNormPolicy().ToString());
    }
}
