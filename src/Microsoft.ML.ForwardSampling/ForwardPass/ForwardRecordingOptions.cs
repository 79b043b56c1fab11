using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>What RecordForwardPass records, and the columns that it reads and writes.</summary>
/// <remarks>Each option is checked when it is set; <see cref="Validate"/> checks options against each other and is called by whatever takes
/// the options.</remarks>
public sealed record ForwardRecordingOptions
{
    /// <summary>What the wrapped model predicts. Decides the statistics and the type that the score must have.</summary>
    /// <value>Default <see cref="PredictionTask.Regression"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a declared task.</exception>
    public PredictionTask Task { get; init => field = Require.Defined(value, nameof(ForwardRecordingOptions)); } =
        PredictionTask.Regression;

    /// <summary>What the numbers in a multiclass score mean. Not read for the other tasks.</summary>
    /// <value>Default <see cref="ForwardSampling.MulticlassScores.Probabilities"/>: rows whose scores are none get NaN and are
    /// counted.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a declared value.</exception>
    public MulticlassScores MulticlassScores { get; init => field = Require.Defined(value, nameof(ForwardRecordingOptions)); } =
        MulticlassScores.Probabilities;

    /// <summary>
    /// Column with the label: Single (regression), Boolean or Single 0/1 (binary), Key or Single 0…K−1 (multiclass).
    /// Where the data has no such column, loss, gradient norm and residual are NaN and the other statistics are recorded.
    /// </summary>
    /// <value>Default "Label".</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string LabelColumnName { get; init => field = Require.NotEmpty(value, nameof(ForwardRecordingOptions)); } = "Label";

    /// <summary>Column that the wrapped model adds: Single, or a vector of one as ONNX models give it (regression, binary), or a vector of
    /// Single (multiclass).</summary>
    /// <value>Default "Score".</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ScoreColumnName { get; init => field = Require.NotEmpty(value, nameof(ForwardRecordingOptions)); } = "Score";

    /// <summary>
    /// Column with a binary model's probability of the positive class, Single in [0, 1]. Read where it exists (a calibrated model);
    /// elsewhere the score is taken as log-odds and the probability is 1/(1 + e^−score). Not read for the other tasks.
    /// </summary>
    /// <value>Default "Probability".</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ProbabilityColumnName { get; init => field = Require.NotEmpty(value, nameof(ForwardRecordingOptions)); } = "Probability";

    /// <summary>Output column for the loss, Single: squared error, or nats.</summary>
    /// <value>Default <see cref="ForwardColumns.Loss"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string LossColumnName { get; init => field = Require.NotEmpty(value, nameof(ForwardRecordingOptions)); } = ForwardColumns.Loss;

    /// <summary>Output column for the gradient-norm bound, Single, ≥ 0.</summary>
    /// <value>Default <see cref="ForwardColumns.GradientNorm"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string GradientNormColumnName { get; init => field = Require.NotEmpty(value, nameof(ForwardRecordingOptions)); } =
        ForwardColumns.GradientNorm;

    /// <summary>Output column for the margin, Single in [0, 1]; binary and multiclass.</summary>
    /// <value>Default <see cref="ForwardColumns.Margin"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string MarginColumnName { get; init => field = Require.NotEmpty(value, nameof(ForwardRecordingOptions)); } =
        ForwardColumns.Margin;

    /// <summary>Output column for the entropy, Single in nats, in [0, ln K]; binary and multiclass.</summary>
    /// <value>Default <see cref="ForwardColumns.Entropy"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string EntropyColumnName { get; init => field = Require.NotEmpty(value, nameof(ForwardRecordingOptions)); } =
        ForwardColumns.Entropy;

    /// <summary>Output column for the residual, Single in the label's unit; regression.</summary>
    /// <value>Default <see cref="ForwardColumns.Residual"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ResidualColumnName { get; init => field = Require.NotEmpty(value, nameof(ForwardRecordingOptions)); } =
        ForwardColumns.Residual;

    /// <summary>Output column for the norm of the last hidden layer's activations, Single, ≥ 0: of a network of this library, alone or as
    /// the last step of a pipeline. Any other model has no such column.</summary>
    /// <value>Default <see cref="ForwardColumns.ActivationNorm"/>. It is computed only where it is read.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ActivationNormColumnName { get; init => field = Require.NotEmpty(value, nameof(ForwardRecordingOptions)); } =
        ForwardColumns.ActivationNorm;

    /// <summary>Checks options against each other: no column has two roles.</summary>
    /// <exception cref="ArgumentException">Two options name the same column; the message names both and the column.</exception>
    internal void Validate()
        => ColumnRoles.RequireDifferent(
        [
            ($"{nameof(ForwardRecordingOptions)}.{nameof(LabelColumnName)}", LabelColumnName),
            ($"{nameof(ForwardRecordingOptions)}.{nameof(ScoreColumnName)}", ScoreColumnName),
            ($"{nameof(ForwardRecordingOptions)}.{nameof(ProbabilityColumnName)}", ProbabilityColumnName),
            ($"{nameof(ForwardRecordingOptions)}.{nameof(LossColumnName)}", LossColumnName),
            ($"{nameof(ForwardRecordingOptions)}.{nameof(GradientNormColumnName)}", GradientNormColumnName),
            ($"{nameof(ForwardRecordingOptions)}.{nameof(MarginColumnName)}", MarginColumnName),
            ($"{nameof(ForwardRecordingOptions)}.{nameof(EntropyColumnName)}", EntropyColumnName),
            ($"{nameof(ForwardRecordingOptions)}.{nameof(ResidualColumnName)}", ResidualColumnName),
            ($"{nameof(ForwardRecordingOptions)}.{nameof(ActivationNormColumnName)}", ActivationNormColumnName),
        ]);
}
