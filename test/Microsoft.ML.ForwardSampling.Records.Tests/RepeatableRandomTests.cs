using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public sealed class RepeatableRandomTests
{
    [Fact]
    public void NextUInt64_PublishedState_GivesThePublishedSequence()
    {
        // State 1, 2, 3, 4 of the authors' C code, as the tests of other implementations pin it (Rust's rand_xoshiro); also computed from
        // the definition in Python.
        var random = new RepeatableRandom(new RepeatableRandomState(1, 2, 3, 4));
        ulong[] expected =
        [
            11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600,
            16172922978634559625, 8476171486693032832, 10595114339597558777, 2904607092377533576,
        ];

        Assert.All(expected, value => Assert.Equal(value, random.NextUInt64()));
    }

    [Theory]
    [InlineData(0UL, 16294208416658607535, 7960286522194355700, 487617019471545679, 17909611376780542444, 11091344671253066420,
        13793997310169335082)]
    [InlineData(42UL, 13679457532755275413, 2949826092126892291, 5139283748462763858, 6349198060258255764, 1546998764402558742,
        6990951692964543102)]
    public void Constructor_Seed_IsExpandedBySplitMix64(ulong seed, ulong s0, ulong s1, ulong s2, ulong s3, ulong first, ulong second)
    {
        // Figures from the two definitions written in Python, independently of this library.
        var random = new RepeatableRandom(seed);

        Assert.Equal(new RepeatableRandomState(s0, s1, s2, s3), random.State);
        Assert.Equal(first, random.NextUInt64());
        Assert.Equal(second, random.NextUInt64());
    }

    [Fact]
    public void Default_IsTheGeneratorOfSeedZero()
    {
        RepeatableRandom defaulted = default, zero = new(0UL);

        Assert.Equal(zero.NextUInt64(), defaulted.NextUInt64());
        Assert.Equal(zero.State, defaulted.State);
    }

    [Fact]
    public void State_SavedAndRestored_ContinuesTheSequence()
    {
        var random = new RepeatableRandom(9UL);
        random.NextDouble();
        var restored = new RepeatableRandom(random.State);

        for (int i = 0; i < 100; i++)
            Assert.Equal(random.NextInt(1000), restored.NextInt(1000));
    }

    [Fact]
    public void NextInt_AnyBound_StaysBelowIt_Meets_Specification()
    {
        Properties.Hold(Gen.Choose(1, int.MaxValue), bound =>
        {
            var random = new RepeatableRandom((ulong)bound);
            for (int i = 0; i < 20; i++)
                Assert.InRange(random.NextInt(bound), 0, bound - 1);
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    public void NextInt_SmallBound_EveryValueEquallyOften(int bound)
    {
        const int draws = 50_000;
        var random = new RepeatableRandom(17UL);
        var hits = new int[bound];
        for (int i = 0; i < draws; i++)
            hits[random.NextInt(bound)]++;

        Assert.All(hits, count => Oracle.AssertFrequency(1.0 / bound, count, draws, $"bound {bound}"));
    }

    [Fact]
    public void NextInt_BoundWhereARemainderWouldShow_IsEven()
    {
        // 3·2²⁹: without the rejection, two of three results would be a third of the range too frequent: below 2³⁰ with chance 3/4 or 1/2,
        // not 2/3.
        const int bound = 3 << 29, draws = 50_000;
        var random = new RepeatableRandom(17UL);
        int low = 0, even = 0;
        for (int i = 0; i < draws; i++)
        {
            int value = random.NextInt(bound);
            low += value < 1 << 30 ? 1 : 0;
            even += value % 3 == 0 ? 1 : 0;
        }

        Oracle.AssertFrequency(2.0 / 3, low, draws, "below 2^30");
        Oracle.AssertFrequency(1.0 / 3, even, draws, "multiples of 3");
    }

    [Fact]
    public void NextInt_BoundBelowOne_Throws()
    {
        var random = new RepeatableRandom(1UL);
        Assert.Equal("bound", Assert.Throws<ArgumentOutOfRangeException>(() => random.NextInt(0)).ParamName);
    }

    [Fact]
    public void NextDouble_ManyDraws_UniformInTheHalfOpenUnitInterval()
    {
        const int draws = 100_000;
        var random = new RepeatableRandom(23UL);
        var hits = new int[20];
        double sum = 0;
        for (int i = 0; i < draws; i++)
        {
            double value = random.NextDouble();
            Assert.True(value is >= 0 and < 1);
            hits[(int)(value * 20)]++;
            sum += value;
        }

        Assert.All(hits, count => Oracle.AssertFrequency(0.05, count, draws, "a twentieth"));
        Assert.Equal(0.5, sum / draws, 4 * Math.Sqrt(1 / 12.0 / draws));
    }

    [Fact]
    public void NextDouble_LargestBits_StaysBelowOne()
    {
        Assert.True((ulong.MaxValue >> 11) * (1.0 / (1UL << 53)) < 1);
    }
}
