namespace Microsoft.ML.Data;

/// <summary>Copies of one column's values for a number of rows, in buffers that are reused.</summary>
internal abstract class ColumnStore
{
    /// <summary>Copies the row's current value to <c>target[index]</c>.</summary>
    public delegate void Filler(ColumnStore target, int index);

    public static ColumnStore Create(DataViewType type) => type is VectorDataViewType vector
        ? Generic.Call<ColumnStore>(CreateVector<int>, vector.ItemType.RawType)
        : Generic.Call<ColumnStore>(CreateScalar<int>, type.RawType);

    public abstract Filler CreateFiller(DataViewRow row, DataViewSchema.Column column);

    /// <summary>A getter that reads the store at <paramref name="slot"/> of whatever row the cursor is on.</summary>
    public abstract Delegate CreateGetter(StoredRowCursor cursor, int slot);
    private static ColumnStore CreateScalar<T>() => new ColumnStore<T>();
    private static ColumnStore CreateVector<T>() => new VectorColumnStore<T>();
}

internal class ColumnStore<T> : ColumnStore
{
    protected T[] Values = new T[RowBatch.Capacity];
    public override Filler CreateFiller(DataViewRow row, DataViewSchema.Column column) => CreateFiller(row.GetGetter<T>(column));

    public static Filler CreateFiller(ValueGetter<T> getter) => (target, index) =>
    {
        var store = (ColumnStore<T>)target;
        if (index >= store.Values.Length)
            Array.Resize(ref store.Values, 2 * store.Values.Length);
        getter(ref store.Values[index]);
    };

    public override Delegate CreateGetter(StoredRowCursor cursor, int slot) =>
        (ValueGetter<T>)((ref T value) => ((ColumnStore<T>)cursor.StoreAt(slot)).Read(cursor.StoredIndex, ref value));

    public virtual void Read(int index, ref T value) => value = Values[index];
}

internal sealed class VectorColumnStore<T> : ColumnStore<VBuffer<T>>
{
    public override void Read(int index, ref VBuffer<T> value) => Values[index].CopyTo(ref value);
}

/// <summary>A few rows on their way from one thread to another.</summary>
internal sealed class RowBatch
{
    public const int Capacity = 128;
    public required ColumnStore[] Stores { get; init; } // the active columns, then the ids
    public int Count { get; set; }
    public long Batch { get; set; }
    public Exception? Error { get; init; }
}
