namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>A view with columns added to its source's; lazy, and as parallel as its source.</summary>
/// <remarks>
/// The source is opened the way this view was: <c>GetRowCursor</c> by <c>GetRowCursor</c> (which lets ML.NET's mapping transforms
/// evaluate ahead in parallel), <c>GetRowCursorSet</c> by <c>GetRowCursorSet</c> (which keeps them lazy for n = 1).
/// </remarks>
internal sealed class AppendedColumnsView : IDataView
{
    private readonly IDataView _source;
    private readonly ColumnAppender _appender;

    public AppendedColumnsView(IDataView source, ColumnAppender appender)
    {
        _source = source;
        _appender = appender;
    }

    public DataViewSchema Schema => _appender.OutputSchema;

    public bool CanShuffle => _source.CanShuffle;

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new ActiveColumns(_appender.InputSchema, Schema, columnsNeeded);
        return Wrap([_source.GetRowCursor(_appender.InputsFor(active), rand)], active)[0];
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var active = new ActiveColumns(_appender.InputSchema, Schema, columnsNeeded);
        return Wrap(_source.GetRowCursorSet(_appender.InputsFor(active), n, rand), active);
    }

    private DataViewRowCursor[] Wrap(DataViewRowCursor[] inputs, ActiveColumns active)
        => InputCursors.Wrap(inputs, input => _appender.OpenCursor(input, active));
}
