using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>The record of one row scored by a regression model: 16 bytes in a log.</summary>
/// <remarks>The score is kept as it is, so statistics computed when the label arrives equal those computed at once.</remarks>
public readonly record struct RegressionRecord : IForwardRecord<RegressionRecord>
{
    private readonly ushort _keepingCode;

    /// <summary>Makes a record.</summary>
    /// <param name="key">Key of the row; <see cref="RecordKey"/> makes one from a name.</param>
    /// <param name="score">Predicted value, in the label's unit. NaN and infinities are kept; their statistics are NaN.</param>
    /// <param name="modelVersion">Version of the model; any number.</param>
    /// <param name="time">When the row was scored; left out, the log stamps the record.</param>
    /// <param name="keepingProbability">Probability with which the caller kept this record, in [2⁻¹⁶, 1]; stored to one part in 4,096,
    /// powers of two exactly.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keepingProbability"/> is out of its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="time"/> is neither UTC nor local.</exception>
    public RegressionRecord(ulong key, float score, ulong modelVersion = 0, DateTime time = default, float keepingProbability = 1)
        : this(key, score, modelVersion, RecordTime.Checked(time),
            Records.KeepingProbability.Checked(keepingProbability, nameof(RegressionRecord)))
    {
    }

    private RegressionRecord(ulong key, float score, ulong modelVersion, DateTime time, ushort keepingCode)
    {
        Key = key;
        Score = score;
        ModelVersion = modelVersion;
        Time = time;
        _keepingCode = keepingCode;
    }

    /// <inheritdoc/>
    public static int EncodedBytes => 16;

    /// <inheritdoc/>
    public ulong Key { get; }

    /// <summary>Predicted value, in the label's unit.</summary>
    public float Score { get; }

    /// <inheritdoc/>
    public ulong ModelVersion { get; }

    /// <inheritdoc/>
    public DateTime Time { get; }

    /// <inheritdoc/>
    public float KeepingProbability => Records.KeepingProbability.Decode(_keepingCode);

    static RecordKind ILogRecord<RegressionRecord>.Kind => RecordKind.Regression;

    ushort ILogRecord<RegressionRecord>.KeepingCode => _keepingCode;

    int ILogRecord<RegressionRecord>.Classes => 0;

    /// <summary>What the forward pass says about the row, now that its label is known.</summary>
    /// <param name="label">True value, in the score's unit; NaN when it is not known.</param>
    /// <returns><see cref="ForwardStatistics.Regression"/> of score and label.</returns>
    public RegressionStatistics Statistics(float label) => ForwardStatistics.Regression(Score, label);

    /// <inheritdoc/>
    public bool Accepts(float label) => float.IsFinite(label);

    /// <inheritdoc/>
    public JoinedRecord Join(float label, bool isDefault = false)
        => Accepts(label)
            ? new JoinedRecord(Key, label, isDefault, Time, ModelVersion, KeepingProbability, Statistics(label))
            : throw RecordLabel.Refused(label, "finite");

    void ILogRecord<RegressionRecord>.WriteBody(Span<byte> body) => BinaryPrimitives.WriteSingleLittleEndian(body, Score);

    static RegressionRecord ILogRecord<RegressionRecord>.Read(ulong key, ulong modelVersion, int classes, DateTime time,
        ushort keepingCode, ReadOnlySpan<byte> body)
        => new(key, BinaryPrimitives.ReadSingleLittleEndian(body), modelVersion, time, keepingCode);
}
