using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using static Microsoft.ML.ForwardSampling.DataViews.SingleScoreColumns;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The output columns of each task, with the annotations that ML.NET's own trainers give theirs.</summary>
internal static class ScoreColumns
{
    public const string Score = "Score";
    public const string PredictedLabel = "PredictedLabel";

    public static IEnumerable<DataViewSchema.DetachedColumn> Of(NetworkModel model, LabelKeyValues? keys, string? activationNorm,
        DataViewSchema inputSchema)
    {
        IEnumerable<DataViewSchema.DetachedColumn> columns = model.Task == PredictionTask.Multiclass
            ? OfClasses(model.ScoreCount, keys, NextSetId(inputSchema)) : SingleScoreColumns.Of(model.Task, inputSchema);
        return activationNorm is null ? columns
            : columns.Append(new DataViewSchema.DetachedColumn(activationNorm, NumberDataViewType.Single));
    }

    private static IEnumerable<DataViewSchema.DetachedColumn> OfClasses(int classes, LabelKeyValues? keys, uint set)
    {
        yield return Column(Score, new VectorDataViewType(NumberDataViewType.Single, classes),
            Annotate(set, "MulticlassClassification", "Score", builder =>
            {
                keys?.AddTextTo(builder, "SlotNames");
                keys?.AddTo(builder, KeyTexts.TrainingLabelValuesKind);
            }));
        yield return Column(PredictedLabel, new KeyDataViewType(typeof(uint), classes),
            Annotate(set, "MulticlassClassification", "PredictedLabel", builder => keys?.AddTo(builder)));
    }
}
