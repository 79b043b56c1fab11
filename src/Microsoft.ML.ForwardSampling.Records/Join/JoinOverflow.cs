namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a <see cref="LabelJoiner{TRecord}"/> does when it holds <see cref="PendingLimit.MaximumEntries"/> entries.</summary>
public enum JoinOverflow
{
    /// <summary>Moves the watermark on to the end of the oldest window: its record gets the labels that came so far, or the default label,
    /// and is counted in <see cref="LabelJoinReport.EndedEarly"/>. What comes later for that time is late.</summary>
    EndOldestWindow,

    /// <summary>Takes no event that needs a new entry until the watermark has moved on by itself: the caller keeps the rest.</summary>
    Refuse,
}
