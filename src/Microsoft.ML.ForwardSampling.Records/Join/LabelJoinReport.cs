namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a <see cref="LabelJoiner{TRecord}"/> counted, over all its restarts. Records = joined + defaulted + expired + voided +
/// duplicate + late records + records pending; <see cref="IsBalanced"/> says so of itself.</summary>
public sealed record LabelJoinReport
{
    /// <summary>Records taken.</summary>
    public long Records { get; init; }

    /// <summary>Labels taken.</summary>
    public long Labels { get; init; }

    /// <summary>Rows given out with a label that came.</summary>
    public long Joined { get; init; }

    /// <summary>Rows given out with the default label.</summary>
    public long Defaulted { get; init; }

    /// <summary>Records dropped because no label came and there is no default label.</summary>
    public long Expired { get; init; }

    /// <summary>Records dropped because their label was malformed: NaN, infinite, or no class of the record.</summary>
    public long Voided { get; init; }

    /// <summary>Records dropped because one of the same key was there already.</summary>
    public long DuplicateRecords { get; init; }

    /// <summary>Labels beyond the first of their row; under Last, Sum and Mean they took part.</summary>
    public long DuplicateLabels { get; init; }

    /// <summary>Records dropped because their window had ended before they came.</summary>
    public long LateRecords { get; init; }

    /// <summary>Labels dropped because they came after their window or their record's.</summary>
    public long LateLabels { get; init; }

    /// <summary>Labels dropped because no record came in their window.</summary>
    public long OrphanLabels { get; init; }

    /// <summary>Records and labels whose window was ended early for lack of room; they are among the other counts too.</summary>
    public long EndedEarly { get; init; }

    /// <summary>Records held whose row was not given out yet.</summary>
    public long PendingRecords { get; init; }

    /// <summary>Entries held: pending records, waiting labels, and keys remembered against repetition.</summary>
    public long PendingEntries { get; init; }

    /// <summary>Bytes that the entries and their index take.</summary>
    public long PendingBytes { get; init; }

    /// <summary>Every record taken is accounted for.</summary>
    public bool IsBalanced => Records == Joined + Defaulted + Expired + Voided + DuplicateRecords + LateRecords + PendingRecords;
}
