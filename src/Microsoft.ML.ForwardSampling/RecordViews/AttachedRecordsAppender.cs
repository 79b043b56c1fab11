using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>Adds the columns of the record that a <see cref="FoundRowsView"/> found for each row.</summary>
internal sealed class AttachedRecordsAppender(DataViewSchema input, JoinedColumns columns) : ColumnAppender(input, columns.Detached)
{
    public override AddedValues Bind(DataViewRow input, ReadOnlySpan<bool> activeAdded)
    {
        var cursor = (FoundRowsView.Cursor)input;
        return new Values(columns.Open(() => cursor.Record));
    }

    protected override void MarkDependencies(ReadOnlySpan<bool> activeAdded, Span<bool> needed)
    {
        // The cursor below reads the key whatever is asked for.
    }

    private sealed class Values(Delegate[] getters) : AddedValues
    {
        public override Delegate GetGetter(int added) => getters[added];
    }
}
