using System.Numerics.Tensors;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Prefers rows of high loss: the chance to be drawn grows with a power of the loss's percentile in the window.</summary>
/// <remarks>
/// <para>p[i] = max(percentile[i]^β, <see cref="MinimumProbability"/>). The weight given to each chosen row is 1: the window's mean is
/// deliberately <i>not</i> preserved.</para>
/// <para>Window form (<see cref="History"/> 0): percentile[i] = share of the window's losses strictly below loss[i]; b rows drawn one after
/// the other in proportion to p, without replacement. When rows of positive p run out (all losses equal), the rest is drawn evenly.</para>
/// <para>Streaming form, the paper's (<see cref="History"/> R): the window's losses enter the history of the last R losses, and
/// percentile[i] is the share of those strictly below loss[i]. Rows come up in random order, each is accepted with probability p, until b
/// are. If all have come up and some are still missing, they are drawn as in the window form among the rejected rows, which is what coming
/// up again and again amounts to. Until R losses have been seen the draw is even.</para>
/// <para>Needs Forward.Loss. O(n + b·log n), O(n·log R + R) with a history; no allocation after the first window of a size. With a β that
/// is not whole, powers come from the runtime's mathematics, whose last bit may differ between machines.</para>
/// <para>Source: Selective-Backprop, arXiv 1910.00762; the window form with a fixed budget as in MosaicML's Composer. Ours: the fixed
/// budget of the streaming form, the percentile within the window, ties, and the minimum. Guide:
/// docs/policies/selective-backprop.md.</para>
/// </remarks>
public sealed record SelectiveBackpropPolicy : IRowSelectionPolicy
{
    /// <summary>Exponent β of the percentile. In the paper's rule, which accepts each row by itself, a share of 1/(β + 1) of all rows is
    /// accepted.</summary>
    /// <value>[0, 64], dimensionless; default 3, as in the paper's code. 0: an even draw. Larger: more of the budget goes to the highest
    /// losses.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 64], or NaN.</exception>
    public double Beta { get; init => field = Require.InRange(value, 0, 64, nameof(SelectiveBackpropPolicy)); } = 3;

    /// <summary>Floor under percentile^β, so that rows of the lowest losses can be drawn as well.</summary>
    /// <value>[0, 1], dimensionless; default 0, as in the paper: the row of lowest loss is never drawn. 1: an even draw.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double MinimumProbability { get; init => field = Require.InRange(value, 0, 1, nameof(SelectiveBackpropPolicy)); }

    /// <summary>R, the losses among which a percentile is taken: the streaming form. 0: the window form.</summary>
    /// <value>[0, 16384], losses; default 0. The paper's code has 1,024.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 16384].</exception>
    public int History { get; init => field = Require.InRange(value, 0, 1 << 14, nameof(SelectiveBackpropPolicy)); }

    /// <inheritdoc/>
    public string Name => "SelectiveBackprop";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.Loss;

    /// <inheritdoc/>
    public bool IsUnbiased => false;

    /// <inheritdoc/>
    public PolicyState? NewState() => History == 0 ? null : new LossHistory(History);

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        if (History == 0)
            DrawByWindow(in window, ref random, rows);
        else
            AcceptByHistory(window.GetState<LossHistory>(), in window, ref random, rows);
        weights.Fill(1);
    }

    private void DrawByWindow(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows)
    {
        using RentedSpan<int> order = window.OrderByLoss();
        using RentedSpan<double> rented = window.Scratch.Rent<double>(window.Count);
        Span<double> drawWeights = rented;
        FillPercentiles(window.Loss, order, drawWeights);
        Raise(drawWeights, Beta, window.Scratch);
        TensorPrimitives.Max(drawWeights, MinimumProbability, drawWeights);

        WithoutReplacementDraw.Choose(drawWeights, ref random, rows, window.Scratch);
        RowSet.RanksToRows(order, rows, window.Scratch);
    }

    private void AcceptByHistory(LossHistory history, in SelectionWindow window, ref RepeatableRandom random, Span<int> rows)
    {
        int n = window.Count, accepted = 0;
        history.Add(window.Loss);
        if (!history.IsFull)
        {
            EvenDraw.Choose(n, ref random, rows, window.Scratch);
            return;
        }

        // Fisher and Yates' shuffle, as far as it is needed; rejected rows move to the front.
        history.Sort(window.Scratch);
        using RentedSpan<int> orderMemory = window.Scratch.Rent<int>(n);
        using RentedSpan<double> chanceMemory = window.Scratch.Rent<double>(n);
        Span<int> order = orderMemory;
        Span<double> rejectedChance = chanceMemory;
        for (int i = 0; i < n; i++)
            order[i] = i;
        for (int turn = 0; turn < n && accepted < rows.Length; turn++)
        {
            int place = turn + random.NextInt(n - turn);
            int row = order[place];
            order[place] = order[turn];
            double chance = Math.Max(Power(history.ShareBelow(window.Loss[row]), Beta), MinimumProbability);
            if (random.NextDouble() < chance)
            {
                rows[accepted++] = row;
            }
            else
            {
                order[turn - accepted] = row;
                rejectedChance[turn - accepted] = chance;
            }
        }

        if (accepted < rows.Length)
        {
            Span<int> missing = rows[accepted..];
            WithoutReplacementDraw.Choose(rejectedChance[..(n - accepted)], ref random, missing, window.Scratch);
            foreach (ref int row in missing)
                row = order[row];
        }

        RowSet.Sort(n, rows, window.Scratch);
    }

    /// <summary>As <see cref="Raise"/>, for one value.</summary>
    private static double Power(double value, double exponent)
    {
        if (exponent != Math.Floor(exponent))
            return Math.Pow(value, exponent);
        double power = 1;
        for (int bits = (int)exponent; bits != 0; bits >>= 1)
        {
            power *= (bits & 1) != 0 ? value : 1;
            value *= value;
        }

        return power;
    }

    /// <summary>values^exponent, in place; whole exponents by squaring, several times faster than Pow and the same on every
    /// machine.</summary>
    private static void Raise(Span<double> values, double exponent, SelectionScratch scratch)
    {
        if (exponent != Math.Floor(exponent))
        {
            TensorPrimitives.Pow(values, exponent, values);
            return;
        }

        using RentedSpan<double> rented = scratch.Rent<double>(values.Length);
        Span<double> squares = rented;
        values.CopyTo(squares);
        values.Fill(1);
        for (int bits = (int)exponent; bits != 0; bits >>= 1)
        {
            if ((bits & 1) != 0)
                TensorPrimitives.Multiply(values, squares, values);
            if (bits > 1)
                TensorPrimitives.Multiply(squares, squares, squares);
        }
    }

    /// <summary>By rank: the share of losses strictly below, so that equal losses share a percentile.</summary>
    private static void FillPercentiles(ReadOnlySpan<float> loss, ReadOnlySpan<int> order, Span<double> percentiles)
    {
        double share = 1.0 / order.Length;
        int below = 0;
        float current = loss[order[0]];
        for (int rank = 0; rank < order.Length; rank++)
        {
            float value = loss[order[rank]];
            if (value != current)
            {
                current = value;
                below = rank;
            }

            percentiles[rank] = below * share;
        }
    }
}
