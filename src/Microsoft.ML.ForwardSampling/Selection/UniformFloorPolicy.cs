
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Gives a share of the budget to an even draw and the rest to another policy, so that no row is out of reach, whatever that
/// policy does.</summary>
/// <remarks>
/// <para>Of b rows, u = ⌊share·b⌋ or one more (at random, share·b on average) are drawn evenly among the rows that the inner policy's
/// choice of b − u left. Every row's chance is at least share·b/n. A row of the even draw weighs 1, one of the inner policy ((n−b)·w +
/// u)/(n−b+u), where w is its weight there.</para>
/// <para>Unbiased where the inner policy is: given the inner choice, the u rows stand for the rows it left, and that estimate of the
/// window's mean, which is unbiased for any inner policy, is mixed with the inner policy's own in the proportion that makes the even rows
/// weigh 1.</para>
/// <para>Needs what the inner policy needs. O(b + n/64) on top of it, no allocation after the first window of a size. u + 1 random numbers
/// on top of the inner policy's.</para>
/// <para>Source: ours. Guide: docs/policies/uniform-floor.md.</para>
/// </remarks>
public sealed record UniformFloorPolicy : IRowSelectionPolicy
{
    /// <summary>The policy that chooses the other rows.</summary>
    /// <value>Default <see cref="BalancedGradientNormPolicy"/> with its defaults.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public IRowSelectionPolicy Inner { get; init => field = Require.NotNull(value, nameof(UniformFloorPolicy)); } =
        new BalancedGradientNormPolicy();

    /// <summary>Share of the budget that is drawn evenly.</summary>
    /// <value>[0, 1], dimensionless; default 0.2. 0: the inner policy alone. 1: <see cref="UniformPolicy"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double Share { get; init => field = Require.InRange(value, 0, 1, nameof(UniformFloorPolicy)); } = 0.2;

    /// <inheritdoc/>
    public string Name => "UniformFloor";

    /// <inheritdoc/>
    public RecordStatistics Needs => Inner.Needs;

    /// <inheritdoc/>
    public bool IsUnbiased => Inner.IsUnbiased;

    /// <inheritdoc/>
    public PolicyState? NewState() => Inner.NewState();

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        int n = window.Count, b = rows.Length;
        int even = Math.Min(b, (int)(Share * b + random.NextDouble()));
        int inner = b - even;
        if (inner > 0)
            Inner.Select(in window, ref random, rows[..inner], weights[..inner]);
        if (even == 0)
            return;

        foreach (ref float weight in weights[..inner])
            weight = (float)(((double)(n - b) * weight + even) / (n - inner));
        using RentedSpan<int> rented = window.Scratch.Rent<int>(even);
        Span<int> ranks = rented;
        EvenDraw.Choose(n - inner, ref random, ranks, window.Scratch);
        RanksToRows(ranks, rows[..inner]);
        MergeFromTheEnd(ranks, rows, weights);
    }

    /// <summary>Ranks among the rows that are not taken become rows; both ascend.</summary>
    private static void RanksToRows(Span<int> ranks, ReadOnlySpan<int> taken)
    {
        int passed = 0;
        foreach (ref int rank in ranks)
        {
            while (passed < taken.Length && taken[passed] <= rank + passed)
                passed++;
            rank += passed;
        }
    }

    /// <summary>Merges the even rows into the inner policy's, which stand at the start of the output: from the end, nothing is overwritten
    /// before it is read.</summary>
    private static void MergeFromTheEnd(ReadOnlySpan<int> even, Span<int> rows, Span<float> weights)
    {
        int inner = rows.Length - even.Length - 1;
        int next = even.Length - 1;
        for (int place = rows.Length - 1; next >= 0; place--)
        {
            bool isInner = inner >= 0 && rows[inner] > even[next];
            rows[place] = isInner ? rows[inner] : even[next];
            weights[place] = isInner ? weights[inner] : 1;
            inner -= isInner ? 1 : 0;
            next -= isInner ? 0 : 1;
        }
    }
}
