using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The columns a trainer reads, bound to one schema and checked.</summary>
/// <param name="Features">Vector of Single of known size.</param>
/// <param name="Label">Single, Boolean or key, as the task says.</param>
/// <param name="Weight">Single, or null: every row weighs 1.</param>
/// <param name="Selection">What the trainer's own selection reads of a row.</param>
/// <param name="Stratum">Single by which batches are stratified within a label; null: none.</param>
internal sealed record TrainingColumns(DataViewSchema.Column Features, DataViewSchema.Column Label, DataViewSchema.Column? Weight,
    SelectionColumns Selection, DataViewSchema.Column? Stratum = null)
{
    /// <summary>What is read beside <see cref="Features"/>: columns of numbers, then those of keys.</summary>
    public (DataViewSchema.Column Column, InputColumn Input)[] More { get; init; } = [];

    /// <summary>Inputs of a row, a key of each embedding column last.</summary>
    public int FeatureCount => ((VectorDataViewType)Features.Type).Size + More.Sum(column => column.Input.Slots);

    /// <summary>Inputs that are numbers.</summary>
    public int NumberCount => FeatureCount - More.Count(column => column.Input.Keys > 0);

    /// <summary>Whether the weights are those of a selection.</summary>
    public bool IsSelected => Weight?.Name == ForwardColumns.Weight;

    public IEnumerable<DataViewSchema.Column> All
        => new DataViewSchema.Column?[] { Features, Label, Weight, Stratum }.OfType<DataViewSchema.Column>().Concat(Selection.All)
            .Concat(More.Select(column => column.Column)).DistinctBy(column => column.Index);
}

/// <summary>Reads the rows of a data view into memory: once when they fit, else part by part at each pass.</summary>
internal sealed class RowFeed
{
    private const int RowsBetweenCancellationChecks = 1024;

    private readonly IDataView _data;
    private readonly TrainingColumns _columns;
    private readonly RecordLimits _limits;
    private readonly RowPool _pool;
    private Standardization _standardization = Standardization.None;
    private bool _complete;

    /// <param name="data">The rows.</param>
    /// <param name="columns">What is read of them.</param>
    /// <param name="maximumBytes">Memory for the rows held at a time.</param>
    /// <param name="limits">Limits on the rows' records and what becomes of old ones; null: none.</param>
    /// <param name="sparse">Whether features are held as those that are not zero.</param>
    public RowFeed(IDataView data, TrainingColumns columns, long maximumBytes, RecordLimits? limits = null, bool sparse = false)
    {
        _data = data;
        _columns = columns;
        _limits = limits ?? new RecordLimits();
        _pool = new RowPool(columns.FeatureCount, columns.Weight is not null, columns.Selection.Held,
            _limits is { AreSet: true, OldRecords: OldRecords.Discount }, maximumBytes, sparse)
        { HasStrata = columns.Stratum is not null };
    }

    /// <summary>Whether features are held as those that are not zero.</summary>
    public bool IsSparse => _pool.Sparse is not null;

    public long RowsRead { get; private set; }

    public long RowsSkipped { get; private set; }

    /// <summary>Rows left out because their record is too old, over all passes that read the data view.</summary>
    public long RowsExcluded { get; private set; }

    public TimeSpan ReadTime { get; private set; }

    /// <summary>Rows of each part, once one pass is over.</summary>
    public IReadOnlyList<int>? PartRows { get; private set; }

    /// <summary>Whether the rows that were read last are wide and few of their features are not zero: slots of texts or categories, of
    /// which each comes in few rows.</summary>
    /// <param name="numbers">Features that are numbers.</param>
    public bool MostlyZero(int numbers)
    {
        const int FirstRows = 256, Wide = 256, Share = 16;
        int rows = Math.Min(_pool.Count, FirstRows);
        if (numbers < Wide || rows == 0)
            return false;
        long values = 0;
        for (int row = 0; row < rows; row++)
            values += _pool.Sparse?.LengthOf(row)
                ?? numbers - _pool.Features.AsSpan(row * _pool.FeatureCount, numbers).Count(0f);
        return values * Share <= (long)rows * numbers;
    }

    /// <summary>From now on parts come on this scale: the rows held already, and all that are read again.</summary>
    public void Standardize(Standardization standardization)
    {
        _standardization = standardization;
        if (_complete)
            _pool.Standardize(standardization);
    }

