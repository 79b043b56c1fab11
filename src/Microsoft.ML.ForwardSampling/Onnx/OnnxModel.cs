using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Onnx;

/// <summary>Finds what of a model can be written as ONNX.</summary>
internal static class OnnxModel
{
    /// <summary>The bytes of an ONNX file.</summary>
    /// <exception cref="NotSupportedException">The model cannot be written; the message says why and what to do.</exception>
    public static ReadOnlyMemory<byte> Of(ITransformer model) => model switch
    {
        NetworkPredictionTransformer network => NetworkGraph.Of(network).ToMemory(),
        LowMemoryPredictionTransformer linear => LinearGraph.Of(linear).ToMemory(),
        ForwardRecordingTransformer recorder => Of(recorder.InnerTransformer),
        GroupTestingTransformer => throw new NotSupportedException(
            "SaveOnnx cannot write a group-tested model: which networks a row passes depends on the rows beside it. Save it with fs.Save."),
        IEnumerable<ITransformer> chain => OfChain([.. chain]),
        _ => throw new NotSupportedException(
            $"SaveOnnx writes models of this library; got a {model.GetType().Name}. For transformers of ML.NET's own there is "
            + "mlContext.Model.ConvertToOnnx in the package Microsoft.ML.OnnxConverter."),
    };

    /// <summary>The outputs of a binary task.</summary>
    public static void AddBinaryOutputs(OnnxGraph graph, string score, float threshold)
    {
        graph.Output("Score", TensorType.Single, 1, "Identity", [score]);
        graph.Output("Probability", TensorType.Single, 1, "Sigmoid", [score]);
        graph.Output("PredictedLabel", TensorType.Boolean, 1, "Greater", [score, graph.Constant("threshold", new[] { threshold }, 1)]);
    }

    private static ReadOnlyMemory<byte> OfChain(ITransformer[] stages) => stages switch
    {
        [ITransformer only] => Of(only),
        _ => throw new NotSupportedException(
            $"SaveOnnx writes the model alone, not a chain of {stages.Length} stages ("
            + string.Join(", ", stages.Select(stage => stage.GetType().Name)) + "). Give it the last one (chain.LastTransformer) and "
            + "prepare its features as the stages before it do; mlContext.Model.ConvertToOnnx writes those of ML.NET's own."),
    };
}
