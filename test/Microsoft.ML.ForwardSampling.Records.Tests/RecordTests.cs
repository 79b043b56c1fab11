using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class RecordTests
{
    /// <summary>XXH64 with seed 0 of published test strings.</summary>
    [Theory]
    [InlineData("", 0xEF46DB3751D8E999)]
    [InlineData("a", 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 0x44BC2CF5AD770999)]
    [InlineData("xxhash", 0x32DD38952C4BC720)]
    [InlineData("Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1)]
    public void Key_OfString_IsXxh64(string name, ulong expected)
    {
        Assert.Equal(expected, RecordKey.FromString(name));
        Assert.Equal(expected, RecordKey.FromBytes(System.Text.Encoding.UTF8.GetBytes(name)));
    }

    [Fact]
    public void Key_OfLongString_EqualsThatOfItsBytes()
    {
        string name = string.Concat(Enumerable.Repeat("größer als gedacht ", 40));
        Assert.Equal(RecordKey.FromBytes(System.Text.Encoding.UTF8.GetBytes(name)), RecordKey.FromString(name));
    }

    [Fact]
    public void Crc32C_CheckString_IsThePublishedValue() => Assert.Equal(0xE3069283, Crc32C.Of("123456789"u8));

    /// <summary>Around the lengths at which three lanes are summed side by side, against one bit at a time.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(12287)]
    [InlineData(12288)]
    [InlineData(12289)]
    [InlineData(65533)]
    public void Crc32C_AnyLength_IsThatOfSingleBits(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
        }

        Assert.Equal(~crc, Crc32C.Of(bytes));
    }

    [Fact]
    public void KeepingProbability_EveryCode_ComesBackAndHalves()
    {
        for (int code = 0; code <= 16 * 2048; code++)
        {
            float p = KeepingProbability.Decode((ushort)code);
            Assert.Equal(code, KeepingProbability.Encode(p));
            Assert.Equal(p / 2, KeepingProbability.Decode((ushort)(code + KeepingProbability.Halving)));
        }

        Assert.Equal([1, 0.5f, 1f / 65536], new[] { 0, 2048, 16 * 2048 }.Select(c => KeepingProbability.Decode((ushort)c)));
    }

    [Fact]
    public void KeepingProbability_AnyValue_KeptToOnePartIn4096()
        => Properties.Hold(Gen.Choose(0, int.MaxValue).Select(x => (float)Math.Pow(2, -16.0 * x / int.MaxValue)), p =>
            Assert.InRange(new RegressionRecord(1, 0, keepingProbability: p).KeepingProbability / p, 1 - (1 / 4096.0), 1 + (1 / 4096.0)));

    [Theory]
    [InlineData(0f)]
    [InlineData(1.01f)]
    [InlineData(float.NaN)]
    [InlineData(1e-6f)]
    public void KeepingProbability_OutOfRange_Refused(float p)
    {
        Assert.StartsWith("RegressionRecord.keepingProbability must be in [1.5258789E-05, 1].",
            Assert.Throws<ArgumentOutOfRangeException>(() => new RegressionRecord(1, 0, keepingProbability: p)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => BinaryRecord.FromScore(1, 0, keepingProbability: p));
        Assert.Throws<ArgumentOutOfRangeException>(() => MulticlassRecord.FromLogits(1, [0f], keepingProbability: p));
    }

    [Fact]
    public void Time_LocalBecomesUtc_UnspecifiedIsRefused()
    {
        var utc = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        Assert.Equal(utc, new RegressionRecord(1, 0, time: utc.ToLocalTime()).Time);
        Assert.Throws<ArgumentException>(() => new RegressionRecord(1, 0, time: DateTime.SpecifyKind(utc, DateTimeKind.Unspecified)));
    }

    [Fact]
    public void Sizes_AreThePromisedOnes()
        => Assert.Equal((16, 16, 32), (RegressionRecord.EncodedBytes, BinaryRecord.EncodedBytes, MulticlassRecord.EncodedBytes));

    [Fact]
    public void RegressionStatistics_EqualThoseComputedAtOnce()
        => Assert.Equal(ForwardStatistics.Regression(2.5f, 1f), new RegressionRecord(1, 2.5f).Statistics(1f));

    [Fact]
    public void BinaryFromScore_StatisticsEqualThoseComputedAtOnce()
        => Properties.Hold(Gen.Choose(-900_000, 900_000).Select(x => x / 10_000f), score =>
        {
            foreach (int label in new[] { -1, 0, 1 })
                Assert.Equal(ForwardStatistics.BinaryFromScore(score, label), BinaryRecord.FromScore(1, score).Statistics(label));
        });

    [Fact]
    public void BinaryFromProbability_StatisticsAgreeWithThoseComputedAtOnce()
        => Properties.Hold(
            Gen.OneOf(Gen.Choose(0, 1 << 24).Select(x => x / (float)(1 << 24)),
                Gen.Choose(0, 1000).Select(x => (float)Math.Pow(10, -x / 30.0)), Gen.Elements(0f, 1f)),
            p =>
            {
                foreach (int label in new[] { -1, 0, 1 })
                {
                    ClassificationStatistics expected = ForwardStatistics.BinaryFromProbability(p, p < 0.5 ? -30 : 30, label);
                    ClassificationStatistics actual = BinaryRecord.FromProbability(1, p, p < 0.5 ? -30 : 30).Statistics(label);
                    Near(expected.Loss, actual.Loss, 1e-6);
                    Near(expected.GradientNorm, actual.GradientNorm, 1e-6);
                    Near(expected.Margin, actual.Margin, 1e-6);
                    Near(expected.Entropy, actual.Entropy, 1e-6);
                }
            });

    [Theory]
    [InlineData(1.5f)]
    [InlineData(float.NaN)]
    public void BinaryFromProbability_NoProbability_StatisticsAreNaN(float p)
        => Assert.Equal(ClassificationStatistics.Unknown, BinaryRecord.FromProbability(1, p, 0).Statistics(1));

    [Fact]
    public void Multiclass_LabelAmongTheThree_StatisticsAgreeWithThoseComputedAtOnce()
        => Properties.Hold(Logits, logits =>
        {
            MulticlassRecord record = MulticlassRecord.FromLogits(1, logits);
            foreach (int label in new[] { record.Class1, record.Class2, record.Class3 })
            {
                if (label < 0)
                    continue;
                ClassificationStatistics expected = ForwardStatistics.MulticlassFromLogits(logits, label);
                ClassificationStatistics actual = record.Statistics(label, out bool exact);
                Assert.True(exact);
                Near(expected.Loss, actual.Loss, 1e-6);
                Near(expected.GradientNorm, actual.GradientNorm, 5e-4);
                Near(expected.Margin, actual.Margin, 1e-6);
            }
        });

    [Fact]
    public void Multiclass_LabelNotAmongTheThree_WithinTheStatedBounds()
        => Properties.Hold(Logits, logits =>
        {
            MulticlassRecord record = MulticlassRecord.FromLogits(1, logits);
            double largest = logits.Max(), sum = logits.Sum(z => Math.Exp(z - largest));
            double[] p = [.. logits.Select(z => Math.Exp(z - largest) / sum)];
            Assert.Equal(p.Sum(x => x * x), record.SumOfSquares, 1e-3);
            double mass = 1 - record.Probability1 - record.Probability2 - record.Probability3;
            double rest = Math.Sqrt(Math.Max(0, record.SumOfSquares - p.OrderDescending().Take(3).Sum(x => x * x)));
            for (int label = 0; label < logits.Length; label++)
            {
                ClassificationStatistics statistics = record.Statistics(label, out bool exact);
                Assert.Equal(label == record.Class1 || label == record.Class2 || label == record.Class3, exact);
                if (exact)
                    continue;
                Assert.InRange(p[label], 0, Math.Min(record.Probability3, Math.Min(mass, rest * 1.001) + 2e-4));
                if (mass > 1e-5)
                    Assert.Equal(-Math.Log(mass / (logits.Length - 3)), statistics.Loss, 1e-2);
            }

            double entropy = p.Sum(x => x > 0 ? -x * Math.Log(x) : 0);
            double recorded = record.Statistics(-1, out _).Entropy;
            Assert.InRange(recorded, 0, entropy + 2e-3);
            if (logits.Length <= 3)
                Near(entropy, recorded, 1e-5);
        });

    [Fact]
    public void Multiclass_FromProbabilities_AgreesWithFromLogits()
        => Properties.Hold(Logits, logits =>
        {
            double largest = logits.Max(), sum = logits.Sum(z => Math.Exp(z - largest));
            float[] p = [.. logits.Select(z => (float)(Math.Exp(z - largest) / sum))];
            MulticlassRecord a = MulticlassRecord.FromLogits(1, logits), b = MulticlassRecord.FromProbabilities(1, p);
            Assert.Equal((a.Probability1, a.Probability2, a.Probability3), (b.Probability1, b.Probability2, b.Probability3));
            Assert.Equal(a.SumOfSquares, b.SumOfSquares);
        });

    /// <summary>Few different values, so that many are equal; also zeros of both signs, and as many classes as a record can name.</summary>
    [Fact]
    public void Multiclass_ThreeLikeliest_AreTheFirstOfAStableSort()
    {
        Gen<int> classes = Gen.Frequency((9, Gen.Choose(1, 12)), (1, Gen.Constant(MulticlassRecord.MaximumClasses)));
        Gen<int[]> counts = classes.SelectMany(k => Gen.ArrayOf(Gen.Choose(0, 4), Math.Min(k, 40))
            .Select(few => Enumerable.Repeat(0, k - few.Length).Concat(few).ToArray()));
        Properties.Hold(counts.Where(c => c.Sum() > 0), counts =>
        {
            double sum = counts.Sum();
            float[] p = [.. counts.Select((c, k) => c > 0 ? (float)(c / sum) : k % 2 == 0 ? 0f : -0f)];
            int[] order = [.. Enumerable.Range(0, p.Length).OrderByDescending(k => p[k]).Take(3)];
            MulticlassRecord record = MulticlassRecord.FromProbabilities(1, p);
            Assert.Equal([.. order, .. Enumerable.Repeat(-1, 3 - order.Length)], new[] { record.Class1, record.Class2, record.Class3 });
            Assert.Equal([.. order.Select(k => p[k]), .. Enumerable.Repeat(0f, 3 - order.Length)],
                new[] { record.Probability1, record.Probability2, record.Probability3 });
            Assert.Equal(p.Sum(x => (double)x * x), record.SumOfSquares, 1e-3);
        });
    }

    [Fact]
    public void Multiclass_OneClass_NoOthers()
    {
        MulticlassRecord record = MulticlassRecord.FromLogits(1, [3f]);
        Assert.Equal((0, -1, -1, 1f, 0f, 0f),
            (record.Class1, record.Class2, record.Class3, record.Probability1, record.Probability2, record.Probability3));
        Assert.Equal(new ClassificationStatistics(0, 0, 1, 0), record.Statistics(0, out bool exact));
        Assert.True(exact);
    }

    [Fact]
    public void Multiclass_NoProbabilities_KeptAndNaN()
    {
        Assert.Equal(ClassificationStatistics.Unknown, MulticlassRecord.FromProbabilities(1, [0.5f, 0.6f]).Statistics(0, out _));
        Assert.Equal(ClassificationStatistics.Unknown, MulticlassRecord.FromProbabilities(1, [0.5f, float.NaN]).Statistics(0, out _));
        Assert.Equal(ClassificationStatistics.Unknown, MulticlassRecord.FromLogits(1, [0.5f, float.PositiveInfinity]).Statistics(1, out _));
    }

    [Fact]
    public void Multiclass_BadArguments_SayWhatIsAllowed()
    {
        Assert.StartsWith("A multiclass record is of 1 to 65535 classes. Got 0.",
            Assert.Throws<ArgumentException>(() => MulticlassRecord.FromLogits(1, [])).Message);
        Assert.StartsWith("A multiclass record is of 1 to 65535 classes. Got 65536.",
            Assert.Throws<ArgumentException>(() => MulticlassRecord.FromProbabilities(1, new float[65536])).Message);
        Assert.StartsWith("The label must be below the number of classes, 2,",
            Assert.Throws<ArgumentOutOfRangeException>(() => MulticlassRecord.FromLogits(1, [0f, 1f]).Statistics(2, out _)).Message);
    }

    internal static Gen<float[]> Logits => Gen.Choose(1, 12).SelectMany(
        k => Gen.ArrayOf(Gen.Choose(-9000, 9000).Select(x => x / 1000f), k));

    private static void Near(double expected, double actual, double tolerance)
    {
        if (double.IsNaN(expected))
            Assert.True(double.IsNaN(actual));
        else
            Assert.InRange(Math.Abs(actual - expected), 0, tolerance * (1 + Math.Abs(expected)));
    }

    /// <summary>Stable for ever: the vectors are Python's hmac, and the first case of RFC 4231.</summary>
    [Theory]
    [InlineData("30313233343536373839616263646566", "visit-4711", 0xb1df10a8a397bd35)]
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There", 0x5338dbd8614c34b0)]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "Zoë@example.com", 0x8721f8e2ea8405a2)]
    [InlineData("000102030405060708090a0b0c0d0e0f", "", 0x8c79b726b3f8ef07)]
    public void KeyWithASecret_IsThatOfHmacSha256(string secret, string name, ulong expected)
    {
        byte[] bytes = Convert.FromHexString(secret);
        Assert.Equal(expected, RecordKey.FromString(name, bytes));
        Assert.Equal(RecordKey.FromString(name + new string('x', 200), bytes),
            RecordKey.FromBytes(System.Text.Encoding.UTF8.GetBytes(name + new string('x', 200)), bytes));
        Assert.NotEqual(RecordKey.FromString(name), RecordKey.FromString(name, bytes));
        Assert.Equal("A secret must have at least 16 bytes that nobody can guess. Got 15. (Parameter 'secret')",
            Assert.Throws<ArgumentException>(() => RecordKey.FromString(name, new byte[15])).Message);
    }
}
