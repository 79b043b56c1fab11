namespace Microsoft.ML.Data;

/// <summary>Getters that map a scalar, or each slot of a vector, by a function of value and slot.</summary>
internal static class Elementwise
{
    /// <summary>The output type that goes with such a getter.</summary>
    public static DataViewType TypeFor(DataViewType input, PrimitiveDataViewType item) =>
        input is VectorDataViewType vector ? new VectorDataViewType(item, vector.Dimensions) : item;

    /// <param name="slots">The size that vectors must have; 0: the size of the column's type.</param>
    public static Delegate Getter<TIn, TOut>(DataViewRow row, DataViewSchema.Column column, Func<TIn, int, TOut> map, int slots = 0)
    {
        if (column.Type is VectorDataViewType vector)
            return VectorGetter(row.GetGetter<VBuffer<TIn>>(column), slots > 0 ? slots : vector.Size, map);
        ValueGetter<TIn> getter = row.GetGetter<TIn>(column);
        TIn value = default!;
        return (ValueGetter<TOut>)((ref TOut destination) =>
        {
            getter(ref value);
            destination = map(value, 0);
        });
    }

    /// <summary>Shows the row's value, or each slot's, to <paramref name="see"/> each time it is called.</summary>
    public static Action Visitor<T>(DataViewRow row, DataViewSchema.Column column, Action<T, int> see)
    {
        Delegate getter = Getter<T, bool>(row, column, (value, i) =>
        {
            see(value, i);
            return true;
        });
        bool scalar = false;
        VBuffer<bool> vector = default;
        return getter is ValueGetter<bool> single ? () => single(ref scalar) : () => ((ValueGetter<VBuffer<bool>>)getter)(ref vector);
    }

    private static ValueGetter<VBuffer<TOut>> VectorGetter<TIn, TOut>(ValueGetter<VBuffer<TIn>> getter, int size, Func<TIn, int, TOut> map)
    {
        VBuffer<TIn> source = default;
        TIn[] dense = [];
        return (ref VBuffer<TOut> destination) =>
        {
            getter(ref source);
            if (size > 0 && source.Length != size)
                throw new InvalidOperationException();
            if (dense.Length != source.Length)
                dense = new TIn[source.Length];
            source.CopyTo(dense);
            VBufferEditor<TOut> editor = VBufferEditor.Create(ref destination, dense.Length);
            for (int i = 0; i < dense.Length; i++)
                editor.Values[i] = map(dense[i], i);
            destination = editor.Commit();
        };
    }
}
