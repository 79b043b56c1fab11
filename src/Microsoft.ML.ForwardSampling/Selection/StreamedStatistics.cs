using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reads the one statistic, and the class, that a streamed policy takes of the row a cursor stands on.</summary>
internal sealed class StreamedStatistics
{
    private readonly ValueGetter<float>? _value;
    private readonly Func<int>? _label;

    public StreamedStatistics(DataViewRowCursor cursor, RecordStatistics reads, SelectionOptions options)
    {
        if ((reads & (RecordStatistics.Loss | RecordStatistics.GradientNorm)) is var statistic and not 0)
            _value = cursor.GetGetter<float>(cursor.Schema[SelectionColumns.NameOf(statistic, options)]);
        if (SelectionWindowReader.ClassColumn(cursor.Schema, reads, options) is { } label)
            _label = ClassLabel.Open(cursor, label);
    }

    /// <summary>The statistic, as recorded; 0 for a policy that reads none.</summary>
    public float Value()
    {
        float value = 0;
        _value?.Invoke(ref value);
        return value;
    }

    /// <summary>The class, −1 where there is none.</summary>
    public int Label() => _label is null ? ClassLabel.Unknown : Math.Max(ClassLabel.Unknown, _label());
}
