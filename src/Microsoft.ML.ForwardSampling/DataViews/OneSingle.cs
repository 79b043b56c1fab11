using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Reads a number that is a Single, or the one item of a vector: ONNX models give theirs as a tensor of shape [1, 1].</summary>
internal static class OneSingle
{
    /// <summary>The value of a column that passed <see cref="ColumnFacts.IsOneSingle"/>.</summary>
    public static ValueGetter<float> Getter(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is not VectorDataViewType)
            return row.GetGetter<float>(column);
        ValueGetter<VBuffer<float>> vector = row.GetGetter<VBuffer<float>>(column);
        VBuffer<float> buffer = default;
        return (ref float value) =>
        {
            vector(ref buffer);
            value = buffer.GetItemOrDefault(0);
        };
    }
}
