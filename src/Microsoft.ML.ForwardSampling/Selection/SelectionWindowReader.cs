using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reads a window's statistics, classes and row ids from a cursor into arrays that are used again for the next window.</summary>
internal sealed class SelectionWindowReader : IDisposable
{
    private readonly DataViewRowCursor _cursor;
    private readonly int _windowSize;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly ValueGetter<float>?[] _getters = new ValueGetter<float>?[SelectionColumns.Statistics.Length];
    private readonly Func<int>? _label;
    private readonly float[][] _statistics;
    private DataViewRowId[] _ids = [];
    private int[] _labels = [];

    public SelectionWindowReader(DataViewRowCursor cursor, RecordStatistics needs, SelectionOptions options)
    {
        _cursor = cursor;
        _windowSize = options.WindowSize;
        _id = cursor.GetIdGetter();
        _statistics = [[], [], [], []];
        for (int i = 0; i < _getters.Length; i++)
        {
            RecordStatistics statistic = SelectionColumns.Statistics[i];
            if ((needs & statistic) != 0)
                _getters[i] = cursor.GetGetter<float>(cursor.Schema[SelectionColumns.NameOf(statistic, options)]);
        }

        if (ClassColumn(cursor.Schema, needs, options) is { } label)
            _label = ClassLabel.Open(cursor, label);
    }

    /// <summary>Rows of the current window.</summary>
    public int Count { get; private set; }

    /// <summary>Ids of the current window's rows.</summary>
    public ReadOnlySpan<DataViewRowId> Ids => _ids.AsSpan(0, Count);

    /// <summary>The input columns that a policy's statistics take.</summary>
    public static DataViewSchema.Column[] ColumnsOf(DataViewSchema schema, RecordStatistics needs, SelectionOptions options)
    {
        var columns = new List<DataViewSchema.Column>();
        foreach (RecordStatistics statistic in SelectionColumns.Statistics)
        {
            if ((needs & statistic) != 0)
                columns.Add(schema[SelectionColumns.NameOf(statistic, options)]);
        }

        if (ClassColumn(schema, needs, options) is { } label)
            columns.Add(label);
        return [.. columns];
    }

    /// <summary>Reads up to a window's rows; false at the end of the input.</summary>
    public bool ReadNext()
    {
        int count = 0;
        while (count < _windowSize && _cursor.MoveNext())
        {
            if (count == _ids.Length)
                Grow();
            _id(ref _ids[count]);
            for (int i = 0; i < _getters.Length; i++)
                _getters[i]?.Invoke(ref _statistics[i][count]);
            if (_label is not null)
                _labels[count] = Math.Max(ClassLabel.Unknown, _label());
            count++;
        }

        Count = count;
        return count > 0;
    }

    /// <summary>The current window, for a selector; it reads this reader's arrays.</summary>
    public SelectionWindow Window(SelectionScratch scratch) => new(Count, scratch)
    {
        Loss = Statistic(0),
        GradientNorm = Statistic(1),
        Margin = Statistic(2),
        Entropy = Statistic(3),
        Label = _label is null ? [] : _labels.AsSpan(0, Count),
    };

    public void Dispose() => _cursor.Dispose();

    /// <summary>The label column if the policy reads classes and the label is one: a Single is the label of a regression.</summary>
    private static DataViewSchema.Column? ClassColumn(DataViewSchema schema, RecordStatistics needs, SelectionOptions options)
        => (needs & RecordStatistics.Label) != 0 && schema.GetColumnOrNull(options.LabelColumnName) is { Type: BooleanDataViewType or KeyDataViewType } label
            ? label
            : null;

    private ReadOnlySpan<float> Statistic(int index) => _getters[index] is null ? [] : _statistics[index].AsSpan(0, Count);

    /// <summary>Doubles the arrays, up to the window: a large window over little data must not cost a large window's memory.</summary>
    private void Grow()
    {
        int capacity = Math.Min(_windowSize, Math.Max(1024, 2 * _ids.Length));
        Array.Resize(ref _ids, capacity);
        for (int i = 0; i < _getters.Length; i++)
        {
            if (_getters[i] is not null)
                Array.Resize(ref _statistics[i], capacity);
        }

        if (_label is not null)
            Array.Resize(ref _labels, capacity);
    }
}
