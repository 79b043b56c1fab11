using System.Numerics;
using System.Runtime.CompilerServices;
using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reads what a streamed plan reads of the row a cursor stands on.</summary>
internal sealed class StreamedStatistics
{
    private readonly SelectionRowReader _row;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly int[] _indices;
    private readonly float[] _values = new float[RecordedStatistic.All.Length];

    public StreamedStatistics(DataViewRowCursor cursor, SelectionColumns columns)
    {
        _row = new SelectionRowReader(cursor, columns, new RecordLimits());
        _id = cursor.GetIdGetter();
        _indices = [.. columns.Statistics.Select(statistic => statistic.Statistic.Index)];
    }

    /// <summary>Number that changes with the id or a recorded statistic of any row read so far, and with their order.</summary>
    /// <remarks>A difference in one row is always seen, several cancel out once in 2⁶⁴.</remarks>
    public ulong Fingerprint { get; private set; }

    /// <summary>The statistics as recorded, by index in the table; 0 for those that are not read.</summary>
    public ReadOnlySpan<float> Recorded()
    {
        _row.ReadStatistics(_values);
        AddToFingerprint();
        return _values;
    }

    /// <summary>The row as the plan sees it.</summary>
    public StreamedRow Repaired(StreamedPlan plan)
    {
        _row.ReadStatistics(_values);
        AddToFingerprint();
        plan.Repair(_values);
        return new StreamedRow(_values, _row.Class(), _row.Group());
    }

    /// <summary>One multiplication waits for the row before; the others run beside it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddToFingerprint()
    {
        // Odd multipliers: nothing is lost in a step. The golden ratio's digits, and the two of SplitMix64.
        DataViewRowId id = default;
        _id(ref id);
        ulong row = (id.Low * 0x9E3779B97F4A7C15) + BitOperations.RotateLeft(id.High * 0xBF58476D1CE4E5B9, 32);
        foreach (int index in _indices)
            row = BitOperations.RotateLeft(row, 23) + (BitConverter.SingleToUInt32Bits(_values[index]) * 0x94D049BB133111EBUL);
        Fingerprint = (BitOperations.RotateLeft(Fingerprint, 5) ^ row) * 0x9E3779B97F4A7C15;
    }
}
