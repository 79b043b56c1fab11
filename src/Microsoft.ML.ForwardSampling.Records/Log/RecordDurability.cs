namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What an acknowledged record survives.</summary>
public enum RecordDurability
{
    /// <summary>An acknowledged record survives the sudden end of the process (kill -9, an unhandled exception), because the operating
    /// system has it; it can be lost when the machine itself stops.</summary>
    ProcessCrash,

    /// <summary>An acknowledged record survives a power failure, as far as the disk keeps what it confirmed, because it was forced to the
    /// disk (fsync) first; all records waiting at that moment share one fsync.</summary>
    PowerLoss,
}
