using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Onnx;

/// <summary>A network that was built from options, as an ONNX graph.</summary>
/// <remarks>The trained weights take features and give scores as they come, so the scales of features and label are in them.</remarks>
internal static class NetworkGraph
{
    private const float NormalizationEpsilon = 1e-5f;

    public static ProtoMessage Of(NetworkPredictionTransformer transformer)
    {
        NetworkModel model = transformer.Model;
        model.ThrowIfDisposed();
        if (model.Architecture is not { } architecture)
            throw new NotSupportedException(
                "SaveOnnx cannot write a user's own torch.nn.Module: what its forward computes is code. Networks built from options "
                + "(HiddenLayers) can be written; export the module from where it was made, or save it with fs.Save.");
        // The graph has one input.
        if (transformer.FeatureColumnType is not VectorDataViewType { Size: var width } || width != architecture.Inputs)
            throw new NotSupportedException(
                $"SaveOnnx cannot write a network that reads more than its feature column '{transformer.FeatureColumnName}'. Save it with "
                + "fs.Save.");
        if (model.ParameterCount > int.MaxValue / sizeof(float) - (1 << 20))
            throw new NotSupportedException(
                $"SaveOnnx cannot write {model.ParameterCount:N0} parameters: an ONNX file is one message of less than 2 GiB.");
        var graph = new OnnxGraph(transformer.FeatureColumnName, model.FeatureCount);
        string last = Layers(graph, model, architecture, transformer.FeatureColumnName);
        switch (model.Task)
        {
            case PredictionTask.Regression:
                graph.Output("Score", TensorType.Single, 1, "Identity", [last]);
                break;
            case PredictionTask.Binary:
                OnnxModel.AddBinaryOutputs(graph, last, transformer.ScoreThreshold);
                break;
            default:
                AddClassOutputs(graph, last, model.ScoreCount, transformer.LabelKeyValues);
                break;
        }

        return graph.ToModel(("Task", model.Task.ToString()), ("Network", architecture.ToString()),
            ("LabelColumn", transformer.LabelColumnName));
    }

    private static string Layers(OnnxGraph graph, NetworkModel model, NetworkArchitecture architecture, string input)
    {
        int[] sizes = [architecture.Inputs, .. architecture.HiddenLayers, architecture.Outputs];
        string x = input;
        for (int i = 0; i < sizes.Length - 1; i++)
        {
            string layer = MultilayerPerceptron.LayerName(i);
            int units = sizes[i + 1];
            string weight = graph.Constant($"{layer}.weight", model.WeightValues($"{layer}.weight"), units, sizes[i]);
            x = graph.Node("Gemm", [x, weight, PerUnit("bias")], new Setting("transB", 1));
            if (i == sizes.Length - 2)
                break;
            x = architecture.Normalization switch
            {
                Normalization.Batch => graph.Node("BatchNormalization",
                    [x, PerUnit("scale"), PerUnit("shift"), PerUnit("mean"), PerUnit("variance")],
                    new Setting("epsilon", NormalizationEpsilon)),
                Normalization.Layer => NormalizeRow(graph, x, PerUnit("scale"), PerUnit("shift")),
                _ => x,
            };
            x = Activate(graph, architecture.Activation, x);

            string PerUnit(string part) => graph.Constant($"{layer}.{part}", model.WeightValues($"{layer}.{part}"), units);
        }

        return x;
    }

    // LayerNormalization is an operation from opset 17 on.
    private static string NormalizeRow(OnnxGraph graph, string x, string scale, string shift)
    {
        var overUnits = new Setting("axes", new[] { 1 });
        string centred = graph.Node("Sub", [x, graph.Node("ReduceMean", [x], overUnits)]);
        string variance = graph.Node("ReduceMean", [graph.Node("Mul", [centred, centred])], overUnits);
        string deviation = graph.Node("Sqrt", [graph.Node("Add", [variance, Number(graph, NormalizationEpsilon)])]);
        return graph.Node("Add", [graph.Node("Mul", [graph.Node("Div", [centred, deviation]), scale]), shift]);
    }

    private static string Activate(OnnxGraph graph, Activation activation, string x)
    {
        switch (activation)
        {
            case Activation.ReLU:
                return graph.Node("Relu", [x]);
            case Activation.LeakyReLU:
                return graph.Node("LeakyRelu", [x], new Setting("alpha", 0.01f));
            case Activation.ELU:
                return graph.Node("Elu", [x], new Setting("alpha", 1f));
            case Activation.SiLU:
                return graph.Node("Mul", [x, graph.Node("Sigmoid", [x])]);
            case Activation.GELU:
                // Gelu is an operation from opset 20 on.
                string erf = graph.Node("Erf", [graph.Node("Mul", [x, Number(graph, MathF.Sqrt(0.5f))])]);
                string half = graph.Node("Mul", [x, Number(graph, 0.5f)]);
                return graph.Node("Mul", [half, graph.Node("Add", [erf, Number(graph, 1f)])]);
            case Activation.Tanh:
            case Activation.Sigmoid:
                return graph.Node(activation.ToString(), [x]);
            default:
                throw new InvalidOperationException($"Activation {activation} has no operation.");
        }
    }

    /// <summary>Probabilities, the class as ML.NET's key (1 is the first class, 0 missing), and the value that the key stands
    /// for.</summary>
    private static void AddClassOutputs(OnnxGraph graph, string logits, int classes, LabelKeyValues? keys)
    {
        graph.Output("Score", TensorType.Single, classes, "Softmax", [logits], new Setting("axis", 1));
        // The class of a row with a score that is NaN is missing; any NaN makes the mean one.
        string missing = graph.Node("IsNaN", [graph.Node("ReduceMean", ["Score"], new Setting("axes", new[] { 1 }))]);
        string best = graph.Node("ArgMax", ["Score"], new Setting("axis", 1));
        string key = graph.Node("Where", [missing, graph.Constant("missing.key", new long[1]),
            graph.Node("Add", [best, graph.Constant("first.key", new[] { 1L })])]);
        graph.Output("PredictedLabel", TensorType.UInt32, 1, "Cast", [key], new Setting("to", (int)TensorType.UInt32));
        if (keys?.ToArray() is not { } values)
            return;
        // The value of a missing key is the type's default, as MapKeyToValue gives it.
        Array byKey = Array.CreateInstance(values.GetType().GetElementType()!, classes + 1);
        if (byKey is float[] singles)
            singles[0] = float.NaN;
        if (byKey is double[] doubles)
            doubles[0] = double.NaN;
        Array.Copy(values, 0, byKey, 1, classes);
        graph.Output("PredictedLabelValue", OnnxGraph.TypeOf(byKey), 1, "Gather",
            [graph.Constant("key.values", byKey, classes + 1), key]);
    }

    private static string Number(OnnxGraph graph, float value) => graph.Constant("number", new[] { value }, 1);
}
