using TorchSharp;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>Tests that use torch run one after the other: its global seed and its number of threads belong to the process.</summary>
[CollectionDefinition(Name)]
public sealed class TorchCollection
{
    public const string Name = "torch";
}

/// <summary>Counts tensors that an action leaves behind on its own thread.</summary>
internal static class LiveTensors
{
    public static long LeftBy(Action action)
    {
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        action();
        return DisposeScopeManager.Statistics.ThreadTotalLiveCount - before;
    }
}
