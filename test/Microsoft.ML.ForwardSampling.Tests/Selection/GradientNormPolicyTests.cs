using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class GradientNormPolicyTests
{
    [Fact]
    public void Select_Frequencies_AreTheInclusionProbabilities_AndWeightsTheirInverse()
    {
        const int n = 30, b = 6, draws = 20_000;
        WindowData data = WindowData.Classes(n, 8);
        data.GradientNorm[4] = 0;
        data.GradientNorm[11] = 50; // certain
        double[] p = Oracle.InclusionProbabilities(data.GradientNorm, 0, b);
        var selector = new RowSelector(new GradientNormPolicy(), 19);
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

        Assert.Equal(0, hits[4]);
        Assert.Equal(draws, hits[11]);
        for (int row = 0; row < n; row++)
            Oracle.AssertFrequency(p[row], hits[row], draws, $"row {row}");
    }

    [Fact]
    public void Select_FewerPositiveNormsThanBudget_TheyAreCertainAndZeroRowsShareTheRest()
    {
        const int draws = 10_000;
        WindowData data = WindowData.Classes(10, 8);
        Array.Clear(data.GradientNorm);
        (data.GradientNorm[2], data.GradientNorm[7]) = (3, 1e-20f);
        var selector = new RowSelector(new GradientNormPolicy(), 19);
        var hits = new int[10];
        for (int i = 0; i < draws; i++)
        {
            Choice choice = Choice.Of(selector, data, 4);
            foreach ((int row, float weight) in choice.Rows.Zip(choice.Weights))
            {
                hits[row]++;
                Assert.Equal(row is 2 or 7 ? 0.4f : 1.6f, weight, 1e-5f);
            }
        }

        for (int row = 0; row < 10; row++)
            Oracle.AssertFrequency(row is 2 or 7 ? 1 : 0.25, hits[row], draws, $"row {row}");
    }

    [Fact]
    public void Select_SourcesTakingTurns_AreNotChosenOneAtATime()
    {
        // Ten sources in turn, equal norms, a tenth chosen: steps along the row order would take a single source in every window.
        var data = new WindowData(new float[200], [.. Enumerable.Repeat(1f, 200)], new float[200], new float[200], new int[200]);
        var selector = new RowSelector(new GradientNormPolicy(), 19);
        for (int i = 0; i < 200; i++)
            Assert.True(Choice.Of(selector, data, 20).Rows.Select(row => row % 10).Distinct().Count() >= 5);
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal("GradientNormPolicy { Name = GradientNorm, Needs = GradientNorm, IsUnbiased = True }",
            new GradientNormPolicy().ToString());
    }
}
