using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Sums over a window in double precision, eight lanes in a fixed order: the same bits on every machine, whatever its vector
/// width.</summary>
internal static class WindowSums
{
    /// <summary>Σ values, 0 when empty.</summary>
    public static double Sum(ReadOnlySpan<float> values)
    {
        ref float start = ref MemoryMarshal.GetReference(values);
        Vector256<double> even = Vector256<double>.Zero, odd = Vector256<double>.Zero;
        int i = 0;
        for (; i <= values.Length - 8; i += 8)
        {
            (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(Vector256.LoadUnsafe(ref start, (nuint)i));
            even += lower;
            odd += upper;
        }

        double sum = Lanes(even + odd);
        for (; i < values.Length; i++)
            sum += values[i];
        return sum;
    }

    /// <summary>Σ max(value, 0), 0 when empty.</summary>
    public static double SumOfPositive(ReadOnlySpan<float> values)
    {
        ref float start = ref MemoryMarshal.GetReference(values);
        Vector256<double> even = Vector256<double>.Zero, odd = Vector256<double>.Zero;
        int i = 0;
        for (; i <= values.Length - 8; i += 8)
        {
            Vector256<float> positive = Vector256.Max(Vector256.LoadUnsafe(ref start, (nuint)i), Vector256<float>.Zero);
            (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(positive);
            even += lower;
            odd += upper;
        }

        double sum = Lanes(even + odd);
        for (; i < values.Length; i++)
            sum += Math.Max(values[i], 0f);
        return sum;
    }

    /// <summary>Σ values², 0 when empty.</summary>
    public static double SumOfSquares(ReadOnlySpan<float> values)
    {
        ref float start = ref MemoryMarshal.GetReference(values);
        Vector256<double> even = Vector256<double>.Zero, odd = Vector256<double>.Zero;
        int i = 0;
        for (; i <= values.Length - 8; i += 8)
        {
            (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(Vector256.LoadUnsafe(ref start, (nuint)i));
            even += lower * lower;
            odd += upper * upper;
        }

        double sum = Lanes(even + odd);
        for (; i < values.Length; i++)
            sum += (double)values[i] * values[i];
        return sum;
    }

    /// <summary>How many probabilities are 1 (or more), and the sum of the others.</summary>
    public static (int Certain, double Others) CertainAndRest(ReadOnlySpan<float> probabilities)
    {
        ref float start = ref MemoryMarshal.GetReference(probabilities);
        Vector256<double> even = Vector256<double>.Zero, odd = Vector256<double>.Zero;
        int certain = 0;
        int i = 0;
        for (; i <= probabilities.Length - 8; i += 8)
        {
            Vector256<float> eight = Vector256.LoadUnsafe(ref start, (nuint)i);
            Vector256<float> isCertain = Vector256.GreaterThanOrEqual(eight, Vector256<float>.One);
            certain += BitOperations.PopCount(isCertain.ExtractMostSignificantBits());
            (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(Vector256.AndNot(eight, isCertain));
            even += lower;
            odd += upper;
        }

        double others = Lanes(even + odd);
        for (; i < probabilities.Length; i++)
        {
            bool isCertain = probabilities[i] >= 1;
            certain += isCertain ? 1 : 0;
            others += isCertain ? 0 : probabilities[i];
        }

        return (certain, others);
    }

    /// <summary>Whether no value is NaN or infinite.</summary>
    public static bool AllFinite(ReadOnlySpan<float> values)
    {
        // A non-finite float has all exponent bits set; shifted left once, those are the largest patterns.
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(values);
        ref uint start = ref MemoryMarshal.GetReference(bits);
        Vector256<uint> largest = Vector256<uint>.Zero;
        int i = 0;
        for (; i <= bits.Length - 8; i += 8)
            largest = Vector256.Max(largest, Vector256.LoadUnsafe(ref start, (nuint)i) << 1);
        uint max = 0;
        for (; i < bits.Length; i++)
            max = Math.Max(max, bits[i] << 1);
        for (int lane = 0; lane < 8; lane++)
            max = Math.Max(max, largest.GetElement(lane));
        return max < 0xFF000000;
    }

    /// <summary>Mean of the finite values, 0 when there is none.</summary>
    public static double MeanOfFinite(ReadOnlySpan<float> values)
    {
        double sum = 0;
        int count = 0;
        foreach (float value in values)
        {
            if (float.IsFinite(value))
            {
                sum += value;
                count++;
            }
        }

        return count == 0 ? 0 : sum / count;
    }

    /// <summary>Σ of the four lanes, from the first to the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Lanes(Vector256<double> vector)
        => vector.GetElement(0) + vector.GetElement(1) + vector.GetElement(2) + vector.GetElement(3);
}
