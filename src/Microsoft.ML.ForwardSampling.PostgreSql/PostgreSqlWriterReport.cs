namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>What a writer counted since it was opened; a snapshot.</summary>
public sealed record PostgreSqlWriterReport
{
    /// <summary>Records taken by Append; the last one's number.</summary>
    public long Appended { get; init; }

    /// <summary>Records that the server has committed: those numbered 1 to this.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Records not drawn by <see cref="Records.RecordOverflow.DropAndRecord"/>; the weights of the kept ones stand for them.</summary>
    public long Thinned { get; init; }

    /// <summary>Records dropped because memory was quite full; nothing stands for them.</summary>
    public long Dropped { get; init; }

    /// <summary>Batches committed.</summary>
    public long Batches { get; init; }

    /// <summary>Batches sent again that the server already had: their commit was done, its answer lost.</summary>
    public long RepeatedBatches { get; init; }

    /// <summary>Failed attempts to write.</summary>
    public long Failures { get; init; }

    /// <summary>Why the latest attempt to write failed; null when it did not.</summary>
    public string? Failure { get; init; }
}
