using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>The label of one row, as it arrives after the row was scored: 16 bytes in a <see cref="ForwardRecordLog{TRecord}"/>.</summary>
public readonly record struct LabelEvent : ILogRecord<LabelEvent>
{
    /// <summary>Makes a label.</summary>
    /// <param name="key">Key of the row, the same as its record's; <see cref="RecordKey"/> makes one from a name.</param>
    /// <param name="label">The true value of a regression, 0 or 1 of a binary model, the class from 0 of a multiclass model.
    /// Any value is taken, so that a bad one does not stop a stream; NaN stands for what was no number.
    /// <see cref="IForwardRecord{TSelf}.Accepts"/> tells which labels a record can be joined with.</param>
    /// <param name="time">When the label became known; left out, the log stamps it.</param>
    /// <exception cref="ArgumentException"><paramref name="time"/> is neither UTC nor local.</exception>
    public LabelEvent(ulong key, float label, DateTime time = default)
        => (Key, Label, Time) = (key, label, RecordTime.Checked(time));

    /// <inheritdoc/>
    public static int EncodedBytes => 16;

    /// <inheritdoc/>
    public ulong Key { get; }

    /// <summary>The label; see the constructor.</summary>
    public float Label { get; }

    /// <inheritdoc/>
    public DateTime Time { get; }

    static RecordKind ILogRecord<LabelEvent>.Kind => RecordKind.Label;

    ulong ILogRecord<LabelEvent>.ModelVersion => 0;

    ushort ILogRecord<LabelEvent>.KeepingCode => 0;

    int ILogRecord<LabelEvent>.Classes => 0;

    void ILogRecord<LabelEvent>.WriteBody(Span<byte> body) => BinaryPrimitives.WriteSingleLittleEndian(body, Label);

    static LabelEvent ILogRecord<LabelEvent>.Read(ulong key, ulong modelVersion, int classes, DateTime time, ushort keepingCode,
        ReadOnlySpan<byte> body)
        => new(key, BinaryPrimitives.ReadSingleLittleEndian(body), time);
}
