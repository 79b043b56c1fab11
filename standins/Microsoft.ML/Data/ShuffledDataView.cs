namespace Microsoft.ML.Data;

/// <summary>Rows in random order: a pool of rows is kept, each row read takes the place of one drawn from it.</summary>
internal sealed class ShuffledDataView(IDataView view, int seed, int poolSize, bool shuffleSource) : IDataView
{
    private readonly IDataView _source = ParallelCursors.OnlyBufferable(view);
    public bool CanShuffle => true;
    public DataViewSchema Schema => _source.Schema;
    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        DataViewSchema.Column[] columns = [.. columnsNeeded];
        rand ??= new Random(seed);
        DataViewRowCursor input = _source.GetRowCursor(columns, shuffleSource && _source.CanShuffle ? new Random(rand.Next()) : null);
        return poolSize == 1 ? input : new Cursor(input, rand, poolSize);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : StoredRowCursor
    {
        private readonly DataViewRowCursor _input;
        private readonly Random _rand;
        private readonly ColumnStore[] _stores; // the active columns, then the ids
        private readonly ColumnStore.Filler[] _fillers;
        private readonly int[] _filled; // places in the stores that hold a row not yet given out, then free ones
        private int _count;
        private bool _sourceEnded;

        public Cursor(DataViewRowCursor input, Random rand, int poolSize) : base(input.Schema, [.. input.Schema.Select(input.IsColumnActive)])
        {
            _input = input;
            _rand = rand;
            DataViewSchema.Column[] columns = [.. input.Schema.Where(input.IsColumnActive)];
            _stores = [.. columns.Select(c => ColumnStore.Create(c.Type)), new ColumnStore<DataViewRowId>()];
            _fillers = [.. columns.Select((c, i) => _stores[i].CreateFiller(input, c)), ColumnStore<DataViewRowId>.CreateFiller(input.GetIdGetter())];
            _filled = [.. Enumerable.Range(0, poolSize)];
        }

        public override long Batch => 0;
        public override ColumnStore StoreAt(int slot) => Position >= 0 ? _stores[slot] : throw Errors.NotOnARow();

        public override ValueGetter<DataViewRowId> GetIdGetter() =>
            (ref DataViewRowId id) => ((ColumnStore<DataViewRowId>)StoreAt(_stores.Length - 1)).Read(StoredIndex, ref id);

        protected override bool MoveNextCore()
        {
            try
            {
                Fill();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException("Shuffle input cursor reader failed with an exception", e);
            }

            if (_count == 0)
                return false;
            int drawn = _rand.Next(_count--);
            StoredIndex = _filled[drawn];
            (_filled[drawn], _filled[_count]) = (_filled[_count], _filled[drawn]);
            return true;
        }

        private void Fill()
        {
            while (_count < _filled.Length && !_sourceEnded)
            {
                if (!_input.MoveNext())
                {
                    _sourceEnded = true;
                    break;
                }

                for (int i = 0; i < _fillers.Length; i++)
                    _fillers[i](_stores[i], _filled[_count]);
                _count++;
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _input.Dispose();
            base.Dispose(disposing);
        }
    }
}
