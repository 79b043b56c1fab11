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

        return OwnGetter(column) is { } own ? own as ValueGetter<TValue> ?? throw SchemaErrors.WrongGetterType(column, typeof(TValue))
            : _input.GetGetter<TValue>(_input.Schema[column.Index]);
    }

    /// <summary>The getter of an added column; null for one of the input's.</summary>
    public Delegate? OwnGetter(DataViewSchema.Column column)
        => column.Index < _appender.InputSchema.Count ? null : _values!.GetGetter(column.Index - _appender.InputSchema.Count);

    public void Dispose() => _values?.Dispose();
}
