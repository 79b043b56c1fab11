using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>How rows of a data view are selected: window, budget, seed and column names.</summary>
/// <remarks>Each option is checked when it is set; <see cref="Validate"/> checks options against each other and is called by whatever takes the options.</remarks>
public sealed record SelectionOptions
{
    /// <summary>Rows that compete with each other. A larger window finds more to choose from, holds as many rows' statistics in memory and delays the first selected row.</summary>
    /// <value>[1, 16777216], rows; default 640, which at the default budget gives one mini-batch of 64.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 16777216].</exception>
    public int WindowSize { get; init => field = Require.InRange(value, 1, MaxWindowSize, nameof(SelectionOptions)); } = 640;

    /// <summary>Rows kept of each window, exactly.</summary>
    /// <value>A share in (0, 1] or a number of rows of at most <see cref="WindowSize"/>; default 0.1, one row in ten.</value>
    public SelectionBudget Budget { get; init; }

    /// <summary>Seed of the selection's own generator.</summary>
    /// <value>Any value; default null, which takes a seed from the MLContext.</value>
    public int? Seed { get; init; }

    /// <summary>Where the selection starts: the state at the end of an earlier one (<see cref="SelectedRows.State"/>), so that a stream that is trained on chunk by chunk keeps the policy's memory and its random numbers.</summary>
    /// <value>Default null: a fresh start from <see cref="Seed"/>. Not together with a seed. Counts go on from the state's.</value>
    public RowSelectorState? StartState { get; init; }

    /// <summary>Input column with the recorded loss, scalar <see cref="float"/>. Read only when the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.Loss"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string LossColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.Loss;

    /// <summary>Input column with the recorded gradient-norm bound, scalar <see cref="float"/>. Read only when the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.GradientNorm"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string GradientNormColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.GradientNorm;

    /// <summary>Input column with the recorded margin, scalar <see cref="float"/>. Read only when the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.Margin"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string MarginColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.Margin;

    /// <summary>Input column with the recorded entropy, scalar <see cref="float"/>. Read only when the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.Entropy"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string EntropyColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.Entropy;

    /// <summary>Input column with the loss under a reference model, scalar <see cref="float"/>. Read only when the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.ReferenceLoss"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ReferenceLossColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.ReferenceLoss;

    /// <summary>Input column with the norm of the last hidden layer's activations, scalar <see cref="float"/>. Read only when the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.ActivationNorm"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ActivationNormColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.ActivationNorm;

    /// <summary>Input column with the group of a row, Key or <see cref="bool"/>; a missing key is a group too. Read only when the policy needs it.</summary>
    /// <value>Default null: the classes of <see cref="LabelColumnName"/> are the groups.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string? GroupColumnName { get; init => field = Require.NullOrNotEmpty(value, nameof(SelectionOptions)); }

    /// <summary>Input column with the label; its classes are read when the policy stratifies by class, and a number is no class.</summary>
    /// <value>Default "Label".</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string LabelColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = "Label";

    /// <summary>Output column for the weight of a selected row, scalar <see cref="float"/>, > 0. Give it to the trainer as its example-weight column.</summary>
    /// <value>Default <see cref="ForwardColumns.Weight"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string WeightColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.Weight;

    /// <summary>Input column with a weight that rows already have, scalar <see cref="float"/>: the selection's weight is multiplied by it.</summary>
    /// <value>Default null: rows have no weight of their own.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string? ExampleWeightColumnName { get; init => field = Require.NullOrNotEmpty(value, nameof(SelectionOptions)); }

    /// <summary>Age from which a row's record is old: <see cref="OldRecords"/> says what happens to it. A record whose age is not known (NaN) is older than any.</summary>
    /// <value>> 0; default null: age does not count, and its column is not read.</value>
    /// <exception cref="ArgumentOutOfRangeException">0 or negative.</exception>
    public TimeSpan? MaximumRecordAge { get; init => field = NullOrPositive(value); }

