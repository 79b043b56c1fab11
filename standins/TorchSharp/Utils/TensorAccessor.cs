using System.Collections;

namespace TorchSharp.Utils;

/// <summary>Typed reading and writing of a CPU tensor's memory.</summary>
/// <remarks>TorchSharp's own CopyTo and CopyFrom walk an enumerator element by element; for bulk data use <see cref="torch.Tensor.bytes"/>.</remarks>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : unmanaged
{
    private torch.Tensor? _tensor;
    private T* _data;

    internal TensorAccessor(torch.Tensor tensor)
    {
        _tensor = tensor;
        _data = (T*)Native.ts_data(tensor.Handle);
    }

    private torch.Tensor Source => _tensor ?? throw new ObjectDisposedException(nameof(TensorAccessor<T>));

    public long Count => _tensor?.NumberOfElements ?? 0;
    public bool IsReadOnly => false;

    public T this[params long[] indices]
    {
        get => _data[Offset(indices)];
        set => _data[Offset(indices)] = value;
    }

    public T[] ToArray()
    {
        var array = new T[Count];
        if (array.Length > 0)
            CopyTo(array);
        return array;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0)
    {
        long count = Math.Min(Remaining(tensorIndex), array.Length - arrayIndex);
        if (Source.is_contiguous())
        {
            new Span<T>(_data + tensorIndex, (int)count).CopyTo(array.AsSpan(arrayIndex));
            return;
        }
        for (int i = 0; i < count; i++)
            array[arrayIndex + i] = _data[Offset([tensorIndex + i])];
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0)
    {
        long count = Math.Min(Remaining(tensorIndex), array.Length - arrayIndex);
        if (Source.is_contiguous())
        {
            array.AsSpan(arrayIndex, (int)count).CopyTo(new Span<T>(_data + tensorIndex, (int)count));
            return;
        }
        for (int i = 0; i < count; i++)
            _data[Offset([tensorIndex + i])] = array[arrayIndex + i];
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)ToArray()).GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
        _tensor = null;
        _data = null;
    }

    private long Remaining(long first) =>
        first >= 0 && first < Count ? Count - first : throw new ArgumentOutOfRangeException(nameof(first), first, $"The tensor has {Count} elements.");

    /// <summary>Where an element is, given its number in row-major order or its position in every dimension.</summary>
    private long Offset(long[] indices)
    {
        long[] shape = Source.shape, strides = Source.stride();
        long offset = 0;
        if (indices.Length == 1)
        {
            long rest = indices[0];
            if (rest < 0 || rest >= Count)
                throw new IndexOutOfRangeException($"{rest} is not an element of a tensor of {Count}.");
            for (int i = shape.Length - 1; i >= 0; i--)
            {
                rest = Math.DivRem(rest, shape[i], out long position);
                offset += position * strides[i];
            }
            return offset;
        }
        for (int i = 0; i < indices.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= shape[i])
                throw new IndexOutOfRangeException($"{indices[i]} >= {shape[i]} in dimension {i}.");
            offset += indices[i] * strides[i];
        }
        return offset;
    }
}
