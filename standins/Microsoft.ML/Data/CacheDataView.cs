namespace Microsoft.ML.Data;

/// <summary>A copy of a view's columns in memory, each filled when it is first read.</summary>
internal sealed class CacheDataView : IDataView
{
    private readonly IDataView _source;
    private readonly bool[] _prefetch;
    private readonly ColumnStore?[] _columns;
    private readonly object _lock = new();
    private long? _rowCount;

    public CacheDataView(IDataView source, string[] prefetch)
    {
        _source = ParallelCursors.OnlyBufferable(source);
        _columns = new ColumnStore?[Schema.Count];
        _prefetch = Schema.ActiveFlags(prefetch.Select(name => Schema.InputColumn(name, "columnsToPrefetch", "prefetch")));
    }

    public bool CanShuffle => true;
    public DataViewSchema Schema => _source.Schema;
    public long? GetRowCount() => _rowCount ?? _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(this, Schema.ActiveFlags(columnsNeeded), rand);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    /// <summary>Reads those of the columns that are not yet here, in one pass over the source.</summary>
    private void Fill(bool[] wanted)
    {
        lock (_lock)
        {
            DataViewSchema.Column[] missing = [.. Schema.Where(c => _columns[c.Index] is null && (wanted[c.Index] || _prefetch[c.Index]))];
            if (missing.Length == 0 && _rowCount is not null)
                return;

            ColumnStore[] stores = Array.ConvertAll(missing, c => ColumnStore.Create(c.Type));
            int count = 0;
            try
            {
                using DataViewRowCursor cursor = _source.GetRowCursor(missing);
                ColumnStore.Filler[] fillers = [.. missing.Select((c, i) => stores[i].CreateFiller(cursor, c))];
                for (; cursor.MoveNext(); count++)
                {
                    for (int i = 0; i < fillers.Length; i++)
                        fillers[i](stores[i], count);
                }
            }
            catch (Exception e)
            {
                throw new InvalidOperationException("Event we were waiting on was subject to an exception", e);
            }

            if (_rowCount is not null && _rowCount != count)
                throw new InvalidOperationException($"The source of a cache had {_rowCount} rows in its first pass and {count} in a later one.");
            for (int i = 0; i < missing.Length; i++)
                _columns[missing[i].Index] = stores[i];
            _rowCount = count;
        }
    }

    private sealed class Cursor(CacheDataView view, bool[] active, Random? rand) : StoredRowCursor(view.Schema, active)
    {
        private readonly bool[] _active = active;
        private int[]? _order;
        private int _row = -1; // position in the order
        public override long Batch => 0;
        public override ColumnStore StoreAt(int slot) => Position >= 0 ? view._columns[slot]! : throw Errors.NotOnARow();

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) =>
            id = Position >= 0 ? new DataViewRowId((ulong)StoredIndex, 0) : throw new InvalidOperationException("Cannot call ID getter in current state");

        protected override bool MoveNextCore()
        {
            if (_row < 0)
            {
                view.Fill(_active);
                _order = rand is null ? null : [.. Enumerable.Range(0, (int)view._rowCount!.Value)];
                rand?.Shuffle(_order.AsSpan());
            }

            if (++_row >= view._rowCount)
                return false;
            StoredIndex = _order?[_row] ?? _row;
            return true;
        }

        // The stores are the view's: a column's slot is its index.
        protected override int[] SlotsOf(bool[] active) => [.. active.Select((isActive, i) => isActive ? i : -1)];
    }
}
