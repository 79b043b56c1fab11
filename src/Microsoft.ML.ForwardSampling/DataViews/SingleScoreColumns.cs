using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>The output columns of models with one score a row, and what all scorers' columns have in common: the annotations that ML.NET's
/// own trainers give theirs.</summary>
internal static class SingleScoreColumns
{
    private const string Score = "Score";
    private const string SetIdKind = "ScoreColumnSetId";

    /// <summary>The columns of regression, or of binary classification.</summary>
    public static IEnumerable<DataViewSchema.DetachedColumn> Of(PredictionTask task, DataViewSchema inputSchema)
    {
        uint set = NextSetId(inputSchema);
        if (task == PredictionTask.Regression)
        {
            yield return Column(Score, NumberDataViewType.Single, Annotate(set, "Regression", Score));
            yield break;
        }

        const string Binary = "BinaryClassification", Probability = "Probability", PredictedLabel = "PredictedLabel";
        yield return Column(Score, NumberDataViewType.Single, Annotate(set, Binary, Score));
        yield return Column(Probability, NumberDataViewType.Single, Annotate(set, Binary, Probability,
            builder => builder.AddPrimitiveValue("IsNormalized", BooleanDataViewType.Instance, true)));
        yield return Column(PredictedLabel, BooleanDataViewType.Instance, Annotate(set, Binary, PredictedLabel));
    }

    /// <summary>The probability of the positive class, the logistic function of a score.</summary>
    public static float ProbabilityOf(float score) => 1f / (1f + MathF.Exp(-score));

    public static DataViewSchema.DetachedColumn Column(string name, DataViewType type, DataViewSchema.Annotations annotations)
        => new(name, type, annotations);

    public static DataViewSchema.Annotations Annotate(uint set, string columnKind, string valueKind,
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
    public static uint NextSetId(DataViewSchema schema)
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
