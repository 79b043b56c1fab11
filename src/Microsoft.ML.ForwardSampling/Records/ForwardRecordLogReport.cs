namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a log counted since it was opened; a snapshot.</summary>
public sealed record ForwardRecordLogReport
{
    /// <summary>Records taken by Append; the last one's number.</summary>
    public long Appended { get; init; }

    /// <summary>Records that have the promised durability: those numbered 1 to this.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Records not drawn by <see cref="RecordOverflow.DropAndRecord"/>; the weights of the kept ones stand for them.</summary>
    public long Thinned { get; init; }

    /// <summary>Records dropped because memory was quite full; nothing stands for them.</summary>
    public long Dropped { get; init; }

    /// <summary>Blocks written.</summary>
    public long Blocks { get; init; }

    /// <summary>Bytes written, headers included.</summary>
    public long Bytes { get; init; }

    /// <summary>Segment files begun.</summary>
    public int Segments { get; init; }

    /// <summary>Segment files left unfinished because writing or forcing them to the disk failed, or because they were deleted while in use; what was not acknowledged was written again elsewhere.</summary>
    public int AbandonedSegments { get; init; }

    /// <summary>Segment files deleted by retention.</summary>
    public int DeletedSegments { get; init; }

    /// <summary>Files of crashed writers that were finished when this log was opened.</summary>
    public int RecoveredSegments { get; init; }

    /// <summary>Bytes cut from those files because a crash had left them incomplete at the end; no acknowledged record was in them.</summary>
    public long TruncatedBytes { get; init; }

    /// <summary>Failed attempts to write.</summary>
    public long Failures { get; init; }

    /// <summary>Why the latest attempt to write failed; null when it did not.</summary>
    public string? Failure { get; init; }
}
