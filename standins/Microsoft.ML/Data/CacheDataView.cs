namespace Microsoft.ML.Data;

/// <summary>A copy of a view's columns in memory, each filled when it is first read.</summary>
internal sealed class CacheDataView : IDataView
{
    private const int BlockSize = 64; // rows that one cursor of a set takes at a time
    private readonly IDataView _source;
    private readonly bool[] _prefetch;
    private readonly ColumnStore?[] _columns;
    private readonly object _lock = new();
    private long? _rowCount;

    public CacheDataView(IDataView source, string[] prefetch)
    {
        _source = source;
        _columns = new ColumnStore?[source.Schema.Count];
        _prefetch = source.Schema.ActiveFlags(prefetch.Select(name => source.Schema.InputColumn(name, "columnsToPrefetch", "prefetch")));
    }

    public bool CanShuffle => true;
    public DataViewSchema Schema => _source.Schema;
    public long? GetRowCount() => _rowCount ?? _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(this, Schema.ActiveFlags(columnsNeeded), new Blocks(this, rand));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        bool[] active = Schema.ActiveFlags(columnsNeeded);
        var blocks = new Blocks(this, rand);
        return [.. Enumerable.Range(0, Math.Max(1, n)).Select(_ => new Cursor(this, active, blocks))];
    }

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

    /// <summary>Deals blocks of row numbers, in order or shuffled, to the cursors of one set.</summary>
    private sealed class Blocks(CacheDataView view, Random? rand)
    {
        private readonly Lazy<int[]?> _order = new(() =>
        {
            if (rand is null)
                return null;
            int[] order = [.. Enumerable.Range(0, (int)view._rowCount!.Value)];
            rand.Shuffle(order);
            return order;
        });

        private int _next = -1;
        public int[]? Order => _order.Value;
        public int Take() => Interlocked.Increment(ref _next);
    }

    private sealed class Cursor(CacheDataView view, bool[] active, Blocks blocks) : StoredRowCursor(view.Schema, active)
    {
        private readonly bool[] _active = active;
        private int[]? _order;
        private long _row = -1; // position in the order
        private long _blockEnd;
        private bool _started;
        public override long Batch => _row < 0 ? 0 : _row / BlockSize;
        public override ColumnStore StoreAt(int slot) => Position >= 0 ? view._columns[slot]! : throw Errors.NotOnARow();

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) =>
            id = Position >= 0 ? new DataViewRowId((ulong)StoredIndex, 0) : throw new InvalidOperationException("Cannot call ID getter in current state");

        protected override bool MoveNextCore()
        {
            if (!_started)
            {
                view.Fill(_active);
                _order = blocks.Order;
                _started = true;
            }

            if (++_row >= _blockEnd)
            {
                _row = (long)blocks.Take() * BlockSize;
                _blockEnd = Math.Min(_row + BlockSize, view._rowCount!.Value);
                if (_row >= _blockEnd)
                {
                    _row = -1;
                    return false;
                }
            }

            StoredIndex = _order?[_row] ?? (int)_row;
            return true;
        }

        // The stores are the view's: a column's slot is its index.
        protected override int[] SlotsOf(bool[] active) => [.. active.Select((isActive, i) => isActive ? i : -1)];
    }
}
