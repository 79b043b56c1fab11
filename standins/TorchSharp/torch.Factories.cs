using System.Runtime.InteropServices;
using Fill = TorchSharp.Native.Fill;

namespace TorchSharp;

// Names of dimensions are part of the signatures and not supported here.
public static unsafe partial class torch
{
    private static Tensor Create(Fill fill, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, Generator? generator = null)
    {
        InitializeDevice(device);
        fixed (long* s = size)
        {
            nint handle = Native.ts_create(fill, s, size.Length, (int)(dtype ?? ScalarType.Float32), generator?.Handle ?? 0);
            GC.KeepAlive(generator);
            Tensor tensor = Tensor.Wrap(handle);
            return requires_grad ? tensor.with_requires_grad() : tensor;
        }
    }

    public static Tensor empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Empty, size, dtype, device, requires_grad);
    public static Tensor empty(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Empty, [size], dtype, device, requires_grad);
    public static Tensor empty(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Empty, [rows, columns], dtype, device, requires_grad);
    public static Tensor zeros(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Zeros, size, dtype, device, requires_grad);
    public static Tensor zeros(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Zeros, [size], dtype, device, requires_grad);
    public static Tensor ones(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Ones, [size], dtype, device, requires_grad);
    public static Tensor rand(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Uniform, size, dtype, device, requires_grad, generator);
    public static Tensor rand(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Uniform, [size], dtype, device, requires_grad, generator);

    // From managed memory: always a copy.
    public static Tensor tensor(float[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy(dataArray, ScalarType.Float32, dtype, device, requires_grad);
    public static Tensor tensor(double[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy(dataArray, ScalarType.Float64, dtype, device, requires_grad);

    private static Tensor Copy<T>(T[] data, ScalarType own, ScalarType? dtype, Device? device, bool requires_grad) where T : unmanaged
    {
        Tensor tensor = Create(Fill.Empty, [data.Length], own, device, false);
        data.CopyTo(MemoryMarshal.Cast<byte, T>(tensor.bytes));
        if (dtype is ScalarType type && type != own)
        {
            using Tensor source = tensor;
            tensor = source.type(type);
        }
        return tensor.with_requires_grad(requires_grad);
    }
}
