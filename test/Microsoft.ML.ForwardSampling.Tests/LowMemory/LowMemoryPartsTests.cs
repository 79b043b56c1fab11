using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tests.LowMemory;

public class LowMemoryPartsTests
{
    private const int Draws = 20_000;
    private static readonly FixedPointFormat s_format = new(2, 13);

    [Theory]
    [InlineData(0.1)]
    [InlineData(-0.3)]
    [InlineData(41.77)]
    [InlineData(-1234.5)]
    public void Move_FixedGrid_IsRightOnAverage(double step)
    {
        var codes = new short[] { 17 };
        AssertMean(17 + step, random =>
        {
            codes[0] = 17;
            new FixedGridCoefficients(codes, s_format).Move(0, step, 1, random);
            Assert.InRange(codes[0], Math.Floor(17 + step), Math.Ceiling(17 + step));
            return codes[0];
        });
    }

    [Theory]
    [InlineData(0.1, 0.5)]
    [InlineData(5.3, 100)]
    [InlineData(-77.7, 1638)]
    public void Move_AdaptiveGrid_IsRightOnAverageAndOnTheGrid(double step, double rate)
    {
        var codes = new short[] { 0 };
        int grid = (int)AdaptiveGridCoefficients.Grid(rate, s_format.Largest);
        Assert.InRange(grid, Math.Max(1, rate / 2), Math.Max(1, rate));     // the largest power of two not above the rate
        AssertMean(step, random =>
        {
            codes[0] = 0;
            new AdaptiveGridCoefficients(codes, s_format).Move(0, step, rate, random);
            Assert.Equal(0, codes[0] % grid);
            return codes[0];
        });
    }

    [Fact]
    public void Move_OnTheGrid_StaysWhateverIsDrawn()
        => Properties.Hold(
            from code in Gen.Choose(s_format.Smallest, s_format.Largest)
            from step in Gen.Choose(-100, 100)
            from draw in Gen.Choose(0, (1 << 24) - 1)
            select (code, step, random: draw / (double)(1 << 24)),
            at =>
            {
                var codes = new[] { (short)at.code };
                bool clamped = new FixedGridCoefficients(codes, s_format).Move(0, at.step, 1, at.random);
                Assert.Equal(Math.Clamp(at.code + at.step, s_format.Smallest, s_format.Largest), codes[0]);
                Assert.Equal(codes[0] != at.code + at.step, clamped);
            });

