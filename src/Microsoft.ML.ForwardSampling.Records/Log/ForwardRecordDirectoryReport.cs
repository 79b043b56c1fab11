namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What <see cref="ForwardRecordDirectory.Inspect"/> found; a snapshot.</summary>
public sealed record ForwardRecordDirectoryReport
{
    /// <summary>Full path of the folder.</summary>
    public required string Directory { get; init; }

    /// <summary>The segment files, by name: those of one writer are together, in its order.</summary>
    public required IReadOnlyList<ForwardRecordSegment> Segments { get; init; }

    /// <summary>Readers that have said how far they are (<see cref="ForwardRecordReader{TRecord}.SavePositionAs"/>,
    /// <see cref="ForwardRecordJoin{TRecord}.ReaderName"/>), by name.</summary>
    public IReadOnlyList<ForwardRecordNamedReader> Readers { get; init; } = [];

    /// <summary>The other files of the folder, by name, each with the reason why it is none of the segments. Folders within it are not
    /// looked at.</summary>
    public required IReadOnlyList<ForwardRecordOtherFile> OtherFiles { get; init; }
}

/// <summary>One segment file.</summary>
public sealed record ForwardRecordSegment
{
    /// <summary>Its name, without the folder.</summary>
    public required string Name { get; init; }

    /// <summary>Random number of the log that wrote it: one for each log that was opened.</summary>
    public required ulong Writer { get; init; }

    /// <summary>Its place among the writer's files, from 0.</summary>
    public required uint Ordinal { get; init; }

    /// <summary>What its records are; null where the header is damaged and no whole block tells.</summary>
    public RecordKind? Kind { get; init; }

    /// <summary>Whether its end mark is there: nothing more comes. Otherwise a log is writing it, or its writer is gone; the next log that
    /// is opened in the folder finishes it then.</summary>
    public bool IsFinished { get; init; }

    /// <summary>Records in its whole blocks.</summary>
    public long Records { get; init; }

    /// <summary>Whole blocks, without the end mark.</summary>
    public long Blocks { get; init; }

    /// <summary>Length of the file.</summary>
    public long Bytes { get; init; }

    /// <summary>When it was begun, UTC; null where the header is damaged.</summary>
    public DateTime? Begun { get; init; }

    /// <summary>When it was last written to, UTC.</summary>
    public DateTime LastWritten { get; init; }

    /// <summary>Earliest time of a record, UTC; null without records.</summary>
    public DateTime? EarliestTime { get; init; }

    /// <summary>Latest time of a record, UTC; null without records.</summary>
    public DateTime? LatestTime { get; init; }

    /// <summary>Versions of the models that scored its rows, ascending; none for labels.</summary>
    public IReadOnlyList<ulong> ModelVersions { get; init; } = [];

    /// <summary>Probabilities with which its records were kept, each once, the largest first; none for labels.</summary>
    public IReadOnlyList<float> KeepingProbabilities { get; init; } = [];

    /// <summary>Places that readers skip and count, in order.</summary>
    public IReadOnlyList<ForwardRecordDamage> Damage { get; init; } = [];

    /// <summary>Records that its writer numbered between the first and the last whole block, and that no whole block holds any
    /// more.</summary>
    public long LostRecords { get; init; }

    /// <summary>Bytes behind the last whole block: a block that is being written, or the torn end that a killed writer left. No
    /// acknowledged record is in them.</summary>
    public long UnfinishedBytes { get; init; }

    /// <summary>Number of the writer's next record after its last whole block; negative without one.</summary>
    internal long NextSequence { get; init; }
}

/// <summary>A damaged place of a segment file.</summary>
/// <param name="Offset">Where it begins.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Reason">What is wrong.</param>
public sealed record ForwardRecordDamage(long Offset, long Bytes, string Reason);

/// <summary>How far a named reader of a log is.</summary>
public sealed record ForwardRecordNamedReader
{
    /// <summary>Its name, as in <see cref="ForwardRecordLogOptions.KeepUnread"/>.</summary>
    public required string Name { get; init; }

    /// <summary>What it reads; null where its position cannot be made out.</summary>
    public RecordKind? Kind { get; init; }

    /// <summary>When it last said how far it is, UTC.</summary>
    public DateTime SavedAt { get; init; }

    /// <summary>Where it is, for each writer whose files it knows.</summary>
    public IReadOnlyList<ForwardRecordReaderPlace> Places { get; init; } = [];

    /// <summary>Names of the files that it has not read to their end, the one that is being written among them: a log that names the
    /// reader in <see cref="ForwardRecordLogOptions.KeepUnread"/> keeps them, whatever its retention says.</summary>
    public IReadOnlyList<string> UnreadSegments { get; init; } = [];

    /// <summary>Records in whole blocks that it has not been given.</summary>
    public long UnreadRecords { get; init; }

    /// <summary>Why its position cannot be made out: the end of a sentence; null where it can. Such a reader counts as one that has read
    /// nothing.</summary>
    public string? Problem { get; init; }
}

/// <summary>Where a reader is among the files of one writer.</summary>
/// <param name="Writer">Number of the writer.</param>
/// <param name="Ordinal">The file's place among the writer's, from 0.</param>
/// <param name="Offset">Bytes of the file that are dealt with.</param>
public sealed record ForwardRecordReaderPlace(ulong Writer, uint Ordinal, long Offset);

/// <summary>A file in a log's folder that is no segment that can be read.</summary>
/// <param name="Name">Its name, without the folder.</param>
/// <param name="Reason">Why not: the end of a sentence.</param>
public sealed record ForwardRecordOtherFile(string Name, string Reason);
