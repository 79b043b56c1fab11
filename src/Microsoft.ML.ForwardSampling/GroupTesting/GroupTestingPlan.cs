namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>What a schedule is expected to cost.</summary>
/// <param name="Schedule">The schedule.</param>
/// <param name="TestsPerRow">Expected tests a row.</param>
/// <param name="MultiplyAddsPerRow">Expected multiply-adds a row, in the unit of the costs that were given.</param>
/// <param name="FalsePositiveRate">Share of negative rows that end up positive although every test tells the truth: 0 but for two
/// groupings.</param>
public sealed record GroupTestingCost(GroupSchedule Schedule, double TestsPerRow, double MultiplyAddsPerRow, double FalsePositiveRate);

/// <summary>Which group size and schedule pay, before anything is trained.</summary>
/// <remarks>Rows are taken as independent, each positive with the prevalence. A test misses no positive row and says "positive" of a group
/// without one at the false-positive rate, so that real networks cost somewhat more or less: the transformer's report counts what they
/// did. Enumerates every falling chain of powers of two up to the largest group, and two groupings of each.</remarks>
public sealed record GroupTestingPlan
{
    /// <summary>Prevalence above which group testing hardly pays.</summary>
    public const double HighPrevalence = 0.1;

    private GroupTestingPlan()
    {
    }

    /// <summary>Share of positive rows.</summary>
    public double Prevalence { get; private init; }

    /// <summary>The cheapest schedule that is right whenever its tests are; <see cref="GroupSchedule.Individual"/> where none
    /// pays.</summary>
    public required GroupTestingCost Best { get; init; }

    /// <summary>One test a row.</summary>
    public required GroupTestingCost Individual { get; init; }

    /// <summary>All schedules that were compared, the cheapest first.</summary>
    public required IReadOnlyList<GroupTestingCost> All { get; init; }

    /// <summary>Multiply-adds of the best schedule, as a share of the individual ones; 1 where none pays.</summary>
    public double Cost => Best.MultiplyAddsPerRow / Individual.MultiplyAddsPerRow;

    /// <summary>Why the plan should be doubted; null where there is no reason.</summary>
    public string? Warning => WarningAt(Prevalence);

    /// <summary>Compares schedules.</summary>
    /// <param name="prevalence">Share of positive rows, in (0, 1).</param>
    /// <param name="stemCost">Multiply-adds of the stem for one row, at least 0.</param>
    /// <param name="bodyCost">Multiply-adds of the body for one group, above 0.</param>
    /// <param name="merge">Where rows become one. The stem is computed once a row, except for <see cref="GroupMerge.Inputs"/>, where it is
    /// computed once a test.</param>
    /// <param name="falsePositiveRate">Share of groups without a positive row of which a test says "positive", in [0, 1].</param>
    /// <param name="pairCost">Multiply-adds of the pair layers for one pair, at least 0; <see cref="GroupMerge.Tree"/> only.</param>
    /// <param name="largestGroup">Largest group to compare, in [1, 1024]; powers of two up to it are.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value outside its range.</exception>
    public static GroupTestingPlan For(double prevalence, double stemCost, double bodyCost, GroupMerge merge = GroupMerge.Features,
        double falsePositiveRate = 0, double pairCost = 0, int largestGroup = 64)
    {
        const string Owner = nameof(GroupTestingPlan);
        Require.InRange(prevalence, 0, 1, Owner, nameof(prevalence), minInclusive: false, maxInclusive: false);
        Require.AtLeast(stemCost, 0, Owner, nameof(stemCost));
        Require.Positive(bodyCost, Owner, nameof(bodyCost));
        Require.Defined(merge, Owner, nameof(merge));
        Require.InRange(falsePositiveRate, 0, 1, Owner, nameof(falsePositiveRate));
        Require.AtLeast(pairCost, 0, Owner, nameof(pairCost));
        Require.InRange(largestGroup, 1, GroupSchedule.LargestGroup, Owner, nameof(largestGroup));

        GroupTestingCost Cost(GroupSchedule schedule)
        {
            (double tests, double pairs) = Expected(schedule, prevalence, falsePositiveRate);
            double cost = merge switch
            {
                GroupMerge.Inputs => tests * (stemCost + bodyCost),
                GroupMerge.Features => stemCost + tests * bodyCost,
                _ => stemCost + pairs * pairCost + tests * bodyCost,
            };
            return new GroupTestingCost(schedule, tests, cost, FalsePositives(schedule, prevalence));
        }

        GroupTestingCost[] chains = [.. GroupSchedule.PowersOfTwo(largestGroup).Select(Cost)];
        IEnumerable<GroupTestingCost> squares = Enumerable.Range(1, 6).Select(p => 1 << p).Where(size => size <= largestGroup)
            .Select(size => Cost(GroupSchedule.TwoGroupings(size)));
        return new GroupTestingPlan
        {
            Prevalence = prevalence,
            Individual = chains[0],
            Best = chains.MinBy(cost => cost.MultiplyAddsPerRow)!,
            All = [.. chains.Concat(squares).OrderBy(cost => cost.MultiplyAddsPerRow)],
        };
    }

    internal static string? WarningAt(double prevalence) => prevalence <= HighPrevalence ? null
        : FormattableString.Invariant($"{100 * prevalence:F1} % of the rows are positive: above {100 * HighPrevalence:F0} % most groups ")
            + "have a positive member, and testing groups hardly pays. GroupTestingPlan.For says what to expect.";

    /// <summary>Tests and pairs a row.</summary>
    private static (double Tests, double Pairs) Expected(GroupSchedule schedule, double prevalence, double falsePositiveRate)
    {
        double tests = 0, pairs = 0, reached = 1;           // reached: the chance that a row's group of this round is tested
        double stillPositive = 1, falselyPositive = 0;
        foreach (int size in schedule.GroupSizes)
        {
            double share = reached / size * (schedule.IsTwoGroupings ? 2 : 1);
            tests += share;
            pairs += share * ((size + 1) / 2);
            // The group has a positive row; or it has none, its own test errs, and the one before was positive, rightly or wrongly.
            double positive = 1 - Math.Pow(1 - prevalence, size);
            falselyPositive = (falselyPositive + stillPositive - positive) * falsePositiveRate;
            stillPositive = positive;
            reached = stillPositive + falselyPositive;
        }

        return (tests, pairs);
    }

    private static double FalsePositives(GroupSchedule schedule, double prevalence)
    {
        if (!schedule.IsTwoGroupings)
            return 0;
        double other = 1 - Math.Pow(1 - prevalence, schedule.GroupSizes[0] - 1);
        return other * other;
    }
}
