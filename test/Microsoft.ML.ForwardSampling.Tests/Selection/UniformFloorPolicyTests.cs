using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class UniformFloorPolicyTests
{
    [Theory]
    [InlineData(0.25, 8)] // 2 even rows
    [InlineData(0.2, 8)] // 1.6: one or two
    [InlineData(0.3, 1)] // 0.3: none or the only one
    public void Select_Frequencies_AreThoseOfTheUnion(double share, int budget)
    {
        // Seed 19, 20,000 draws, four standard errors.
        const int n = 30, draws = 20_000;
        WindowData data = WindowData.Classes(n, 8);
        double remainder = share * budget - Math.Floor(share * budget);
        double[] expected = [.. Union(0).Zip(Union(1), (less, more) => (1 - remainder) * less + remainder * more)];
        var selector = new RowSelector(new UniformFloorPolicy { Inner = new GradientNormPolicy(), Share = share }, 19);
        var hits = new int[n];
        for (int i = 0; i < draws; i++)
        {
            foreach (int row in Choice.Of(selector, data, budget).Rows)
                hits[row]++;
        }

        for (int row = 0; row < n; row++)
            Oracle.AssertFrequency(expected[row], hits[row], draws, $"row {row}");

        IEnumerable<double> Union(int more)
        {
            int even = (int)Math.Floor(share * budget) + more, inner = budget - even;
            return inner <= 0
                ? Enumerable.Repeat((double)budget / n, n)
                : Oracle.InclusionProbabilities(data.GradientNorm, 0, inner).Select(p => p + (1 - p) * even / (n - inner));
        }
    }

    [Fact]
    public void Select_Weights_AreThoseOfTheFormula()
    {
        // n = 30, b = 8, u = 2: an inner row weighs (22·w + 2)/24 with w = (6/30)/p, an even one 1.
        WindowData data = WindowData.Distinct(30, 8);
        double[] p = Oracle.InclusionProbabilities(data.GradientNorm, 0, 6);
        for (int seed = 0; seed < 100; seed++)
        {
            Choice choice = Choice.Of(new UniformFloorPolicy { Inner = new GradientNormPolicy(), Share = 0.25 }, data, 8, seed);
            Assert.Equal(2, choice.Weights.Count(weight => weight == 1));
            foreach ((int row, float weight) in choice.Rows.Zip(choice.Weights).Where(pair => pair.Second != 1))
                Assert.Equal((22 * 0.2 / p[row] + 2) / 24, weight, 1e-5 * weight);
        }
    }

    [Fact]
    public void Select_AroundTopLoss_TheTopRowsAndOthersOfEvenChance_AllOfWeightOne()
    {
        const int draws = 5_000;
        WindowData data = WindowData.Distinct(40, 3);
        int[] top = [.. Enumerable.Range(0, 40).OrderByDescending(row => data.Loss[row]).Take(6)];
        var selector = new RowSelector(new UniformFloorPolicy { Inner = new TopLossPolicy(), Share = 0.25 }, 4);
        var hits = new int[40];
        for (int i = 0; i < draws; i++)
        {
            Choice choice = Choice.Of(selector, data, 8);
            Assert.All(top, row => Assert.Contains(row, choice.Rows));
            Assert.All(choice.Weights, weight => Assert.Equal(1f, weight));
            foreach (int row in choice.Rows)
                hits[row]++;
        }

        for (int row = 0; row < 40; row++)
            Oracle.AssertFrequency(top.Contains(row) ? 1 : 2 / 34.0, hits[row], draws, $"row {row}");
    }

    [Fact]
    public void Share_ZeroAndOne_AreTheInnerPolicyAndUniform()
    {
        // One number decides how many rows are even; the rest is the other policy's own.
        WindowData data = WindowData.Distinct(150, 3);
        for (int seed = 0; seed < 20; seed++)
        {
            Assert.Equal(AfterOneNumber(new LossStratifiedPolicy()),
                Of(new UniformFloorPolicy { Inner = new LossStratifiedPolicy(), Share = 0 }));
            Assert.Equal(AfterOneNumber(new UniformPolicy()), Of(new UniformFloorPolicy { Inner = new LossStratifiedPolicy(), Share = 1 }));

            Choice Of(IRowSelectionPolicy policy) => Choice.Of(policy, data, 15, seed);
            Choice AfterOneNumber(IRowSelectionPolicy policy)
            {
                var random = new RepeatableRandom(seed);
                random.NextDouble();
                var choice = new Choice(new int[15], new float[15]);
                policy.Select(data.Window(new SelectionScratch()), ref random, choice.Rows, choice.Weights);
                return choice;
            }
        }
    }

    [Fact]
    public void NeedsAndUnbiasedness_AreTheInnerPolicys()
    {
        var floor = new UniformFloorPolicy { Inner = new SelectiveBackpropPolicy() };

        Assert.Equal(RecordStatistics.Loss, floor.Needs);
        Assert.False(floor.IsUnbiased);
        Assert.True(new UniformFloorPolicy { Inner = new UniformPolicy() }.IsUnbiased);
    }

    [Fact]
    public void Inner_Null_NamesTheOption()
    {
        Assert.Equal(
            "UniformFloorPolicy.Inner must not be null. (Parameter 'Inner')",
            Assert.Throws<ArgumentNullException>(() => new UniformFloorPolicy { Inner = null! }).Message);
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal(
            $"UniformFloorPolicy {{ Inner = {new BalancedGradientNormPolicy()}, Share = 0.2, Name = UniformFloor, Needs = Loss, "
                + $"GradientNorm, Label, IsUnbiased = True }}",
            new UniformFloorPolicy().ToString());
    }
}
