namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>How much a <see cref="LabelJoiner{TRecord}"/> may hold in memory, and what happens beyond. Each option is checked when it is
/// set.</summary>
public sealed record PendingLimit
{
    /// <summary>Most entries held: records and labels whose window has not ended. At most 40 bytes each for regression and binary, 56 for
    /// multiclass, and 2 MiB; memory is taken as they come.</summary>
    /// <value>[1024, 1000000000]; default 50000000, under 2 GiB for regression and binary; 2.7 GB for multiclass, of which 36000000 stay
    /// under 2 GiB.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1024, 1000000000].</exception>
    public int MaximumEntries { get; init => field = Require.InRange(value, 1024, 1_000_000_000, nameof(PendingLimit)); } = 50_000_000;

    /// <summary>What happens when <see cref="MaximumEntries"/> is reached.</summary>
    /// <value>Default <see cref="JoinOverflow.EndOldestWindow"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public JoinOverflow Overflow { get; init => field = Require.Defined(value, nameof(PendingLimit)); }
}
