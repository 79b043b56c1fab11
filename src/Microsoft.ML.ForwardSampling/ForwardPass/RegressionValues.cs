using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>Loss, gradient norm and residual.</summary>
internal sealed class RegressionValues : RecordedValues
{
    private readonly ValueGetter<float> _score;
    private readonly ValueGetter<float>? _label;
    private readonly ValueGetter<float>[] _getters;
    private RegressionStatistics _statistics;

    public RegressionValues(DataViewRow row, RecordingCounters counters, DataViewSchema.Column score, DataViewSchema.Column? label)
        : base(row, counters)
    {
        _score = OneSingle.Getter(row, score);
        _label = label is { } column ? row.GetGetter<float>(column) : null;
        _getters = [GetLoss, GetGradientNorm, GetResidual];
    }

    public override Delegate GetGetter(int added) => _getters[added];

    protected override void Compute()
    {
        float score = 0, label = float.NaN;
        _score(ref score);
        _label?.Invoke(ref label);
        _statistics = ForwardStatistics.Regression(score, label);
        if (float.IsNaN(label))
            Counts.Unlabelled++;
        if (!float.IsFinite(score) || float.IsInfinity(label))
            Counts.NonFinite++;
    }

    private void GetLoss(ref float value)
    {
        Refresh();
        value = _statistics.Loss;
    }

    private void GetGradientNorm(ref float value)
    {
        Refresh();
        value = _statistics.GradientNorm;
    }

    private void GetResidual(ref float value)
    {
        Refresh();
        value = _statistics.Residual;
    }
}