    /// <summary>Version of a model below which a row's record is old: <see cref="OldRecords"/> says what happens to it.</summary>
    /// <value>Any version; default null: the version does not count, and its column is not read.</value>
    public ulong? MinimumModelVersion { get; init; }

    /// <summary>What happens to a row whose record is older than <see cref="MaximumRecordAge"/> or of a model before <see cref="MinimumModelVersion"/>.</summary>
    /// <value>Default <see cref="Selection.OldRecords.Exclude"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a declared value.</exception>
    public OldRecords OldRecords { get; init => field = Require.Defined(value, nameof(SelectionOptions)); }

    /// <summary>Age beyond <see cref="MaximumRecordAge"/> at which a discounted record says half of what a young one says.</summary>
    /// <value>> 0; default null: <see cref="MaximumRecordAge"/>, so that a record of twice that age says half.</value>
    /// <exception cref="ArgumentOutOfRangeException">0 or negative.</exception>
    public TimeSpan? RecordHalfLife { get; init => field = NullOrPositive(value); }

    /// <summary>Input column with the age of a row's record, scalar <see cref="float"/>, seconds. Read only where <see cref="MaximumRecordAge"/> is set.</summary>
    /// <value>Default <see cref="ForwardColumns.Age"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string AgeColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.Age;

    /// <summary>Input column with the version of the model that scored the row, scalar <see cref="ulong"/>. Read only where <see cref="MinimumModelVersion"/> is set.</summary>
    /// <value>Default <see cref="ForwardColumns.ModelVersion"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ModelVersionColumnName { get; init => field = Require.NotEmpty(value, nameof(SelectionOptions)); } = ForwardColumns.ModelVersion;

    internal const int MaxWindowSize = 1 << 24;

    /// <summary>Checks options against each other: a budget in rows fits the window, there is one start, and no column has two roles.</summary>
    /// <exception cref="ArgumentException">They do not agree; the message names both options and their values.</exception>
    public void Validate()
    {
        if (Budget.AsRows is int rows && rows > WindowSize)
            throw new ArgumentException(
                $"{nameof(SelectionOptions)}.{nameof(Budget)} keeps {rows} rows of each window, and {nameof(SelectionOptions)}.{nameof(WindowSize)} is {WindowSize}: "
                + "make the window at least as large as the budget.",
                nameof(Budget));

        if (StartState is not null && Seed is int seed)
            throw new ArgumentException(
                $"{nameof(SelectionOptions)}.{nameof(Seed)} is {seed}, and {nameof(SelectionOptions)}.{nameof(StartState)} brings its own generator: give one of them.",
                nameof(Seed));

        Span<(string Option, string? Column)> columns =
        [
            (nameof(LossColumnName), LossColumnName),
            (nameof(GradientNormColumnName), GradientNormColumnName),
            (nameof(MarginColumnName), MarginColumnName),
            (nameof(EntropyColumnName), EntropyColumnName),
            (nameof(ReferenceLossColumnName), ReferenceLossColumnName),
            (nameof(ActivationNormColumnName), ActivationNormColumnName),
            (nameof(LabelColumnName), LabelColumnName), // the groups may be another column's or the label's own
            (nameof(WeightColumnName), WeightColumnName),
            (nameof(ExampleWeightColumnName), ExampleWeightColumnName),
            (nameof(AgeColumnName), AgeColumnName),
            (nameof(ModelVersionColumnName), ModelVersionColumnName),
        ];
        for (int i = 0; i < columns.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (columns[i].Column is string column && column == columns[j].Column)
                    throw new ArgumentException(
                        $"{nameof(SelectionOptions)}.{columns[j].Option} and {nameof(SelectionOptions)}.{columns[i].Option} are both '{column}': each needs a column of its own.",
                        columns[i].Option);
            }
        }
    }

    /// <summary>Whether any row's record can be old.</summary>
    internal bool LimitsRecords => MaximumRecordAge is not null || MinimumModelVersion is not null;

    private static TimeSpan? NullOrPositive(TimeSpan? value, [CallerMemberName] string option = "")
        => value is null || value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(option, value, $"{nameof(SelectionOptions)}.{option} must be greater than 0.");
}
