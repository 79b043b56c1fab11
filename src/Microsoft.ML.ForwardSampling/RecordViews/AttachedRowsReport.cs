namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>What a complete pass over <see cref="AttachedRows"/> counted.</summary>
public sealed record AttachedRowsReport
{
    /// <summary>Rows of the input.</summary>
    public long RowsSeen { get; init; }

    /// <summary>Rows of the input for which there was no record: left out, or kept with NaN.</summary>
    public long RowsWithoutRecord { get; init; }
}
