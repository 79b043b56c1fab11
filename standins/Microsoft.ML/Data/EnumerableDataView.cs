namespace Microsoft.ML.Data;

/// <summary>A sequence of objects as a view, enumerated anew by each cursor.</summary>
internal sealed class EnumerableDataView<TRow> : IDataView where TRow : class
{
    private readonly IEnumerable<TRow> _rows;
    private readonly TypedColumn[] _columns;

    public EnumerableDataView(IEnumerable<TRow> rows, SchemaDefinition? definition)
    {
        _rows = rows;
        _columns = TypedSchema.Columns(typeof(TRow), definition, SchemaDefinition.Direction.Read);
        Schema = TypedSchema.SchemaOf(_columns);
    }

    public bool CanShuffle => false;
    public DataViewSchema Schema { get; }
    public long? GetRowCount() => _rows is ICollection<TRow> collection ? collection.Count : null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(this, Schema.ActiveFlags(columnsNeeded));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(EnumerableDataView<TRow> view, bool[] active) : CursorBase
    {
        private readonly IEnumerator<TRow> _rows = view._rows.GetEnumerator();
        private readonly TypedRow<TRow>.Holder _row = new();
        private readonly Delegate?[] _getters = new Delegate?[active.Length];
        public override long Batch => 0;
        public override DataViewSchema Schema => view.Schema;
        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) =>
            id = Position >= 0 ? new DataViewRowId((ulong)Position, 0) : throw Errors.NotOnARow();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (column.Index >= active.Length || !active[column.Index])
                throw Errors.Inactive();
            Delegate getter = _getters[column.Index] ??= TypedRow<TRow>.CreateGetter(view._columns[column.Index], _row);
            return getter as ValueGetter<TValue> ?? throw Errors.WrongGetterType(typeof(TValue), getter, $" in GetGetter for column #{column}");
        }

        protected override bool MoveNextCore()
        {
            bool moved = _rows.MoveNext();
            _row.Row = moved
                ? _rows.Current ?? throw new InvalidOperationException("Encountered null when iterating over data, this is not supported.")
                : null;
            return moved;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _rows.Dispose();
            base.Dispose(disposing);
        }
    }
}
