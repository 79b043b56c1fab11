using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Probabilities in proportion to a size, none above 1, with a given sum.</summary>
internal static class InclusionProbabilities
{
    /// <summary>Fills p[i] = min(1, c·((1−e)·size[i]/Σsize + e/n)), with c such that Σp = b.</summary>
    /// <remarks>
    /// c is found by Newton's method on Σ min(1, c·x[i]), which is concave and piecewise linear: from below, with at least a quarter less
    /// of (distance to b) · (slope) after each pass, and exact once no further row reaches 1. One to three passes on real windows, O(n)
    /// each. Where sizes of 0 leave fewer than b rows with a chance, those are certain and the zero rows share the rest evenly.
    /// </remarks>
    /// <param name="sizes">Length n, finite; a negative size counts as 0. When all are 0, every row gets b/n.</param>
    /// <param name="evenShare">e, [0, 1].</param>
    /// <param name="budget">b, [1, n].</param>
    /// <param name="probabilities">Out, length n, [0, 1].</param>
    public static void Solve(ReadOnlySpan<float> sizes, double evenShare, int budget, Span<float> probabilities)
    {
        int count = sizes.Length;
        double total = WindowSums.SumOfPositive(sizes);
        if (budget == count || total == 0)
        {
            probabilities.Fill((float)((double)budget / count));
            return;
        }

        double slope = (1 - evenShare) / total;
        double floor = evenShare / count;
        double c = budget;
        int capped = 0;
        while (true)
        {
            (int nowCapped, double uncapped) = Fill(sizes, c * slope, c * floor, probabilities);
            if (nowCapped <= capped || nowCapped >= budget)
                return;
            if (uncapped == 0)
            {
                ShareAmongZeros(probabilities, (float)((double)(budget - nowCapped) / (count - nowCapped)));
                return;
            }

            capped = nowCapped;
            c *= (budget - capped) / uncapped;
        }
    }

    /// <summary>Gives each chosen row the weight (b/n)/p, so that E[Σ weight·x / b] is the window's mean of x.</summary>
    /// <param name="probabilities">Length n.</param>
    /// <param name="rows">Length b, chosen rows, each of positive probability.</param>
    /// <param name="weights">Out, length b.</param>
    public static void Weigh(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> rows, Span<float> weights)
    {
        double even = (double)rows.Length / probabilities.Length;
        for (int i = 0; i < rows.Length; i++)
            weights[i] = (float)(even / probabilities[rows[i]]);
    }

    /// <summary>p = min(1, slope·max(size, 0) + floor); returns how many reached 1 and the sum of the others. Fixed lanes: the same bits on
    /// every machine.</summary>
    private static (int Capped, double Uncapped) Fill(ReadOnlySpan<float> sizes, double slope, double floor, Span<float> probabilities)
    {
        probabilities = probabilities[..sizes.Length];
        ref float size = ref MemoryMarshal.GetReference(sizes);
        ref float probability = ref MemoryMarshal.GetReference(probabilities);
        Vector256<double> slopes = Vector256.Create(slope), floors = Vector256.Create(floor), one = Vector256<double>.One;
        Vector256<double> sumLower = Vector256<double>.Zero, sumUpper = Vector256<double>.Zero;
        int capped = 0;
        int i = 0;
        for (; i <= sizes.Length - 8; i += 8)
        {
            Vector256<float> positive = Vector256.Max(Vector256.LoadUnsafe(ref size, (nuint)i), Vector256<float>.Zero);
            (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(positive);
            lower = lower * slopes + floors;
            upper = upper * slopes + floors;
            Vector256<double> lowerCapped = Vector256.GreaterThanOrEqual(lower, one),
                upperCapped = Vector256.GreaterThanOrEqual(upper, one);
            capped += BitOperations.PopCount(lowerCapped.ExtractMostSignificantBits())
                + BitOperations.PopCount(upperCapped.ExtractMostSignificantBits());
            sumLower += Vector256.AndNot(lower, lowerCapped);
            sumUpper += Vector256.AndNot(upper, upperCapped);
            Vector256.Narrow(Vector256.Min(lower, one), Vector256.Min(upper, one)).StoreUnsafe(ref probability, (nuint)i);
        }

        double uncapped = WindowSums.Lanes(sumLower + sumUpper);
        for (; i < sizes.Length; i++)
        {
            double value = Math.Max(sizes[i], 0f) * slope + floor;
            bool isCapped = value >= 1;
            capped += isCapped ? 1 : 0;
            uncapped += isCapped ? 0 : value;
            probabilities[i] = (float)Math.Min(value, 1);
        }

        return (capped, uncapped);
    }

    private static void ShareAmongZeros(Span<float> probabilities, float share)
    {
        foreach (ref float probability in probabilities)
        {
            if (probability == 0)
                probability = share;
        }
    }
}
