using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>Adds the statistics columns to a scored schema.</summary>
internal sealed class ForwardStatisticsAppender : ColumnAppender
{
    private readonly ForwardRecordingOptions _options;
    private readonly RecordingCounters _counters;
    private readonly DataViewSchema.Column _score;
    private readonly DataViewSchema.Column? _probability;
    private readonly DataViewSchema.Column? _label;

    /// <param name="scored">The wrapped model's output schema; columns are bound by name, so that a score added later hides an older
    /// one.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="counters">Where every cursor hands in its counts.</param>
    /// <param name="parameter">Parameter that brought the schema, for messages.</param>
    /// <exception cref="ArgumentOutOfRangeException">The score is missing, or a column has a wrong type.</exception>
    public ForwardStatisticsAppender(DataViewSchema scored, ForwardRecordingOptions options, RecordingCounters counters, string parameter)
        : base(scored, RecordingColumns.Added(options))
    {
        RecordingColumns.Check(scored, options, parameter);
        _options = options;
        _counters = counters;
        _score = scored[options.ScoreColumnName];
        _probability = options.Task == PredictionTask.Binary ? scored.GetColumnOrNull(options.ProbabilityColumnName) : null;
        _label = scored.GetColumnOrNull(options.LabelColumnName);
        if (options.Task == PredictionTask.Multiclass && _label is { } label)
            CheckKeys(label, scored, parameter);
    }

    /// <summary>True if the schema has the label column.</summary>
    public bool HasLabel => _label is not null;

    public override AddedValues Bind(DataViewRow input, ReadOnlySpan<bool> activeAdded)
    {
        DataViewSchema.Column? label = NeedsLabel(activeAdded) ? _label : null;
        return _options.Task switch
        {
            PredictionTask.Regression => new RegressionValues(input, _counters, _score, label),
            PredictionTask.Binary => new BinaryValues(input, _counters, _score, _probability, label, NeedsLabel(activeAdded)),
            _ => new MulticlassValues(input, _counters, _score, label, NeedsLabel(activeAdded), _options.MulticlassScores,
                withEntropy: activeAdded[3]),
        };
    }

    protected override void MarkDependencies(ReadOnlySpan<bool> activeAdded, Span<bool> needed)
    {
        needed[_score.Index] = true;
        if (_probability is { } probability)
            needed[probability.Index] = true;
        if (_label is { } label && NeedsLabel(activeAdded))
            needed[label.Index] = true;
    }

    /// <summary>The label's keys must stand for the classes that the scores are of.</summary>
    /// <remarks>The score says so itself, or the predicted label beside it; a score's slot names are only text to show.</remarks>
    private void CheckKeys(DataViewSchema.Column label, DataViewSchema scored, string parameter)
    {
        (DataViewSchema.Annotations Annotations, string Kind)? trained =
            Has(_score, KeyTexts.TrainingLabelValuesKind) ? (_score.Annotations, KeyTexts.TrainingLabelValuesKind)
            : scored.GetColumnOrNull("PredictedLabel") is { } predicted && Has(predicted, KeyTexts.KeyValuesKind)
                ? (predicted.Annotations, KeyTexts.KeyValuesKind)
            : null;
        if (trained is not var (annotations, kind) || !Has(label, KeyTexts.KeyValuesKind))
            return;
        // Values of different types cannot be compared: one side was numbered without values.
        if (!annotations.Schema[kind].Type.RawType.Equals(label.Annotations.Schema[KeyTexts.KeyValuesKind].Type.RawType))
            return;
        if (KeyTexts.FirstDifference(KeyTexts.Of(label.Annotations, KeyTexts.KeyValuesKind), KeyTexts.Of(annotations, kind)) is var (key,
            found, expected))
            throw new ArgumentException($"Key {key} of label column '{label.Name}' stands for '{found}', and class {key} of score column "
                + $"'{_score.Name}' is '{expected}'. {KeyTexts.Advice}", parameter);

        static bool Has(DataViewSchema.Column column, string kind) =>
            column.Annotations.Schema.GetColumnOrNull(kind) is { Type: VectorDataViewType };
    }

    /// <summary>Loss, gradient norm and residual compare with the label; margin and entropy do not.</summary>
    private bool NeedsLabel(ReadOnlySpan<bool> activeAdded)
        => activeAdded[0] || activeAdded[1] || (_options.Task == PredictionTask.Regression && activeAdded[2]);
}
