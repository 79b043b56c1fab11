namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>Counts of one cursor since it last handed them over.</summary>
internal struct RecordingCounts
{
    public long Rows;
    public long NonFinite;
    public long Unlabelled;
    public long UnknownClass;
    public long InvalidProbability;
}
