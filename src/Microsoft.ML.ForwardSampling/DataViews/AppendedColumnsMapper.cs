using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Adds columns row by row behind another mapper: the path that prediction engines take.</summary>
internal sealed class AppendedColumnsMapper : IRowToRowMapper
{
    private readonly IRowToRowMapper _inner;
    private readonly ColumnAppender _appender;

    /// <param name="inner">Mapper whose output the added columns read.</param>
    /// <param name="appender">Bound to <paramref name="inner"/>'s output schema.</param>
    public AppendedColumnsMapper(IRowToRowMapper inner, ColumnAppender appender)
    {
        _inner = inner;
        _appender = appender;
    }

    public DataViewSchema InputSchema => _inner.InputSchema;

    public DataViewSchema OutputSchema => _appender.OutputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var active = new ActiveColumns(_appender.InputSchema, OutputSchema, dependingColumns);
        return _inner.GetDependencies(_appender.InputsFor(active));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        var active = new ActiveColumns(_appender.InputSchema, OutputSchema, activeColumns);
        return new AppendedRow(_appender, _inner.GetRow(input, _appender.InputsFor(active)), active);
    }
}
