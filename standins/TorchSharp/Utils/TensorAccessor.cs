using System.Collections;

namespace TorchSharp.Utils;

/// <summary>Typed reading of a CPU tensor's memory.</summary>
/// <remarks>TorchSharp's own copying walks an enumerator element by element; for bulk data use <see cref="torch.Tensor.bytes"/>.</remarks>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : unmanaged
{
    private torch.Tensor? _tensor;

    internal TensorAccessor(torch.Tensor tensor) => _tensor = tensor;

    /// <summary>The elements in row-major order.</summary>
    public T[] ToArray()
    {
        torch.Tensor tensor = _tensor ?? throw new ObjectDisposedException(nameof(TensorAccessor<T>));
        var array = new T[tensor.numel()];
        if (tensor.is_contiguous())
        {
            new Span<T>(Native.ts_data(tensor.Handle), array.Length).CopyTo(array);
            return array;
        }
        using torch.Tensor copy = tensor.contiguous();
        new Span<T>(Native.ts_data(copy.Handle), array.Length).CopyTo(array);
        return array;
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)ToArray()).GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose() => _tensor = null;
}
