using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>Which columns of a scored data view become records, and which of its rows.</summary>
/// <remarks>The log's type of record says what the model predicts: <see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or
/// <see cref="MulticlassRecord"/>. Each option is checked when it is set.</remarks>
public sealed record RecordToOptions
{
    /// <summary>Column with the key by which the label will come: any integer type (its 64 bits), Key, or text, hashed by
    /// <see cref="RecordKey.FromString(ReadOnlySpan{char})"/>.</summary>
    /// <value>Default "Key".</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string KeyColumnName { get; init => field = Require.NotEmpty(value, nameof(RecordToOptions)); } = "Key";

    /// <summary>Secret with which keys that are texts are hashed, by
    /// <see cref="RecordKey.FromString(ReadOnlySpan{char}, ReadOnlySpan{byte})"/>: for personal names, whose keys could otherwise be found
    /// by hashing a list of names. Records, labels and rows need the same one.</summary>
    /// <value>Default empty: keys are hashed without a secret. Else 16 bytes or more.</value>
    /// <exception cref="ArgumentException">1 to 15 bytes.</exception>
    public ReadOnlyMemory<byte> KeySecret
    { get; init => field = RowKeyColumn.CheckedSecret(value, nameof(RecordToOptions) + ".", nameof(KeySecret)); }

    /// <summary>Column that the model adds: Single (regression, binary) or a vector of Single (multiclass).</summary>
    /// <value>Default "Score".</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ScoreColumnName { get; init => field = Require.NotEmpty(value, nameof(RecordToOptions)); } = "Score";

    /// <summary>
    /// Column with a binary model's probability of class 1, Single in [0, 1]. Read where it exists (a calibrated model), and the score only
    /// where it is exactly 0 or 1; elsewhere the score is taken as log-odds. Not read for other records.
    /// </summary>
    /// <value>Default "Probability".</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ProbabilityColumnName { get; init => field = Require.NotEmpty(value, nameof(RecordToOptions)); } = "Probability";

    /// <summary>What the numbers in a multiclass score mean. Not read for other records.</summary>
    /// <value>Default <see cref="ForwardSampling.MulticlassScores.Probabilities"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a declared value.</exception>
    public MulticlassScores MulticlassScores { get; init => field = Require.Defined(value, nameof(RecordToOptions)); } =
        MulticlassScores.Probabilities;

    /// <summary>Version of the model, written into each record.</summary>
    /// <value>Any number; default 0.</value>
    public ulong ModelVersion { get; init; }

    /// <summary>Probability with which a row is recorded: each row is drawn by itself, and the record carries the probability, so that sums
    /// weighted by its inverse stay unbiased.</summary>
    /// <value>[2⁻¹⁶, 1]; default 1: every row. Stored, and drawn with, to one part in 4,096; powers of two exactly.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [2⁻¹⁶, 1].</exception>
    public double KeepingProbability
    { get; init => field = Require.InRange(value, Records.KeepingProbability.Least, 1, nameof(RecordToOptions)); } = 1;

    /// <summary>Seed of the draws of <see cref="KeepingProbability"/>, for runs that must repeat; each cursor over one log draws numbers of
    /// its own, and another log begins again.</summary>
    /// <value>Any value; default null: unlike every other cursor's, in this process and in others.</value>
    public int? Seed { get; init; }
}
