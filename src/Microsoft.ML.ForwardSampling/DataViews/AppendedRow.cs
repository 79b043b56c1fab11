using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>An input row with columns added: what a <see cref="AppendedColumnsMapper"/> hands to a prediction engine.</summary>
internal sealed class AppendedRow : DataViewRow
{
    private readonly DataViewRow _input;
    private readonly AppendedGetters _getters;
    private bool _disposed;

    public AppendedRow(ColumnAppender appender, DataViewRow input, ActiveColumns active)
    {
        _input = input;
        _getters = new AppendedGetters(appender, input, active, inCursor: false);
        Schema = appender.OutputSchema;
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _input.Position;

    public override long Batch => _input.Batch;

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
