namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Serves an appending row's or cursor's columns: the input's own getters for its columns, ours for the added ones.</summary>
internal sealed class AppendedGetters : IDisposable
{
    private readonly ColumnAppender _appender;
    private readonly DataViewRow _input;
    private readonly ActiveColumns _active;
    private readonly AddedValues? _values;

    public AppendedGetters(ColumnAppender appender, DataViewRow input, ActiveColumns active, bool inCursor)
    {
        _appender = appender;
        _input = input;
        _active = active;
        if (active.AnyAdded)
        {
            _values = appender.Bind(input, active.Added);
            _values.InCursor = inCursor;
        }
    }

    public bool IsActive(DataViewSchema.Column column) => _active.IsActive(column, _appender.OutputSchema);

    public ValueGetter<TValue> Get<TValue>(DataViewSchema.Column column)
    {
        if (!IsActive(column))
            throw SchemaErrors.Inactive(column);

        int added = column.Index - _appender.InputSchema.Count;
        if (added < 0)
            return _input.GetGetter<TValue>(_input.Schema[column.Index]);

        Delegate getter = _values!.GetGetter(added);
        return getter as ValueGetter<TValue> ?? throw SchemaErrors.WrongGetterType(column, typeof(TValue));
    }

    public void Dispose() => _values?.Dispose();
}
