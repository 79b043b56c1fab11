using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>What a writer counted since it was opened; a snapshot.</summary>
public sealed record NatsWriterReport : RecordWriterReport
{
    /// <summary>Counts of nothing.</summary>
    public NatsWriterReport()
    {
    }

    internal NatsWriterReport(RecordWriterReport counts)
        : base(counts)
    {
    }

    /// <summary>Blocks that the cluster has taken, those of earlier writers of the folder and repeated ones included.</summary>
    public long ShippedBlocks { get; init; }

    /// <summary>Blocks shipped again because a joiner missed them: the cluster had taken them and lost them.</summary>
    public long RepeatedBlocks { get; init; }

    /// <summary>Blocks on the disk that the cluster has not taken yet, or shall take again.</summary>
    public long UnshippedBlocks { get; init; }

    /// <summary>Records on the disk that no joiner has saved yet, those of earlier writers of the folder included.</summary>
    public long UnconfirmedRecords { get; init; }

    /// <summary>Bytes of the files that hold them.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Earlier writers of the folder, ended or killed, whose blocks this one ships.</summary>
    public int AdoptedWriters { get; init; }

    /// <summary>Bytes at the end of their files that were no whole block: what a kill cut off before it was acknowledged.</summary>
    public long TornBytes { get; init; }

    /// <summary>Places in the folder's files where a block was damaged: their bytes are kept in files <c>damaged-….bin</c>, and the joiner
    /// counts what is missing among its <see cref="NatsJoinerReport.LostBlocks"/>, unless it was the last of its writer and nothing says
    /// which one it was.</summary>
    public long DamagedBlocks { get; init; }

    /// <summary>Failed attempts to ship a block.</summary>
    public long ShippingFailures { get; init; }

    /// <summary>Why the latest attempt to ship failed; null when it did not.</summary>
    public string? ShippingFailure { get; init; }
}
