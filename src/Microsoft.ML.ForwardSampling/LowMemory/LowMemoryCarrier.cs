using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Saving;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>The chain of ML.NET's own transformers that is written in place of a low-memory model: state first, then the same output
/// columns.</summary>
internal static class LowMemoryCarrier
{
    public const string RegressionContract = "ForwardSampling.LowMemoryRegression.v1";
    public const string BinaryContract = "ForwardSampling.LowMemoryBinary.v1";
    public const string FeaturesColumn = "__fs_features";

    public static void Save(LowMemoryPredictionTransformer transformer, ModelSaveContext context)
    {
        TransformsCatalog transforms = PrivateContext.Instance.Transforms;
        var chain = new StateCarrier.Builder(StateCarrier.SchemaOf(transformer.FeatureColumnName, transformer.FeatureColumnType));
        chain.AddState(LowMemoryStateCodec.Encode(transformer));
        chain.Add(transforms.CopyColumns(FeaturesColumn, transformer.FeatureColumnName));
        if (transformer.Model.Task == PredictionTask.Regression)
            chain.Add(transforms.CustomMapping(new LinearRegressionFactory().GetMapping(), RegressionContract));
        else
            chain.Add(transforms.CustomMapping(new LinearBinaryFactory().GetMapping(), BinaryContract));
        chain.Add(transforms.DropColumns(StateCarrier.KeyColumn, StateCarrier.StateColumn, FeaturesColumn));
        chain.Save(context);
    }
}

/// <summary>The model's state and a row's features.</summary>
internal sealed class LinearInput
{
    // A loaded state is one string that lives as long as its model; parse it once.
    private static readonly ConditionalWeakTable<string, LowMemoryModel> s_models = [];

    [ColumnName(StateCarrier.StateColumn)]
    public ReadOnlyMemory<char> State { get; set; }

    [ColumnName(LowMemoryCarrier.FeaturesColumn)]
    public VBuffer<float> Features { get; set; }

    public float Score()
    {
        if (!MemoryMarshal.TryGetString(State, out string? text, out int start, out int length) || start != 0 || length != text.Length)
            text = string.Intern(State.ToString());
        return s_models.GetValue(text, Decode).Score(Features);
    }

    private static LowMemoryModel Decode(string state)
    {
        using var reader = new BinaryReader(new MemoryStream(StateCarrier.Decode(state)));
        return StateHeader.Read(reader) == StateKind.LowMemory ? LowMemoryStateCodec.Decode(reader).Model
            : throw new InvalidDataException("The saved state is not of a low-memory model.");
    }
}

/// <summary>Output columns of regression.</summary>
internal sealed class LinearRegressionScore
{
    public float Score { get; set; }
}

/// <summary>Output columns of binary classification.</summary>
internal sealed class LinearBinaryScore
{
    public float Score { get; set; }

    public float Probability { get; set; }

    public bool PredictedLabel { get; set; }
}

/// <summary>The score of a regression.</summary>
[CustomMappingFactoryAttribute(LowMemoryCarrier.RegressionContract)]
internal sealed class LinearRegressionFactory : CustomMappingFactory<LinearInput, LinearRegressionScore>
{
    public override Action<LinearInput, LinearRegressionScore> GetMapping() => static (input, output) => output.Score = input.Score();
}

/// <summary>The columns of a binary classification.</summary>
[CustomMappingFactoryAttribute(LowMemoryCarrier.BinaryContract)]
internal sealed class LinearBinaryFactory : CustomMappingFactory<LinearInput, LinearBinaryScore>
{
    public override Action<LinearInput, LinearBinaryScore> GetMapping() => static (input, output) =>
    {
        output.Score = input.Score();
        output.Probability = SingleScoreColumns.ProbabilityOf(output.Score);
        output.PredictedLabel = output.Score > 0f;
    };
}
