namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a <see cref="ForwardRecordLog{TRecord}"/> can hold: the records of rows (<see cref="IForwardRecord{TSelf}"/>) and their labels (<see cref="LabelEvent"/>).</summary>
/// <remarks>A closed set: the encodings are a format for ever. docs/recording.md shows them byte by byte.</remarks>
/// <typeparam name="TSelf">The record itself.</typeparam>
public interface ILogRecord<TSelf>
    where TSelf : struct, ILogRecord<TSelf>
{
    /// <summary>Bytes that one record takes in a log, without its share of the block's header.</summary>
    static abstract int EncodedBytes { get; }

    /// <summary>Key of the row.</summary>
    ulong Key { get; }

    /// <summary>Version of the model that scored the row; 0 for a label.</summary>
    ulong ModelVersion { get; }

    /// <summary>When the row was scored or its label became known, UTC; <c>default</c> until a log stamps it.</summary>
    DateTime Time { get; }

    /// <summary>Which encoding this is.</summary>
    internal static abstract RecordKind Kind { get; }

    /// <summary>The keeping probability's code; 0 for a label.</summary>
    internal ushort KeepingCode { get; }

    /// <summary>Number of classes, or 0: written once a block, beside the model version.</summary>
    internal int Classes { get; }

    /// <summary>Writes what comes after the first 12 bytes, which all records share.</summary>
    internal void WriteBody(Span<byte> body);

    /// <summary>Reads a record back.</summary>
    internal static abstract TSelf Read(ulong key, ulong modelVersion, int classes, DateTime time, ushort keepingCode, ReadOnlySpan<byte> body);
}

/// <summary>Encodings, as they stand in a file.</summary>
public enum RecordKind : byte
{
    /// <summary><see cref="RegressionRecord"/>.</summary>
    Regression = 1,

    /// <summary><see cref="BinaryRecord"/>.</summary>
    Binary = 2,

    /// <summary><see cref="MulticlassRecord"/>.</summary>
    Multiclass = 3,

    /// <summary><see cref="LabelEvent"/>.</summary>
    Label = 4,
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
