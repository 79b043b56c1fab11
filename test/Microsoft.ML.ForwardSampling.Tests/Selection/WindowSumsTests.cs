using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class WindowSumsTests
{
    [Fact]
    public void Sums_EveryLengthUpTo256_AreThoseOfAPlainLoop()
    {
        var random = new RepeatableRandom(1);
        for (int n = 0; n <= 256; n++)
        {
            float[] values = [.. Enumerable.Range(0, n).Select(_ => (float)(random.NextDouble() * 2 - 0.8))];
            double scale = 1e-12 * Math.Max(1, n);

            Assert.Equal(values.Sum(value => (double)value), WindowSums.Sum(values), scale);
            Assert.Equal(values.Where(value => value > 0).Sum(value => (double)value), WindowSums.SumOfPositive(values), scale);
            (int certain, double others) = WindowSums.CertainAndRest(values);
            Assert.Equal(values.Count(value => value >= 1), certain);
            Assert.Equal(values.Where(value => value < 1).Sum(value => (double)value), others, scale);
        }
    }

    [Fact]
    public void AllFinite_OneBadValueAtAnyPlaceOfAnyLength_IsFound()
    {
        for (int n = 0; n <= 40; n++)
        {
            float[] values = [.. Enumerable.Repeat(-float.MaxValue, n)];
            Assert.True(WindowSums.AllFinite(values));
            for (int i = 0; i < n; i++)
            {
                foreach (float bad in new[] { float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity })
                {
                    values[i] = bad;
                    Assert.False(WindowSums.AllFinite(values));
                }

                values[i] = float.MaxValue;
            }
        }
    }

    [Fact]
    public void MeanOfFinite_SkipsWhatIsNot()
    {
        Assert.Equal(2, WindowSums.MeanOfFinite([1, float.NaN, 3, float.NegativeInfinity]));
        Assert.Equal(0, WindowSums.MeanOfFinite([float.NaN]));
        Assert.Equal(float.MaxValue, (float)WindowSums.MeanOfFinite([float.MaxValue, float.MaxValue]));
    }
}
