using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reads what a selection reads of the row that a cursor stands on: for the filter's windows, for a stream and for the trainer's
/// own selection.</summary>
internal sealed class SelectionRowReader
{
    private readonly (int Index, ValueGetter<float> Getter)[] _statistics;
    private readonly Func<int>? _class;
    private readonly Func<int>? _group;

    /// <param name="row">Cursor in which the columns are active.</param>
    /// <param name="columns">Bound to its schema.</param>
    /// <param name="limits">Limits on the rows' records.</param>
    public SelectionRowReader(DataViewRow row, SelectionColumns columns, RecordLimits limits)
    {
        _statistics = [.. columns.Statistics.Select(statistic =>
            (statistic.Statistic.Index, row.GetGetter<float>(row.Schema[statistic.Column.Index])))];
        _class = columns.Class is { } label ? ClassLabel.Open(row, label) : null;
        _group = columns.Group is { } group ? ClassLabel.Open(row, group) : null;
        if (limits.AreSet)
            Credibility = new RecordCredibility(row, columns, limits);
    }

    public bool HasClass => _class is not null;

    public bool HasGroup => _group is not null;

    /// <summary>How much the row's record still says; null where records are not limited.</summary>
    public RecordCredibility? Credibility { get; }

    /// <summary>The row's class, −1 where it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Class() => _class is null ? ClassLabel.Unknown : Math.Max(ClassLabel.Unknown, _class());

    /// <summary>The row's group, −1 where it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Group() => _group is null ? ClassLabel.Unknown : Math.Max(ClassLabel.Unknown, _group());

    /// <summary>Writes the row's statistics, as recorded.</summary>
    /// <param name="values">One place for each entry of the table; those of statistics that are not read are left alone.</param>
    public void ReadStatistics(float[] values)
    {
        foreach ((int index, ValueGetter<float> getter) in _statistics)
            getter(ref values[index]);
    }

    /// <summary>Writes the row's statistics, as recorded, to a place of their arrays.</summary>
    /// <param name="values">Arrays by index in the table; those of statistics that are not read are left alone.</param>
    /// <param name="place">Where in them.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // once for every row of the input
    public void ReadStatistics(float[][] values, int place)
    {
        (int Index, ValueGetter<float> Getter)[] statistics = _statistics;
        for (int i = 0; i < statistics.Length; i++)
            statistics[i].Getter(ref values[statistics[i].Index][place]);
    }
}
