namespace Microsoft.ML.Data;

/// <summary>Starts the writing of a <see cref="VBuffer{T}"/> in the arrays it already owns.</summary>
public static class VBufferEditor
{
    public static VBufferEditor<T> Create<T>(ref VBuffer<T> destination, int newLogicalLength, int? valuesCount = null,
        int? maxValuesCapacity = null, bool keepOldOnResize = false, bool requireIndicesOnDense = false)
    {
        Errors.CheckArgument(newLogicalLength >= 0, nameof(newLogicalLength));
        int count = valuesCount ?? newLogicalLength;
        Errors.CheckArgument(count >= 0 && count <= newLogicalLength, nameof(valuesCount));

        T[]? values = destination.ValueArray;
        EnsureSize(ref values, count, maxValuesCapacity ?? newLogicalLength, keepOldOnResize);
        int[]? indices = destination.IndexArray;
        bool needIndices = count < newLogicalLength || requireIndicesOnDense;
        if (needIndices)
            EnsureSize(ref indices, count, maxValuesCapacity ?? newLogicalLength, keepOldOnResize);
        return new VBufferEditor<T>(newLogicalLength, count, values!, indices, needIndices);
    }

    // Grows by doubling: a sparse column's counts differ from row to row.
    private static void EnsureSize<T>(ref T[]? array, int size, int max, bool keep)
    {
        if (array is not null && array.Length >= size)
            return;
        int newSize = Math.Max(size, (int)Math.Min(max, 2L * (array?.Length ?? 0)));
        if (keep)
            Array.Resize(ref array, newSize);
        else
            array = new T[newSize];
    }
}

/// <summary>The spans to write; <see cref="Commit"/> makes the vector.</summary>
public readonly ref struct VBufferEditor<T>
{
    private readonly int _length;
    private readonly T[] _values;
    private readonly int[]? _indices;
    public readonly Span<T> Values;
    public readonly Span<int> Indices;

    internal VBufferEditor(int length, int count, T[] values, int[]? indices, bool exposeIndices)
    {
        _length = length;
        _values = values;
        _indices = indices;
        Values = values.AsSpan(0, count);
        Indices = exposeIndices ? indices.AsSpan(0, count) : default;
    }

    public VBuffer<T> Commit() => new(_length, Values.Length, _values, _indices);
}
