namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a log does with records that come faster than its disk takes them.</summary>
public enum RecordOverflow
{
    /// <summary>Append waits until there is room; while the disk refuses, it throws instead.</summary>
    Block,

    /// <summary>Append never waits: once memory is half full the log keeps a random half of the records, then a quarter, and so on down to
    /// one in 32,768, and writes the probability into those it keeps; with memory quite full it drops the record. Both are
    /// counted.</summary>
    DropAndRecord,
}
