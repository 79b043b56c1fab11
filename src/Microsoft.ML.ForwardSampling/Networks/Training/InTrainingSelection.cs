using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Where the statistics come from by which the trainer selects rows while it trains.</summary>
public enum StatisticsSource
{
    /// <summary>From the statistics columns of the data (<c>Forward.Loss</c> and so on), as <c>RecordForwardPass</c> adds them. Costs no
    /// forward pass.</summary>
    Recorded,

    /// <summary>From a forward pass without gradients over each window, by the network as it is at that moment. One forward row per
    /// candidate.</summary>
    Fresh,
}

/// <summary>Selection by the trainer itself: every window of rows is scored or looked up, and only the chosen ones get a backward
/// pass.</summary>
public sealed record InTrainingSelection
{
    /// <summary>Which rows of a window are chosen, and with which weight.</summary>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public IRowSelectionPolicy Policy { get; init => field = Require.NotNull(value, nameof(InTrainingSelection)); } =
        new BalancedGradientNormPolicy();

    /// <summary>Rows among which the policy chooses.</summary>
    /// <value>[1, 16777216] rows; default 640.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int WindowSize { get; init => field = Require.InRange(value, 1, 1 << 24, nameof(InTrainingSelection)); } = 640;

    /// <summary>How many rows of a window get a backward pass, as a share or a count.</summary>
    /// <value>Default: a share of 0.1, "one backward from ten forward".</value>
    public SelectionBudget Budget { get; init; } = 0.1;

    /// <summary>Where the statistics come from.</summary>
    /// <value>Default: <see cref="StatisticsSource.Fresh"/>, which needs no recorded columns.</value>
    public StatisticsSource Statistics { get; init => field = Require.Defined(value, nameof(InTrainingSelection)); } =
        StatisticsSource.Fresh;

    /// <summary>Columns with what the policy can ask for. With <see cref="StatisticsSource.Fresh"/> only the reference loss and the groups
    /// are read; where no group is named, the label's classes are the groups.</summary>
    /// <value>Default: the names under which RecordForwardPass adds them.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public StatisticColumns Columns { get; init => field = Require.NotNull(value, nameof(InTrainingSelection)); } = new();

    /// <summary>From when on a row's record is too old, and what happens then.</summary>
    /// <value>Default: no record is too old.</value>
    /// <remarks>A row whose record is too old is left out with either source. Fresh statistics do not age:
    /// <see cref="OldRecords.Discount"/> needs <see cref="StatisticsSource.Recorded"/>.</remarks>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public RecordLimits Limits { get; init => field = Require.NotNull(value, nameof(InTrainingSelection)); } = new();
}
