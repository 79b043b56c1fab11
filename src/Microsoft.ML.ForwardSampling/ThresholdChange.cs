using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling;

/// <summary>Finds the network of a model and gives the model with another threshold.</summary>
internal static class ThresholdChange
{
    public static ITransformer Of(ITransformer model, float probability) => model switch
    {
        NetworkPredictionTransformer { Model.Task: PredictionTask.Binary } network => network.WithThreshold(probability),
        ForwardRecordingTransformer recorder => recorder.Around(Of(recorder.InnerTransformer, probability)),
        TransformerChain<ITransformer> chain when chain.LastTransformer is { } last => Rebuild(chain, Of(last, probability)),
        TransformerChain<NetworkPredictionTransformer> chain when chain.LastTransformer is { } last =>
            Rebuild(chain, (NetworkPredictionTransformer)Of(last, probability)),
        TransformerChain<ForwardRecordingTransformer> chain when chain.LastTransformer is { } last =>
            Rebuild(chain, (ForwardRecordingTransformer)Of(last, probability)),
        NetworkPredictionTransformer other => throw Unfit($"a network for {other.Model.Task}"),
        _ => throw Unfit($"a {model.GetType().Name}; for a model of ML.NET's own there is "
            + "mlContext.BinaryClassification.ChangeModelThreshold"),
    };

    private static TransformerChain<T> Rebuild<T>(TransformerChain<T> chain, T last)
        where T : class, ITransformer => new([.. chain.SkipLast(1), last]);

    private static ArgumentException Unfit(string found)
        => new($"A threshold belongs to a network of this library for a binary task, alone, recorded or the last of a chain. Got {found}.",
            "model");
}
