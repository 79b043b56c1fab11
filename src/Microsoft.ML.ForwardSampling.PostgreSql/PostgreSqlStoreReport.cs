namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>What a store holds, and what was counted since it was made; a snapshot. Every record written = joined + defaulted + expired +
/// voided + duplicate + dropped records + records pending.</summary>
public sealed record PostgreSqlStoreReport
{
    /// <summary>Rows given out with a label that came.</summary>
    public long Joined { get; init; }

    /// <summary>Rows given out with the default label.</summary>
    public long Defaulted { get; init; }

    /// <summary>Records left out because no label came and there is no default label.</summary>
    public long Expired { get; init; }

    /// <summary>Records left out because their label was malformed: NaN, infinite, or no class of the record.</summary>
    public long Voided { get; init; }

    /// <summary>Records left out because one of the same key was there already.</summary>
    public long DuplicateRecords { get; init; }

    /// <summary>Labels deleted because their row was given out already.</summary>
    public long LateLabels { get; init; }

    /// <summary>Labels deleted because no record came for them within <see cref="PostgreSqlStoreOptions.LabelRetention"/>.</summary>
    public long OrphanLabels { get; init; }

    /// <summary>Records dropped by retention before anybody joined them.</summary>
    public long DroppedRecords { get; init; }

    /// <summary>Joined rows dropped by retention before a worker completed their window.</summary>
    public long DroppedRows { get; init; }

    /// <summary>Windows made; those numbered 0 to this less 1.</summary>
    public long Windows { get; init; }

    /// <summary>Windows that wait for a worker, or are with one.</summary>
    public long OpenWindows { get; init; }

    /// <summary>Records that wait for their label.</summary>
    public long PendingRecords { get; init; }

    /// <summary>Labels that wait for their record, or for its time to be over.</summary>
    public long PendingLabels { get; init; }
}
