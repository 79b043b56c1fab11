using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class InclusionProbabilitiesTests
{
    [Fact]
    public void Solve_AnySizes_AgreesWithTheSortedSolution_Meets_Specification()
    {
        Gen<(float[] Sizes, double Share, int Budget)> inputs =
            from count in Gen.Choose(1, 200)
            from budget in Gen.Choose(1, count)
            from share in Gen.Elements(0, 0.01, 0.2, 1.0)
            from kind in Gen.Choose(0, 4)
            from sizes in Gen.Choose(-20, 1000).ArrayOf(count)
            select (sizes.Select(size => Size(kind, size)).ToArray(), share, budget);

        Properties.Hold(
            inputs,
            input =>
            {
                float[] p = Solve(input.Sizes, input.Share, input.Budget);
                double[] expected = Oracle.InclusionProbabilities(input.Sizes, input.Share, input.Budget);

                Assert.Equal(input.Budget, p.Sum(value => (double)value), 1e-5 * input.Budget);
                for (int i = 0; i < p.Length; i++)
                    Assert.True(Math.Abs(p[i] - expected[i]) <= 1e-6 * Math.Max(expected[i], 1e-3),
                        $"row {i}: {p[i]}, expected {expected[i]}");
            },
            tests: 1000);

        static float Size(int kind, int value) => kind switch
        {
            0 => value,
            1 => value < 800 ? 0 : value,
            2 => MathF.Pow(1.5f, value % 200),
            3 => value * 1e35f,
            _ => value * 1e-42f,
        };
    }

    [Fact]
    public void Solve_EveryLengthUpTo70_SameAsOneRowAtATime()
    {
        // Lengths that are no multiple of the vector width, up to eight whole vectors and a rest.
        var random = new RepeatableRandom(3);
        for (int n = 1; n <= 70; n++)
        {
            float[] sizes = [.. Enumerable.Range(0, n).Select(_ => (float)random.NextDouble())];
            double[] expected = Oracle.InclusionProbabilities(sizes, 0.2, (n + 2) / 3);
            Assert.All(Solve(sizes, 0.2, (n + 2) / 3).Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-6));
        }
    }

    [Fact]
    public void Solve_OneCertainRow_ByHand()
    {
        // x = 10, 1, 1 and b = 2: c·10 > 1, so row 0 is certain and the others share the remaining one.
        Assert.Equal([1f, 0.5f, 0.5f], Solve([10, 1, 1], 0, 2));
    }

    [Fact]
    public void Solve_CappingCascades_ByHand()
    {
        // x = 8, 4, 2, 1, 1 and b = 4: rows 0 and 1 are capped in the first pass, row 2 (c = 2/4·…) in a later one; then 1/2 each.
        Assert.Equal([1f, 1f, 1f, 0.5f, 0.5f], Solve([8, 4, 2, 1, 1], 0, 4));
    }

    [Fact]
    public void Solve_ZerosLeaveTooFewRows_TheySharethe_RestEvenly()
    {
        Assert.Equal([1f, 0.25f, 0.25f, 1f, 0.25f, 0.25f], Solve([5, 0, 0, 1e-30f, 0, -7], 0, 3));
    }

    [Fact]
    public void Solve_AllZero_IsEven()
    {
        Assert.Equal([0.5f, 0.5f, 0.5f, 0.5f], Solve([0, 0, -1, 0], 0, 2));
    }

    private static float[] Solve(float[] sizes, double share, int budget)
    {
        var p = new float[sizes.Length];
        InclusionProbabilities.Solve(sizes, share, budget, p);
        return p;
    }
}