    [Theory]
    [InlineData(1e9)]
    [InlineData(-1e9)]
    public void Move_BeyondTheRange_StopsAtItsEndOnEveryGrid(double step)
    {
        var codes = new short[2];
        Assert.True(new FixedGridCoefficients(codes, s_format).Move(0, step, 1, 0.5));
        Assert.True(new AdaptiveGridCoefficients(codes, s_format).Move(1, step, 64, 0.5));
        Assert.Equal(step > 0 ? s_format.Largest : s_format.Smallest, codes[0]);
        Assert.Equal(step > 0 ? 32768 - 64 : s_format.Smallest, codes[1]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(1_000)]
    [InlineData(20_000)]
    public void Count_ManyEvents_MeanIsExactAndDeviationAsPublished(int events)
    {
        (double mean, double deviation) = CountAll(2_000, events, 1);
        Assert.Equal(1, mean / events, Math.Max(0.02, 4 * deviation / events / Math.Sqrt(2_000)));
        if (events >= 1_000)
            Assert.InRange(deviation / mean, 0.19, 0.25);
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(3)]
    [InlineData(700.5)]
    public void Count_Weights_CountAsManyEvents(double weight)
    {
        (double mean, double deviation) = CountAll(4_000, 50, weight);
        Assert.Equal(50 * weight, mean, 4 * deviation / Math.Sqrt(4_000));
    }

    [Fact]
    public void Rate_FallsWithTheRootOfTheCount_AndNotBelowTheLeast()
    {
        byte[] codes = [0, 30, 255];
        var counts = new RandomizedCounts(codes, 0.4, 0.001);
        Assert.Equal(0.4, counts.Rate(0), 1e-12);
        Assert.Equal(0.4 / Math.Sqrt(new RandomizedCounter(30).Estimate + 1), counts.Rate(1), 1e-12);
        Assert.Equal(0.001, counts.Rate(2));
    }

    [Fact]
    public void Move_LogisticLoss_SolvesItsEquation()
        => Properties.Hold(Steps(), at =>
        {
            double move = OnlineLogisticLoss.Move(at.Score, at.Positive ? 1 : 0, at.Reach), change = at.Positive ? move : -move;
            double margin = at.Positive ? at.Score : -at.Score;
            Assert.True(change > 0);
            // d + e^m (e^d - 1) = reach, divided by 1 + e^m so that large m does not drown it.
            double grown = change < 1e-5 ? change + change * change / 2 : Math.Exp(change) - 1;
            double odds = Math.Exp(margin), left = (change + odds * grown) / (1 + odds);
            Assert.Equal(1, left / (at.Reach / (1 + odds)), 1e-5);
        });

    [Fact]
    public void Move_InTwoParts_GoesAsFarAsInOne()
        => Properties.Hold(Steps(), at =>
        {
            double label = at.Positive ? 1 : 0, half = at.Reach / 2;
            double logistic = OnlineLogisticLoss.Move(at.Score, label, half);
            logistic += OnlineLogisticLoss.Move(at.Score + logistic, label, half);
            Assert.Equal(1, logistic / OnlineLogisticLoss.Move(at.Score, label, at.Reach), 1e-5);
            double squared = OnlineSquaredLoss.Move(at.Score, label, half);
            squared += OnlineSquaredLoss.Move(at.Score + squared, label, half);
            Assert.Equal(squared, OnlineSquaredLoss.Move(at.Score, label, at.Reach), 1e-9);
        });

    [Fact]
    public void Move_AnyReach_NeverPassesTheLabel()
        => Properties.Hold(Steps(), at =>
        {
            double after = at.Score + OnlineSquaredLoss.Move(at.Score, 1, at.Reach * 1e3);
            Assert.InRange(after, Math.Min(at.Score, 1) - 1e-12, Math.Max(at.Score, 1) + 1e-12);
        });

    [Fact]
    public void Packed_AnyWidth_GivesBackWhatWasPut()
        => Properties.Hold(
            from bits in Gen.Choose(2, 16)
            from values in Gen.Choose(-(1 << (bits - 1)), (1 << (bits - 1)) - 1).ListOf()
            select (bits, values),
            at =>
            {
                var packed = new PackedCodes(at.values.Count, at.bits);
                for (int round = 0; round < 2; round++)     // over what was there before
                {
                    for (int i = at.values.Count - 1; i >= 0; i--)
                        packed[i] = round == 0 ? ~at.values[i] : at.values[i];
                }

                Assert.Equal(at.values, Enumerable.Range(0, packed.Count).Select(i => packed[i]));
                Assert.Equal((at.values.Count * at.bits + 7) / 8 + 3, packed.Bytes.Length);
            });

    private static FsCheck.Gen<(double Score, bool Positive, double Reach)> Steps()
        => from score in Gen.Choose(-300, 300)
           from positive in Gen.Elements(true, false)
           from exponent in Gen.Choose(-60, 30)
           select (score / 10.0, positive, Math.Pow(10, exponent / 10.0));

    private static (double Mean, double Deviation) CountAll(int counters, int events, double weight)
    {
        var codes = new byte[counters];
        var counts = new RandomizedCounts(codes, 1, 0);
        var random = new RepeatableRandom(5);
        for (int i = 0; i < counters; i++)
        {
            for (int e = 0; e < events; e++)
                counts.Count(i, weight, random.NextUInt64() >> (64 - RandomizedCounts.RandomBits));
        }

        double[] estimates = [.. codes.Select(code => new RandomizedCounter(code).Estimate)];
        double mean = estimates.Average();
        return (mean, Math.Sqrt(estimates.Average(e => (e - mean) * (e - mean))));
    }

    /// <summary>The mean over many draws within four standard errors, of which the largest a rounding can have is known.</summary>
    private static void AssertMean(double expected, Func<double, double> draw)
    {
        var random = new RepeatableRandom(3);
        double sum = 0, squares = 0;
        for (int i = 0; i < Draws; i++)
        {
            double value = draw((random.NextUInt64() >> 40) * (1.0 / (1 << 24))) - expected;
            sum += value;
            squares += value * value;
        }

        Assert.InRange(Math.Abs(sum / Draws), 0, 4 * Math.Sqrt(squares / Draws / Draws));
    }
}
