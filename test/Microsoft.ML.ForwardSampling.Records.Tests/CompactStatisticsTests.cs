using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class CompactStatisticsTests
{
    [Theory]
    [InlineData(8, 3)]
    [InlineData(12, 4)]
    [InlineData(16, 5)]
    public void Row_TakesAFewBytes_AndIsNotKnownAtFirst(int bits, int bytes)
    {
        var store = new CompactStatistics(7, new CompactStatisticsOptions { Bits = bits });
        Assert.Equal((bytes, 7, 0L), (store.BytesPerRow, store.Rows, store.Clamped));
        for (int row = 0; row < 7; row++)
            Assert.Equal((float.NaN, float.NaN, 0.0), (store.Loss(row), store.GradientNorm(row), store.TimesTrained(row)));
        using var file = new MemoryStream();
        store.Save(file);
        Assert.Equal(32 + (7 * bytes), file.Length);
    }

    /// <summary>A grid point stays, whatever stands in the neighbouring rows, in memory and through a file.</summary>
    [Fact]
    public void Set_GridPoints_ComeBackExactly_AlsoFromAFile()
    {
        var rows =
            from bits in Gen.Elements(8, 12, 16)
            from count in Gen.Choose(1, 50)
            from codes in Gen.ArrayOf(Gen.Choose(0, (1 << bits) - 1), 2 * count)
            select (Bits: bits, Codes: codes);
        Properties.Hold(rows, input =>
        {
            int count = input.Codes.Length / 2, unknown = (1 << input.Bits) - 1;
            var store = new CompactStatistics(count,
                new CompactStatisticsOptions { Bits = input.Bits, LargestLoss = 8, LargestGradientNorm = 2 });
            (float Loss, float GradientNorm)[] expected =
                [.. Enumerable.Range(0, count).Select(i => (At(input.Codes[2 * i], 8), At(input.Codes[(2 * i) + 1], 2)))];
            for (int i = count - 1; i >= 0; i--)
                store.Set(i, expected[i].Loss, expected[i].GradientNorm);
            Check(store);
            using var file = new MemoryStream();
            store.Save(file);
            file.Position = 0;
            Check(CompactStatistics.Load(file));
            Assert.Equal(0, store.Clamped);

            float At(int code, float largest) => code == unknown ? float.NaN : (float)((double)code * largest / (1 << input.Bits));

            void Check(CompactStatistics store)
            {
                float[] loss = new float[count], gradientNorm = new float[count];
                store.Read(0, loss, gradientNorm);
                Assert.Equal(expected, loss.Zip(gradientNorm));
                Assert.Equal(expected, Enumerable.Range(0, count).Select(i => (store.Loss(i), store.GradientNorm(i))));
            }
        });
    }

    [Fact]
    public void Set_AnyNumbers_NeighbouringGridPoint_OrTheNearerEndAndCounted()
    {
        Gen<float> number = Gen.OneOf(
            Gen.Choose(-2000, 40_000).Select(i => i / 1000f),
            Gen.Elements(0f, -0f, 16f, 1e30f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon));
        Properties.Hold(Gen.Elements(8, 12, 16)
            .SelectMany(bits => number.SelectMany(x => number.Select(y => (Bits: bits, Loss: x, GradientNorm: y)))), input =>
        {
            var store = new CompactStatistics(1, new CompactStatisticsOptions { Bits = input.Bits, LargestGradientNorm = 16, Seed = 3 });
            store.Set(0, input.Loss, input.GradientNorm);
            float step = 16f / (1 << input.Bits), most = 16 - (2 * step);
            int clamped = 0;
            Check(input.Loss, store.Loss(0));
            Check(input.GradientNorm, store.GradientNorm(0));
            Assert.Equal(clamped, store.Clamped);

            void Check(float given, float kept)
            {
                if (float.IsNaN(given))
                {
                    Assert.Equal(float.NaN, kept);
                    return;
                }

                if (given < 0 || given > most)
                    clamped++;
                if (given < 0 || given > most)
                    Assert.Equal(given < 0 ? 0 : most, kept);
                else
                    Assert.True(Math.Abs(kept - given) < step && kept % step == 0, $"{given} became {kept}.");
            }
        });
    }

    /// <summary>The mean loss of a window, over many windows of skewed losses: within four standard errors of the true one. Rounding to the
    /// nearest step is off by far more.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    public void WindowMeans_AreUnbiased(int bits)
    {
        const int Windows = 300, Rows = 640;
        var random = new RepeatableRandom(5);
        var store = new CompactStatistics(Rows, new CompactStatisticsOptions { Bits = bits, Seed = 8 });
        double step = 16.0 / (1 << bits), error = 0, variance = 0, nearest = 0;
        float[] loss = new float[Rows], gradientNorm = new float[Rows];
        for (int window = 0; window < Windows; window++)
        {
            for (int i = 0; i < Rows; i++)
            {
                float x = (float)(0.3 * step * Math.Pow(random.NextDouble(), 2))
                    + (random.NextInt(20) == 0 ? (float)(3 * random.NextDouble()) : 0);
                store.Set(i, x, 0);
                error -= x;
                double up = (x / step) - Math.Floor(x / step);
                variance += up * (1 - up) * step * step;
                nearest += (Math.Round(x / step) * step) - x;
            }

            store.Read(0, loss, gradientNorm);
            error += loss.Sum(x => (double)x);
        }

        Assert.Equal(0, store.Clamped);
        Assert.InRange(error, -4 * Math.Sqrt(variance), 4 * Math.Sqrt(variance));
        Assert.True(Math.Abs(nearest) > 20 * Math.Sqrt(variance),
            "The losses do not tell rounding at random from rounding to the nearest.");
    }

    [Fact]
    public void TimesTrained_CountsOfManyRows_AreRightOnAverage()
    {
        const int Rows = 2000, Times = 100;
        var store = new CompactStatistics(Rows, new CompactStatisticsOptions { Bits = 12, Seed = 1 });
        for (int row = 0; row < Rows; row++)
        {
            store.Set(row, 1, 1);
            for (int i = 0; i < Times; i++)
                store.CountTraining(row);
        }

        Assert.InRange(Enumerable.Range(0, Rows).Average(store.TimesTrained) / Times, 0.98, 1.02);
        Assert.Equal((1f, 1f), (store.Loss(Rows - 1), store.GradientNorm(Rows - 1)));
    }

    /// <summary>One event and one rounding a session, saved and loaded between with the default seed: with the same draws in each session
    /// the counters would have a relative standard deviation of 2.3, and every rounding of a row would go the same way.</summary>
    [Fact]
    public void SavedAndLoaded_DrawsOfEachSessionAreItsOwn()
    {
        const int Rows = 2000, Sessions = 40;
        var store = new CompactStatistics(Rows, new CompactStatisticsOptions { Bits = 8 });
        double[] loss = new double[Rows];
        for (int session = 0; session < Sessions; session++)
        {
            for (int row = 0; row < Rows; row++)
            {
                store.Set(row, 1.5f / 16, 0);
                store.CountTraining(row);
                loss[row] += store.Loss(row) * 16 / Sessions;           // 1 or 2 steps, in steps
            }

            using var file = new MemoryStream();
            store.Save(file);
            file.Position = 0;
            store = CompactStatistics.Load(file);
        }

        double[] counts = [.. Enumerable.Range(0, Rows).Select(store.TimesTrained)];
        double mean = counts.Average();
        Assert.Equal(Sessions, mean, 0.02 * Sessions);
        Assert.InRange(Math.Sqrt(counts.Average(x => (x - mean) * (x - mean))) / mean, 0.19, 0.25);
        Assert.InRange(Math.Sqrt(loss.Average(x => (x - 1.5) * (x - 1.5))), 0, 1.1 * 0.5 / Math.Sqrt(Sessions));
    }

    [Fact]
    public void SetAndRead_AllocateNothing()
    {
        var store = new CompactStatistics(640);
        float[] loss = new float[640], gradientNorm = new float[640];
        Use();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Use();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Use()
        {
            for (int row = 0; row < store.Rows; row++)
            {
                store.Set(row, row / 50f, 0.3f);
                store.CountTraining(row);
            }

            store.Read(0, loss, gradientNorm);
        }
    }

    [Fact]
    public void Load_DamagedAtAnyByteOrTooShort_IsRefused()
    {
        var store = new CompactStatistics(3);
        store.Set(1, 2, 1);
        using var file = new MemoryStream();
        store.Save(file);
        byte[] whole = file.ToArray();
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x10;
            Assert.Throws<InvalidDataException>(() => CompactStatistics.Load(new MemoryStream(damaged)));
            Assert.Throws<InvalidDataException>(() => CompactStatistics.Load(new MemoryStream(whole[..at])));
        }
    }

    [Fact]
    public void Load_NewerFormat_SaysSo()
    {
        using var file = new MemoryStream();
        new CompactStatistics(3).Save(file);
        byte[] newer = file.ToArray();
        newer[6]++;
        BinaryPrimitives.WriteUInt32LittleEndian(newer.AsSpan(28), Crc32C.Of(newer.AsSpan(0, 28)));

        Assert.Equal(
            "The compact statistics have format version 2, and this version of Microsoft.ML.ForwardSampling reads version 1. Update the "
                + "package to load them.",
            Assert.Throws<NotSupportedException>(() => CompactStatistics.Load(new MemoryStream(newer))).Message);
    }

    [Fact]
    public void BadArguments_AreNamed()
    {
        Assert.Equal("CompactStatisticsOptions.Bits must be 8, 12 or 16. (Parameter 'Bits')\nActual value was 10.",
            Message<ArgumentOutOfRangeException>(() => _ = new CompactStatisticsOptions { Bits = 10 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CompactStatisticsOptions { LargestLoss = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new CompactStatisticsOptions { LargestGradientNorm = float.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => new CompactStatistics(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CompactStatistics(int.MaxValue));
        var store = new CompactStatistics(5);
        Assert.StartsWith("There are 5 rows, numbered from 0. Got 5.", Message<ArgumentOutOfRangeException>(() => store.Set(5, 0, 0)),
            StringComparison.Ordinal);
        Assert.StartsWith("There are 5 rows, not 3 from row 3 on.",
            Message<ArgumentOutOfRangeException>(() => store.Read(3, new float[3], new float[3])), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => store.Read(0, new float[3], new float[2]));
    }

    private static string Message<T>(Action action)
        where T : Exception
        => Assert.Throws<T>(action).Message.ReplaceLineEndings("\n");
}
