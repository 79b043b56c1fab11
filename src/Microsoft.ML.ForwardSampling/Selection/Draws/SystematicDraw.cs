using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>One random offset, then equal steps along an order: exactly b rows, spread over that order.</summary>
/// <remarks>
/// Systematic sampling (Madow, Ann. Math. Statist. 20, 1949). A row's chance is its probability exactly; two rows that together
/// have less than one step between them are never chosen together, which is what spreads the choice.
/// </remarks>
internal static class SystematicDraw
{
    /// <summary>Chooses exactly rows.Length rows, row i with chance probabilities[i].</summary>
    /// <param name="probabilities">Length n, each in [0, 1], with sum b up to rounding. A row of probability 1 is always chosen, one of 0
    /// never (unless fewer than b have more).</param>
    /// <param name="order">Length n, a permutation of the rows.</param>
    /// <param name="offset">[0, 1), the draw's one random number.</param>
    /// <param name="rows">Out, length b: the chosen rows, ascending.</param>
    /// <param name="scratch">Gives the memory for a set of rows.</param>
    public static void Choose(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> order, double offset, Span<int> rows,
        SelectionScratch scratch)
    {
        using RentedSpan<ulong> chosenWords = RowSet.Rent(probabilities.Length, scratch);
        Walk(probabilities, order, offset, rows, new RowSet(chosenWords));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Walk(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> order, double offset, Span<int> rows, RowSet chosen)
    {
        // A row of probability 1 takes a whole step wherever it stands, so it moves no other row's position: it can be taken out of the
        // walk. The rest walks towards its own sum, not towards b, so that rounding in the probabilities cannot lose or add a row.
        (int certain, double sum) = WindowSums.CertainAndRest(probabilities);
        int wanted = rows.Length - certain;
        if (wanted < 0)
        {
            // More than 2^25 rows of which nearly all are wanted: their chances round to 1. Those left out are evenly spread along the
            // order.
            ChooseAmongCertain(probabilities, order, certain, offset, rows.Length, chosen);
            chosen.CopyTo(rows);
            return;
        }

        double step = sum / wanted;
        double next = wanted > 0 ? offset * step : double.PositiveInfinity;
        double position = 0;
        int taken = 0;
        foreach (int row in order)
        {
            float probability = probabilities[row];
            if (probability >= 1)
            {
                chosen.Add(row);
                continue;
            }

            position += probability;
            if (position > next && probability > 0)
            {
                chosen.Add(row);
                taken++;
                next = taken < wanted ? (offset + taken) * step : double.PositiveInfinity;
            }
        }

        if (taken < wanted)
            FillFromTheEnd(probabilities, order, wanted - taken, chosen);
        chosen.CopyTo(rows);
    }

    /// <summary>Chooses ranks.Length of count ranks, each with chance b/n exactly: the ranks that steps of n/b from a random start fall
    /// into.</summary>
    /// <param name="count">n ≥ b.</param>
    /// <param name="start">The draw's one random number, uniform in [0, n): the offset in units of 1/b of a rank.</param>
    /// <param name="ranks">Out, length b: ascending.</param>
    public static void ChooseEvenly(int count, int start, Span<int> ranks)
    {
        // Whole numbers, so nothing rounds: the values start + k·n, over all starts and k, are 0…n·b − 1 once each, and b of them fall into
        // each rank.
        long position = start;
        for (int k = 0; k < ranks.Length; k++, position += count)
            ranks[k] = (int)(position / ranks.Length);
    }

    private static void ChooseAmongCertain(
        ReadOnlySpan<float> probabilities, ReadOnlySpan<int> order, int certain, double offset, int wanted, RowSet chosen)
    {
        // Rank k of the certain rows is chosen when k·b/n + offset passes a whole number.
        long start = (long)(offset * certain), rank = 0;
        foreach (int row in order)
        {
            if (probabilities[row] < 1)
                continue;
            if ((start + (rank + 1) * wanted) / certain > (start + rank * wanted) / certain)
                chosen.Add(row);
            rank++;
        }
    }

    /// <summary>The last offset's row can be lost to rounding (an offset just below 1): it is the last one of the order that is still
    /// free.</summary>
    private static void FillFromTheEnd(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> order, int missing, RowSet chosen)
    {
        for (int pass = 0; pass < 2; pass++)
        {
            for (int i = order.Length - 1; i >= 0 && missing > 0; i--)
            {
                int row = order[i];
                if (!chosen.Contains(row) && (pass == 1 || probabilities[row] > 0))
                {
                    chosen.Add(row);
                    missing--;
                }
            }
        }
    }
}
