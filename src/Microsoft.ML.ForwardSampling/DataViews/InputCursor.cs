using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>A cursor that shows rows of an input cursor, whose columns come first: batch, id and values are the input's.</summary>
/// <param name="schema">Schema of the view.</param>
/// <param name="active">The columns that the cursor was opened for.</param>
/// <param name="input">The input; closed with this cursor.</param>
internal abstract class InputCursor(DataViewSchema schema, ActiveColumns active, DataViewRowCursor input) : ViewCursor(schema, active)
{
    public override long Position => input.Position;

    public sealed override long Batch => input.Batch;

    protected DataViewRowCursor Input => input;

    public sealed override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    /// <summary>The getter of a column whose values are not the input's; null where they are.</summary>
    protected virtual Delegate? OwnGetter(DataViewSchema.Column column) => null;

    protected sealed override ValueGetter<TValue>? GetterOf<TValue>(DataViewSchema.Column column)
        => OwnGetter(column) is { } own ? own as ValueGetter<TValue> : input.GetGetter<TValue>(input.Schema[column.Index]);

    protected override void Close() => input.Dispose();
}
