using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>How rows of a data view are selected, window by window.</summary>
/// <remarks>Each option is checked when it is set; <see cref="Validate"/> checks options against each other and is called by whatever takes
/// the options.</remarks>
public sealed record SelectionOptions
{
    /// <summary>Rows that compete with each other. A larger window finds more to choose from, holds as many rows' statistics in memory and
    /// delays the first selected row.</summary>
    /// <value>[1, 16777216], rows; default 640, which at the default budget gives one mini-batch of 64.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 16777216].</exception>
    public int WindowSize { get; init => field = Require.InRange(value, 1, MaxWindowSize, nameof(SelectionOptions)); } = 640;

    /// <summary>Rows kept of each window, exactly.</summary>
    /// <value>A share in (0, 1] or a number of rows of at most <see cref="WindowSize"/>; default 0.1, one row in ten.</value>
    public SelectionBudget Budget { get; init; }

    /// <summary>Seed of the selection's own generator.</summary>
    /// <value>Any value; default null, which takes a seed from the MLContext.</value>
    public int? Seed { get; init; }

    /// <summary>Where the selection starts: the state at the end of an earlier one (<see cref="SelectedRows.State"/>), so that a stream
    /// that is trained on chunk by chunk keeps the policy's memory and its random numbers.</summary>
    /// <value>Default null: a fresh start from <see cref="Seed"/>. Not together with a seed. Counts go on from the state's.</value>
    public RowSelectorState? StartState { get; init; }

    /// <summary>Input columns with what the policy can ask for.</summary>
    /// <value>Default: the names under which RecordForwardPass adds them.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public StatisticColumns Columns { get; init => field = Require.NotNull(value, nameof(SelectionOptions)); } = new();

    /// <summary>From when on a row's record is too old, and what happens then.</summary>
    /// <value>Default: no record is too old.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public RecordLimits Limits { get; init => field = Require.NotNull(value, nameof(SelectionOptions)); } = new();

    /// <summary>Input column with the label; its classes are read when the policy stratifies by class, and a number is no class.</summary>
    /// <value>Default "Label".</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string LabelColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = "Label";

    /// <summary>Output column for the weight of a selected row, scalar <see cref="float"/>, > 0. Give it to the trainer as its
    /// example-weight column.</summary>
    /// <value>Default <see cref="ForwardColumns.Weight"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string WeightColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.Weight;

    /// <summary>Input column with a weight that rows already have, scalar <see cref="float"/>: the selection's weight is multiplied by
    /// it. <see cref="ForwardColumns.RecordWeight"/> and the weight of an earlier selection need not be named: where they are there,
    /// they are in it.</summary>
    /// <value>Default null: rows have no weight of their own.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string? ExampleWeightColumnName { get; init => field = Require.NullOrNotEmpty(value, nameof(SelectionOptions)); }

    internal const int MaxWindowSize = 1 << 24;

    /// <summary>Checks options against each other: a budget in rows fits the window, there is one start, and no column has two
    /// roles.</summary>
    /// <exception cref="ArgumentException">They do not agree; the message names both options and their values.</exception>
    internal void Validate()
    {
        if (Budget.AsRows is int rows && rows > WindowSize)
            throw new ArgumentException(
                $"{nameof(SelectionOptions)}.{nameof(Budget)} keeps {rows} rows of each window, and "
                    + $"{nameof(SelectionOptions)}.{nameof(WindowSize)} is {WindowSize}: "
                + "make the window at least as large as the budget.",
                nameof(Budget));

        if (StartState is not null && Seed is int seed)
            throw new ArgumentException(
                $"{nameof(SelectionOptions)}.{nameof(Seed)} is {seed}, and {nameof(SelectionOptions)}.{nameof(StartState)} brings its "
                    + $"own generator: give one of them.",
                nameof(Seed));

        ColumnRoles.RequireDifferent(
        [
            .. Columns.Roles,
            ($"{nameof(SelectionOptions)}.{nameof(LabelColumnName)}", LabelColumnName),
            ($"{nameof(SelectionOptions)}.{nameof(WeightColumnName)}", WeightColumnName),
            ($"{nameof(SelectionOptions)}.{nameof(ExampleWeightColumnName)}", ExampleWeightColumnName),
            .. Limits.Roles,
        ]);
    }
}
