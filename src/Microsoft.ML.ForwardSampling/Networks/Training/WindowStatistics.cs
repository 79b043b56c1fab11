using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The statistics of one window inside the trainer, and the choice made among its rows. Buffers are used again for every
/// window.</summary>
internal sealed class WindowStatistics
{
    private readonly float[][] _statistics = new float[RecordedStatistic.All.Length][];
    private readonly int[] _label;
    private readonly int[] _group;
    private readonly float[] _credibility;
    private readonly int _featureCount;
    private float[] _features = [];
    private readonly int[] _rows;
    private readonly float[] _weights;

    public WindowStatistics(int windowSize, RecordStatistics needs, PredictionTask task, int featureCount, bool discounts)
    {
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
            _statistics[statistic.Index] = statistic.IsIn(needs) ? new float[windowSize] : [];
        _label = needs.HasFlag(RecordStatistics.Label) && task != PredictionTask.Regression ? new int[windowSize] : [];
        _group = needs.HasFlag(RecordStatistics.Group) ? new int[windowSize] : [];
        _credibility = discounts ? new float[windowSize] : [];
        _featureCount = needs.HasFlag(RecordStatistics.Features) ? featureCount : 0;
        _rows = new int[windowSize];
        _weights = new float[windowSize];
        NeedsForwardPass = (needs & RecordedStatistic.OfTheModel) != 0;
    }

    /// <summary>Whether the policy reads anything that a forward pass leaves behind.</summary>
    public bool NeedsForwardPass { get; }

    /// <summary>Takes what a forward pass says of a class.</summary>
    public void Set(int position, ClassificationStatistics statistics)
    {
        Set(RecordedStatistic.Loss, position, statistics.Loss);
        Set(RecordedStatistic.GradientNorm, position, statistics.GradientNorm);
        Set(RecordedStatistic.Margin, position, statistics.Margin);
        Set(RecordedStatistic.Entropy, position, statistics.Entropy);
    }

    /// <summary>Where a forward pass writes the norms of rows' activations; empty where the policy does not read them.</summary>
    public Span<float> ActivationNorms(int start, int count)
    {
        float[] norms = _statistics[RecordedStatistic.ActivationNorm.Index];
        return norms.Length == 0 ? [] : norms.AsSpan(start, count);
    }

    /// <summary>Takes recorded statistics of the window's rows out of the pool, and discounts those of old records.</summary>
    /// <returns>Rows whose record was discounted.</returns>
    public int Gather(RowPool part, ReadOnlySpan<int> window)
    {
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
        {
            if (statistic.IsOfTheModel)
                Gather(part.Statistics[statistic.Index], _statistics[statistic.Index], window);
        }

        if (_credibility.Length == 0)
            return 0;
        Gather(part.Credibility, _credibility, window);
        Span<float> credibility = _credibility.AsSpan(0, window.Length);
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
        {
            if (statistic.IsOfTheModel && _statistics[statistic.Index].Length > 0)
                RecordCredibility.Discount(_statistics[statistic.Index].AsSpan(0, window.Length), credibility);
        }

        return window.Length - credibility.Count(1f);
    }

    /// <summary>Takes what no forward pass of the network computes: classes, groups, another model's statistics and features, where the
    /// policy reads them.</summary>
    public void GatherRows(RowPool part, ReadOnlySpan<int> window)
    {
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
        {
            if (!statistic.IsOfTheModel)
                Gather(part.Statistics[statistic.Index], _statistics[statistic.Index], window);
        }

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
                part.CopyFeatures(window[i], _features.AsSpan(i * _featureCount));
        }
    }

    /// <summary>The chosen rows of the window, as positions in the pool.</summary>
    public ReadOnlySpan<int> Select(RowSelector selector, ReadOnlySpan<int> window, int budget, out ReadOnlySpan<float> weights)
    {
        int n = window.Length;
        Span<int> rows = _rows.AsSpan(0, budget);
        weights = _weights.AsSpan(0, budget);
        var candidates = new SelectionWindow(n, selector.Scratch, StatisticSpans.Of(_statistics, n))
        {
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

    private void Set(RecordedStatistic statistic, int position, float value)
    {
        float[] values = _statistics[statistic.Index];
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
