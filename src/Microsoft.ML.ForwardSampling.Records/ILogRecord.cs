namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a log or a store can hold: the records of rows (<see cref="IForwardRecord{TSelf}"/>) and their labels
/// (<see cref="LabelEvent"/>).</summary>
/// <remarks>
/// <para>A closed set, the four that this assembly declares: the encodings are a format for ever. docs/recording.md shows them byte by
/// byte.</para>
/// <para>The members beyond key, version and time are for those who write a store: together they are all that a record consists of, and
/// <see cref="Read"/> makes it again.</para>
/// </remarks>
/// <typeparam name="TSelf">The record itself.</typeparam>
public interface ILogRecord<TSelf>
    where TSelf : struct, ILogRecord<TSelf>
{
    /// <summary>Which encoding this is.</summary>
    static abstract RecordKind Kind { get; }

    /// <summary>Bytes that one record takes in a log, without its share of the block's header.</summary>
    static abstract int EncodedBytes { get; }

    /// <summary>Bytes of the record's own part, which <see cref="WriteBody"/> writes: what remains after key, time and keeping code, 12
    /// bytes in a log.</summary>
    static virtual int BodyBytes => TSelf.EncodedBytes - RecordBytes.Shared;

    /// <summary>Key of the row.</summary>
    ulong Key { get; }

    /// <summary>Version of the model that scored the row; 0 for a label.</summary>
    ulong ModelVersion { get; }

    /// <summary>When the row was scored or its label became known, UTC; <c>default</c> until a log stamps it.</summary>
    DateTime Time { get; }

    /// <summary>The keeping probability's code (<see cref="KeepingProbability"/>); 0, which is probability 1, for a label.</summary>
    ushort KeepingCode { get; }

    /// <summary>Number of classes of a multiclass record; 0 for all others.</summary>
    int Classes { get; }

    /// <summary>Writes the record's own part.</summary>
    /// <param name="body">Out, at least <see cref="BodyBytes"/> long.</param>
    void WriteBody(Span<byte> body);

    /// <summary>Makes a record from its parts.</summary>
    /// <param name="key">Key of the row.</param>
    /// <param name="modelVersion">Version of the model; not used by a label.</param>
    /// <param name="classes">Number of classes; used by a multiclass record only.</param>
    /// <param name="time">UTC.</param>
    /// <param name="keepingCode">Code of the keeping probability; not used by a label.</param>
    /// <param name="body">What <see cref="WriteBody"/> wrote.</param>
    /// <returns>The record that was written, to the bit.</returns>
    static abstract TSelf Read(ulong key, ulong modelVersion, int classes, DateTime time, ushort keepingCode, ReadOnlySpan<byte> body);
}

/// <summary>Encodings, by the numbers that stand for them in files and databases.</summary>
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

/// <summary>Sizes in a log.</summary>
internal static class RecordBytes
{
    /// <summary>Key (8), time and version (2), keeping code (2).</summary>
    public const int Shared = 12;
}
