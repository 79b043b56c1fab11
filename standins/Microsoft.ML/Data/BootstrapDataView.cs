namespace Microsoft.ML.Data;

/// <summary>Each row as often as a Poisson draw of mean 1 says: an approximate draw with replacement.</summary>
/// <param name="complement">The rows drawn zero times instead, once each.</param>
internal sealed class BootstrapDataView(IDataView source, int seed, bool complement) : IDataView
{
    public bool CanShuffle => false;
    public DataViewSchema Schema => source.Schema;
    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(source.GetRowCursor(columnsNeeded), new Random(seed), complement);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded)];

    private sealed class Cursor(DataViewRowCursor input, Random rand, bool complement) : FilterCursor(input)
    {
        private int _copiesLeft;
        private int _copy;
        public override long Batch => 0;

        // Copies of a row get ids of their own.
        public override ValueGetter<DataViewRowId> GetIdGetter()
        {
            ValueGetter<DataViewRowId> idGetter = Input.GetIdGetter();
            return (ref DataViewRowId id) =>
            {
                idGetter(ref id);
                id = id.Combine(new DataViewRowId((ulong)_copy, 0));
            };
        }

        protected override bool MoveNextCore()
        {
            for (; _copiesLeft == 0; _copy = 0)
            {
                if (!Input.MoveNext())
                    return false;
                int drawn = DrawPoisson();
                _copiesLeft = complement ? (drawn == 0 ? 1 : 0) : drawn;
            }

            _copiesLeft--;
            _copy++;
            return true;
        }

        // Knuth's method: how many uniform draws until their product falls below 1/e.
        private int DrawPoisson()
        {
            int count = 0;
            for (double product = rand.NextDouble(); product > 1 / Math.E; product *= rand.NextDouble())
                count++;
            return count;
        }
    }
}
