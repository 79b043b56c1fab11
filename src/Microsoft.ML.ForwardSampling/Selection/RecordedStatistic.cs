using System.Numerics;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The table of the statistics that are columns of their own. What reads, checks, repairs, discounts, orders or hands on
/// statistics loops over it.</summary>
/// <remarks>
/// A new statistic is an entry here, the names that a user meets (its flag, its default column, its option, its span in
/// <see cref="SelectionWindow"/>) and its formula. A value that is not finite counts as the mean of the window's finite ones, whatever the
/// statistic: that lies within its range.
/// </remarks>
internal sealed class RecordedStatistic
{
    public static readonly RecordedStatistic Loss = new(0, RecordStatistics.Loss, columns => columns.Loss);
    public static readonly RecordedStatistic GradientNorm = new(1, RecordStatistics.GradientNorm, columns => columns.GradientNorm)
    { Minimum = 0 };
    public static readonly RecordedStatistic Margin = new(2, RecordStatistics.Margin, columns => columns.Margin)
    { Minimum = 0, Maximum = 1 };
    public static readonly RecordedStatistic Entropy = new(3, RecordStatistics.Entropy, columns => columns.Entropy) { Minimum = 0 };
    public static readonly RecordedStatistic ReferenceLoss = new(4, RecordStatistics.ReferenceLoss, columns => columns.ReferenceLoss)
    {
        IsOfTheModel = false,
        Condition = " when the reference model is recorded with LossColumnName = 'Forward.ReferenceLoss'",
    };

    public static readonly RecordedStatistic ActivationNorm = new(5, RecordStatistics.ActivationNorm, columns => columns.ActivationNorm)
    {
        Minimum = 0,
        Condition = " when the model is a network of this library, or a pipeline that ends in one",
    };

    /// <summary>All of them; an entry's place is its <see cref="Index"/>.</summary>
    public static readonly RecordedStatistic[] All = [Loss, GradientNorm, Margin, Entropy, ReferenceLoss, ActivationNorm];

    /// <summary>The flags of all.</summary>
    public static readonly RecordStatistics Flags = FlagsOf(_ => true);

    /// <summary>The flags of those that a forward pass of the network in training gives afresh.</summary>
    public static readonly RecordStatistics OfTheModel = FlagsOf(statistic => statistic.IsOfTheModel);

    private static readonly int[] _indexOfBit =
        [.. Enumerable.Range(0, 32).Select(bit => Array.FindIndex(All, statistic => statistic.Flag == (RecordStatistics)(1 << bit)))];

    private readonly Func<StatisticColumns, string> _column;

    private RecordedStatistic(int index, RecordStatistics flag, Func<StatisticColumns, string> column)
    {
        Index = index;
        Flag = flag;
        Name = flag.ToString();
        _column = column;
    }

    /// <summary>Place in <see cref="All"/>, and of its values wherever those of several statistics are held.</summary>
    public int Index { get; }

    /// <summary>By which a policy asks for it.</summary>
    public RecordStatistics Flag { get; }

    /// <summary>The word for it in messages, and the name of whatever is its own: flag, span, option.</summary>
    public string Name { get; }

    /// <summary>Least value; −∞ where there is none.</summary>
    public float Minimum { get; private init; } = float.NegativeInfinity;

    /// <summary>Largest value; ∞ where there is none.</summary>
    public float Maximum { get; private init; } = float.PositiveInfinity;

    /// <summary>Whether it is of the model that scored the row: then its record ages, and a trainer can compute it anew. Else it is of
    /// another model, which stays as it is.</summary>
    public bool IsOfTheModel { get; private init; } = true;

    /// <summary>Under which condition RecordForwardPass writes its column, for messages; empty: always.</summary>
    public string Condition { get; private init; } = "";

    /// <summary>The option that names its column, for messages.</summary>
    public string Option => $"{nameof(StatisticColumns)}.{Name}";

    /// <summary>The column that holds it.</summary>
    public string ColumnName(StatisticColumns columns) => _column(columns);

    /// <summary>Whether it is among some statistics.</summary>
    public bool IsIn(RecordStatistics statistics) => (statistics & Flag) != 0;

    /// <summary>The entry of a flag; null for a flag that is no column of its own.</summary>
    public static RecordedStatistic? Of(RecordStatistics flag) => Array.Find(All, statistic => statistic.Flag == flag);

    /// <summary>Place of a flag's entry; −1 for a flag that has none.</summary>
    public static int IndexOf(RecordStatistics flag) => _indexOfBit[BitOperations.TrailingZeroCount((uint)flag) & 31];

    private static RecordStatistics FlagsOf(Predicate<RecordedStatistic> which)
        => Array.FindAll(All, which).Aggregate(RecordStatistics.None, (flags, statistic) => flags | statistic.Flag);
}
