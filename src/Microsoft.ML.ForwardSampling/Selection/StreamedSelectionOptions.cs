using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>How rows of a data view are selected as one window, however long.</summary>
/// <remarks>Each option is checked when it is set; <see cref="Validate"/> checks options against each other and is called by whatever takes
/// the options.</remarks>
public sealed record StreamedSelectionOptions
{
    /// <summary>Rows kept of all, exactly.</summary>
    /// <value>A share in (0, 1] or a number of rows; default 0.1, one row in ten.</value>
    public SelectionBudget Budget { get; init; }

    /// <summary>Seed of the selection's own generator.</summary>
    /// <value>Any value; default null, which takes a seed from the MLContext.</value>
    public int? Seed { get; init; }

    /// <summary>Input columns with what the policy can ask for.</summary>
    /// <value>Default: the names under which RecordForwardPass adds them.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public StatisticColumns Columns { get; init => field = Require.NotNull(value, nameof(StreamedSelectionOptions)); } = new();

    /// <summary>Input column with the label; its classes are read when the policy stratifies by class, and a number is no class.</summary>
    /// <value>Default "Label".</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string LabelColumnName { get; init => field = Require.NotEmpty(value, nameof(StreamedSelectionOptions)); } = "Label";

    /// <summary>Output column for the weight of a selected row, scalar <see cref="float"/>, > 0. Give it to the trainer as its
    /// example-weight column.</summary>
    /// <value>Default <see cref="ForwardColumns.Weight"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string WeightColumnName { get; init => field = Require.NotEmpty(value, nameof(StreamedSelectionOptions)); } =
        ForwardColumns.Weight;

    /// <summary>Input column with a weight that rows already have, scalar <see cref="float"/>: the selection's weight is multiplied by
    /// it. <see cref="ForwardColumns.RecordWeight"/> and the weight of an earlier selection need not be named: where they are there,
    /// they are in it.</summary>
    /// <value>Default null: rows have no weight of their own.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string? ExampleWeightColumnName { get; init => field = Require.NullOrNotEmpty(value, nameof(StreamedSelectionOptions)); }

    /// <summary>Checks options against each other: no column has two roles.</summary>
    /// <exception cref="ArgumentException">Two options name the same column; the message names both and the column.</exception>
    internal void Validate()
        => ColumnRoles.RequireDifferent(
        [
            .. Columns.Roles,
            ($"{nameof(StreamedSelectionOptions)}.{nameof(LabelColumnName)}", LabelColumnName),
            ($"{nameof(StreamedSelectionOptions)}.{nameof(WeightColumnName)}", WeightColumnName),
            ($"{nameof(StreamedSelectionOptions)}.{nameof(ExampleWeightColumnName)}", ExampleWeightColumnName),
        ]);
}
