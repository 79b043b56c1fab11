namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a log counted since it was opened; a snapshot.</summary>
public sealed record ForwardRecordLogReport : RecordWriterReport
{
    /// <summary>Counts of nothing.</summary>
    public ForwardRecordLogReport()
    {
    }

    internal ForwardRecordLogReport(RecordWriterReport counts)
        : base(counts)
    {
    }

    /// <summary>Blocks written.</summary>
    public long Blocks { get; init; }

    /// <summary>Bytes written, headers included.</summary>
    public long Bytes { get; init; }

    /// <summary>Segment files begun.</summary>
    public int Segments { get; init; }

    /// <summary>Segment files left unfinished because writing or forcing them to the disk failed, or because they were deleted while in
    /// use; what was not acknowledged was written again elsewhere.</summary>
    public int AbandonedSegments { get; init; }

    /// <summary>Segment files deleted by retention.</summary>
    public int DeletedSegments { get; init; }

    /// <summary>Segment files that retention left at its latest check only because a reader of
    /// <see cref="ForwardRecordLogOptions.KeepUnread"/> has not read them to the end. While it is above 0 the directory grows beyond what
    /// retention allows.</summary>
    public int KeptSegments { get; init; }

    /// <summary>Files of crashed writers that were finished when this log was opened.</summary>
    public int RecoveredSegments { get; init; }

    /// <summary>Bytes cut from those files because a crash had left them incomplete at the end; no acknowledged record was in
    /// them.</summary>
    public long TruncatedBytes { get; init; }
}
