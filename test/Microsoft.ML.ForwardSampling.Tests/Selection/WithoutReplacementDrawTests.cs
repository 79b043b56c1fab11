using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class WithoutReplacementDrawTests
{
    [Theory]
    [InlineData(new[] { 1.0, 2, 3, 4 }, 2)]
    [InlineData(new[] { 0.0, 5, 0, 1, 1 }, 2)]
    [InlineData(new[] { 0.0, 5, 0, 1, 0 }, 4)]
    [InlineData(new[] { 1e-300, 1, 1e-300, 1e300, 1, 1e-5, 7 }, 3)]
    [InlineData(new[] { 0.0, 0, 0 }, 2)]
    public void Choose_FewItems_FrequenciesAreThoseOfAllOrdersEnumerated(double[] weights, int budget)
    {
        const int draws = 20_000;
        double[] expected = Oracle.SuccessiveSampling(weights, budget);
        var random = new RepeatableRandom(101);
        var scratch = new SelectionScratch();
        var hits = new int[weights.Length];
        var items = new int[budget];
        for (int i = 0; i < draws; i++)
        {
            WithoutReplacementDraw.Choose(weights, ref random, items, scratch);
            foreach (int item in items)
                hits[item]++;
        }

        for (int item = 0; item < weights.Length; item++)
            Oracle.AssertFrequency(expected[item], hits[item], draws, $"item {item}");
    }

    [Fact]
    public void Choose_FirstDraw_IsInProportionToWeight()
    {
        const int draws = 40_000;
        double[] weights = [.. Enumerable.Range(0, 20).Select(i => (double)i)];
        var random = new RepeatableRandom(55);
        var scratch = new SelectionScratch();
        var hits = new int[20];
        for (int i = 0; i < draws; i++)
        {
            int[] items = new int[5];
            WithoutReplacementDraw.Choose(weights, ref random, items, scratch);
            hits[items[0]]++;
        }

        for (int item = 0; item < 20; item++)
            Oracle.AssertFrequency(item / 190.0, hits[item], draws, $"item {item}");
    }

    [Fact]
    public void Choose_AnyWeights_DistinctItemsAndPositiveOnesFirst_Meets_Specification()
    {
        Gen<(double[] Weights, int Budget, int Seed)> inputs =
            from count in Gen.Choose(1, 130)
            from budget in Gen.Choose(1, count)
            from weights in Gen.Elements(0.0, 0, 1, 1e-200, 0.3, 12).ArrayOf(count)
            from seed in Gen.Choose(0, int.MaxValue)
            select (weights, budget, seed);

        Properties.Hold(inputs, input =>
        {
            var random = new RepeatableRandom(input.Seed);
            var items = new int[input.Budget];
            WithoutReplacementDraw.Choose(input.Weights, ref random, items, new SelectionScratch());

            Assert.Equal(input.Budget, items.Distinct().Count());
            Assert.All(items, item => Assert.InRange(item, 0, input.Weights.Length - 1));
            int positive = Math.Min(input.Budget, input.Weights.Count(weight => weight > 0));
            Assert.All(items[..positive], item => Assert.True(input.Weights[item] > 0));
        });
    }
}
