using System.Reflection;
using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Copies of one column's values for a number of rows, so that a cursor can run ahead of the row it shows.</summary>
/// <remarks>
/// Holds scalars (numbers, Boolean, text, times, keys, row ids) and vectors of them; vectors keep their storage between fills.
/// Anything else (images, custom structured types) may be owned or overwritten by its source and is refused:
/// ask <see cref="CanCopy"/> and go row by row. Used by one thread at a time.
/// </remarks>
internal abstract class ColumnBuffer
{
    private static readonly MethodInfo _createScalar = Open(nameof(CreateScalar));
    private static readonly MethodInfo _createVector = Open(nameof(CreateVector));

    private protected ColumnBuffer(int capacity) => Capacity = capacity;

    /// <summary>Rows it can hold.</summary>
    public int Capacity { get; }

    /// <summary>True if values of this type can be kept by copying them.</summary>
    public static bool CanCopy(DataViewType type) => type is PrimitiveDataViewType or VectorDataViewType;

    /// <summary>A buffer for an active column of <paramref name="input"/>.</summary>
    /// <param name="input">Cursor or row whose current value <see cref="Fill"/> copies.</param>
    /// <param name="column">Active column of <paramref name="input"/>.</param>
    /// <param name="current">Slot that the getters serve.</param>
    /// <param name="capacity">Rows to hold, at least 1.</param>
    /// <exception cref="NotSupportedException"><see cref="CanCopy"/> is false for the column's type.</exception>
    public static ColumnBuffer Create(DataViewRow input, DataViewSchema.Column column, BufferedRow current, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        if (!CanCopy(column.Type))
            throw new NotSupportedException(
                $"Values of column '{column.Name}' ({column.Type}) cannot be copied: only scalars and vectors can be read ahead.");

        // Reflection once a column and cursor, never a row.
        MethodInfo create = column.Type is VectorDataViewType vector
            ? _createVector.MakeGenericMethod(vector.ItemType.RawType)
            : _createScalar.MakeGenericMethod(column.Type.RawType);
        return create.CreateDelegate<Func<DataViewRow, DataViewSchema.Column, BufferedRow, int,
            ColumnBuffer>>()(input, column, current, capacity);
    }

    /// <summary>A buffer for the row ids of <paramref name="input"/>.</summary>
    /// <inheritdoc cref="Create" path="/param"/>
    public static ColumnBuffer<DataViewRowId> CreateForIds(DataViewRow input, BufferedRow current, int capacity)
        => new ScalarBuffer<DataViewRowId>(input.GetIdGetter(), current, capacity);

    /// <summary>Copies the input's current value into a slot.</summary>
    public abstract void Fill(int slot);

    /// <summary>The <see cref="ValueGetter{TValue}"/> that copies the current slot's value out; the same delegate at every call.</summary>
    public abstract Delegate Getter { get; }

    private static MethodInfo Open(string name) => typeof(ColumnBuffer).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!;

    private static ColumnBuffer CreateScalar<T>(DataViewRow input, DataViewSchema.Column column, BufferedRow current, int capacity)
        => new ScalarBuffer<T>(input.GetGetter<T>(column), current, capacity);

    private static ColumnBuffer CreateVector<T>(DataViewRow input, DataViewSchema.Column column, BufferedRow current, int capacity)
        => new VectorBuffer<T>(input.GetGetter<VBuffer<T>>(column), current, capacity);

    private sealed class ScalarBuffer<T>(ValueGetter<T> source, BufferedRow current, int capacity)
        : ColumnBuffer<T>(source, current, capacity)
    {
        protected override void CopyOut(ref T destination) => destination = Values[Current.Slot];
    }

    private sealed class VectorBuffer<T>(ValueGetter<VBuffer<T>> source, BufferedRow current, int capacity)
        : ColumnBuffer<VBuffer<T>>(source, current, capacity)
    {
        // A copy: callers keep and overwrite what they are given.
        protected override void CopyOut(ref VBuffer<T> destination) => Values[Current.Slot].CopyTo(ref destination);
    }
}

/// <summary>A <see cref="ColumnBuffer"/> whose value type is known.</summary>
internal abstract class ColumnBuffer<TValue> : ColumnBuffer
{
    private readonly ValueGetter<TValue> _source;
    private readonly ValueGetter<TValue> _getter;

    private protected ColumnBuffer(ValueGetter<TValue> source, BufferedRow current, int capacity)
        : base(capacity)
    {
        _source = source;
        _getter = CopyOut;
        Current = current;
        Values = new TValue[capacity];
    }

    public sealed override Delegate Getter => _getter;

    private protected BufferedRow Current { get; }

    private protected TValue[] Values { get; }

    public sealed override void Fill(int slot) => _source(ref Values[slot]);

    protected abstract void CopyOut(ref TValue destination);
}
