namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>The row of a <see cref="ColumnBuffer"/> that getters serve; shared by all buffers of a cursor.</summary>
internal sealed class BufferedRow
{
    /// <summary>Slot of the current row, from 0; -1 before the first.</summary>
    public int Slot = -1;
}
