using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reads a window's statistics, classes, groups and row ids from a cursor into arrays that are used again for the next
/// window.</summary>
internal sealed class SelectionWindowReader : IDisposable
{
    // A model that scores in blocks may give a row other last digits in another block; another row's statistics differ by more.
    private const float RelativeDifference = 1e-3f;
    private const float SmallestDifference = 1e-5f;

    private readonly DataViewRowCursor _cursor;
    private readonly int _windowSize;
    private readonly SelectionColumns _columns;
    private readonly SelectionRowReader _row;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly RecordCredibility? _credibility;
    private readonly float[][] _values = new float[RecordedStatistic.All.Length][];
    private readonly float[][] _recorded = new float[RecordedStatistic.All.Length][]; // before they were discounted; empty where none are
    private DataViewRowId[] _ids = [];
    private int[] _labels = [];
    private int[] _groups = [];
    private long[] _inputRows = [];         // where rows are left out
    private float[] _credibilities = [];    // where they are discounted
    private long _windowStart;              // input rows before the current window, where none is left out

    public SelectionWindowReader(DataViewRowCursor cursor, SelectionColumns columns, int windowSize, RecordLimits limits)
    {
        _cursor = cursor;
        _windowSize = windowSize;
        _columns = columns;
        _row = new SelectionRowReader(cursor, columns, limits);
        _id = cursor.GetIdGetter();
        _credibility = _row.Credibility;
        Array.Fill(_values, []);
        Array.Fill(_recorded, []);
    }

    /// <summary>Rows of the current window.</summary>
    public int Count { get; private set; }

    /// <summary>Rows of the input read so far, those left out included.</summary>
    public long RowsRead { get; private set; }

    /// <summary>Rows left out so far because their record is too old.</summary>
    public long ExcludedRows { get; private set; }

    /// <summary>Rows so far whose record is too old and was discounted.</summary>
    public long DiscountedRows { get; private set; }

    /// <summary>Ids of the current window's rows.</summary>
    public ReadOnlySpan<DataViewRowId> Ids => _ids.AsSpan(0, Count);

    /// <summary>Reads up to a window's rows; false at the end of the input.</summary>
    public bool ReadNext()
    {
        // Fields that do not change are read once a window, not once a row.
        SelectionRowReader row = _row;
        DataViewRowCursor cursor = _cursor;
        ValueGetter<DataViewRowId> id = _id;
        float[][] values = _values;
        bool limited = _credibility is not null, hasClass = row.HasClass, hasGroup = row.HasGroup;
        int count = 0, most = _windowSize;
        long read = RowsRead;
        _windowStart = read;
        while (count < most && cursor.MoveNext())
        {
            RowsRead = ++read;
            if (count == _ids.Length)
                Grow();
            if (limited && !Admit(count))
                continue;
            id(ref _ids[count]);
            row.ReadStatistics(values, count);
            if (hasClass)
                _labels[count] = row.Class();
            if (hasGroup)
                _groups[count] = row.Group();
            count++;
        }

        Count = count;
        if (_credibility is { Excludes: false })
            Discount();
        return count > 0;
    }

    /// <summary>The input row that a row of the current window is.</summary>
    public long InputRow(int row) => _credibility is { Excludes: true } ? _inputRows[row] : _windowStart + row;

    /// <summary>The current window, for a selector; it reads this reader's arrays.</summary>
    public SelectionWindow Window(SelectionScratch scratch) => new(Count, scratch, StatisticSpans.Of(_values, Count))
    {
        Label = _row.HasClass ? _labels.AsSpan(0, Count) : [],
        Group = _row.HasGroup ? _groups.AsSpan(0, Count) : [],
    };

    public void Dispose() => _cursor.Dispose();

    /// <summary>Whether the cursor's row enters the window, as its row <paramref name="place"/>.</summary>
    private bool Admit(int place)
    {
        float credibility = _credibility!.Read();
        if (!_credibility.Excludes)
        {
            _credibilities[place] = credibility;
            DiscountedRows += credibility < 1 ? 1 : 0;
            return true;
        }

        _inputRows[place] = RowsRead - 1;
        ExcludedRows += credibility < 1 ? 1 : 0;
        return credibility == 1;
    }

    private void Discount()
    {
        foreach ((RecordedStatistic statistic, _) in _columns.Statistics)
        {
            Span<float> values = _values[statistic.Index].AsSpan(0, Count);
            values.CopyTo(_recorded[statistic.Index]);
            if (statistic.IsOfTheModel)
                RecordCredibility.Discount(values, _credibilities.AsSpan(0, Count));
        }
    }

    /// <summary>Doubles the arrays, up to the window: a large window over little data must not cost a large window's memory.</summary>
    private void Grow()
    {
        int capacity = Math.Min(_windowSize, Math.Max(1024, 2 * _ids.Length));
        Array.Resize(ref _ids, capacity);
        foreach ((RecordedStatistic statistic, _) in _columns.Statistics)
        {
            Array.Resize(ref _values[statistic.Index], capacity);
            if (_credibility is { Excludes: false })
                _recorded[statistic.Index] = new float[capacity];
        }

        if (_row.HasClass)
            Array.Resize(ref _labels, capacity);
        if (_row.HasGroup)
            Array.Resize(ref _groups, capacity);
        if (_credibility is { Excludes: true })
            Array.Resize(ref _inputRows, capacity);
        if (_credibility is { Excludes: false })
            Array.Resize(ref _credibilities, capacity);
    }

    /// <summary>Compares the statistics of a row of the window with those that another cursor shows of it.</summary>
    /// <param name="row">Row of the window.</param>
    /// <param name="values">What <see cref="OpenAgain"/> gave for the other cursor.</param>
    /// <exception cref="InvalidOperationException">They differ: the input gave other rows the second time.</exception>
    public void CheckAgain(int row, ValueGetter<float>[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            float first = (_credibility is { Excludes: false } ? _recorded : _values)[_columns.Statistics[i].Statistic.Index][row],
                second = 0;
            values[i](ref second);
            if (first.Equals(second) || MathF.Abs(first - second) <= SmallestDifference + RelativeDifference * MathF.Abs(first))
                continue;
            throw SelectionErrors.NotRepeatable(
                $"row {InputRow(row)} has {_columns.Statistics[i].Column.Name} {first} where its statistics are read and {second} where "
                + $"its values are");
        }
    }

    /// <summary>The statistics of another cursor over the same input, for <see cref="CheckAgain"/>.</summary>
    public ValueGetter<float>[] OpenAgain(DataViewRowCursor other) =>
        [.. _columns.Statistics.Select(statistic => other.GetGetter<float>(other.Schema[statistic.Column.Index]))];
}
