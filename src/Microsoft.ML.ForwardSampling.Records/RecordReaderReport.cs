namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a reader counted so far; a snapshot.</summary>
public record RecordReaderReport
{
    /// <summary>Records handed out.</summary>
    public long Records { get; init; }

    /// <summary>Records that a writer numbered and wrote, and that are not whole any more anywhere.</summary>
    public long LostRecords { get; init; }

    /// <summary>Records that were deleted, by retention or by hand, before this reader had read them.</summary>
    public long DeletedRecords { get; init; }

    /// <summary>Records that a writer wrote twice, after a failure; handed out once.</summary>
    public long DuplicateRecords { get; init; }

    /// <summary>Writers whose last file was deleted before this reader had read its end: what they had written beyond is gone, and nothing
    /// is left that says how much it was. One that comes back counts no more; what it lost is then among
    /// <see cref="DeletedRecords"/>.</summary>
    public long VanishedWriters { get; init; }
}
