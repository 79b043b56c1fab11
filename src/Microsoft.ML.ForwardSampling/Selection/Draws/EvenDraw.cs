
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Every subset of b rows with the same chance.</summary>
internal static class EvenDraw
{
    /// <summary>Draws rows.Length of count rows without replacement, ascending. One random number a chosen row, O(b + n/64).</summary>
    public static void Choose(int count, ref RepeatableRandom random, Span<int> rows, SelectionScratch scratch)
    {
        // Floyd's algorithm (Bentley and Floyd, CACM 30(9), 1987): row `last` enters now, or never later.
        using RentedSpan<ulong> chosenWords = RowSet.Rent(count, scratch);
        var chosen = new RowSet(chosenWords);
        for (int last = count - rows.Length; last < count; last++)
        {
            int row = random.NextInt(last + 1);
            chosen.Add(chosen.Contains(row) ? last : row);
        }

        chosen.CopyTo(rows);
    }
}
