using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Recording;

/// <summary>The statistics of the row that a cursor stands on: computed once for all of them, however many are read.</summary>
internal abstract class RecordedValues : AddedValues
{
    private readonly DataViewRow _row;
    private readonly RecordingCounters _counters;
    private readonly long _handOverEvery;
    private long _computedAt = -1;
    private RecordingCounts _counts;

    protected RecordedValues(DataViewRow row, RecordingCounters counters)
    {
        _row = row;
        _counters = counters;
        // A prediction engine never disposes its row, so a row that is no cursor hands over at once.
        _handOverEvery = row is DataViewRowCursor ? 1024 : 1;
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
        if (++_counts.Rows >= _handOverEvery)
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
