namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The rows of largest or of smallest value: a partial selection, no sort.</summary>
/// <remarks>
/// Radix selection: a pass counts one byte of the values' order-preserving bit patterns, most significant first, and keeps only the
/// patterns whose byte is the one that the cut falls into. The first pass reads all, the second what one value of the first byte leaves
/// (two binades), the others next to nothing. O(n) for any values; −0 equals 0.
/// </remarks>
internal static class ExtremeRows
{
    private const int Buckets = 256;

    /// <summary>Chooses the rows.Length rows of largest (or smallest) value. Among rows whose value is the cut itself, every subset has the
    /// same chance.</summary>
    /// <param name="values">Length n, no NaN.</param>
    /// <param name="largest">Whether large values are taken, or small ones.</param>
    /// <param name="random">Draws among rows that tie at the cut, at most one number each; nothing is drawn where all of them or none is
    /// taken.</param>
    /// <param name="rows">Out, length b ≤ n: ascending.</param>
    /// <param name="scratch">Gives the memory for bit patterns.</param>
    public static void Choose(ReadOnlySpan<float> values, bool largest, ref RepeatableRandom random, Span<int> rows,
        SelectionScratch scratch)
    {
        uint direction = largest ? 0 : uint.MaxValue;
        (uint cut, int tied, int fromTied) = FindCut(values, direction, rows.Length, scratch);
        int taken = 0;
        for (int row = 0; taken < rows.Length; row++)
        {
            // Written always, counted when taken: no branch to mispredict but the tie's.
            rows[taken] = row;
            uint key = KeyOf(values[row], direction);
            if (key != cut)
            {
                taken += key > cut ? 1 : 0;
            }
            else
            {
                // Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): the ties in turn, `fromTied` of `tied`
                // still to take.
                int take = fromTied == tied || fromTied > 0 && random.NextInt(tied) < fromTied ? 1 : 0;
                tied--;
                fromTied -= take;
                taken += take;
            }
        }
    }

    /// <summary>The budget-th largest key, how many rows have it, and how many of those belong to the largest `budget`.</summary>
    private static (uint Cut, int Tied, int FromTied) FindCut(
        ReadOnlySpan<float> values, uint direction, int budget, SelectionScratch scratch)
    {
        using RentedSpan<uint> memory = scratch.Rent<uint>(values.Length);
        Span<uint> keys = memory;
        Span<int> counts = stackalloc int[Buckets];
        counts.Clear();
        for (int i = 0; i < keys.Length; i++)
        {
            uint key = KeyOf(values[i], direction);
            keys[i] = key;
            counts[(int)(key >> 24)]++;
        }

        for (int shift = 24; ; shift -= 8)
        {
            int digit = Buckets - 1;
            for (; counts[digit] < budget; digit--)
                budget -= counts[digit];
            if (shift == 0)
                return (keys[0] & ~0xFFu | (uint)digit, counts[digit], budget);

            int kept = 0;
            foreach (uint key in keys)
            {
                // The same trick.
                keys[kept] = key;
                kept += (byte)(key >> shift) == digit ? 1 : 0;
            }

            keys = keys[..kept];
            counts.Clear();
            foreach (uint key in keys)
                counts[(byte)(key >> (shift - 8))]++;
        }
    }

    /// <summary>Unsigned order is numeric order, as in <see cref="RowOrder"/>, or its reverse.</summary>
    public static uint KeyOf(float value, uint direction)
    {
        int bits = BitConverter.SingleToInt32Bits(value + 0f);
        return (uint)(bits ^ (bits >> 31 | int.MinValue)) ^ direction;
    }
}
