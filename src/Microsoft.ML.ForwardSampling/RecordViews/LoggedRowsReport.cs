namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>What <see cref="LoggedRows{TRecord}"/> counted over all its cursors; a snapshot. A cursor adds its counts when it is
/// disposed.</summary>
public sealed record LoggedRowsReport
{
    /// <summary>Rows that cursors moved over; a row that was read in two passes counts twice.</summary>
    public long Rows { get; init; }

    /// <summary>Records that the log took.</summary>
    public long Records { get; init; }

    /// <summary>Rows that were not drawn, by <see cref="RecordToOptions.KeepingProbability"/>; the weights of the others stand for
    /// them.</summary>
    public long NotDrawn { get; init; }

    /// <summary>Records that the log thinned or dropped (<see cref="Records.RecordOverflow.DropAndRecord"/>); its own report counts the two
    /// apart.</summary>
    public long Refused { get; init; }

    /// <summary>Rows with an empty text key: no label could find their record, so there is none.</summary>
    public long WithoutKey { get; init; }
}
