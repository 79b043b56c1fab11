using Microsoft.ML.ForwardSampling.ModelStress;
using Microsoft.ML.ForwardSampling.RecordStress;

namespace Microsoft.ML.ForwardSampling.Tool.Tests;

/// <summary>The short version of the second half of <c>./build.sh fuzz</c>.</summary>
public class FuzzerTests
{
    [Fact]
    public void DamagedModels_AreRefusedOrLoaded_WithinTheLimits() => Read(new ModelFuzzer(seed: 20260103), 400);

    [Fact]
    public void DamagedSelectorStates_AreRefusedOrGoneOnWith_WithinTheLimits() => Read(new SelectorFuzzer(seed: 20260104), 1000);

    [Fact]
    public void DamagedResultsFiles_AreRefusedOrShown_WithinTheLimits() => Read(new ResultsFuzzer(seed: 20260105), 400);

    private static void Read(IFuzzer fuzzer, int files)
    {
        using (fuzzer)
        {
            for (int file = 0; file < files; file++)
            {
                string? failure = fuzzer.Next();
                Assert.True(failure is null, $"File {file}: {failure}");
            }
        }
    }
}
