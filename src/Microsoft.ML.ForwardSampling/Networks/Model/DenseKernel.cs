using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The products of a fully connected layer, on one thread: outputs (and gradients of inputs, which are the same product by the
/// transposed weights), and gradients of weights, which go straight into their update.</summary>
/// <remarks>
/// Weights are held in panels: the weights of <see cref="PanelWidth"/> outputs for input 0, the same outputs for input 1, and so on, so
/// that every kernel reads and writes them from front to back. In rows as long as a layer is wide, usually a power of two, they would fall
/// on a few sets of the cache. Every output is summed over the inputs in ascending order, whatever the number of rows, the tile or the
/// width of a vector register: a row's result does not depend on the rows beside it. BLAS libraries do not promise that.
/// A tile of 6 rows x 2 registers keeps twelve sums in registers; sixteen is all that AVX2 has.
/// </remarks>
internal static unsafe class DenseKernel
{
    /// <summary>Rows, or inputs, of a tile.</summary>
    public const int TileRows = 6;

    private const int Lanes512Count = 16;

    /// <summary>Outputs of a panel: two registers.</summary>
    public static readonly int PanelWidth = 2 * (Lanes512.IsSupported ? Lanes512.Count : Lanes256.IsSupported ? Lanes256.Count
        : Lanes128.Count);

    /// <summary>Panels that hold so many outputs.</summary>
    public static int Panels(int outputs) => (outputs + PanelWidth - 1) / PanelWidth;

    /// <summary>Where the weight of an input and an output stands.</summary>
    public static int IndexOf(int input, int output, int inputs) => (output / PanelWidth * inputs + input) * PanelWidth
        + output % PanelWidth;

    /// <summary>Distance of two rows of outputs in a buffer: whole panels, see <see cref="OddLines"/>.</summary>
    public static int Stride(int outputs) => OddLines(Panels(outputs) * PanelWidth);

    /// <summary>A row's length in a buffer: an odd number of cache lines, so that a column of rows spreads over the cache.</summary>
    public static int OddLines(int length) => (length + 15) / 16 is var lines && lines % 2 == 0 ? (lines + 1) * 16 : lines * 16;

    /// <summary>output = input W^T + bias.</summary>
    /// <param name="x">Inputs, shape [rows, inputs].</param>
    /// <param name="xStride">Distance of two rows of <paramref name="x"/>.</param>
    /// <param name="weights">W in panels.</param>
    /// <param name="bias">One for each output of the panels.</param>
    /// <param name="y">Outputs, shape [rows, panels x <see cref="PanelWidth"/>].</param>
    /// <param name="yStride">Distance of two rows of <paramref name="y"/>.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="inputs">Inputs of the layer.</param>
    /// <param name="panels">Panels of the layer.</param>
    public static void Forward(float* x, nint xStride, float* weights, float* bias, float* y, nint yStride, int rows, int inputs,
        int panels)
    {
        if (Lanes512.IsSupported)
            Forward<Vector512<float>, Lanes512>(x, xStride, weights, bias, y, yStride, rows, inputs, panels);
        else if (Lanes256.IsSupported)
            Forward<Vector256<float>, Lanes256>(x, xStride, weights, bias, y, yStride, rows, inputs, panels);
        else
            Forward<Vector128<float>, Lanes128>(x, xStride, weights, bias, y, yStride, rows, inputs, panels);
    }

    /// <summary>The same for one row that is zero in all inputs but some: the sums leave out what adds nothing, and so have the same
    /// bits.</summary>
    /// <param name="slots">The row's inputs that are not zero, ascending.</param>
    /// <param name="x">Their values.</param>
    /// <param name="count">How many.</param>
    /// <param name="weights">W in panels.</param>
    /// <param name="bias">One for each output of the panels.</param>
    /// <param name="y">The row's outputs, panels x <see cref="PanelWidth"/>.</param>
    /// <param name="inputs">Inputs of the layer.</param>
    /// <param name="panels">Panels of the layer.</param>
    public static void ForwardSparse(int* slots, float* x, int count, float* weights, float* bias, float* y, int inputs, int panels)
    {
        if (Lanes512.IsSupported)
            ForwardSparse<Vector512<float>, Lanes512>(slots, x, count, weights, bias, y, inputs, panels);
        else if (Lanes256.IsSupported)
            ForwardSparse<Vector256<float>, Lanes256>(slots, x, count, weights, bias, y, inputs, panels);
        else
            ForwardSparse<Vector128<float>, Lanes128>(slots, x, count, weights, bias, y, inputs, panels);
    }

    /// <summary>The gradient of one panel's weights of one input, which is not zero in some rows only.</summary>
    /// <param name="d">Gradient of the panel's outputs, shape [rows, <see cref="PanelWidth"/>].</param>
    /// <param name="dStride">Distance of two rows of <paramref name="d"/>.</param>
    /// <param name="rows">The rows in which the input is not zero.</param>
    /// <param name="x">Its values there.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="weights">The panel's weights of the input, and the state beside them.</param>
    /// <param name="update">What is done with the gradient.</param>
    public static void SparseWeightGradient<TVector, TLanes, TUpdate>(float* d, nint dStride, int* rows, float* x, int count,
        WeightMemory weights, in TUpdate update)
        where TLanes : struct, ILanes<TVector>
        where TUpdate : struct, IWeightUpdate<TVector>
    {
        TVector s0 = TLanes.All(0), s1 = s0;
        for (int i = 0; i < count; i++)
        {
            float* gradient = d + rows[i] * dStride;
            TVector v = TLanes.All(x[i]);
            s0 = TLanes.MultiplyAdd(v, TLanes.Load(gradient), s0);
            s1 = TLanes.MultiplyAdd(v, TLanes.Load(gradient + TLanes.Count), s1);
        }

        update.Apply(weights, s0);
        update.Apply(weights.At(TLanes.Count), s1);
    }

    /// <summary>gradient of W = sum over the rows of (gradient of the outputs)(inputs), for some inputs of one panel; each goes to the
    /// update while it is in a register.</summary>
    /// <param name="d">Gradient of the panel's outputs, shape [rows, <see cref="PanelWidth"/>].</param>
    /// <param name="dStride">Distance of two rows of <paramref name="d"/>.</param>
    /// <param name="x">The first of the inputs, shape [rows, inputs].</param>
    /// <param name="xStride">Distance of two rows of <paramref name="x"/>.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="inputs">How many inputs.</param>
    /// <param name="weights">The panel's weights of the first of the inputs, and the state beside them.</param>
    /// <param name="update">What is done with a gradient.</param>
    public static void WeightGradient<TVector, TLanes, TUpdate>(float* d, nint dStride, float* x, nint xStride, int rows, int inputs,
        WeightMemory weights, in TUpdate update)
        where TLanes : struct, ILanes<TVector>
        where TUpdate : struct, IWeightUpdate<TVector>
    {
        int width = 2 * TLanes.Count, input = 0;
        for (; input + TileRows <= inputs; input += TileRows)
            SixInputs<TVector, TLanes, TUpdate>(d, dStride, x + input, xStride, rows, weights.At(input * width), in update);
        for (; input < inputs; input++)
            OneInput<TVector, TLanes, TUpdate>(d, dStride, x + input, xStride, rows, weights.At(input * width), in update);
    }

    private static void Forward<TVector, TLanes>(float* x, nint xStride, float* weights, float* bias, float* y, nint yStride, int rows,
        int inputs, int panels)
        where TLanes : struct, ILanes<TVector>
    {
        nint width = 2 * TLanes.Count, panel = inputs * width;
        int whole = rows - rows % TileRows;
        for (int p = 0; p < panels; p++)
        {
            for (int row = 0; row < whole; row += TileRows)
                SixRows<TVector, TLanes>(x + row * xStride, xStride, weights + p * panel, bias + p * width, y + row * yStride + p * width,
                    yStride, inputs);
        }

        // One row has a sum or two for each panel; several panels at once keep the multiply-add units busy.
        for (int row = whole; row < rows; row++)
        {
            int p = 0;
            for (; p + 4 <= panels; p += 4)
                FourPanels<TVector, TLanes>(x + row * xStride, weights + p * panel, panel, bias + p * width,
                    y + row * yStride + p * width, inputs);
            for (; p < panels; p++)
                OnePanel<TVector, TLanes>(x + row * xStride, weights + p * panel, bias + p * width, y + row * yStride + p * width, inputs);
        }
    }

    private static void ForwardSparse<TVector, TLanes>(int* slots, float* x, int count, float* weights, float* bias, float* y, int inputs,
        int panels)
        where TLanes : struct, ILanes<TVector>
    {
        const int Ahead = 8; // a slot's weights are anywhere in memory: they are asked for before their turn
        nint width = 2 * TLanes.Count, panel = inputs * width;
        for (int p = 0; p < panels; p++, weights += panel, bias += width, y += width)
        {
            TVector s0 = TLanes.Load(bias), s1 = TLanes.Load(bias + TLanes.Count);
            for (int k = 0; k < count; k++)
            {
                if (Sse.IsSupported && k + Ahead < count)
                {
                    Sse.Prefetch0(weights + slots[k + Ahead] * width);
                    Sse.Prefetch0(weights + slots[k + Ahead] * width + TLanes.Count);
                }

                float* w = weights + slots[k] * width;
                TVector v = TLanes.All(x[k]);
                s0 = TLanes.MultiplyAdd(v, TLanes.Load(w), s0);
                s1 = TLanes.MultiplyAdd(v, TLanes.Load(w + TLanes.Count), s1);
            }

            Store<TVector, TLanes>(y, s0, s1);
        }
    }

    private static void SixRows<TVector, TLanes>(float* x, nint xStride, float* w, float* b, float* y, nint yStride, int inputs)
        where TLanes : struct, ILanes<TVector>
    {
        TVector s00 = TLanes.Load(b), s01 = TLanes.Load(b + TLanes.Count);
        TVector s10 = s00, s11 = s01, s20 = s00, s21 = s01, s30 = s00, s31 = s01, s40 = s00, s41 = s01, s50 = s00, s51 = s01;
        float* x3 = x + 3 * xStride;
        for (int k = 0; k < inputs; k++)
        {
            TVector w0 = TLanes.Load(w), w1 = TLanes.Load(w + TLanes.Count);
            TVector v = TLanes.All(x[0]);
            s00 = TLanes.MultiplyAdd(v, w0, s00);
            s01 = TLanes.MultiplyAdd(v, w1, s01);
            v = TLanes.All(x[xStride]);
            s10 = TLanes.MultiplyAdd(v, w0, s10);
            s11 = TLanes.MultiplyAdd(v, w1, s11);
            v = TLanes.All(x[2 * xStride]);
            s20 = TLanes.MultiplyAdd(v, w0, s20);
            s21 = TLanes.MultiplyAdd(v, w1, s21);
            v = TLanes.All(x3[0]);
            s30 = TLanes.MultiplyAdd(v, w0, s30);
            s31 = TLanes.MultiplyAdd(v, w1, s31);
            v = TLanes.All(x3[xStride]);
            s40 = TLanes.MultiplyAdd(v, w0, s40);
            s41 = TLanes.MultiplyAdd(v, w1, s41);
            v = TLanes.All(x3[2 * xStride]);
            s50 = TLanes.MultiplyAdd(v, w0, s50);
            s51 = TLanes.MultiplyAdd(v, w1, s51);
            w += 2 * TLanes.Count;
            x++;
            x3++;
        }

        Store<TVector, TLanes>(y, s00, s01);
        Store<TVector, TLanes>(y + yStride, s10, s11);
        Store<TVector, TLanes>(y + 2 * yStride, s20, s21);
        Store<TVector, TLanes>(y + 3 * yStride, s30, s31);
        Store<TVector, TLanes>(y + 4 * yStride, s40, s41);
        Store<TVector, TLanes>(y + 5 * yStride, s50, s51);
    }

    private static void FourPanels<TVector, TLanes>(float* x, float* w, nint panel, float* b, float* y, int inputs)
        where TLanes : struct, ILanes<TVector>
    {
        int one = TLanes.Count, two = 2 * one;
        TVector s00 = TLanes.Load(b), s01 = TLanes.Load(b + one), s10 = TLanes.Load(b + two), s11 = TLanes.Load(b + two + one);
        TVector s20 = TLanes.Load(b + 2 * two), s21 = TLanes.Load(b + 2 * two + one), s30 = TLanes.Load(b + 3 * two),
            s31 = TLanes.Load(b + 3 * two + one);
        float* w2 = w + 2 * panel;
        for (int k = 0; k < inputs; k++)
        {
            TVector v = TLanes.All(x[k]);
            s00 = TLanes.MultiplyAdd(v, TLanes.Load(w), s00);
            s01 = TLanes.MultiplyAdd(v, TLanes.Load(w + one), s01);
            s10 = TLanes.MultiplyAdd(v, TLanes.Load(w + panel), s10);
            s11 = TLanes.MultiplyAdd(v, TLanes.Load(w + panel + one), s11);
            s20 = TLanes.MultiplyAdd(v, TLanes.Load(w2), s20);
            s21 = TLanes.MultiplyAdd(v, TLanes.Load(w2 + one), s21);
            s30 = TLanes.MultiplyAdd(v, TLanes.Load(w2 + panel), s30);
            s31 = TLanes.MultiplyAdd(v, TLanes.Load(w2 + panel + one), s31);
            w += two;
            w2 += two;
        }

        Store<TVector, TLanes>(y, s00, s01);
        Store<TVector, TLanes>(y + two, s10, s11);
        Store<TVector, TLanes>(y + 2 * two, s20, s21);
        Store<TVector, TLanes>(y + 3 * two, s30, s31);
    }

    private static void OnePanel<TVector, TLanes>(float* x, float* w, float* b, float* y, int inputs)
        where TLanes : struct, ILanes<TVector>
    {
        TVector s0 = TLanes.Load(b), s1 = TLanes.Load(b + TLanes.Count);
        for (int k = 0; k < inputs; k++, w += 2 * TLanes.Count)
        {
            TVector v = TLanes.All(x[k]);
            s0 = TLanes.MultiplyAdd(v, TLanes.Load(w), s0);
            s1 = TLanes.MultiplyAdd(v, TLanes.Load(w + TLanes.Count), s1);
        }

        Store<TVector, TLanes>(y, s0, s1);
    }

    [SkipLocalsInit]
    private static void SixInputs<TVector, TLanes, TUpdate>(float* d, nint dStride, float* x, nint xStride, int rows, WeightMemory weights,
        in TUpdate update)
        where TLanes : struct, ILanes<TVector>
        where TUpdate : struct, IWeightUpdate<TVector>
    {
        int one = TLanes.Count;
        weights.Prefetch(2 * TileRows * one);
        TVector s00 = TLanes.All(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00,
            s50 = s00, s51 = s00;
        for (int row = 0; row < rows; row++)
        {
            TVector d0 = TLanes.Load(d), d1 = TLanes.Load(d + one);
            TVector v = TLanes.All(x[0]);
            s00 = TLanes.MultiplyAdd(v, d0, s00);
            s01 = TLanes.MultiplyAdd(v, d1, s01);
            v = TLanes.All(x[1]);
            s10 = TLanes.MultiplyAdd(v, d0, s10);
            s11 = TLanes.MultiplyAdd(v, d1, s11);
            v = TLanes.All(x[2]);
            s20 = TLanes.MultiplyAdd(v, d0, s20);
            s21 = TLanes.MultiplyAdd(v, d1, s21);
            v = TLanes.All(x[3]);
            s30 = TLanes.MultiplyAdd(v, d0, s30);
            s31 = TLanes.MultiplyAdd(v, d1, s31);
            v = TLanes.All(x[4]);
            s40 = TLanes.MultiplyAdd(v, d0, s40);
            s41 = TLanes.MultiplyAdd(v, d1, s41);
            v = TLanes.All(x[5]);
            s50 = TLanes.MultiplyAdd(v, d0, s50);
            s51 = TLanes.MultiplyAdd(v, d1, s51);
            d += dStride;
            x += xStride;
        }

        // Through memory: twelve sums and an update's constants have no room in sixteen registers, and the loop above must keep its own.
        float* sums = stackalloc float[2 * TileRows * Lanes512Count];
        Store<TVector, TLanes>(sums, s00, s01);
        Store<TVector, TLanes>(sums + 2 * one, s10, s11);
        Store<TVector, TLanes>(sums + 4 * one, s20, s21);
        Store<TVector, TLanes>(sums + 6 * one, s30, s31);
        Store<TVector, TLanes>(sums + 8 * one, s40, s41);
        Store<TVector, TLanes>(sums + 10 * one, s50, s51);
        for (int at = 0; at < 2 * TileRows * one; at += one)
            update.Apply(weights.At(at), TLanes.Load(sums + at));
    }

    private static void OneInput<TVector, TLanes, TUpdate>(float* d, nint dStride, float* x, nint xStride, int rows, WeightMemory weights,
        in TUpdate update)
        where TLanes : struct, ILanes<TVector>
        where TUpdate : struct, IWeightUpdate<TVector>
    {
        TVector s0 = TLanes.All(0), s1 = s0;
        for (int row = 0; row < rows; row++, d += dStride, x += xStride)
        {
            TVector v = TLanes.All(x[0]);
            s0 = TLanes.MultiplyAdd(v, TLanes.Load(d), s0);
            s1 = TLanes.MultiplyAdd(v, TLanes.Load(d + TLanes.Count), s1);
        }

        update.Apply(weights, s0);
        update.Apply(weights.At(TLanes.Count), s1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVector, TLanes>(float* y, TVector first, TVector second)
        where TLanes : struct, ILanes<TVector>
    {
        TLanes.Store(first, y);
        TLanes.Store(second, y + TLanes.Count);
    }
}

/// <summary>Where some weights stand, and up to three numbers of an optimizer's state for each, in arrays of the same order.</summary>
internal readonly unsafe struct WeightMemory(float* weights, float* first, float* second, float* third)
{
    public readonly float* Weights = weights;
    public readonly float* First = first;
    public readonly float* Second = second;
    public readonly float* Third = third;

    /// <summary>The same, so many weights further on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public WeightMemory At(nint offset) => new(
        Weights is null ? null : Weights + offset,
        First is null ? null : First + offset,
        Second is null ? null : Second + offset,
        Third is null ? null : Third + offset);

    /// <summary>Asks for so many numbers of each array before they are needed: a tile's sums take longer than memory does.</summary>
    public void Prefetch(int count)
    {
        Prefetch(Weights, count);
        Prefetch(First, count);
        Prefetch(Second, count);
        Prefetch(Third, count);
    }

    private static void Prefetch(float* memory, int count)
    {
        if (!Sse.IsSupported || memory is null) // an address that is not mapped costs a search for its page
            return;
        for (int i = 0; i < count; i += 16)
            Sse.Prefetch0(memory + i);
    }
}

/// <summary>What is done with the gradient of a register's worth of weights.</summary>
internal interface IWeightUpdate<TVector>
{
    void Apply(WeightMemory at, TVector gradient);
}
