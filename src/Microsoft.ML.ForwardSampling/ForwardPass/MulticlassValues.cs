using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>From K probabilities or K logits.</summary>
internal sealed class MulticlassValues : ClassificationValues
{
    private readonly ValueGetter<VBuffer<float>> _score;
    private readonly bool _logits;
    private readonly bool _withEntropy;
    private VBuffer<float> _scores;
    private float[] _dense = [];

    public MulticlassValues(DataViewRow row, RecordingCounters counters, DataViewSchema.Column score, DataViewSchema.Column? label,
        bool needsLabel, MulticlassScores meaning, bool withEntropy)
        : base(row, counters, label, needsLabel)
    {
        _score = row.GetGetter<VBuffer<float>>(score);
        _logits = meaning == MulticlassScores.Logits;
        _withEntropy = withEntropy;
    }

    protected override void Compute()
    {
        _score(ref _scores);
        ReadOnlySpan<float> scores = Dense();
        int label = ReadLabel(scores.Length);
        Statistics = _logits
            ? ForwardStatistics.MulticlassFromLogits(scores, label)
            : ForwardStatistics.MulticlassFromProbabilities(scores, label, _withEntropy);

        if (!float.IsNaN(Statistics.Margin))
            return;
        if (AllFinite(scores))
            Counts.InvalidProbability++;
        else
            Counts.NonFinite++;
    }

    private ReadOnlySpan<float> Dense()
    {
        if (_scores.IsDense)
            return _scores.GetValues();
        if (_dense.Length < _scores.Length)
            _dense = new float[_scores.Length];
        Span<float> dense = _dense.AsSpan(0, _scores.Length);
        _scores.CopyTo(dense);
        return dense;
    }

    private static bool AllFinite(ReadOnlySpan<float> scores)
    {
        foreach (float score in scores)
        {
            if (!float.IsFinite(score))
                return false;
        }

        return !scores.IsEmpty;
    }
}
