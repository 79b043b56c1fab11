
namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class RandomizedCounterTests
{
    /// <summary>methods.md section 3: mean within 2 % of T and relative standard deviation near 0.22, over 2,000 runs.</summary>
    [Theory]
    [InlineData(300, 0.19, 0.24)]
    [InlineData(2000, 0.20, 0.24)]
    public void Estimate_TwoThousandRuns_MeanAndSpread(int events, double least, double most)
    {
        const int Runs = 2000;
        var random = new RepeatableRandom(11);
        double sum = 0, squares = 0;
        for (int run = 0; run < Runs; run++)
        {
            var counter = new RandomizedCounter();
            for (int i = 0; i < events; i++)
                counter.Increment(ref random);
            sum += counter.Estimate;
            squares += counter.Estimate * counter.Estimate;
        }

        double mean = sum / Runs, deviation = Math.Sqrt((squares / Runs) - (mean * mean)) / events;
        Assert.InRange(mean / events, 0.98, 1.02);
        Assert.InRange(deviation, least, most);
    }

    [Fact]
    public void Default_IsFresh_AndCodeRestores()
    {
        var random = new RepeatableRandom(2);
        RandomizedCounter counter = default;
        Assert.Equal(0, counter.Estimate);
        for (int i = 0; i < 50; i++)
            counter.Increment(ref random);
        Assert.Equal(counter.Estimate, new RandomizedCounter(counter.Code).Estimate);
        Assert.Equal((Math.Pow(1.1, 256) - 1.1) / 0.1, new RandomizedCounter(255).Estimate, 1e-6 * new RandomizedCounter(255).Estimate);
        Assert.Equal(1, System.Runtime.CompilerServices.Unsafe.SizeOf<RandomizedCounter>());
    }

    [Fact]
    public void Increment_AtTheLargestCode_StaysThere()
    {
        var random = new RepeatableRandom(2);
        var counter = new RandomizedCounter(255);
        for (int i = 0; i < 1000; i++)
            counter.Increment(ref random);
        Assert.Equal(255, counter.Code);
    }
}
