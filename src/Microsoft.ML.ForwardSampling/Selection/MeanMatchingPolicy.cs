
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Chooses rows whose mean loss is the window's mean loss, to a millionth of its standard deviation where the window has that much
/// room.</summary>
/// <remarks>
/// <para>The objective is our reading of "One Backward from Ten Forward": z ∈ {0,1}ⁿ with Σz = b that minimises (mean loss of all − mean
/// loss of chosen)². Many subsets get close, and which of them is taken matters more than the last digit. So: the loss order is cut into b
/// strata of n/b ranks and one row is drawn from each. A share of them (<see cref="KeptShare"/>, chosen at random, anew in every window)
/// stays, so that rows of every loss keep a chance. The others are open: each in turn is exchanged for the row of its stratum that lowers
/// the residual most, then three at a time for any free rows, until the residual is below 8·10⁻⁷ of the window's standard deviation, or
/// half a unit in the last place of the smallest loss. Weight 1.</para>
/// <para>Where the kept rows put the mean out of reach, half of them are opened as well, then half of the rest, and so on: rows near the
/// mean first, so that an extreme row stays as long as a subset with it comes near. Where no subset does, because of an outlier, what was
/// kept stays.</para>
/// <para>With <see cref="MeanMatchingRefinement.Exact"/> the chances are not exactly even, so it is not unbiased; a budget of one row is
/// one random row by default. With <see cref="MeanMatchingRefinement.Stride"/> it is the draw of <see cref="LossStratifiedPolicy"/> without
/// classes, which is unbiased.
/// <see cref="SelectionDiagnostics"/> measures the residual and the selection rate by loss decile.</para>
/// <para>Needs Forward.Loss. O(n + b·log(n/b)), and up to 131,072 + 8·n·log(b) steps more in a window without a subset that near; no
/// allocation after the first window of a size.</para>
/// <para>Source: arXiv 2104.13114, of which only the abstract and a citation were available to us; the exchanges and the kept rows are
/// ours. Guide: docs/policies/mean-matching.md.</para>
/// </remarks>
public sealed record MeanMatchingPolicy : IRowSelectionPolicy
{
    // Of the window's s.d.: a residual where the search for a better subset ends.
    private const double Enough = 8e-7;

    // Of the window's s.d.: what a few exchanges reach where any subset comes near.
    private const double Near = 1e-2;

    // Of the search from there to enough, where no subset comes that near: about 0.7 ms. In smaller windows than these it is not made.
    private const int MaxSteps = 1 << 17;
    private const int MinSearched = 100;

    /// <summary>How the mean is matched.</summary>
    /// <value>Default <see cref="MeanMatchingRefinement.Exact"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public MeanMatchingRefinement Refinement { get; init => field = Require.Defined(value, nameof(MeanMatchingPolicy)); } =
        MeanMatchingRefinement.Exact;

    /// <summary>Share of the chosen rows that stay as they were drawn, unless they put the mean out of reach: the floor under a row's
    /// chance is this share of 1/⌈n/b⌉ as long as subsets with it match the mean. Used by
    /// <see cref="MeanMatchingRefinement.Exact"/>.</summary>
    /// <value>[0, 1], dimensionless; default 0.5. 0: rows that make the mean hard to match may have no chance at all. 1: one random row of
    /// each stratum, whatever that does to the mean.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double KeptShare { get; init => field = Require.InRange(value, 0, 1, nameof(MeanMatchingPolicy)); } = 0.5;

    /// <inheritdoc/>
    public string Name => "MeanMatching";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.Loss;

