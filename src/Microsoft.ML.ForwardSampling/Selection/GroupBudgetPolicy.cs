using System.Numerics;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Gives each group of the window (class, customer segment, source …) a budget of its own and lets another policy choose within
/// each, so that no group is starved.</summary>
/// <remarks>
/// <para>Of b rows, a group of n[g] rows gets a[g]: <see cref="GroupAllocation.Proportional"/> max(c·n[g], min(MinimumRows, n[g])),
/// <see cref="GroupAllocation.Even"/> min(c, n[g]), c such that Σa = b. Where b is too small for every group's minimum, a[g] is in
/// proportion to the minima. Fractions are rounded up or down at random by one systematic draw: b[g] is ⌊a[g]⌋ or one more, a[g] on
/// average, Σb[g] = b exactly.</para>
/// <para>weight = w·(n[g]/n)·(b/b[g]), w the inner policy's within the group; a group with a[g] below 1 has a[g] in place of b[g]. So each
/// group counts in the weighted mean as much as it has rows, whatever its budget. Unbiased where the inner policy is.</para>
/// <para>Needs what the inner policy needs, and groups. O(n) on top of the inner policy, no allocation after the first window of a size.
/// One random number on top of the inner policy's, none where nothing is rounded.</para>
/// <para>Source: stratified sampling (Cochran, Sampling Techniques, 5.2, 5.9); ours: the floor, the random rounding around any inner
/// policy. Guide: docs/policies/group-budget.md.</para>
/// </remarks>
public sealed record GroupBudgetPolicy : IRowSelectionPolicy
{
    // A share this close to a whole number is that number.
    private const double Rounding = 1e-9;

    /// <summary>The policy that chooses within each group.</summary>
    /// <value>Default <see cref="BalancedGradientNormPolicy"/> with its defaults.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public IRowSelectionPolicy Inner { get; init => field = Require.NotNull(value, nameof(GroupBudgetPolicy)); } =
        new BalancedGradientNormPolicy();

    /// <summary>How the budget is divided among the groups.</summary>
    /// <value>Default <see cref="GroupAllocation.Proportional"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a declared value.</exception>
    public GroupAllocation Allocation { get; init => field = Require.Defined(value, nameof(GroupBudgetPolicy)); }

    /// <summary>Rows that each group gets at least, or all of its rows where it has fewer. <see cref="GroupAllocation.Even"/> gives at
    /// least as much by itself.</summary>
    /// <value>[0, 16777216], rows; default 1. 0: a group may get none, with a chance.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 16777216].</exception>
    public int MinimumRows
    {
        get; init => field = Require.InRange(value, 0, SelectionOptions.MaxWindowSize,
        nameof(GroupBudgetPolicy));
    } = 1;

    /// <inheritdoc/>
    public string Name => "GroupBudget";

    /// <inheritdoc/>
    public RecordStatistics Needs => Inner.Needs | RecordStatistics.Group;

    /// <inheritdoc/>
    public bool IsUnbiased => Inner.IsUnbiased;

    /// <inheritdoc/>
    public PolicyState? NewState() => Inner.NewState();

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        SelectionScratch scratch = window.Scratch;
        int n = window.Count, b = rows.Length;
        using RentedSpan<int> orderMemory = RowOrder.ByLabel(window.Group, scratch), sizeMemory = scratch.Rent<int>(n);
        ReadOnlySpan<int> order = orderMemory;
        Span<int> sizes = CountGroups(window.Group, order, sizeMemory);
        using RentedSpan<double> shareMemory = scratch.Rent<double>(sizes.Length);
        using RentedSpan<int> budgetMemory = scratch.Rent<int>(sizes.Length);
        Span<double> shares = shareMemory;
        Span<int> budgets = budgetMemory;
        Divide(sizes, b, shares);
        Round(shares, b, ref random, budgets);

        // The window's rows in the order of the groups, as the inner policy will read them.
        RecordStatistics needs = Inner.Needs & window.Holds;
        using RentedSpan<float> values = scratch.Rent<float>(n * BitOperations.PopCount((uint)(needs & RecordedStatistic.Flags)));
        using RentedSpan<int> labels = scratch.Rent<int>((needs & RecordStatistics.Label) == 0 ? 0 : n),
            groups = scratch.Rent<int>((needs & RecordStatistics.Group) == 0 ? 0 : n);
        using RentedSpan<float> features = scratch.Rent<float>((needs & RecordStatistics.Features) == 0 ? 0 : window.Features.Length);
        var grouped = new SelectionWindow(n, scratch, StatisticsInOrder(in window, needs, order, values))
        {
            Label = InOrder(window.Label, order, labels),
            Group = InOrder(window.Group, order, groups),
            Features = FeaturesInOrder(window.Features, order, features),
            State = window.State,
        };

        using RentedSpan<float> weightMemory = scratch.Rent<float>(n);
        Span<float> weightOfRow = weightMemory;
        using RentedSpan<ulong> chosenWords = RowSet.Rent(n, scratch);
        var chosen = new RowSet(chosenWords);
        int start = 0, taken = 0;
        for (int g = 0; g < sizes.Length; start += sizes[g], taken += budgets[g], g++)
        {
            if (budgets[g] == 0)
                continue;
            Span<int> own = rows.Slice(taken, budgets[g]);
            Span<float> ownWeights = weights.Slice(taken, budgets[g]);
            Inner.Select(Slice(in grouped, start, sizes[g]), ref random, own, ownWeights);
            double factor = (double)sizes[g] * b / ((shares[g] < 1 ? shares[g] : budgets[g]) * n);
            for (int i = 0; i < own.Length; i++)
            {
                int row = order[start + own[i]];
                chosen.Add(row);
                weightOfRow[row] = (float)(factor * ownWeights[i]);
            }
        }

