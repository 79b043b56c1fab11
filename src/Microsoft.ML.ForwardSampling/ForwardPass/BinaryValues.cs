using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>From the probability where the model gives one, else from the score as log-odds.</summary>
internal sealed class BinaryValues : ClassificationValues
{
    private readonly ValueGetter<float> _score;
    private readonly ValueGetter<float>? _probability;

    public BinaryValues(DataViewRow row, RecordingCounters counters, DataViewSchema.Column score, DataViewSchema.Column? probability,
        DataViewSchema.Column? label, bool needsLabel)
        : base(row, counters, label, needsLabel)
    {
        _score = OneSingle.Getter(row, score);
        _probability = probability is { } column ? OneSingle.Getter(row, column) : null;
    }

    protected override void Compute()
    {
        float score = 0, probability = 0;
        _score(ref score);
        _probability?.Invoke(ref probability);
        int label = ReadLabel(classes: 2);
        Statistics = _probability is null
            ? ForwardStatistics.BinaryFromScore(score, label)
            : ForwardStatistics.BinaryFromProbability(probability, score, label);

        if (!float.IsNaN(Statistics.Margin))
            return;
        if (float.IsFinite(score) && float.IsFinite(probability))
            Counts.InvalidProbability++;
        else
            Counts.NonFinite++;
    }
}
