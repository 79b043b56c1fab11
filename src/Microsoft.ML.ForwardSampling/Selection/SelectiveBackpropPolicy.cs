using System.Numerics.Tensors;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Prefers rows of high loss: the chance to be drawn grows with a power of the loss's percentile in the window.</summary>
/// <remarks>
/// <para>percentile[i] = share of the window's losses strictly below loss[i]; draw weight = max(percentile^β, <see cref="MinimumProbability"/>); b rows drawn one
/// after the other in proportion to it, without replacement. When rows of positive draw weight run out (all losses equal), the rest is drawn evenly.
/// The weight given to each chosen row is 1: the window's mean is deliberately <i>not</i> preserved.</para>
/// <para>Needs Forward.Loss. O(n + b·log n), no allocation after the first window of a size. With a β that is not whole, powers come from
/// the runtime's mathematics, whose last bit may differ between machines.</para>
/// <para>Source: Selective-Backprop, arXiv 1910.00762, with a fixed budget as in MosaicML's Composer; ours: the percentile within the window
/// instead of the last 1,024 losses, ties, and the minimum. Guide: docs/policies/selective-backprop.md.</para>
/// </remarks>
public sealed record SelectiveBackpropPolicy : IRowSelectionPolicy
{
    /// <summary>Exponent β of the percentile. In the paper's rule, which accepts each row by itself, a share of 1/(β + 1) of all rows is accepted.</summary>
    /// <value>[0, 64], dimensionless; default 3, as in the paper's code. 0: an even draw. Larger: more of the budget goes to the highest losses.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 64], or NaN.</exception>
    public double Beta { get; init => field = Require.InRange(value, 0, 64, nameof(SelectiveBackpropPolicy)); } = 3;

    /// <summary>Floor under percentile^β, so that rows of the lowest losses can be drawn as well.</summary>
    /// <value>[0, 1], dimensionless; default 0, as in the paper: the row of lowest loss is never drawn. 1: an even draw.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double MinimumProbability { get; init => field = Require.InRange(value, 0, 1, nameof(SelectiveBackpropPolicy)); }

    /// <inheritdoc/>
    public string Name => "SelectiveBackprop";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.Loss;

    /// <inheritdoc/>
    public bool IsUnbiased => false;

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref SelectionRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        ReadOnlySpan<int> order = window.OrderByLoss();
        Span<double> drawWeights = window.Scratch.Weights(window.Count);
        FillPercentiles(window.Loss, order, drawWeights);
        Raise(drawWeights, Beta, window.Scratch);
        TensorPrimitives.Max(drawWeights, MinimumProbability, drawWeights);

        WithoutReplacementDraw.Choose(drawWeights, ref random, rows, window.Scratch);
        RowSet.RanksToRows(order, rows, window.Scratch);
        weights.Fill(1);
    }

    /// <summary>values^exponent, in place; whole exponents by squaring, several times faster than Pow and the same on every machine.</summary>
    private static void Raise(Span<double> values, double exponent, SelectionScratch scratch)
    {
        if (exponent != Math.Floor(exponent))
        {
            TensorPrimitives.Pow(values, exponent, values);
            return;
        }

        Span<double> squares = scratch.Tree(values.Length); // the draw fills it anew
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
