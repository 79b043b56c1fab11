namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What one forward pass left behind for one row, in a constant number of bytes: <see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>.</summary>
/// <remarks>A closed set: the encodings are a format for ever. docs/recording.md shows them byte by byte.</remarks>
/// <typeparam name="TSelf">The record itself.</typeparam>
public interface IForwardRecord<TSelf>
    where TSelf : struct, IForwardRecord<TSelf>
{
    /// <summary>Bytes that one record takes in a log, without its share of the block's header.</summary>
    static abstract int EncodedBytes { get; }

    /// <summary>Key of the row.</summary>
    ulong Key { get; }

    /// <summary>Version of the model that scored the row.</summary>
    ulong ModelVersion { get; }

    /// <summary>When the row was scored, UTC; <c>default</c> until a log stamps it.</summary>
    DateTime Time { get; }

    /// <summary>Probability with which this record was kept, in (0, 1]: a statistic of kept records times 1 / this probability is unbiased for all rows.</summary>
    float KeepingProbability { get; }

    /// <summary>Whether a label can belong to this record.</summary>
    /// <param name="label">Any value.</param>
    /// <returns>Regression: it is finite. Binary: it is 0 or 1. Multiclass: it is a whole number in [0, <see cref="MulticlassRecord.Classes"/>).</returns>
    bool Accepts(float label);

    /// <summary>The record with its label, as statistics.</summary>
    /// <param name="label">A label that the record accepts.</param>
    /// <param name="isDefault">True when no label came and this one is assumed.</param>
    /// <returns>What the record's <c>Statistics</c> say with this label.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="Accepts"/> is false for <paramref name="label"/>.</exception>
    JoinedRecord Join(float label, bool isDefault = false);

    /// <summary>Which encoding this is.</summary>
    internal static abstract RecordKind Kind { get; }

    /// <summary>The keeping probability's code.</summary>
    internal ushort KeepingCode { get; }

    /// <summary>Number of classes, or 0: written once a block, beside the model version.</summary>
    internal int Classes { get; }

    /// <summary>Writes what comes after the first 12 bytes, which all records share.</summary>
    internal void WriteBody(Span<byte> body);

    /// <summary>Reads a record back.</summary>
    internal static abstract TSelf Read(ulong key, ulong modelVersion, int classes, DateTime time, ushort keepingCode, ReadOnlySpan<byte> body);
}

/// <summary>Encodings, as they stand in a file.</summary>
internal enum RecordKind : byte
{
    Regression = 1,
    Binary = 2,
    Multiclass = 3,
}

/// <summary>Checks that the records share.</summary>
internal static class RecordLabel
{
    public static bool IsClass(float label, int classes) => label >= 0 && label < classes && label == MathF.Floor(label);

    public static ArgumentOutOfRangeException Refused(float label, string allowed) => new(nameof(label), label, $"The label must be {allowed}.");
}

/// <summary>Checks that the records share.</summary>
internal static class RecordTime
{
    public static DateTime Checked(DateTime time) => time.Kind switch
    {
        DateTimeKind.Utc => time,
        DateTimeKind.Local => time.ToUniversalTime(),
        _ => time.Ticks == 0 ? time : throw new ArgumentException("The time must be UTC or local: its Kind is Unspecified. Use DateTime.UtcNow, or leave it out and the log stamps the record.", nameof(time)),
    };
}
