using Microsoft.ML.ForwardSampling.RecordStress;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class LogFuzzerTests
{
    /// <summary>The short version of <c>./build.sh fuzz</c>.</summary>
    [Fact]
    public void DamagedFiles_AreReadWithinTheLimits()
    {
        using var fuzzer = new LogFuzzer(seed: 20260101);
        for (int file = 0; file < 1500; file++)
        {
            string? failure = fuzzer.Next();
            Assert.True(failure is null, $"File {file}: {failure}");
        }
    }

    [Fact]
    public void DamagedStates_AreRefusedOrGoneOnWith_WithinTheLimits()
    {
        using var fuzzer = new StateFuzzer(seed: 20260102);
        for (int state = 0; state < 600; state++)
        {
            string? failure = fuzzer.Next();
            Assert.True(failure is null, $"State {state}: {failure}");
        }
    }
}
