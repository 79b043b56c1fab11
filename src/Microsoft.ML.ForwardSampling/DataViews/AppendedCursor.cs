using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>An input cursor with columns added row by row. Position, batch and id are the input's.</summary>
internal sealed class AppendedCursor(ColumnAppender appender, DataViewRowCursor input, ActiveColumns active)
    : InputCursor(appender.OutputSchema, active, input)
{
    private readonly AppendedGetters _getters = new(appender, input, active, inCursor: true);

    public override bool MoveNext() => Input.MoveNext();

    protected override Delegate? OwnGetter(DataViewSchema.Column column) => _getters.OwnGetter(column);

    protected override void Close()
    {
        _getters.Dispose();
        base.Close();
    }
}
