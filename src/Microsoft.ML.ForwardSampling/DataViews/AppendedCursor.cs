using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>An input cursor with columns added row by row. Position, batch and id are the input's.</summary>
internal sealed class AppendedCursor : DataViewRowCursor
{
    private readonly DataViewRowCursor _input;
    private readonly AppendedGetters _getters;
    private bool _disposed;

    public AppendedCursor(ColumnAppender appender, DataViewRowCursor input, ActiveColumns active)
    {
        _input = input;
        _getters = new AppendedGetters(appender, input, active, inCursor: true);
        Schema = appender.OutputSchema;
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _input.Position;

    public override long Batch => _input.Batch;

    public override bool MoveNext() => _input.MoveNext();

    public override bool IsColumnActive(DataViewSchema.Column column) => _getters.IsActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => _getters.Get<TValue>(column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _getters.Dispose();
            _input.Dispose();
        }

        base.Dispose(disposing);
    }
}
