namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>What a choice looks like against its window: how well it keeps the mean loss, and where along the losses it takes its
/// rows.</summary>
public static class SelectionDiagnostics
{
    /// <summary>Mean loss of the chosen rows minus mean loss of the window: what <see cref="MeanMatchingPolicy"/> brings towards
    /// 0.</summary>
    /// <param name="loss">Length n ≥ 1, loss of every row of the window.</param>
    /// <param name="rows">Length b ≥ 1, chosen rows.</param>
    /// <returns>The signed difference, in the loss's own unit.</returns>
    /// <exception cref="ArgumentException">A span is empty.</exception>
    public static double LossResidual(ReadOnlySpan<float> loss, ReadOnlySpan<int> rows)
    {
        RequireSome(loss, rows);
        double sum = 0;
        foreach (int row in rows)
            sum += loss[row];
        return sum / rows.Length - WindowSums.Sum(loss) / loss.Length;
    }

    /// <summary>Weighted mean loss of the chosen rows, Σ weight·loss / b, minus mean loss of the window: 0 on average for an unbiased
    /// policy.</summary>
    /// <param name="loss">Length n ≥ 1, loss of every row of the window.</param>
    /// <param name="rows">Length b ≥ 1, chosen rows.</param>
    /// <param name="weights">Length b, their weights.</param>
    /// <returns>The signed difference, in the loss's own unit.</returns>
    /// <exception cref="ArgumentException">A span is empty, or rows and weights differ in length.</exception>
    public static double LossResidual(ReadOnlySpan<float> loss, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
    {
        RequireSome(loss, rows);
        if (rows.Length != weights.Length)
            throw SelectionErrors.LengthsDiffer(rows.Length, weights.Length);
        double sum = 0;
        for (int i = 0; i < rows.Length; i++)
            sum += (double)weights[i] * loss[rows[i]];
        return sum / rows.Length - WindowSums.Sum(loss) / loss.Length;
    }

    /// <summary>Share of rows chosen in each group of the loss order, lowest losses first: ten groups give the rate by loss
    /// decile.</summary>
    /// <param name="window">n candidate rows with their loss.</param>
    /// <param name="rows">Length b, chosen rows.</param>
    /// <param name="rates">Out, length q in [1, n]: rate of group k, which holds the ranks r with ⌊r·q/n⌋ = k; each in [0, 1].</param>
    /// <exception cref="ArgumentException">The window has no loss, or q is not in [1, n].</exception>
    public static void SelectionRateByLoss(in SelectionWindow window, ReadOnlySpan<int> rows, Span<double> rates)
    {
        if (rates.Length < 1 || rates.Length > window.Count)
            throw new ArgumentException($"rates has length {rates.Length}: the number of groups must be in [1, {window.Count}], the rows "
                + $"of the window.", nameof(rates));
        using RentedSpan<int> rented = window.OrderByLoss();
        ReadOnlySpan<int> order = rented;
        using RentedSpan<ulong> chosenWords = RowSet.Rent(window.Count, window.Scratch);
        var chosen = new RowSet(chosenWords);
        foreach (int row in rows)
            chosen.Add(row);

        int rank = 0;
        for (int group = 0; group < rates.Length; group++)
        {
            int first = rank, hits = 0;
            for (; rank < order.Length && (long)rank * rates.Length / order.Length == group; rank++)
                hits += chosen.Contains(order[rank]) ? 1 : 0;
            rates[group] = (double)hits / (rank - first);
        }
    }

    private static void RequireSome(ReadOnlySpan<float> loss, ReadOnlySpan<int> rows)
    {
        if (loss.IsEmpty || rows.IsEmpty)
            throw new ArgumentException($"loss has length {loss.Length} and rows has length {rows.Length}: neither may be empty.",
                nameof(rows));
    }
}
