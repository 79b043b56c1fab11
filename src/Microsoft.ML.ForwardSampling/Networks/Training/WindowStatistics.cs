using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The statistics of one window inside the trainer, and the choice made among its rows. Buffers are used again for every window.</summary>
internal sealed class WindowStatistics
{
    private readonly float[] _loss;
    private readonly float[] _gradientNorm;
    private readonly float[] _margin;
    private readonly float[] _entropy;
    private readonly float[] _referenceLoss;
    private readonly int[] _label;
    private readonly int[] _group;
    private readonly float[] _credibility;
    private readonly int _featureCount;
    private float[] _features = [];
    private readonly int[] _rows;
    private readonly float[] _weights;

    public WindowStatistics(int windowSize, RecordStatistics needs, PredictionTask task, int featureCount, bool discounts)
    {
        _loss = For(RecordStatistics.Loss);
        _gradientNorm = For(RecordStatistics.GradientNorm);
        _margin = For(RecordStatistics.Margin);
        _entropy = For(RecordStatistics.Entropy);
        _label = needs.HasFlag(RecordStatistics.Label) && task != PredictionTask.Regression ? new int[windowSize] : [];
        _referenceLoss = For(RecordStatistics.ReferenceLoss);
        _group = needs.HasFlag(RecordStatistics.Group) ? new int[windowSize] : [];
        _credibility = discounts ? new float[windowSize] : [];
        _featureCount = needs.HasFlag(RecordStatistics.Features) ? featureCount : 0;
        _rows = new int[windowSize];
        _weights = new float[windowSize];

        float[] For(RecordStatistics statistic) => needs.HasFlag(statistic) ? new float[windowSize] : [];
    }

    /// <summary>Whether the policy reads anything that a forward pass leaves behind.</summary>
    public bool NeedsForwardPass => _loss.Length + _gradientNorm.Length + _margin.Length + _entropy.Length > 0;

    public void Set(int position, ClassificationStatistics statistics)
        => Set(position, statistics.Loss, statistics.GradientNorm, statistics.Margin, statistics.Entropy);

    public void Set(int position, float loss, float gradientNorm, float margin, float entropy)
    {
        Put(_loss, position, loss);
        Put(_gradientNorm, position, gradientNorm);
        Put(_margin, position, margin);
        Put(_entropy, position, entropy);
    }

    /// <summary>Takes recorded statistics of the window's rows out of the pool, and discounts those of old records.</summary>
    /// <returns>Rows whose record was discounted.</returns>
    public int Gather(RowPool part, ReadOnlySpan<int> window)
    {
        Gather(part.Loss, _loss, window);
        Gather(part.GradientNorm, _gradientNorm, window);
        Gather(part.Margin, _margin, window);
        Gather(part.Entropy, _entropy, window);
        if (_credibility.Length == 0)
            return 0;
        Gather(part.Credibility, _credibility, window);
        Span<float> credibility = _credibility.AsSpan(0, window.Length);
        foreach (float[] statistic in (ReadOnlySpan<float[]>)[_loss, _gradientNorm, _margin, _entropy])
            RecordCredibility.Discount(statistic.AsSpan(0, Math.Min(window.Length, statistic.Length)), credibility);
        return window.Length - credibility.Count(1f);
    }

    /// <summary>Takes what no forward pass of the network computes: classes, groups, reference losses and features, where the policy reads them.</summary>
    public void GatherRows(RowPool part, ReadOnlySpan<int> window)
    {
        Gather(part.ReferenceLoss, _referenceLoss, window);
        GatherClasses(part, _label, window);
        if (part.Group.Length > 0)
            Gather(part.Group, _group, window);
        else
            GatherClasses(part, _group, window);

        if (_featureCount > 0)
        {
            if (_features.Length < window.Length * _featureCount)
                _features = new float[window.Length * _featureCount];
            for (int i = 0; i < window.Length; i++)
                part.Features.AsSpan(window[i] * _featureCount, _featureCount).CopyTo(_features.AsSpan(i * _featureCount));
        }
    }

    /// <summary>The chosen rows of the window, as positions in the pool.</summary>
    public ReadOnlySpan<int> Select(RowSelector selector, ReadOnlySpan<int> window, int budget, out ReadOnlySpan<float> weights)
    {
        int n = window.Length;
        Span<int> rows = _rows.AsSpan(0, budget);
        weights = _weights.AsSpan(0, budget);
        var candidates = new SelectionWindow(n, selector.Scratch)
        {
            Loss = Part(_loss, n),
            GradientNorm = Part(_gradientNorm, n),
            Margin = Part(_margin, n),
            Entropy = Part(_entropy, n),
            ReferenceLoss = Part(_referenceLoss, n),
            Label = Part(_label, n),
            Group = Part(_group, n),
            Features = _features.AsSpan(0, n * _featureCount),
        };
        selector.Select(in candidates, rows, _weights.AsSpan(0, budget));
        foreach (ref int row in rows)
            row = window[row];
        return rows;
    }

    private static ReadOnlySpan<T> Part<T>(T[] values, int count) => values.AsSpan(0, Math.Min(count, values.Length));

    private static void Put(float[] values, int position, float value)
    {
        if (values.Length > 0)
            values[position] = value;
    }

    private static void GatherClasses(RowPool part, int[] to, ReadOnlySpan<int> window)
    {
        if (to.Length == 0)
            return;
        for (int i = 0; i < window.Length; i++)
            to[i] = (int)part.Labels[window[i]];
    }

    private static void Gather<T>(T[] from, T[] to, ReadOnlySpan<int> window)
    {
        if (to.Length == 0)
            return;
        for (int i = 0; i < window.Length; i++)
            to[i] = from[window[i]];
    }
}
