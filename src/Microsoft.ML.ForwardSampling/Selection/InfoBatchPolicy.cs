using System.Numerics;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Draws rows whose loss is below the window's mean less often than the others, and weighs them more in return: InfoBatch with a
/// fixed budget.</summary>
/// <remarks>
/// <para>p[i] = c for a loss of at least the mean, (1−r)·c for one below, none above 1, c such that Σp = b; weight[i] = (b/n)/p[i].
/// How many of the b rows come from each side is the expected number, rounded up or down at random; each side's rows are an even
/// draw.</para>
/// <para>The original drops each row below the mean with chance r, keeps all others, and has no fixed budget. At b = n − r·(rows below the
/// mean) the chances and, up to the common factor b/n, the weights are its own; at smaller budgets the same proportions hold.</para>
/// <para>Needs Forward.Loss. O(n), no allocation after the first window of a size. b + 1 random numbers a window, and seldom one
/// more.</para>
/// <para>Source: arXiv 2303.04947; ours: the fixed budget, the mean of the window instead of the whole data set. Guide:
/// docs/policies/info-batch.md.</para>
/// </remarks>
public sealed record InfoBatchPolicy : IRowSelectionPolicy
{
    /// <summary>Share r of the rows below the mean that the original drops: here their chance is 1 − r times that of the others.</summary>
    /// <value>[0, 0.99], dimensionless; default 0.5, as in the paper. 0: an even draw.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 0.99], or NaN.</exception>
    public double DropRate { get; init => field = Require.InRange(value, 0, 0.99, nameof(InfoBatchPolicy)); } = 0.5;

    /// <inheritdoc/>
    public string Name => "InfoBatch";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.Loss;

    /// <inheritdoc/>
    public bool IsUnbiased => true;

    /// <inheritdoc/>
    public StreamedPlan NewStreamedPlan() => new StreamedInfoBatch(this);

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        int n = window.Count, b = rows.Length;
        ReadOnlySpan<float> loss = window.Loss;
        double mean = WindowSums.Sum(loss) / n;
        float least = LeastAbove(mean);
        int below = CountBelow(loss, least), above = n - below;
        (double chanceAbove, double chanceBelow) = Chances(above, below, b);

        // The rounding gives every row its chance exactly; the clamp only undoes the arithmetic's own rounding.
        int fromAbove = Math.Clamp((int)(above * chanceAbove + random.NextDouble()), Math.Max(0, b - below), Math.Min(above, b));
        using RentedSpan<int> rented = window.Scratch.Rent<int>(b);
        Span<int> ranks = rented;
        Span<int> ranksAbove = ranks[..fromAbove], ranksBelow = ranks[fromAbove..];
        EvenDraw.Choose(above, ref random, ranksAbove, window.Scratch);
        EvenDraw.Choose(below, ref random, ranksBelow, window.Scratch);

        double even = (double)b / n;
        Merge(loss, least, ranksAbove, ranksBelow, (float)(even / chanceAbove), (float)(even / chanceBelow), rows, weights);
    }

    /// <summary>The chance of a row of each side; the sides' sizes and the budget given.</summary>
    internal (double Above, double Below) Chances(long above, long below, long budget)
    {
        double c = budget / (above + (1 - DropRate) * below);
        return c < 1 ? (c, (1 - DropRate) * c) : (1, (double)(budget - above) / below);
    }

    /// <summary>The least Single that is not below the mean: comparing with it says the same of a loss.</summary>
    private static float LeastAbove(double mean) => (float)mean is var near && near < mean ? MathF.BitIncrement(near) : near;

    private static int CountBelow(ReadOnlySpan<float> loss, float least)
    {
        Vector<int> counts = Vector<int>.Zero;
        int row = 0, below = 0;
        for (; row <= loss.Length - Vector<float>.Count; row += Vector<float>.Count)
            counts -= Vector.LessThan(new Vector<float>(loss[row..]), new Vector<float>(least));
        for (; row < loss.Length; row++)
            below += loss[row] < least ? 1 : 0;
        return below + Vector.Sum(counts);
    }

    /// <summary>Turns ranks within each side into rows, both sides in one walk, so that rows come out ascending.</summary>
    private static void Merge(
        ReadOnlySpan<float> loss,
        float least,
        ReadOnlySpan<int> ranksAbove,
        ReadOnlySpan<int> ranksBelow,
        float weightAbove,
        float weightBelow,
        Span<int> rows,
        Span<float> weights)
    {
        // Which side a row is on is chance, so it is reckoned without a branch; only whether the row was chosen takes one.
        int below = 0, takenBelow = 0;
        int nextAbove = Next(ranksAbove, 0), nextBelow = Next(ranksBelow, 0);
        for (int row = 0, taken = 0; taken < rows.Length; row++)
        {
            bool isBelow = loss[row] < least;
            int rank = isBelow ? below : row - below, chosen = isBelow ? nextBelow : nextAbove;
            below += isBelow ? 1 : 0;
            if (rank != chosen)
                continue;
            if (isBelow)
                nextBelow = Next(ranksBelow, ++takenBelow);
            else
                nextAbove = Next(ranksAbove, taken - takenBelow + 1);
            weights[taken] = isBelow ? weightBelow : weightAbove;
            rows[taken++] = row;
        }

        static int Next(ReadOnlySpan<int> ranks, int index) => index < ranks.Length ? ranks[index] : int.MaxValue;
    }
}
