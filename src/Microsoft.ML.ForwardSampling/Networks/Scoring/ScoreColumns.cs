using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The output columns of each task, with the annotations that ML.NET's own trainers give theirs.</summary>
internal static class ScoreColumns
{
    public const string Score = "Score";
    public const string Probability = "Probability";
    public const string PredictedLabel = "PredictedLabel";
    private const string SetIdKind = "ScoreColumnSetId";

    public static IEnumerable<DataViewSchema.DetachedColumn> Of(NetworkModel model, LabelKeyValues? keys, string? activationNorm,
        DataViewSchema inputSchema)
    {
        uint set = NextSetId(inputSchema);
        switch (model.Task)
        {
            case PredictionTask.Regression:
                yield return Column(Score, NumberDataViewType.Single, Annotate(set, "Regression", "Score"));
                break;
            case PredictionTask.Binary:
                foreach (DataViewSchema.DetachedColumn column in OfBinary(inputSchema))
                    yield return column;
                break;
            default:
                yield return Column(Score, new VectorDataViewType(NumberDataViewType.Single, model.ScoreCount),
                    Annotate(set, "MulticlassClassification", "Score", builder =>
                {
                    keys?.AddTextTo(builder, "SlotNames");
                    keys?.AddTo(builder, KeyTexts.TrainingLabelValuesKind);
                }));
                yield return Column(PredictedLabel, new KeyDataViewType(typeof(uint), model.ScoreCount),
                    Annotate(set, "MulticlassClassification", "PredictedLabel", builder => keys?.AddTo(builder)));
                break;
        }

        if (activationNorm is not null)
            yield return new DataViewSchema.DetachedColumn(activationNorm, NumberDataViewType.Single);
    }

    /// <summary>Score, Probability and PredictedLabel of a binary classification.</summary>
    public static IEnumerable<DataViewSchema.DetachedColumn> OfBinary(DataViewSchema inputSchema)
    {
        uint set = NextSetId(inputSchema);
        yield return Column(Score, NumberDataViewType.Single, Annotate(set, "BinaryClassification", "Score"));
        yield return Column(Probability, NumberDataViewType.Single, Annotate(set, "BinaryClassification", "Probability", builder =>
            builder.AddPrimitiveValue("IsNormalized", BooleanDataViewType.Instance, true)));
        yield return Column(PredictedLabel, BooleanDataViewType.Instance, Annotate(set, "BinaryClassification", "PredictedLabel"));
    }

    private static DataViewSchema.DetachedColumn Column(string name, DataViewType type, DataViewSchema.Annotations annotations) =>
        new(name, type, annotations);

    private static DataViewSchema.Annotations Annotate(uint set, string columnKind, string valueKind,
        Action<DataViewSchema.Annotations.Builder>? more = null)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        more?.Invoke(builder);
        builder.AddPrimitiveValue(SetIdKind, new KeyDataViewType(typeof(uint), int.MaxValue), set);
        builder.AddPrimitiveValue("ScoreColumnKind", TextDataViewType.Instance, columnKind.AsMemory());
        builder.AddPrimitiveValue("ScoreValueKind", TextDataViewType.Instance, valueKind.AsMemory());
        return builder.ToAnnotations();
    }

    /// <summary>Columns of one scorer share a number that no other scorer's columns have.</summary>
    private static uint NextSetId(DataViewSchema schema)
    {
        uint largest = 0;
        foreach (DataViewSchema.Column column in schema)
        {
            if (column.Annotations.Schema.GetColumnOrNull(SetIdKind) is not { Type: KeyDataViewType { RawType: { } raw } }
                || raw != typeof(uint))
                continue;
            uint id = 0;
            column.Annotations.GetValue(SetIdKind, ref id);
            largest = Math.Max(largest, id);
        }

        return largest + 1;
    }
}
