using Microsoft.ML.ForwardSampling.LowMemory;

namespace Microsoft.ML.ForwardSampling.Onnx;

/// <summary>A low-memory linear model as an ONNX graph: its codes, 2 bytes each, and sums in double precision, as here.</summary>
internal static class LinearGraph
{
    public static ProtoMessage Of(LowMemoryPredictionTransformer transformer)
    {
        LowMemoryModel model = transformer.Model;
        var graph = new OnnxGraph(transformer.FeatureColumnName, model.FeatureCount);
        var toDouble = new Setting("to", (int)TensorType.Double);
        string codes = graph.Node("Cast", [graph.Constant("codes", model.Codes(), model.FeatureCount, 1)], toDouble);
        string sum = graph.Node("MatMul", [graph.Node("Cast", [transformer.FeatureColumnName], toDouble), codes]);
        string score = graph.Node("Add", [graph.Node("Mul", [sum, graph.Constant("step", new[] { model.Step }, 1)]),
            graph.Constant("intercept", new[] { model.Intercept }, 1)]);
        score = graph.Node("Cast", [score], new Setting("to", (int)TensorType.Single));
        if (model.Task == PredictionTask.Binary)
            OnnxModel.AddBinaryOutputs(graph, score, threshold: 0f);
        else
            graph.Output("Score", TensorType.Single, 1, "Identity", [score]);
        return graph.ToModel(("Task", model.Task.ToString()), ("Model", $"linear, coefficients {model.Format}"),
            ("LabelColumn", transformer.LabelColumnName));
    }
}
