using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reads the one statistic, and the class, that a streamed policy takes of the row a cursor stands on.</summary>
internal sealed class StreamedStatistics
{
    private readonly SelectionRowReader _row;
    private readonly float[][] _values = new float[RecordedStatistic.All.Length][];
    private readonly float[] _value = new float[1];

    public StreamedStatistics(DataViewRowCursor cursor, SelectionColumns columns)
    {
        _row = new SelectionRowReader(cursor, columns, new RecordLimits());
        foreach ((RecordedStatistic statistic, _) in columns.Statistics)
            _values[statistic.Index] = _value;
    }

    /// <summary>The statistic, as recorded; 0 for a policy that reads none.</summary>
    public float Value()
    {
        _row.ReadStatistics(_values, 0);
        return _value[0];
    }

    /// <summary>The class, −1 where there is none.</summary>
    public int Label() => _row.Class();
}
