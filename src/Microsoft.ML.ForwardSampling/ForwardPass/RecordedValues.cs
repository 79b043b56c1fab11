using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>The statistics of the row that a cursor stands on: computed once for all of them, however many are read.</summary>
internal abstract class RecordedValues : AddedValues
{
    private const long HandOverEvery = 1024;

    private readonly DataViewRow _row;
    private readonly RecordingCounters _counters;
    private long _computedAt = -1;
    private RecordingCounts _counts;

    protected RecordedValues(DataViewRow row, RecordingCounters counters)
    {
        _row = row;
        _counters = counters;
    }

    protected ref RecordingCounts Counts => ref _counts;

    public override void Dispose()
    {
        if (_counts.Rows > 0)
            HandOver();
    }

    /// <summary>Computes the statistics unless they are those of the current row already.</summary>
    protected void Refresh()
    {
        long position = _row.Position;
        if (position == _computedAt && position >= 0)
            return;
        _computedAt = -1;           // a getter below may throw
        Compute();
        _computedAt = position;
        // A row that nobody will dispose hands over at once.
        if (++_counts.Rows >= (InCursor ? HandOverEvery : 1))
            HandOver();
    }

    /// <summary>Reads the row once, keeps its statistics and counts what is wrong with it.</summary>
    protected abstract void Compute();

    private void HandOver()
    {
        RecordingCounts counts = _counts;
        _counts = default;
        _counters.Add(in counts);
    }
}