    /// <summary>One pass over the rows. The pool is reused: take what is needed before moving on.</summary>
    public IEnumerable<RowPool> Parts(CancellationToken cancellation)
    {
        if (_complete)
        {
            yield return _pool;
            yield break;
        }

        using DataViewRowCursor cursor = _data.GetRowCursor(_columns.All);
        var row = new RowReader(cursor, _columns, _limits);
        var counts = new List<int>();
        bool first = true, more;
        do
        {
            long start = Stopwatch.GetTimestamp();
            more = Fill(cursor, row, cancellation);
            _pool.Standardize(_standardization);
            ReadTime += Stopwatch.GetElapsedTime(start);
            _complete = first && !more;
            first = false;
            counts.Add(_pool.Count);
            if (_pool.Count + _pool.Excluded > 0)
                yield return _pool;
        }
        while (more);
        PartRows ??= counts;
    }

    private bool Fill(DataViewRowCursor cursor, RowReader row, CancellationToken cancellation)
    {
        _pool.Clear();
        while (!_pool.IsFull)
        {
            if (RowsRead % RowsBetweenCancellationChecks == 0)
                cancellation.ThrowIfCancellationRequested();
            if (!cursor.MoveNext())
                return false;
            RowsRead++;
            if (row.IsExcluded(out float credibility))
            {
                _pool.Excluded++;
                RowsExcluded++;
            }
            else if (!row.TryAdd(_pool, credibility))
            {
                RowsSkipped++;
            }
        }

        return true;
    }

    /// <summary>The getters of one cursor.</summary>
    private sealed class RowReader
    {
        private readonly InputReader _features;
        private readonly Func<float> _label;
        private readonly Func<float>? _weight;
        private readonly Func<float>? _stratum;
        private readonly SelectionRowReader _selection;
        private VBuffer<float> _buffer;

        public RowReader(DataViewRowCursor cursor, TrainingColumns columns, RecordLimits limits)
        {
            _features = new InputReader(cursor, columns.Features, columns.More.Select(column => column.Column));
            _label = Label(cursor, columns.Label);
            _weight = Single(cursor, columns.Weight);
            _stratum = Single(cursor, columns.Stratum);
            _selection = new SelectionRowReader(cursor, columns.Selection, limits);
        }

        /// <summary>Whether the cursor's row is left out because its record is too old; if not, how much the record still says, in [0,
        /// 1].</summary>
        public bool IsExcluded(out float credibility)
        {
            credibility = _selection.Credibility?.Read() ?? 1;
            return credibility < 1 && _selection.Credibility!.Excludes;
        }

        /// <summary>Adds the cursor's row unless a feature, the label or the weight is missing.</summary>
        public bool TryAdd(RowPool pool, float credibility)
        {
            float label = _label();
            float weight = _weight?.Invoke() ?? 1f;
            if (!float.IsFinite(label) || !float.IsFinite(weight) || weight < 0f)
                return false;
            _features.Read(ref _buffer);
            if (!pool.TryAddFeatures(_buffer))
                return false;
            _selection.ReadStatistics(pool.Statistics, pool.Count);
            pool.Add(label, weight, _selection.Group(), credibility, _stratum?.Invoke() ?? 0f);
            return true;
        }

        private static Func<float>? Single(DataViewRow row, DataViewSchema.Column? column)
        {
            if (column is not { } present)
                return null;
            ValueGetter<float> getter = row.GetGetter<float>(present);
            return () =>
            {
                float value = 0f;
                getter(ref value);
                return value;
            };
        }

        private static Func<float> Label(DataViewRow row, DataViewSchema.Column column)
        {
            if (column.Type is BooleanDataViewType)
            {
                ValueGetter<bool> getter = row.GetGetter<bool>(column);
                return () =>
                {
                    bool value = false;
                    getter(ref value);
                    return value ? 1f : 0f;
                };
            }

            if (column.Type is KeyDataViewType)
            {
                ValueGetter<uint> getter = row.GetGetter<uint>(column);
                return () =>
                {
                    uint key = 0;
                    getter(ref key);
                    return key == 0 ? float.NaN : key - 1;
                };
            }

            return Single(row, column)!;
        }
    }
}
