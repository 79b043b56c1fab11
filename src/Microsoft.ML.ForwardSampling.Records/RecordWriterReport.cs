namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a writer counted since it was opened; a snapshot.</summary>
public record RecordWriterReport
{
    /// <summary>Records taken by Append; the last one's number.</summary>
    public long Appended { get; init; }

    /// <summary>Records that are as safe as the writer promises: those numbered 1 to this.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Records not drawn by <see cref="RecordOverflow.DropAndRecord"/>; the weights of the kept ones stand for them.</summary>
    public long Thinned { get; init; }

    /// <summary>Records dropped because memory was quite full; nothing stands for them.</summary>
    public long Dropped { get; init; }

    /// <summary>Failed attempts to write.</summary>
    public long Failures { get; init; }

    /// <summary>Why the latest attempt to write failed; null when it did not.</summary>
    public string? Failure { get; init; }
}
