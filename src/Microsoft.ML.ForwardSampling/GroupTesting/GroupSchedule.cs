using System.Numerics;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Which groups are tested, and which of their members again.</summary>
/// <remarks>Groups are rows that follow each other in the view, counted from its first row. A last group may be short; it is tested as it
/// is. Two schedules are equal when they test alike.</remarks>
public sealed record GroupSchedule
{
    /// <summary>Members of a group at most.</summary>
    public const int LargestGroup = 1024;

    private const int LargestSquare = 64;

    private GroupSchedule(bool isTwoGroupings, params int[] sizes)
    {
        IsTwoGroupings = isTwoGroupings;
        GroupSizes = sizes;
    }

    /// <summary>One test a row: what every other schedule is compared with.</summary>
    public static GroupSchedule Individual { get; } = new(false, 1);

    /// <summary>Rows of a group in each round: the last is 1, unless there are two groupings in the one round.</summary>
    public IReadOnlyList<int> GroupSizes { get; }

    /// <summary>Whether every row is in two groups of one round, and positive if both are.</summary>
    public bool IsTwoGroupings { get; }

    /// <summary>Rounds, and so thresholds.</summary>
    public int Rounds => GroupSizes.Count;

    /// <summary>Rows after which the groups begin anew.</summary>
    internal int Unit => IsTwoGroupings ? GroupSizes[0] * GroupSizes[0] : GroupSizes[0];

    /// <summary>Tests groups, then each member of a positive group: N/M + M x positive groups tests for N rows.</summary>
    /// <param name="groupSize">M, in [1, 1024]; 1 is <see cref="Individual"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public static GroupSchedule TwoRounds(int groupSize)
    {
        Require.InRange(groupSize, 1, LargestGroup, nameof(TwoRounds), nameof(groupSize));
        return groupSize == 1 ? Individual : new(false, groupSize, 1);
    }

    /// <summary>Tests groups, then the smaller groups of positive ones, and at last each member of a positive smallest group.</summary>
    /// <param name="groupSizes">Falling, each a divisor of the one before, in [1, 1024], such as 16, 4; a last 1 may be left out.</param>
    /// <exception cref="ArgumentException">Empty, or a size does not divide the one before.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size outside the range.</exception>
    public static GroupSchedule SeveralRounds(params IReadOnlyList<int> groupSizes)
    {
        ArgumentNullException.ThrowIfNull(groupSizes);
        int[] sizes = groupSizes is [.., 1] ? [.. groupSizes] : [.. groupSizes, 1];
        if (groupSizes.Count == 0)
            throw new ArgumentException("SeveralRounds needs at least one group size.", nameof(groupSizes));
        for (int i = 0; i < sizes.Length; i++)
        {
            Require.InRange(sizes[i], 1, LargestGroup, nameof(SeveralRounds), $"{nameof(groupSizes)}[{i}]");
            if (i > 0 && (sizes[i] >= sizes[i - 1] || sizes[i - 1] % sizes[i] != 0))
                throw new ArgumentException($"SeveralRounds: each group size must be smaller than the one before and divide it. Got "
                    + $"{string.Join(", ", groupSizes)}.", nameof(groupSizes));
        }

        return new(false, sizes);
    }

    /// <summary>One round in which M x M rows are tested as M lines and M columns of a square; a row is positive if its line and its column
    /// are: two tests for M rows, and a false positive where a positive line crosses another one's column.</summary>
    /// <param name="groupSize">M, in [2, 64].</param>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public static GroupSchedule TwoGroupings(int groupSize)
        => new(true, Require.InRange(groupSize, 2, LargestSquare, nameof(TwoGroupings), nameof(groupSize)));

    /// <summary>One round of groups of that size, none of whose members is tested again: for measuring a round alone.</summary>
    internal static GroupSchedule OneRound(int groupSize) => new(false, groupSize);

    /// <summary>The schedule of saved parts.</summary>
    /// <exception cref="InvalidDataException">No schedule is made of these.</exception>
    internal static GroupSchedule Of(bool isTwoGroupings, int[] sizes)
    {
        try
        {
            GroupSchedule schedule = isTwoGroupings ? TwoGroupings(sizes.Single()) : SeveralRounds(sizes);
            return schedule.Rounds == sizes.Length ? schedule : throw new ArgumentException("The last group size is not 1.");
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException($"The saved network is damaged: group sizes {string.Join(", ", sizes)}. {e.Message}", e);
        }
    }

    /// <summary>Every falling chain of powers of two up to a size, the individual test first.</summary>
    internal static IEnumerable<GroupSchedule> PowersOfTwo(int largest)
    {
        int powers = BitOperations.Log2((uint)largest);
        for (int chosen = 0; chosen < 1 << powers; chosen++)
            yield return new(false,
                [.. Enumerable.Range(1, powers).Reverse().Where(p => (chosen >> (p - 1) & 1) == 1).Select(p => 1 << p), 1]);
    }

    /// <inheritdoc/>
    public bool Equals(GroupSchedule? other)
        => other is not null && IsTwoGroupings == other.IsTwoGroupings && GroupSizes.SequenceEqual(other.GroupSizes);

    /// <inheritdoc/>
    public override int GetHashCode() => GroupSizes.Aggregate(IsTwoGroupings ? 1 : 0, HashCode.Combine);

    /// <summary>Such as <c>16 → 4 → 1</c>, or <c>8 × 8 in two groupings</c>.</summary>
    public override string ToString()
        => IsTwoGroupings ? $"{GroupSizes[0]} × {GroupSizes[0]} in two groupings" : string.Join(" → ", GroupSizes);
}
