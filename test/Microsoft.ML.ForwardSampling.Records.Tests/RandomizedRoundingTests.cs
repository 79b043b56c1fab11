
namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class RandomizedRoundingTests
{
    [Theory]
    [InlineData(4, 11)]
    [InlineData(3, 4)]
    [InlineData(2, 13)]
    public void Round_ManyDraws_MeanIsTheValue(int integerBits, int fractionBits)
    {
        const int Draws = 40_000;
        var rounding = new RandomizedRounding(integerBits, fractionBits, seed: 5);
        foreach (double share in new[] { 0.03, 0.25, 0.5, 0.9 })
        {
            foreach (double start in new[] { -1.0, 0.0, 2.0 })
            {
                double value = start + (share * rounding.Step), sum = 0;
                for (int i = 0; i < Draws; i++)
                {
                    double rounded = rounding.Round(value);
                    Assert.True(rounded == start || rounded == start + rounding.Step);
                    sum += rounded - start;
                }

                double standardError = rounding.Step * Math.Sqrt(share * (1 - share) / Draws);
                Assert.InRange(sum / Draws, (share * rounding.Step) - (4 * standardError), (share * rounding.Step) + (4 * standardError));
            }
        }

        Assert.Equal(0, rounding.Clamped);
    }

    [Fact]
    public void Round_EveryGridPointOfEightBits_StaysAsItIs()
    {
        var rounding = new RandomizedRounding(3, 4, seed: 1);
        for (int code = -128; code <= 127; code++)
        {
            Assert.Equal(code, rounding.Encode(rounding.Decode(code)));
            Assert.Equal(code / 16.0, rounding.Round(code / 16.0));
        }

        Assert.Equal((-8.0, 127 / 16.0, 1 / 16.0, 8), (rounding.Minimum, rounding.Maximum, rounding.Step, rounding.Bits));
        Assert.Equal(0, rounding.Clamped);
    }

    [Fact]
    public void Round_OutsideTheRange_NearerEndAndCounted()
    {
        var rounding = new RandomizedRounding(3, 4, seed: 1);

        double[] rounded = [rounding.Round(8), rounding.Round(-8.001), rounding.Round(double.PositiveInfinity),
            rounding.Round(double.NegativeInfinity), rounding.Round(double.NaN), rounding.Round(7.9375)];

        Assert.Equal([7.9375, -8, 7.9375, -8, 0, 7.9375], rounded);
        Assert.Equal(5, rounding.Clamped);
    }

    /// <summary>The point of rounding at random: nearest rounding moves the mean of small losses, this does not.</summary>
    [Theory]
    [InlineData(3, 4)]
    [InlineData(3, 8)]
    [InlineData(4, 11)]
    public void Encode_WindowOfLosses_MeanIsUnbiased(int integerBits, int fractionBits)
    {
        const int Windows = 400, Rows = 640;
        var random = new Random(3);
        float[] losses = [.. Enumerable.Range(0, Rows).Select(_ => (float)(-0.02 * Math.Log(1 - random.NextDouble())))];
        var rounding = new RandomizedRounding(integerBits, fractionBits, seed: 8);
        short[] codes = new short[Rows];
        double sum = 0, variance = 0;
        for (int w = 0; w < Windows; w++)
        {
            rounding.Encode(losses, codes);
            sum += codes.Sum(c => rounding.Decode(c));
        }

        foreach (float loss in losses)
        {
            double above = (loss / rounding.Step) - Math.Floor(loss / rounding.Step);
            variance += above * (1 - above) * rounding.Step * rounding.Step;
        }

        double truth = losses.Sum(l => (double)l);
        Assert.InRange(Math.Abs((sum / Windows) - truth), 0, 4 * Math.Sqrt(variance / Windows));
        if (fractionBits == 4)
            Assert.True(losses.Sum(l => Math.Round(l * 16.0) / 16) < 0.9 * truth); // what nearest rounding would do
    }

    [Fact]
    public void Constructor_BitsOutOfRange_NamesRangeAndValue()
    {
        Assert.StartsWith("RandomizedRounding.integerBits must be in [0, 15].",
            Assert.Throws<ArgumentOutOfRangeException>(() => new RandomizedRounding(16, 1, 1)).Message);
        Assert.StartsWith("RandomizedRounding.fractionBits must be in [0, 15].",
            Assert.Throws<ArgumentOutOfRangeException>(() => new RandomizedRounding(1, -1, 1)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomizedRounding(0, 0, 1));
        Assert.Equal("A code of Q4.12 takes 17 bits, and the codes have 16.",
            Assert.Throws<InvalidOperationException>(() => new RandomizedRounding(4, 12, 1).Encode([1f], new short[1])).Message);
        Assert.StartsWith("There are 2 values and room for 1 codes.",
            Assert.Throws<ArgumentException>(() => new RandomizedRounding(3, 4, 1).Encode([1f, 2f], new short[1])).Message);
    }
}
