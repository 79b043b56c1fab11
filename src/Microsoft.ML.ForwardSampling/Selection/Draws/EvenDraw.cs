using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Every subset of b rows with the same chance.</summary>
internal static class EvenDraw
{
    /// <summary>Draws rows.Length of count rows without replacement, ascending. One random number a chosen row, O(b + n/64).</summary>
    public static void Choose(int count, ref RepeatableRandom random, Span<int> rows, SelectionScratch scratch)
    {
        using RentedSpan<ulong> chosenWords = RowSet.Rent(count, scratch);
        Draw(count, ref random, rows, new RowSet(chosenWords));
    }

    // The loop stands outside of the try block that the using declaration makes: inside, less is kept in registers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Draw(int count, ref RepeatableRandom random, Span<int> rows, RowSet chosen)
    {
        // Floyd's algorithm (Bentley and Floyd, CACM 30(9), 1987): row `last` enters now, or never later.
        for (int last = count - rows.Length; last < count; last++)
        {
            int row = random.NextInt(last + 1);
            chosen.Add(chosen.Contains(row) ? last : row);
        }

        chosen.CopyTo(rows);
    }
}
