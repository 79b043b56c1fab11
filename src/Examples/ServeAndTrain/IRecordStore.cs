using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>What the processes need of a store; one class for each kind of it.</summary>
internal interface IRecordStore : IDisposable
{
    /// <summary>For the process that serves.</summary>
    IRecordWriter<BinaryRecord> OpenRecords();

    /// <summary>For the process that has the labels.</summary>
    IRecordWriter<LabelEvent> OpenLabels();

    /// <summary>For the process that trains.</summary>
    IWindowSource OpenWindows();

    /// <summary>Counts what is there; for the report.</summary>
    /// <param name="served">Keys of the rows that were acknowledged.</param>
    /// <param name="labelled">Keys of the labels that were acknowledged.</param>
    StoreCounts Count(IReadOnlySet<ulong> served, IReadOnlySet<ulong> labelled);
}

/// <summary>Gives joined rows, window by window. A window that was given but not completed comes again after a restart, with the same
/// rows.</summary>
internal interface IWindowSource : IDisposable
{
    /// <summary>The next window to train on; null when there is none at the moment.</summary>
    /// <param name="version">Newest model version, which is the number of the first window that is not trained yet.</param>
    /// <param name="ended">Everything has been served and labelled: the last window may be short.</param>
    TrainingWindow? Next(int version, bool ended);

    /// <summary>The model that a window gave has been handed over.</summary>
    void Complete(TrainingWindow window, IReadOnlyList<SelectedKey> selected);
}

/// <summary>What a store holds and has counted.</summary>
internal sealed record StoreCounts
{
    /// <summary>Acknowledged rows of which there is a record, or was one before it was joined.</summary>
    public long RowsFound { get; init; }

    /// <summary>Records of a row that had one: it was served again after a crash. The join drops them.</summary>
    public long RowsAgain { get; init; }

    /// <summary>Acknowledged labels that are there, or were until they were joined.</summary>
    public long LabelsFound { get; init; }

    /// <summary>Rows joined with their label.</summary>
    public long Joined { get; init; }

    /// <summary>Rows without a label in time.</summary>
    public long WithoutLabel { get; init; }

    /// <summary>Labels too late for their row.</summary>
    public long LateLabels { get; init; }

    /// <summary>Records that came after their window had ended.</summary>
    public long LateRecords { get; init; }
}
