using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>The columns that the recorder reads and adds: one check for GetOutputSchema, Fit and Transform.</summary>
internal static class RecordingColumns
{
    /// <summary>Checks a promised shape.</summary>
    public static void Check(SchemaShape shape, ForwardRecordingOptions options, string parameter)
        => Check(ColumnFacts.Find(shape, options.ScoreColumnName), ColumnFacts.Find(shape, options.ProbabilityColumnName),
            ColumnFacts.Find(shape, options.LabelColumnName), options, parameter);

    /// <summary>Checks a real schema.</summary>
    public static void Check(DataViewSchema schema, ForwardRecordingOptions options, string parameter)
        => Check(ColumnFacts.Find(schema, options.ScoreColumnName), ColumnFacts.Find(schema, options.ProbabilityColumnName),
            ColumnFacts.Find(schema, options.LabelColumnName), options, parameter);

    /// <summary>The columns that a recorder adds, in order: Loss, GradientNorm, then Residual (regression) or Margin, Entropy.</summary>
    public static DataViewSchema.DetachedColumn[] Added(ForwardRecordingOptions options) => options.Task == PredictionTask.Regression
        ? [Single(options.LossColumnName), Single(options.GradientNormColumnName), Single(options.ResidualColumnName)]
        : [Single(options.LossColumnName), Single(options.GradientNormColumnName),
            new(options.MarginColumnName, NumberDataViewType.Single, Normalized()), Single(options.EntropyColumnName)];

    private static void Check(ColumnFacts? score, ColumnFacts? probability, ColumnFacts? label, ForwardRecordingOptions options,
        string parameter)
    {
        bool multiclass = options.Task == PredictionTask.Multiclass;
        string expectedScore = multiclass ? "Vector<Single>" : "Single";
        new ColumnNeed("score", expectedScore, RecordingMessages.ScoreAdvice(options), parameter)
            .Require(score, options.ScoreColumnName, found => multiclass ? found.IsSingleVector : found.IsOneSingle);
        if (options.Task == PredictionTask.Binary)
            new ColumnNeed("probability", "Single", RecordingMessages.ProbabilityAdvice, parameter)
                .Check(probability, found => found.IsOneSingle);

        (string expected, Predicate<ColumnFacts> fits) = options.Task switch
        {
            PredictionTask.Regression => ("Single", new Predicate<ColumnFacts>(found => found.IsSingle)),
            PredictionTask.Binary => ("Boolean or Single", found => found.IsBoolean || found.IsSingle),
            _ => ("Key or Single", found => found.IsScalarKey || found.IsSingle),
        };
        new ColumnNeed("label", expected, RecordingMessages.LabelAdvice(options), parameter).Check(label, fits);
    }

    private static DataViewSchema.DetachedColumn Single(string name) => new(name, NumberDataViewType.Single);

    /// <summary>A margin is in [0, 1]: what ML.NET's own Probability says of itself too.</summary>
    private static DataViewSchema.Annotations Normalized()
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.AddPrimitiveValue("IsNormalized", BooleanDataViewType.Instance, true);
        return builder.ToAnnotations();
    }
}
