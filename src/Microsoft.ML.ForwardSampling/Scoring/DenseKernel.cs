using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.ForwardSampling.Scoring;

/// <summary>One fully connected layer over many rows: output = input W^T + bias, on one thread.</summary>
/// <remarks>
/// Every output is summed over the inputs in ascending order, whatever the number of rows, the tile or the width of a vector register:
/// a row's result does not depend on the rows beside it. BLAS libraries do not promise that.
/// Tiles of 4 rows x 2 registers keep eight sums in registers, as many as two multiply-add units of latency four can fill.
/// </remarks>
internal static class DenseKernel
{
    /// <summary>Outputs are padded with zeros to a multiple of this: two registers of the widest kind.</summary>
    public const int Padding = 32;

    /// <param name="input">Shape [rows, inputs], rows <paramref name="inputStride"/> apart.</param>
    /// <param name="inputStride">Distance of two rows of the input.</param>
    /// <param name="weights">W transposed: shape [inputs, outputs], outputs a multiple of <see cref="Padding"/>.</param>
    /// <param name="bias">Length outputs.</param>
    /// <param name="output">Shape [rows, outputs].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="inputs">Inputs of the layer.</param>
    public static void Multiply(ReadOnlySpan<float> input, int inputStride, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, Span<float> output, int rows, int inputs)
    {
        int outputs = bias.Length;
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs % Padding, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(weights.Length, inputs * outputs);
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, rows * outputs);
        ArgumentOutOfRangeException.ThrowIfLessThan(input.Length, rows == 0 ? 0 : (rows - 1) * inputStride + inputs);
        ref float x = ref MemoryMarshal.GetReference(input);
        ref float w = ref MemoryMarshal.GetReference(weights);
        ref float b = ref MemoryMarshal.GetReference(bias);
        ref float y = ref MemoryMarshal.GetReference(output);
        if (Avx512F.IsSupported && Vector512.IsHardwareAccelerated)
            Tiles<Vector512<float>, Lanes512>(ref x, inputStride, ref w, ref b, ref y, rows, inputs, outputs);
        else if (Fma.IsSupported)
            Tiles<Vector256<float>, Lanes256>(ref x, inputStride, ref w, ref b, ref y, rows, inputs, outputs);
        else
            Tiles<Vector128<float>, Lanes128>(ref x, inputStride, ref w, ref b, ref y, rows, inputs, outputs);
    }

    private static void Tiles<TVector, TLanes>(ref float x, int inputStride, ref float w, ref float b, ref float y, int rows, int inputs, int outputs)
        where TLanes : struct, ILanes<TVector>
    {
        // Columns outside: a strip of weights, [inputs, two registers], stays in the cache while all rows pass over it.
        for (int column = 0; column < outputs; column += 2 * TLanes.Count)
        {
            ref float strip = ref Unsafe.Add(ref w, column);
            ref float biases = ref Unsafe.Add(ref b, column);
            int row = 0;
            for (; row + 4 <= rows; row += 4)
                FourRows<TVector, TLanes>(ref Unsafe.Add(ref x, row * (nint)inputStride), inputStride, ref strip, outputs, ref biases, ref Unsafe.Add(ref y, row * (nint)outputs + column), inputs);
            for (; row < rows; row++)
                OneRow<TVector, TLanes>(ref Unsafe.Add(ref x, row * (nint)inputStride), ref strip, outputs, ref biases, ref Unsafe.Add(ref y, row * (nint)outputs + column), inputs);
        }
    }

    private static void FourRows<TVector, TLanes>(ref float x, int inputStride, ref float w, int outputs, ref float b, ref float y, int inputs)
        where TLanes : struct, ILanes<TVector>
    {
        ref float x1 = ref Unsafe.Add(ref x, inputStride);
        ref float x2 = ref Unsafe.Add(ref x1, inputStride);
        ref float x3 = ref Unsafe.Add(ref x2, inputStride);
        int second = TLanes.Count;
        TVector s00 = TLanes.Load(ref b), s01 = TLanes.Load(ref Unsafe.Add(ref b, second));
        TVector s10 = s00, s11 = s01, s20 = s00, s21 = s01, s30 = s00, s31 = s01;
        for (int k = 0; k < inputs; k++)
        {
            TVector w0 = TLanes.Load(ref w), w1 = TLanes.Load(ref Unsafe.Add(ref w, second));
            TVector v = TLanes.All(Unsafe.Add(ref x, k));
            s00 = TLanes.MultiplyAdd(v, w0, s00);
            s01 = TLanes.MultiplyAdd(v, w1, s01);
            v = TLanes.All(Unsafe.Add(ref x1, k));
            s10 = TLanes.MultiplyAdd(v, w0, s10);
            s11 = TLanes.MultiplyAdd(v, w1, s11);
            v = TLanes.All(Unsafe.Add(ref x2, k));
            s20 = TLanes.MultiplyAdd(v, w0, s20);
            s21 = TLanes.MultiplyAdd(v, w1, s21);
            v = TLanes.All(Unsafe.Add(ref x3, k));
            s30 = TLanes.MultiplyAdd(v, w0, s30);
            s31 = TLanes.MultiplyAdd(v, w1, s31);
            w = ref Unsafe.Add(ref w, outputs);
        }

        Store<TVector, TLanes>(ref y, s00, s01);
        Store<TVector, TLanes>(ref Unsafe.Add(ref y, outputs), s10, s11);
        Store<TVector, TLanes>(ref Unsafe.Add(ref y, 2 * (nint)outputs), s20, s21);
        Store<TVector, TLanes>(ref Unsafe.Add(ref y, 3 * (nint)outputs), s30, s31);
    }

    private static void OneRow<TVector, TLanes>(ref float x, ref float w, int outputs, ref float b, ref float y, int inputs)
        where TLanes : struct, ILanes<TVector>
    {
        int second = TLanes.Count;
        TVector s0 = TLanes.Load(ref b), s1 = TLanes.Load(ref Unsafe.Add(ref b, second));
        for (int k = 0; k < inputs; k++)
        {
            TVector v = TLanes.All(Unsafe.Add(ref x, k));
            s0 = TLanes.MultiplyAdd(v, TLanes.Load(ref w), s0);
            s1 = TLanes.MultiplyAdd(v, TLanes.Load(ref Unsafe.Add(ref w, second)), s1);
            w = ref Unsafe.Add(ref w, outputs);
        }

        Store<TVector, TLanes>(ref y, s0, s1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVector, TLanes>(ref float y, TVector first, TVector second)
        where TLanes : struct, ILanes<TVector>
    {
        TLanes.Store(first, ref y);
        TLanes.Store(second, ref Unsafe.Add(ref y, TLanes.Count));
    }

    /// <summary>A vector register of one width; the kernel is written once and compiled for each.</summary>
    private interface ILanes<TVector>
    {
        static abstract int Count { get; }

        static abstract TVector Load(ref float from);

        static abstract TVector All(float value);

        static abstract TVector MultiplyAdd(TVector a, TVector b, TVector sum);

        static abstract void Store(TVector value, ref float to);
    }

    private readonly struct Lanes512 : ILanes<Vector512<float>>
    {
        public static int Count => 16;

        public static Vector512<float> Load(ref float from) => Vector512.LoadUnsafe(ref from);

        public static Vector512<float> All(float value) => Vector512.Create(value);

        public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> sum) => Avx512F.FusedMultiplyAdd(a, b, sum);

        public static void Store(Vector512<float> value, ref float to) => value.StoreUnsafe(ref to);
    }

    private readonly struct Lanes256 : ILanes<Vector256<float>>
    {
        public static int Count => 8;

        public static Vector256<float> Load(ref float from) => Vector256.LoadUnsafe(ref from);

        public static Vector256<float> All(float value) => Vector256.Create(value);

        public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> sum) => Fma.MultiplyAdd(a, b, sum);

        public static void Store(Vector256<float> value, ref float to) => value.StoreUnsafe(ref to);
    }

    private readonly struct Lanes128 : ILanes<Vector128<float>>
    {
        public static int Count => 4;

        public static Vector128<float> Load(ref float from) => Vector128.LoadUnsafe(ref from);

        public static Vector128<float> All(float value) => Vector128.Create(value);

        public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> sum) => a * b + sum;

        public static void Store(Vector128<float> value, ref float to) => value.StoreUnsafe(ref to);
    }
}
