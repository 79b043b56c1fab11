using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>How often each row is chosen, against the chance that the policy's formula gives it, for every unbiased policy on the same
/// window.</summary>
public sealed class InclusionRateTests
{
    // 20,000 draws of 8 of 48 rows, seed 41. Each row's hits are binomial and may be off by 4 standard errors: over 48 rows and 7 policies
    // a right implementation fails that for 2 seeds in 100; a chance that is off by 0.015 fails it for nearly all.
    private const int Rows = 48, Budget = 8, Draws = 20_000;

    [Theory]
    [InlineData("Uniform")]
    [InlineData("LossStratified")]
    [InlineData("MeanMatching, Stride")]
    [InlineData("GradientNorm")]
    [InlineData("BalancedGradientNorm")]
    [InlineData("Cube")]
    [InlineData("InfoBatch")]
    public void Select_ManyDraws_EveryRowIsChosenAtTheRateOfItsChance(string rule)
    {
        WindowData data = WindowData.Distinct(Rows, 17);
        data.GradientNorm[5] = 0;
        data.GradientNorm[30] = 40; // certain, where norms count
        (IRowSelectionPolicy policy, double[] p) = Expected(rule, data);
        var selector = new RowSelector(policy, 41);
        int[] hits = new int[Rows], rows = new int[Budget];
        var weights = new float[Budget];
        for (int i = 0; i < Draws; i++)
        {
            selector.Select(data.Window(selector.Scratch), rows, weights);
            foreach (int row in rows)
                hits[row]++;
        }

        for (int row = 0; row < Rows; row++)
            Oracle.AssertFrequency(p[row], hits[row], Draws, $"{rule}, row {row}");
    }

    private static (IRowSelectionPolicy Policy, double[] Chances) Expected(string rule, WindowData data)
    {
        double[] even = [.. Enumerable.Repeat((double)Budget / Rows, Rows)];
        double mean = data.Loss.Average(loss => (double)loss);
        return rule switch
        {
            "Uniform" => (new UniformPolicy(), even),
            "LossStratified" => (new LossStratifiedPolicy(), even),
            "MeanMatching, Stride" => (new MeanMatchingPolicy { Refinement = MeanMatchingRefinement.Stride }, even),
            "GradientNorm" => (new GradientNormPolicy(), Oracle.InclusionProbabilities(data.GradientNorm, 0, Budget)),
            "BalancedGradientNorm" => (new BalancedGradientNormPolicy(), Oracle.InclusionProbabilities(data.GradientNorm, 0.2, Budget)),
            "Cube" => (new CubePolicy { BalanceMargin = true }, Oracle.InclusionProbabilities(data.GradientNorm, 0.2, Budget)),
            "InfoBatch" => (new InfoBatchPolicy(),
                Oracle.InclusionProbabilities([.. data.Loss.Select(loss => loss < mean ? 0.5f : 1)], 0, Budget)),
            _ => throw new ArgumentOutOfRangeException(nameof(rule), rule, "Not a rule of this test."),
        };
    }
}
