using Microsoft.ML.Calibrators;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Data;

/// <summary>Adds Score.</summary>
public sealed class RegressionPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel> where TModel : class
{
    internal RegressionPredictionTransformer(TModel model, LinearModel linear, DataViewSchema trainSchema)
        : base(model, linear, PredictionTask.Regression, trainSchema) { }

    private protected override AddedColumn[] AddedColumns(ScoreColumns columns) => [columns.Add("Score", NumberDataViewType.Single, x => Linear.Score(x))];
}

/// <summary>Adds PredictedLabel (Score above 0), Score and Probability.</summary>
public sealed class BinaryPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel> where TModel : class
{
    internal BinaryPredictionTransformer(TModel model, LinearModel linear, DataViewSchema trainSchema)
        : base(model, linear, PredictionTask.Binary, trainSchema) { }

    private protected override AddedColumn[] AddedColumns(ScoreColumns columns) =>
    [
        columns.Add("PredictedLabel", BooleanDataViewType.Instance, x => Linear.Score(x) > 0),
        columns.Add("Score", NumberDataViewType.Single, x => Linear.Score(x)),
        // The score of logistic regression is a log-odds.
        columns.Add("Probability", NumberDataViewType.Single, x => (float)(1 / (1 + Math.Exp(-Linear.Score(x)))),
            annotations => annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true)),
    ];
}

/// <summary>Adds PredictedLabel, a key like the label, and Score, a probability for each class.</summary>
public sealed class MulticlassPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel> where TModel : class
{
    private readonly DataViewSchema.Column _label;

    internal MulticlassPredictionTransformer(TModel model, LinearModel linear, DataViewSchema trainSchema)
        : base(model, linear, PredictionTask.Multiclass, trainSchema) => _label = trainSchema[1];

    private protected override AddedColumn[] AddedColumns(ScoreColumns columns) =>
    [
        columns.Add("PredictedLabel", _label.Type, x => Best(Linear.Probabilities(x)), annotations => annotations.Add(_label.Annotations, _ => true)),
        columns.Add("Score", new VectorDataViewType(NumberDataViewType.Single, Linear.Biases.Length),
            x => new VBuffer<float>(Linear.Biases.Length, Linear.Probabilities(x)), NameClasses),
    ];

    private void NameClasses(DataViewSchema.Annotations.Builder annotations)
    {
        if (_label.Annotations.Schema.GetColumnOrNull(AnnotationKinds.KeyValues) is not { } names)
            return;
        var getter = _label.Annotations.GetGetter(names.Index);
        annotations.Add(AnnotationKinds.TrainingLabelValues, names.Type, getter);
        if (names.Type.ItemTypeOrSelf is TextDataViewType)
            annotations.Add(AnnotationKinds.SlotNames, names.Type, getter);
    }

    // The first class of the highest score; 0, a missing key, when a score is NaN.
    private static uint Best(float[] scores) => scores.Any(float.IsNaN) ? 0 : (uint)Array.IndexOf(scores, scores.Max()) + 1;
}

/// <summary>The tasks by ML.NET's name (the ScoreColumnKind of their columns), and how each makes its transformer, fresh or from a file.</summary>
internal static class PredictionTask
{
    public const string Loader = "Prediction";
    public const string Regression = "Regression";
    public const string Binary = "BinaryClassification";
    public const string Multiclass = "MulticlassClassification";

    public static ITransformer Load(ModelLoadContext ctx)
    {
        string task = ctx.Reader.ReadString();
        var schema = ctx.Reader.ReadSchema();
        var model = LinearModel.Load(ctx.Reader);
        return task switch
        {
            Regression => CreateRegression(model, schema),
            Binary => CreateBinary(model, schema),
            Multiclass => CreateMulticlass(model, schema),
            _ => throw new FormatException($"Corrupt model file: no task is called '{task}'"),
        };
    }

    public static RegressionPredictionTransformer<LinearRegressionModelParameters> CreateRegression(LinearModel model, DataViewSchema trainSchema) =>
        new(new(), model, trainSchema);

    public static BinaryPredictionTransformer<CalibratedModelParametersBase<LinearBinaryModelParameters, PlattCalibrator>> CreateBinary(
        LinearModel model, DataViewSchema trainSchema) =>
        new(new CalibratedModelParameters<LinearBinaryModelParameters, PlattCalibrator>(), model, trainSchema);

    public static MulticlassPredictionTransformer<MaximumEntropyModelParameters> CreateMulticlass(LinearModel model, DataViewSchema trainSchema) =>
        new(new(), model, trainSchema);
}