    /// <inheritdoc/>
    public bool IsUnbiased => Refinement == MeanMatchingRefinement.Stride;

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        using RentedSpan<int> order = window.OrderByLoss();
        if (Refinement == MeanMatchingRefinement.Stride)
            SystematicDraw.ChooseEvenly(window.Count, random.NextInt(window.Count), rows);
        else
            MatchMean(window.Loss, order, ref random, ranks: rows, window.Scratch);
        RowSet.RanksToRows(order, rows, window.Scratch);
        weights.Fill(1);
    }

    private void MatchMean(ReadOnlySpan<float> loss, ReadOnlySpan<int> order, ref RepeatableRandom random, Span<int> ranks,
        SelectionScratch scratch)
    {
        int n = loss.Length, b = ranks.Length;
        using RentedSpan<double> sortedMemory = scratch.Rent<double>(n);
        Span<double> sorted = sortedMemory;
        for (int rank = 0; rank < n; rank++)
            sorted[rank] = loss[order[rank]];

        // Sum over the chosen minus what it should be: b times the residual of the means.
        double residual = -b * (WindowSums.Sum(loss) / n);
        for (int stratum = 0; stratum < b; stratum++)
        {
            int first = FirstRank(stratum, n, b);
            ranks[stratum] = first + random.NextInt(FirstRank(stratum + 1, n, b) - first);
            residual += sorted[ranks[stratum]];
        }

        // The open strata, in random order: the first places of a shuffle.
        using RentedSpan<int> strataMemory = scratch.Rent<int>(b);
        Span<int> strata = strataMemory;
        for (int i = 0; i < b; i++)
            strata[i] = i;
        int open = b - (int)Math.Ceiling(KeptShare * b - 1e-9); // 0.9·10 may be a little more than 9
        for (int i = 0; i < open; i++)
        {
            int other = i + random.NextInt(b - i);
            (strata[i], strata[other]) = (strata[other], strata[i]);
        }

        double rounding = 1e-13 * Math.Max(Math.Abs(sorted[0]), Math.Abs(sorted[^1])), deviation = StandardDeviation(loss);
        double enough = b * rounding + Math.Max(b * Enough * deviation, LastPlace(sorted) / 2);
        residual = Sweep(sorted, strata[..open], ranks, residual, enough);
        if (open > 0 && Math.Abs(residual) > enough)
            Search(sorted, strata, open, ranks, residual, enough, near: Math.Max(enough, b * Near * deviation), ref random, scratch);
    }

    /// <summary>Losses, and so their sums, are multiples of this: the last place of the smallest of them.</summary>
    private static double LastPlace(ReadOnlySpan<double> sorted)
    {
        float smallest = (float)Math.Max(sorted[0], -sorted[^1]);
        return smallest > 0 ? (double)MathF.BitIncrement(smallest) - smallest : 0;
    }

    /// <summary>Exchanges open rows; where that does not bring the mean near enough, half of the kept ones are opened as well, then half of
    /// the rest: the most usual losses first.</summary>
    private static void Search(
        ReadOnlySpan<double> sorted, Span<int> strata, int open, Span<int> ranks, double residual, double enough, double near,
            ref RepeatableRandom random, SelectionScratch scratch)
    {
        int n = sorted.Length, b = ranks.Length, openAtFirst = open;
        using RentedSpan<int> ranksMemory = scratch.Rent<int>(b);
        Span<int> ranksAtFirst = ranksMemory;
        long steps = n < MinSearched ? 0 : MaxSteps;
        while (true)
        {
            // A few exchanges bring the mean near if it can be; nearer takes many more, and below 100 rows there are too few subsets for
            // that.
            residual = Exchange(sorted, strata[..open], ranks, residual, enough, 8 * n, ref random, scratch);
            bool isNear = Math.Abs(residual) <= near;
            if (isNear && steps > 0)
            {
                long given = open == b ? steps : steps / 4;
                steps -= given;
                residual = Exchange(sorted, strata[..open], ranks, residual, enough, given, ref random, scratch);
            }

            if (Math.Abs(residual) <= enough || isNear && n < MinSearched || open == b)
                break;
            if (open == openAtFirst)
            {
                ranks.CopyTo(ranksAtFirst);
                SortByDistance(sorted, strata[open..], ranks, residual, scratch);
            }

            open = b - (b - open) / 2;
        }

        // An outlier can put the mean out of reach of every subset; then it keeps its chance.
        if (Math.Abs(residual) > near && open > openAtFirst)
            ranksAtFirst.CopyTo(ranks);
    }

    /// <summary>Strata by the distance of their chosen row's loss from the mean.</summary>
    private static void SortByDistance(
        ReadOnlySpan<double> sorted, Span<int> strata, ReadOnlySpan<int> ranks, double residual, SelectionScratch scratch)
    {
        double sum = -residual;
        foreach (int rank in ranks)
            sum += sorted[rank];
        using RentedSpan<double> rented = scratch.Rent<double>(strata.Length);
        Span<double> distances = rented;
        for (int i = 0; i < strata.Length; i++)
            distances[i] = Math.Abs(sorted[ranks[strata[i]]] - sum / ranks.Length);
        distances.Sort(strata);
    }

    /// <summary>Gives each open stratum in turn the row of its own that lowers the residual most; returns the residual.</summary>
    private static double Sweep(ReadOnlySpan<double> sorted, ReadOnlySpan<int> open, Span<int> ranks, double residual, double enough)
    {
        foreach (int stratum in open)
        {
            if (Math.Abs(residual) <= enough)
                break;
            int first = FirstRank(stratum, sorted.Length, ranks.Length);
            ReadOnlySpan<double> candidates = sorted[first..FirstRank(stratum + 1, sorted.Length, ranks.Length)];
            double current = sorted[ranks[stratum]];
            int best = NearestIndex(candidates, current - residual);
            double after = residual + (candidates[best] - current);
            if (Math.Abs(after) < Math.Abs(residual))
            {
                ranks[stratum] = first + best;
                residual = after;
            }
        }

        return residual;
    }

    /// <summary>Three open rows at a time: one goes to a random rank, two to the pair of free ranks that is best then; kept when that
    /// lowers the residual.</summary>
    private static double Exchange(
        ReadOnlySpan<double> sorted, ReadOnlySpan<int> open, Span<int> ranks, double residual, double enough, long steps,
            ref RepeatableRandom random, SelectionScratch scratch)
    {
        int n = sorted.Length;
        if (open.Length < 2)
            return residual;
        using RentedSpan<ulong> takenWords = RowSet.Rent(n, scratch);
        var taken = new RowSet(takenWords);
        foreach (int rank in ranks)
            taken.Add(rank);

        for (; Math.Abs(residual) > enough && steps > 0; steps -= n)
        {
            int first = random.NextInt(open.Length), second = random.NextInt(open.Length - 1);
            second += second >= first ? 1 : 0;
            ref int one = ref ranks[open[first]], other = ref ranks[open[second]],
                third = ref ranks[open[Third(first, second, open.Length, ref random)]];
            int before = third, after = random.NextInt(n);
            if (taken.Contains(after))
                after = before;
            Move(taken, ref third, after);

            (int low, int high, double left) = BestPair(sorted, taken, one, other, residual + (sorted[after] - sorted[before]));
            if (Math.Abs(left) < Math.Abs(residual))
            {
                taken.Remove(one);
                taken.Remove(other); // both first: the new rank of one may be the old one of the other
                (one, other) = (low, high);
                taken.Add(low);
                taken.Add(high);
                residual = left;
            }
            else
            {
                Move(taken, ref third, before);
            }
        }

        return residual;

        static int Third(int first, int second, int count, ref RepeatableRandom random)
        {
            if (count == 2)
                return first;
            int third = random.NextInt(count - 2);
            third += third >= Math.Min(first, second) ? 1 : 0;
            return third + (third >= Math.Max(first, second) ? 1 : 0);
        }

        static void Move(RowSet taken, ref int rank, int to)
        {
            taken.Remove(rank);
            taken.Add(to);
            rank = to;
        }
    }

    /// <summary>The two free ranks that bring the residual nearest to 0 in place of two others: from both ends of the order, one step a
    /// rank.</summary>
    private static (int Low, int High, double Residual) BestPair(
        ReadOnlySpan<double> sorted, RowSet taken, int one, int other, double residual)
    {
        double target = sorted[one] + sorted[other] - residual;
        taken.Remove(one);
        taken.Remove(other);
        (int low, int high) = (0, sorted.Length - 1);
        (int Low, int High, double Residual) best = (one, other, residual);
        while (low < high)
        {
            if (taken.Contains(low))
            {
                low++;
                continue;
            }

            if (taken.Contains(high))
            {
                high--;
                continue;
            }

            double off = sorted[low] + sorted[high] - target;
            if (Math.Abs(off) < Math.Abs(best.Residual))
                best = (low, high, off);
            int isBelow = off < 0 ? 1 : 0; // no branch to mispredict
            low += isBelow;
            high -= 1 - isBelow;
        }

        taken.Add(one);
        taken.Add(other);
        return best;
    }

    private static double StandardDeviation(ReadOnlySpan<float> loss)
    {
        double mean = WindowSums.Sum(loss) / loss.Length, squared = 0;
        foreach (float value in loss)
            squared += (value - mean) * (value - mean);
        return Math.Sqrt(squared / loss.Length);
    }

    private static int FirstRank(int stratum, int n, int b) => (int)((long)stratum * n / b);

    /// <summary>Index of the value nearest to the target; values ascend.</summary>
    private static int NearestIndex(ReadOnlySpan<double> values, double target)
    {
        int low = 0, high = values.Length - 1;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (values[middle] < target)
                low = middle + 1;
            else
                high = middle;
        }

        return low > 0 && target - values[low - 1] < Math.Abs(values[low] - target) ? low - 1 : low;
    }
}
