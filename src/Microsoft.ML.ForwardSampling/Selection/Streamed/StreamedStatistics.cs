using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reads what a streamed plan reads of the row a cursor stands on.</summary>
internal sealed class StreamedStatistics
{
    private readonly SelectionRowReader _row;
    private readonly float[] _values = new float[RecordedStatistic.All.Length];

    public StreamedStatistics(DataViewRowCursor cursor, SelectionColumns columns) =>
        _row = new SelectionRowReader(cursor, columns, new RecordLimits());

    /// <summary>The statistics as recorded, by index in the table; 0 for those that are not read.</summary>
    public ReadOnlySpan<float> Recorded()
    {
        _row.ReadStatistics(_values);
        return _values;
    }

    /// <summary>The row as the plan sees it.</summary>
    public StreamedRow Repaired(StreamedPlan plan)
    {
        _row.ReadStatistics(_values);
        plan.Repair(_values);
        return new StreamedRow(_values, _row.Class(), _row.Group());
    }
}
