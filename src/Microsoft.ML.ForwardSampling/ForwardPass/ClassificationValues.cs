using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>Loss, gradient norm, margin and entropy.</summary>
internal abstract class ClassificationValues : RecordedValues
{
    private readonly Func<int>? _label;
    private readonly bool _needsLabel;
    private readonly ValueGetter<float>[] _getters;

    protected ClassificationValues(DataViewRow row, RecordingCounters counters, DataViewSchema.Column? label, bool needsLabel)
        : base(row, counters)
    {
        _label = label is { } column ? ClassLabel.Open(row, column) : null;
        _needsLabel = needsLabel;
        _getters = [GetLoss, GetGradientNorm, GetMargin, GetEntropy];
    }

    protected ClassificationStatistics Statistics { get; set; }

    public override Delegate GetGetter(int added) => _getters[added];

    /// <summary>The row's class, or -1; counts a row that has none of the model's classes.</summary>
    protected int ReadLabel(int classes)
    {
        if (!_needsLabel)
            return ClassLabel.Unknown;
        int label = _label is null ? ClassLabel.Unknown : _label();
        if (label == ClassLabel.Unknown)
        {
            Counts.Unlabelled++;
        }
        else if ((uint)label >= (uint)classes)
        {
            Counts.UnknownClass++;
            label = ClassLabel.Unknown;
        }

        return label;
    }

    private void GetLoss(ref float value)
    {
        Refresh();
        value = Statistics.Loss;
    }

    private void GetGradientNorm(ref float value)
    {
        Refresh();
        value = Statistics.GradientNorm;
    }

    private void GetMargin(ref float value)
    {
        Refresh();
        value = Statistics.Margin;
    }

    private void GetEntropy(ref float value)
    {
        Refresh();
        value = Statistics.Entropy;
    }
}
