using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>What a writer counted since it was opened; a snapshot.</summary>
public sealed record PostgreSqlWriterReport : RecordWriterReport
{
    /// <summary>Counts of nothing.</summary>
    public PostgreSqlWriterReport()
    {
    }

    internal PostgreSqlWriterReport(RecordWriterReport counts)
        : base(counts)
    {
    }

    /// <summary>Batches committed.</summary>
    public long Batches { get; init; }

    /// <summary>Batches sent again that the server already had: their commit was done, its answer lost.</summary>
    public long RepeatedBatches { get; init; }
}
