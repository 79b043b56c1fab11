namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>What a <see cref="StreamedPlan"/> sees of one row of a stream.</summary>
public readonly ref struct StreamedRow
{
    private readonly ReadOnlySpan<float> _values;

    internal StreamedRow(ReadOnlySpan<float> values, int label, int group)
    {
        _values = values;
        Label = label;
        Group = group;
    }

    /// <summary>A statistic of the row, finite; one that the plan does not need has any value.</summary>
    /// <param name="statistic">One statistic that is a column: not Label, Group or Features.</param>
    /// <exception cref="IndexOutOfRangeException">Another.</exception>
    public float this[RecordStatistics statistic] => _values[RecordedStatistic.IndexOf(statistic)];

    /// <summary>Class of the row, counted from 0; −1 where it has none or the plan does not need it.</summary>
    public int Label { get; }

    /// <summary>Group of the row; −1 where its key is missing or the plan does not need it.</summary>
    public int Group { get; }
}
