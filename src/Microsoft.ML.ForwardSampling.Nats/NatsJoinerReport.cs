using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>What a joiner counted; a snapshot. What the join says holds since the partition was made, the rest since this joiner was
/// opened.</summary>
public sealed record NatsJoinerReport
{
    /// <summary>Of records and labels.</summary>
    public required LabelJoinReport Join { get; init; }

    /// <summary>Rows joined; those before the last save never come again.</summary>
    public long Rows { get; init; }

    /// <summary>Windows made; those numbered 0 to this less 1.</summary>
    public long Windows { get; init; }

    /// <summary>Windows that the cluster has not taken yet.</summary>
    public long UnsentWindows { get; init; }

    /// <summary>Windows that no worker has completed; the joiner keeps them.</summary>
    public long OpenWindows { get; init; }

    /// <summary>Blocks of records and labels that came more than once; counted once.</summary>
    public long RepeatedBlocks { get; init; }

    /// <summary>Times that a block was missing, so that its writer was asked for it.</summary>
    public long Gaps { get; init; }

    /// <summary>Blocks that are lost: the cluster does not have them, and their writer had let go of them, or they are damaged on
    /// its disk, or that is gone.</summary>
    public long LostBlocks { get; init; }

    /// <summary>Messages that were no whole blocks of this partition; their writers still have them.</summary>
    public long DamagedBlocks { get; init; }

    /// <summary>Windows sent again because the cluster had lost them.</summary>
    public long RepeatedWindows { get; init; }

    /// <summary>Selections stored again because the cluster had lost them.</summary>
    public long RestoredSelections { get; init; }

    /// <summary>Saves of the state.</summary>
    public long Saves { get; init; }

    /// <summary>Why the latest attempt to send a window failed; null when it did not.</summary>
    public string? Failure { get; init; }
}
