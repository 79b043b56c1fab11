using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>The record of one row scored by a binary model: 16 bytes in a log.</summary>
/// <remarks>It keeps the log-odds of class 1 as a Single, so statistics computed when the label arrives equal those computed at once: to
/// the bit for a record made from a score, within 10⁻⁶ (absolute plus relative) for one made from a probability.</remarks>
public readonly record struct BinaryRecord : IForwardRecord<BinaryRecord>
{
    private readonly ushort _keepingCode;

    private BinaryRecord(ulong key, float logOdds, ulong modelVersion, DateTime time, ushort keepingCode)
    {
        Key = key;
        LogOdds = logOdds;
        ModelVersion = modelVersion;
        Time = time;
        _keepingCode = keepingCode;
    }

    /// <inheritdoc/>
    public static int EncodedBytes => 16;

    /// <inheritdoc/>
    public ulong Key { get; }

    /// <summary>Log-odds z of class 1; its probability is 1/(1 + e^−z).</summary>
    public float LogOdds { get; }

    /// <inheritdoc/>
    public ulong ModelVersion { get; }

    /// <inheritdoc/>
    public DateTime Time { get; }

    /// <inheritdoc/>
    public float KeepingProbability => Records.KeepingProbability.Decode(_keepingCode);

    static RecordKind ILogRecord<BinaryRecord>.Kind => RecordKind.Binary;

    ushort ILogRecord<BinaryRecord>.KeepingCode => _keepingCode;

    int ILogRecord<BinaryRecord>.Classes => 0;

    /// <summary>Makes a record from a score that is the log-odds of class 1.</summary>
    /// <param name="key">Key of the row; <see cref="RecordKey"/> makes one from a name.</param>
    /// <param name="score">Log-odds. NaN and infinities are kept; their statistics are NaN.</param>
    /// <param name="modelVersion">Version of the model; any number.</param>
    /// <param name="time">When the row was scored; left out, the log stamps the record.</param>
    /// <param name="keepingProbability">Probability with which the caller kept this record, in [2⁻¹⁶, 1]; stored to one part in 4,096,
    /// powers of two exactly.</param>
    /// <returns>The record.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keepingProbability"/> is out of its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="time"/> is neither UTC nor local.</exception>
    public static BinaryRecord FromScore(ulong key, float score, ulong modelVersion = 0, DateTime time = default,
        float keepingProbability = 1)
        => new(key, score, modelVersion, RecordTime.Checked(time),
            Records.KeepingProbability.Checked(keepingProbability, nameof(BinaryRecord)));

    /// <summary>Makes a record from a probability, for a model whose score is not the log-odds.</summary>
    /// <param name="key">Key of the row; <see cref="RecordKey"/> makes one from a name.</param>
    /// <param name="probability">Probability of class 1; outside [0, 1] or NaN, the statistics are NaN.</param>
    /// <param name="score">The score behind it. Read only where the probability is exactly 0 or 1, as by
    /// <see cref="ForwardStatistics.BinaryFromProbability"/>.</param>
    /// <param name="modelVersion">Version of the model; any number.</param>
    /// <param name="time">When the row was scored; left out, the log stamps the record.</param>
    /// <param name="keepingProbability">Probability with which the caller kept this record, in [2⁻¹⁶, 1]; stored to one part in 4,096,
    /// powers of two exactly.</param>
    /// <returns>The record.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keepingProbability"/> is out of its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="time"/> is neither UTC nor local.</exception>
    public static BinaryRecord FromProbability(ulong key, float probability, float score, ulong modelVersion = 0, DateTime time = default,
        float keepingProbability = 1)
        => FromScore(key, Odds(probability, score), modelVersion, time, keepingProbability);

    /// <summary>What the forward pass says about the row.</summary>
    /// <param name="label">1, 0, or negative when it is not known: then loss and gradient norm are NaN.</param>
    /// <returns><see cref="ForwardStatistics.BinaryFromScore"/> of log-odds and label.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="label"/> is above 1.</exception>
    public ClassificationStatistics Statistics(int label) => ForwardStatistics.BinaryFromScore(LogOdds, label);

    /// <inheritdoc/>
    public bool Accepts(float label) => label is 0 or 1;

    /// <inheritdoc/>
    public JoinedRecord Join(float label, bool isDefault = false)
        => Accepts(label)
            ? new JoinedRecord(Key, label, isDefault, Time, ModelVersion, KeepingProbability, Statistics((int)label), isExact: true)
            : throw RecordLabel.Refused(label, "0 or 1");

    void ILogRecord<BinaryRecord>.WriteBody(Span<byte> body) => BinaryPrimitives.WriteSingleLittleEndian(body, LogOdds);

    static BinaryRecord ILogRecord<BinaryRecord>.Read(ulong key, ulong modelVersion, int classes, DateTime time, ushort keepingCode,
        ReadOnlySpan<byte> body)
        => new(key, BinaryPrimitives.ReadSingleLittleEndian(body), modelVersion, time, keepingCode);

    private static float Odds(float probability, float score)
    {
        if (!(probability >= 0 && probability <= 1) || !float.IsFinite(score))
            return float.NaN;
        if (probability is 0 or 1)
        {
            // The probability has lost its distance from the end: the score says how far, when it is on the same side.
            float size = Math.Max(ForwardStatistics.SaturatedBinaryLoss, probability == 1 ? score : -score);
            return probability == 1 ? size : -size;
        }

        return (float)Math.Log(probability / (1 - (double)probability));
    }
}