        chosen.CopyTo(rows);
        for (int i = 0; i < rows.Length; i++)
            weights[i] = weightOfRow[rows[i]];
    }

    /// <summary>Rows of each group, in the order of the groups.</summary>
    private static Span<int> CountGroups(ReadOnlySpan<int> groups, ReadOnlySpan<int> order, Span<int> sizes)
    {
        int count = 0, first = 0;
        for (int i = 1; i <= order.Length; i++)
        {
            if (i == order.Length || groups[order[i]] != groups[order[first]])
            {
                sizes[count++] = i - first;
                first = i;
            }
        }

        return sizes[..count];
    }

    /// <summary>a[g] of the remarks. Groups at their bound are settled first; the others share what is left.</summary>
    private void Divide(ReadOnlySpan<int> sizes, int budget, Span<double> shares)
    {
        bool isEven = Allocation == GroupAllocation.Even;
        long minima = 0, rows = 0;
        foreach (int size in sizes)
        {
            minima += Math.Min(MinimumRows, size);
            rows += size;
        }

        if (!isEven && minima >= budget)
        {
            for (int g = 0; g < sizes.Length; g++)
                shares[g] = (double)budget * Math.Min(MinimumRows, sizes[g]) / minima;
            return;
        }

        // Whole numbers, exact in double. Each pass settles at least one group or is the last.
        double left = budget, parts = isEven ? sizes.Length : rows;
        shares.Fill(0);
        bool settled;
        do
        {
            settled = false;
            (double leftBefore, double partsBefore) = (left, parts);
            for (int g = 0; g < sizes.Length; g++)
            {
                int part = isEven ? 1 : sizes[g];
                int bound = isEven ? sizes[g] : Math.Min(MinimumRows, sizes[g]);
                double share = leftBefore * part / partsBefore;
                if (shares[g] == 0 && (isEven ? share >= bound : share <= bound))
                {
                    shares[g] = bound;
                    left -= bound;
                    parts -= part;
                    settled = true;
                }
            }
        }
        while (settled && parts > 0);

        for (int g = 0; g < sizes.Length; g++)
        {
            if (shares[g] == 0)
                shares[g] = left * (isEven ? 1 : sizes[g]) / parts;
        }
    }

    /// <summary>b[g]: whole numbers that sum to the budget, each its share rounded down or up, and its share on average: one offset, then
    /// equal steps along the fractions.</summary>
    private static void Round(ReadOnlySpan<double> shares, int budget, ref RepeatableRandom random, Span<int> budgets)
    {
        int missing = budget;
        double fractions = 0;
        for (int g = 0; g < shares.Length; g++)
        {
            budgets[g] = (int)(shares[g] + Rounding);
            missing -= budgets[g];
            fractions += Fraction(shares[g], budgets[g]);
        }

        if (missing == 0)
            return;

        // The fractions sum to the missing rows up to rounding; the walk goes towards their own sum, so that none is lost.
        double step = fractions / missing, next = random.NextDouble() * step, position = 0;
        int last = 0;
        for (int g = 0; g < shares.Length && missing > 0; g++)
        {
            double fraction = Fraction(shares[g], budgets[g]);
            if (fraction == 0)
                continue;
            last = g;
            position += fraction;
            if (position > next)
            {
                budgets[g]++;
                missing--;
                next += step;
            }
        }

        for (int g = last; missing > 0; g--)
        {
            // An offset just below 1 can be lost to rounding.
            if (Fraction(shares[g], budgets[g]) > 0)
            {
                budgets[g]++;
                missing--;
            }
        }

        static double Fraction(double share, int whole) => share - whole > Rounding ? share - whole : 0;
    }

    private static StatisticSpans StatisticsInOrder(in SelectionWindow window, RecordStatistics needs,
        ReadOnlySpan<int> order, Span<float> destination)
    {
        var statistics = default(StatisticSpans);
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
        {
            if (!statistic.IsIn(needs))
                continue;
            statistics[statistic.Index] = InOrder(window.Values(statistic), order, destination[..order.Length]);
            destination = destination[order.Length..];
        }

        return statistics;
    }

    /// <summary>Values in another order; none where there is no room for them.</summary>
    private static ReadOnlySpan<T> InOrder<T>(ReadOnlySpan<T> values, ReadOnlySpan<int> order, Span<T> destination)
    {
        for (int i = 0; i < destination.Length; i++)
            destination[i] = values[order[i]];
        return destination;
    }

    private static ReadOnlySpan<float> FeaturesInOrder(ReadOnlySpan<float> features, ReadOnlySpan<int> order, Span<float> destination)
    {
        if (destination.IsEmpty)
            return [];
        int d = features.Length / order.Length;
        for (int i = 0; i < order.Length; i++)
            features.Slice(order[i] * d, d).CopyTo(destination[(i * d)..]);
        return destination;
    }

    /// <summary>One group's rows.</summary>
    private static SelectionWindow Slice(in SelectionWindow window, int start, int count)
    {
        StatisticSpans statistics = window.Statistics.Slice(start, count);
        return new SelectionWindow(count, window.Scratch, in statistics)
        {
            Label = Part(window.Label, start, count),
            Group = Part(window.Group, start, count),
            Features = FeaturesPart(in window, start, count),
            State = window.State,
        };
    }

    private static ReadOnlySpan<float> FeaturesPart(in SelectionWindow window, int start, int count)
    {
        int d = window.Features.Length / window.Count;
        return window.Features.Slice(start * d, count * d);
    }

    private static ReadOnlySpan<T> Part<T>(ReadOnlySpan<T> values, int start, int count) => values.IsEmpty ? []
        : values.Slice(start, count);
}
