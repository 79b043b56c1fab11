using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reads a window's statistics, classes, groups and row ids from a cursor into arrays that are used again for the next window.</summary>
internal sealed class SelectionWindowReader : IDisposable
{
    // A model that scores in blocks may give a row other last digits in another block; another row's statistics differ by more.
    private const float RelativeDifference = 1e-3f;
    private const float SmallestDifference = 1e-5f;

    private readonly DataViewRowCursor _cursor;
    private readonly int _windowSize;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly Statistic[] _statistics;
    private readonly Func<int>? _label;
    private readonly Func<int>? _group;
    private readonly RecordCredibility? _credibility;
    private DataViewRowId[] _ids = [];
    private int[] _labels = [];
    private int[] _groups = [];
    private long[] _inputRows = [];         // where rows are left out
    private float[] _credibilities = [];    // where they are discounted
    private long _windowStart;              // input rows before the current window, where none is left out

    public SelectionWindowReader(DataViewRowCursor cursor, RecordStatistics needs, SelectionOptions options)
    {
        _cursor = cursor;
        _windowSize = options.WindowSize;
        _id = cursor.GetIdGetter();
        _statistics =
        [
            .. SelectionColumns.Statistics
                .Where(statistic => (needs & statistic) != 0)
                .Select(statistic => new Statistic(statistic, cursor.Schema[SelectionColumns.NameOf(statistic, options)], cursor)),
        ];
        if (ClassColumn(cursor.Schema, needs, options) is { } label)
            _label = ClassLabel.Open(cursor, label);
        if ((needs & RecordStatistics.Group) != 0)
            _group = ClassLabel.Open(cursor, cursor.Schema[SelectionColumns.GroupName(options)]);
        if (options.LimitsRecords)
            _credibility = new RecordCredibility(cursor, options);
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

    /// <summary>The input columns that hold the statistics a selection reads.</summary>
    public static IEnumerable<DataViewSchema.Column> StatisticsOf(DataViewSchema schema, RecordStatistics needs, SelectionOptions options)
        => SelectionColumns.Statistics.Where(statistic => (needs & statistic) != 0).Select(statistic => schema[SelectionColumns.NameOf(statistic, options)]);

    /// <summary>The input columns that a selection reads.</summary>
    public static DataViewSchema.Column[] ColumnsOf(DataViewSchema schema, RecordStatistics needs, SelectionOptions options)
    {
        List<DataViewSchema.Column> columns = [.. StatisticsOf(schema, needs, options)];
        if (ClassColumn(schema, needs, options) is { } label)
            columns.Add(label);
        if ((needs & RecordStatistics.Group) != 0)
            columns.Add(schema[SelectionColumns.GroupName(options)]);
        if (options.MaximumRecordAge is not null)
            columns.Add(schema[options.AgeColumnName]);
        if (options.MinimumModelVersion is not null)
            columns.Add(schema[options.ModelVersionColumnName]);
        return [.. columns.DistinctBy(column => column.Index)]; // the groups may be the label's
    }

    /// <summary>Reads up to a window's rows; false at the end of the input.</summary>
    public bool ReadNext()
    {
        int count = 0;
        _windowStart = RowsRead;
        while (count < _windowSize && _cursor.MoveNext())
        {
            RowsRead++;
            if (count == _ids.Length)
                Grow();
            if (_credibility is not null && !Admit(count))
                continue;
            _id(ref _ids[count]);
            foreach (Statistic statistic in _statistics)
                statistic.Read(count);
            if (_label is not null)
                _labels[count] = Math.Max(ClassLabel.Unknown, _label());
            if (_group is not null)
                _groups[count] = Math.Max(ClassLabel.Unknown, _group());
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
    public SelectionWindow Window(SelectionScratch scratch) => new(Count, scratch)
    {
        Loss = Values(RecordStatistics.Loss),
        GradientNorm = Values(RecordStatistics.GradientNorm),
        Margin = Values(RecordStatistics.Margin),
        Entropy = Values(RecordStatistics.Entropy),
        ReferenceLoss = Values(RecordStatistics.ReferenceLoss),
        Label = _label is null ? [] : _labels.AsSpan(0, Count),
        Group = _group is null ? [] : _groups.AsSpan(0, Count),
    };

    public void Dispose() => _cursor.Dispose();

    /// <summary>The label column if the policy reads classes and the label is one: a Single is the label of a regression.</summary>
    public static DataViewSchema.Column? ClassColumn(DataViewSchema schema, RecordStatistics needs, SelectionOptions options)
        => (needs & RecordStatistics.Label) != 0 && schema.GetColumnOrNull(options.LabelColumnName) is { Type: BooleanDataViewType or KeyDataViewType } label
            ? label
            : null;

    private ReadOnlySpan<float> Values(RecordStatistics kind)
    {
        foreach (Statistic statistic in _statistics)
        {
            if (statistic.Kind == kind)
                return statistic.Values.AsSpan(0, Count);
        }

        return [];
    }

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
        foreach (Statistic statistic in _statistics)
        {
            statistic.Values.AsSpan(0, Count).CopyTo(statistic.Recorded);
            if (statistic.Kind != RecordStatistics.ReferenceLoss)
                RecordCredibility.Discount(statistic.Values.AsSpan(0, Count), _credibilities.AsSpan(0, Count));
        }
    }

    /// <summary>Doubles the arrays, up to the window: a large window over little data must not cost a large window's memory.</summary>
    private void Grow()
    {
        int capacity = Math.Min(_windowSize, Math.Max(1024, 2 * _ids.Length));
        Array.Resize(ref _ids, capacity);
        foreach (Statistic statistic in _statistics)
        {
            Array.Resize(ref statistic.Values, capacity);
            if (_credibility is { Excludes: false })
                statistic.Recorded = new float[capacity];
        }

        if (_label is not null)
            Array.Resize(ref _labels, capacity);
        if (_group is not null)
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
            float first = (_credibility is { Excludes: false } ? _statistics[i].Recorded : _statistics[i].Values)[row], second = 0;
            values[i](ref second);
            if (first.Equals(second) || MathF.Abs(first - second) <= SmallestDifference + RelativeDifference * MathF.Abs(first))
                continue;
            throw SelectionErrors.NotRepeatable($"row {InputRow(row)} has {_statistics[i].Column.Name} {first} where its statistics are read and {second} where its values are");
        }
    }

    /// <summary>The statistics of another cursor over the same input, for <see cref="CheckAgain"/>.</summary>
    public ValueGetter<float>[] OpenAgain(DataViewRowCursor other) => [.. _statistics.Select(statistic => other.GetGetter<float>(other.Schema[statistic.Column.Index]))];

    /// <summary>One statistic's column and its values in the window.</summary>
    private sealed class Statistic(RecordStatistics kind, DataViewSchema.Column column, DataViewRowCursor cursor)
    {
        private readonly ValueGetter<float> _getter = cursor.GetGetter<float>(column);

        public float[] Values = [];

        /// <summary>The values before they were discounted; empty where none are.</summary>
        public float[] Recorded = [];

        public RecordStatistics Kind => kind;

        public DataViewSchema.Column Column => column;

        public void Read(int place) => _getter(ref Values[place]);
    }
}
