using System.Runtime.InteropServices;
using Fill = TorchSharp.Native.Fill;

namespace TorchSharp;

// Names of dimensions are part of the signatures and not supported here.
public static unsafe partial class torch
{
    private static Tensor Create(Fill fill, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, Generator? generator = null, Scalar? value = null)
    {
        InitializeDevice(device);
        fixed (long* s = size)
        {
            nint handle = Native.ts_create(fill, s, size.Length, (int)(dtype ?? ScalarType.Float32), value?.kind ?? 0, value?.bits ?? 0, generator?.Handle ?? 0, requires_grad ? 1 : 0);
            GC.KeepAlive(generator);
            return Tensor.Wrap(handle);
        }
    }

    private static Tensor CreateLike(Fill fill, Tensor input, ScalarType? dtype, bool requires_grad, Scalar? value = null) =>
        Tensor.Wrap(Native.ts_create_like(fill, input.Handle, (int)(dtype ?? input.dtype), value?.kind ?? 0, value?.bits ?? 0, requires_grad ? 1 : 0));

    public static Tensor empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Empty, size, dtype, device, requires_grad);
    public static Tensor empty(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Empty, size, dtype, device, requires_grad);
    public static Tensor empty(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Empty, [size], dtype, device, requires_grad);
    public static Tensor empty(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Empty, [rows, columns], dtype, device, requires_grad);
    public static Tensor empty(long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Empty, [dim0, dim1, dim2], dtype, device, requires_grad);
    public static Tensor empty_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => CreateLike(Fill.Empty, input, dtype, requires_grad);

    public static Tensor zeros(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Zeros, size, dtype, device, requires_grad);
    public static Tensor zeros(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Zeros, size, dtype, device, requires_grad);
    public static Tensor zeros(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Zeros, [size], dtype, device, requires_grad);
    public static Tensor zeros(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Zeros, [rows, columns], dtype, device, requires_grad);
    public static Tensor zeros(long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Zeros, [dim0, dim1, dim2], dtype, device, requires_grad);
    public static Tensor zeros_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => CreateLike(Fill.Zeros, input, dtype, requires_grad);

    public static Tensor ones(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Ones, size, dtype, device, requires_grad);
    public static Tensor ones(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Ones, size, dtype, device, requires_grad);
    public static Tensor ones(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Ones, [size], dtype, device, requires_grad);
    public static Tensor ones(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Ones, [rows, columns], dtype, device, requires_grad);
    public static Tensor ones_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => CreateLike(Fill.Ones, input, dtype, requires_grad);

    public static Tensor full(long[] size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Full, size, dtype ?? Infer(value), device, requires_grad, null, value);
    public static Tensor full(ReadOnlySpan<long> size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Full, size, dtype ?? Infer(value), device, requires_grad, null, value);
    public static Tensor full(long size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Full, [size], dtype ?? Infer(value), device, requires_grad, null, value);
    public static Tensor full(long rows, long columns, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Create(Fill.Full, [rows, columns], dtype ?? Infer(value), device, requires_grad, null, value);
    public static Tensor full_like(Tensor input, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => CreateLike(Fill.Full, input, dtype, requires_grad, value);

    private static ScalarType Infer(Scalar value) => value.Type == ScalarType.Float64 ? ScalarType.Float32 : value.Type;

    public static Tensor rand(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Uniform, size, dtype, device, requires_grad, generator);
    public static Tensor rand(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Uniform, size, dtype, device, requires_grad, generator);
    public static Tensor rand(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Uniform, [size], dtype, device, requires_grad, generator);
    public static Tensor rand(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Uniform, [rows, columns], dtype, device, requires_grad, generator);
    public static Tensor rand(long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Uniform, [dim0, dim1, dim2], dtype, device, requires_grad, generator);

    public static Tensor randn(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Normal, size, dtype, device, requires_grad, generator);
    public static Tensor randn(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Normal, size, dtype, device, requires_grad, generator);
    public static Tensor randn(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Normal, [size], dtype, device, requires_grad, generator);
    public static Tensor randn(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Normal, [rows, columns], dtype, device, requires_grad, generator);
    public static Tensor randn(long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Normal, [dim0, dim1, dim2], dtype, device, requires_grad, generator);
    public static Tensor randn(long dim0, long dim1, long dim2, long dim3, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => Create(Fill.Normal, [dim0, dim1, dim2, dim3], dtype, device, requires_grad, generator);

    public static Tensor randint(long low, long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null)
    {
        fixed (long* s = size)
            return Tensor.Wrap(Native.ts_randint(low, high, s, size.Length, (int)(dtype ?? ScalarType.Int64), generator?.Handle ?? 0)).with_requires_grad(requires_grad);
    }

    public static Tensor randint(long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => randint(0, high, size, dtype, device, requires_grad, generator);
    public static Tensor randperm(long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) => Tensor.Wrap(Native.ts_randperm(n, (int)(dtype ?? ScalarType.Int64), generator?.Handle ?? 0)).with_requires_grad(requires_grad);

    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => arange(0, stop, 1, dtype, device, requires_grad);
    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => arange(start, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        InitializeDevice(device);
        bool floating = start.Type == ScalarType.Float64 || stop.Type == ScalarType.Float64 || step.Type == ScalarType.Float64;
        ScalarType type = dtype ?? (floating ? ScalarType.Float32 : ScalarType.Int64);
        return Tensor.Wrap(Native.ts_arange(start.kind, start.bits, stop.kind, stop.bits, step.kind, step.bits, (int)type)).with_requires_grad(requires_grad);
    }


    // From managed memory: always a copy.

    private static Tensor Copy<T>(ReadOnlySpan<T> data, ReadOnlySpan<long> size, ScalarType own, ScalarType? dtype, Device? device, bool requires_grad) where T : unmanaged
    {
        long elements = 1;
        foreach (long n in size)
            elements *= n;
        if (elements != data.Length)
            throw new ArgumentException($"mismatched total size creating a tensor from an array: {data.Length} elements for {elements}.");
        Tensor tensor = Create(Fill.Empty, size, own, device, false);
        data.CopyTo(MemoryMarshal.Cast<byte, T>(tensor.bytes));
        if (dtype is ScalarType type && type != own)
        {
            using Tensor source = tensor;
            tensor = source.type(type);
        }
        return requires_grad ? tensor.with_requires_grad(true) : tensor;
    }

    public static Tensor tensor(float[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<float>(dataArray, [dataArray.Length], ScalarType.Float32, dtype, device, requires_grad);
    public static Tensor tensor(double[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<double>(dataArray, [dataArray.Length], ScalarType.Float64, dtype, device, requires_grad);
    public static Tensor tensor(long[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<long>(dataArray, [dataArray.Length], ScalarType.Int64, dtype, device, requires_grad);
    public static Tensor tensor(int[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<int>(dataArray, [dataArray.Length], ScalarType.Int32, dtype, device, requires_grad);
    public static Tensor tensor(bool[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<bool>(dataArray, [dataArray.Length], ScalarType.Bool, dtype, device, requires_grad);
    public static Tensor tensor(float[] dataArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<float>(dataArray, dimensions, ScalarType.Float32, dtype, device, requires_grad);
    public static Tensor tensor(double[] dataArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<double>(dataArray, dimensions, ScalarType.Float64, dtype, device, requires_grad);
    public static Tensor tensor(long[] dataArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<long>(dataArray, dimensions, ScalarType.Int64, dtype, device, requires_grad);
    public static Tensor tensor(IList<float> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<float>(rawArray.ToArray(), dimensions, ScalarType.Float32, dtype, device, requires_grad);
    public static Tensor tensor(IList<float> rawArray, long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<float>(rawArray.ToArray(), [rows, columns], ScalarType.Float32, dtype, device, requires_grad);
    public static Tensor tensor(IList<long> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<long>(rawArray.ToArray(), dimensions, ScalarType.Int64, dtype, device, requires_grad);
    public static Tensor tensor(float[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => Copy<float>(MemoryMarshal.CreateReadOnlySpan(ref rawArray[0, 0], rawArray.Length), [rawArray.GetLength(0), rawArray.GetLength(1)], ScalarType.Float32, dtype, device, requires_grad);
    public static Tensor tensor(float scalar, Device? device = null, bool requires_grad = false) => Copy<float>([scalar], [], ScalarType.Float32, null, device, requires_grad);
    public static Tensor tensor(double scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Copy<double>([scalar], [], ScalarType.Float64, dtype, device, requires_grad);
    public static Tensor tensor(long scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Copy<long>([scalar], [], ScalarType.Int64, dtype, device, requires_grad);
    public static Tensor tensor(int scalar, Device? device = null, bool requires_grad = false) => Copy<int>([scalar], [], ScalarType.Int32, null, device, requires_grad);
    public static Tensor tensor(bool scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Copy<bool>([scalar], [], ScalarType.Bool, dtype, device, requires_grad);

    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, null, device);

    public static Tensor from_array(Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false, string[]? names = null)
    {
        long[] size = [.. Enumerable.Range(0, rawArray.Rank).Select(rawArray.GetLongLength)];
        return rawArray.GetType().GetElementType() switch
        {
            var type when type == typeof(float) => Copy(Elements<float>(rawArray), size, ScalarType.Float32, dtype, device, requires_grad),
            var type when type == typeof(double) => Copy(Elements<double>(rawArray), size, ScalarType.Float64, dtype, device, requires_grad),
            var type when type == typeof(long) => Copy(Elements<long>(rawArray), size, ScalarType.Int64, dtype, device, requires_grad),
            var type when type == typeof(int) => Copy(Elements<int>(rawArray), size, ScalarType.Int32, dtype, device, requires_grad),
            var type when type == typeof(byte) => Copy(Elements<byte>(rawArray), size, ScalarType.Byte, dtype, device, requires_grad),
            var type when type == typeof(bool) => Copy(Elements<bool>(rawArray), size, ScalarType.Bool, dtype, device, requires_grad),
            var type => throw new ArgumentException($"The type {type} is not supported by from_array."),
        };
    }

    private static ReadOnlySpan<T> Elements<T>(Array array) where T : unmanaged =>
        MemoryMarshal.CreateReadOnlySpan(ref System.Runtime.CompilerServices.Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(array)), array.Length);
}
