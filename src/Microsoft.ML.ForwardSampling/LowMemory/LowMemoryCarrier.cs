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

    private static readonly CarriedModels<LowMemoryModel> s_models = new(StateKind.LowMemory, "a low-memory model",
        (reader, _) => LowMemoryStateCodec.Decode(reader).Model);

    public static void Save(LowMemoryPredictionTransformer transformer, ModelSaveContext context)
    {
        TransformsCatalog transforms = PrivateContext.Instance.Transforms;
        var chain = new StateCarrier.Builder(StateCarrier.SchemaOf(transformer.FeatureColumnName, transformer.FeatureColumnType));
        chain.AddState(LowMemoryStateCodec.Encode(transformer));
        chain.Add(transforms.CopyColumns(StateCarrier.FeaturesColumn, transformer.FeatureColumnName));
        if (transformer.Model.Task == PredictionTask.Regression)
            chain.Add(transforms.CustomMapping(new LinearRegressionFactory().GetMapping(), RegressionContract));
        else
            chain.Add(transforms.CustomMapping(new LinearBinaryFactory().GetMapping(), BinaryContract));
        chain.DropOwnColumns();
        chain.Save(context);
    }

    public static float Score(CarriedRow row) => s_models.Of(row.State).Score(row.Features);
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
internal sealed class LinearRegressionFactory : CustomMappingFactory<CarriedRow, LinearRegressionScore>
{
    public override Action<CarriedRow, LinearRegressionScore> GetMapping() => static (input, output) =>
        output.Score = LowMemoryCarrier.Score(input);
}

/// <summary>The columns of a binary classification.</summary>
[CustomMappingFactoryAttribute(LowMemoryCarrier.BinaryContract)]
internal sealed class LinearBinaryFactory : CustomMappingFactory<CarriedRow, LinearBinaryScore>
{
    public override Action<CarriedRow, LinearBinaryScore> GetMapping() => static (input, output) =>
    {
        output.Score = LowMemoryCarrier.Score(input);
        output.Probability = SingleScoreColumns.ProbabilityOf(output.Score);
        output.PredictedLabel = output.Score > 0f;
    };
}
