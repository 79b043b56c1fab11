namespace Microsoft.ML.Data;

/// <summary>Counts the position of a cursor that moves by itself and keeps it at −1 off the rows.</summary>
internal abstract class CursorBase : DataViewRowCursor
{
    private long _position = -1;
    private bool _done;
    public sealed override long Position => _position;

    public sealed override bool MoveNext()
    {
        if (_done)
            return false;
        if (MoveNextCore())
        {
            _position++;
            return true;
        }

        _done = true;
        _position = -1;
        return false;
    }

    protected abstract bool MoveNextCore();

    protected override void Dispose(bool disposing)
    {
        _done = true;
        _position = -1;
        base.Dispose(disposing);
    }
}

/// <summary>A cursor that passes on some rows of another one.</summary>
internal abstract class FilterCursor(DataViewRowCursor input) : CursorBase
{
    protected DataViewRowCursor Input => input;
    public override DataViewSchema Schema => input.Schema;
    public override long Batch => input.Batch;
    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();
    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => input.GetGetter<TValue>(column);
    public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            input.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>A cursor over rows that lie in <see cref="ColumnStore"/>s.</summary>
internal abstract class StoredRowCursor : CursorBase
{
    private readonly int[] _slotOfColumn;
    private readonly Delegate?[] _getters;

    protected StoredRowCursor(DataViewSchema schema, bool[] active)
    {
        Schema = schema;
        _slotOfColumn = SlotsOf(active);
        _getters = new Delegate?[schema.Count];
    }

    public override DataViewSchema Schema { get; }
    public int StoredIndex { get; protected set; } = -1;

    /// <summary>The store that holds the current row's value of a column; refuses off the rows.</summary>
    public abstract ColumnStore StoreAt(int slot);
    public override bool IsColumnActive(DataViewSchema.Column column) => _slotOfColumn[column.Index] >= 0;

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (column.Index >= _slotOfColumn.Length || _slotOfColumn[column.Index] < 0)
            throw Errors.Inactive();
        Delegate getter = _getters[column.Index] ??=
            ColumnStore.Create(Schema[column.Index].Type).CreateGetter(this, _slotOfColumn[column.Index]);
        return getter as ValueGetter<TValue> ?? throw Errors.WrongGetterType(typeof(TValue), getter, "");
    }

    // Only active columns have a slot.
    protected virtual int[] SlotsOf(bool[] active)
    {
        int next = 0;
        return Array.ConvertAll(active, isActive => isActive ? next++ : -1);
    }
}
