namespace Microsoft.ML.Data;

/// <summary>Passes on the rows that a test over some of their columns accepts.</summary>
/// <param name="tested">The columns the test reads.</param>
/// <param name="createTest">From a cursor with those columns active to the test of its current row.</param>
/// <param name="sequential">Never shuffled and never read by several cursors.</param>
internal sealed class FilteredDataView(IDataView source, DataViewSchema.Column[] tested, Func<DataViewRow, Func<bool>> createTest, bool sequential = false)
    : IDataView
{
    public bool CanShuffle => source.CanShuffle && !sequential;
    public DataViewSchema Schema => source.Schema;
    public long? GetRowCount() => null;

    // Where the source has several cursors they are filtered before they are merged.
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        DataViewSchema.Column[] columns = [.. columnsNeeded];
        return ParallelCursors.CanBuffer(columns) && !sequential
            ? ParallelCursors.Consolidated(this, columns, rand)
            : Create(source.GetRowCursor(columns.Concat(tested), sequential ? null : rand), Schema.ActiveFlags(columns));
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        if (sequential)
            return [GetRowCursor(columnsNeeded)];
        DataViewSchema.Column[] columns = [.. columnsNeeded];
        bool[] active = Schema.ActiveFlags(columns);
        return Array.ConvertAll(source.GetRowCursorSet(columns.Concat(tested), n, rand), input => Create(input, active));
    }

    private DataViewRowCursor Create(DataViewRowCursor input, bool[] active) => new Cursor(input, active, createTest(input));

    private sealed class Cursor(DataViewRowCursor input, bool[] active, Func<bool> test) : FilterCursor(input)
    {
        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            column.Index < active.Length && active[column.Index] ? base.GetGetter<TValue>(column) : throw Errors.Inactive();

        protected override bool MoveNextCore()
        {
            while (Input.MoveNext())
            {
                if (test())
                    return true;
            }

            return false;
        }
    }
}

/// <summary>Rows <paramref name="skip"/> to <paramref name="skip"/> + <paramref name="take"/> of a view.</summary>
internal sealed class RowRangeDataView(IDataView source, long skip, long take) : IDataView
{
    public bool CanShuffle => false;
    public DataViewSchema Schema => source.Schema;
    public long? GetRowCount() => source.GetRowCount() is long count ? Math.Min(take, Math.Max(0, count - skip)) : null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(source.GetRowCursor(columnsNeeded), skip, take);

    // As in ML.NET: even a set of one reads an eager cursor.
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded)];

    private sealed class Cursor(DataViewRowCursor input, long skip, long take) : FilterCursor(input)
    {
        public override long Batch => 0;
        private long _toSkip = skip;
        private long _toTake = take;

        protected override bool MoveNextCore()
        {
            for (; _toSkip > 0; _toSkip--)
            {
                if (!Input.MoveNext())
                    return false;
            }

            return _toTake-- > 0 && Input.MoveNext();
        }
    }
}
