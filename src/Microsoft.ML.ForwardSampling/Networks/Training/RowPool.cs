using System.Numerics;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Rows held in memory as plain arrays, row-major, growing up to a limit.</summary>
internal sealed class RowPool
{
    private const int FirstCapacity = 1024;
    private const int MostValues = 1 << 30;

    private readonly RecordStatistics _statistics;
    private readonly bool _discounted;
    private readonly long _maximumBytes;
    private readonly long _bytesPerRow;

    /// <param name="featureCount">Features of a row.</param>
    /// <param name="weighted">Whether rows carry weights.</param>
    /// <param name="statistics">Recorded statistics that rows carry.</param>
    /// <param name="discounted">Whether rows carry their records' credibility.</param>
    /// <param name="maximumBytes">Memory for the arrays.</param>
    /// <param name="sparse">Whether features are held as those that are not zero.</param>
    public RowPool(int featureCount, bool weighted, RecordStatistics statistics, bool discounted, long maximumBytes, bool sparse = false)
    {
        FeatureCount = featureCount;
        Weighted = weighted;
        _statistics = statistics;
        _discounted = discounted;
        _maximumBytes = maximumBytes;
        Sparse = sparse ? new SparseRows() : null;
        _bytesPerRow = sizeof(float)
            * ((sparse ? 1 : featureCount) + 2L + BitOperations.PopCount((uint)statistics) + (discounted ? 1 : 0));
        // An array holds at most 2^31 - 57 elements.
        MaximumRows = (int)Math.Clamp(maximumBytes / _bytesPerRow, 1, (Array.MaxLength - FirstCapacity) / (sparse ? 1 : featureCount));
    }

    public int FeatureCount { get; }

    public bool Weighted { get; }

    /// <summary>Whether rows carry what batches are stratified by.</summary>
    public bool HasStrata { get; init; }

    /// <summary>Rows the memory limit allows.</summary>
    public int MaximumRows { get; }

    /// <summary>Whether the memory is used up.</summary>
    public bool IsFull => Count >= MaximumRows || (Sparse is not null && Count > 0
        && (Count * _bytesPerRow + (sizeof(int) + sizeof(float)) * (long)Sparse.Length >= _maximumBytes || Sparse.Length >= MostValues));

    public int Count { get; private set; }

    /// <summary>Rows read with those held and left out because their record is too old.</summary>
    public int Excluded { get; set; }

    /// <summary>Shape [Count, FeatureCount]; empty where rows are held sparse.</summary>
    public float[] Features { get; private set; } = [];

    /// <summary>The rows' features where they are held sparse; else null.</summary>
    public SparseRows? Sparse { get; }

    /// <summary>Regression: the target; binary: 0 or 1; multiclass: the class, 0-based.</summary>
    public float[] Labels { get; private set; } = [];

    public float[] Weights { get; private set; } = [];

    /// <summary>Recorded statistics by index in the table; empty for those that rows do not carry.</summary>
    public float[][] Statistics { get; } = [.. RecordedStatistic.All.Select(_ => Array.Empty<float>())];

    /// <summary>Empty where the groups are the label's classes.</summary>
    public int[] Group { get; private set; } = [];

    /// <summary>How much each row's record still says, in [0, 1]; empty unless old records are discounted.</summary>
    public float[] Credibility { get; private set; } = [];

    /// <summary>What batches are stratified by within a label; empty without it.</summary>
    public float[] Strata { get; private set; } = [];

    public void Clear()
    {
        (Count, Excluded) = (0, 0);
        Sparse?.Clear();
    }

    /// <summary>Where the next row's features go, and from <see cref="Count"/> on its statistics; the row counts once <see cref="Add"/> is
    /// called.</summary>
    public Span<float> NextFeatures()
    {
        if (Count == Labels.Length)
            Grow();
        return Features.AsSpan(Count * FeatureCount, FeatureCount);
    }

    /// <summary>Takes the next row's features; the row counts once <see cref="Add"/> is called.</summary>
    /// <returns>False where one is missing: then nothing was taken.</returns>
    public bool TryAddFeatures(in VBuffer<float> features)
    {
        if (Sparse is null)
        {
            Span<float> to = NextFeatures();
            features.CopyTo(to);
            return WindowSums.AllFinite(to);
        }

        if (!WindowSums.AllFinite(features.GetValues()))
            return false;
        if (Count == Labels.Length)
            Grow();
        Sparse.Add(features);
        return true;
    }

    /// <summary>Copies a row's features, zeros among them.</summary>
    public void CopyFeatures(int row, Span<float> to)
    {
        if (Sparse is null)
            Features.AsSpan(row * FeatureCount, FeatureCount).CopyTo(to);
        else
            Sparse.CopyTo(row, to[..FeatureCount]);
    }

    public void Add(float label, float weight, int group, float credibility, float stratum = 0f)
    {
        Labels[Count] = label;
        if (Weighted)
            Weights[Count] = weight;
        Put(Group, group);
        Put(Credibility, credibility);
        Put(Strata, stratum);
        Count++;
    }

    /// <summary>Puts features and labels of all rows onto the scale of training. Once for the rows held.</summary>
    public void Standardize(Standardization standardization)
    {
        for (int row = 0; row < Count && standardization.ChangesFeatures; row++)
        {
            if (Sparse is null)
                standardization.Apply(Features.AsSpan(row * FeatureCount, FeatureCount));
            else
                standardization.Apply(Sparse.SlotsOf(row), Sparse.ValuesOf(row));
        }

        for (int row = 0; row < Count && standardization.ChangesLabel; row++)
            Labels[row] = standardization.Apply(Labels[row]);
    }

    private void Put<T>(T[] column, T value)
    {
        if (column.Length > 0)
            column[Count] = value;
    }

    private void Grow()
    {
        int capacity = (int)Math.Min(Math.Max(FirstCapacity, 2L * Count), MaximumRows);
        if (Sparse is null)
            Features = Resize(Features, capacity * FeatureCount);
        Labels = Resize(Labels, capacity);
        if (Weighted)
            Weights = Resize(Weights, capacity);
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
        {
            if (statistic.IsIn(_statistics))
                Statistics[statistic.Index] = Resize(Statistics[statistic.Index], capacity);
        }

        if (_statistics.HasFlag(RecordStatistics.Group))
            Group = Resize(Group, capacity);
        if (_discounted)
            Credibility = Resize(Credibility, capacity);
        if (HasStrata)
            Strata = Resize(Strata, capacity);
    }

    private static T[] Resize<T>(T[] array, int length)
    {
        // Every element is written before it is read.
        T[] larger = GC.AllocateUninitializedArray<T>(length);
        array.CopyTo(larger, 0);
        return larger;
    }
}
