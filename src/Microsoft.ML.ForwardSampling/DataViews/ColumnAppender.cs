using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>What a view adds to its input: the columns, what they read, and how one row's values are computed.</summary>
/// <remarks>Immutable and bound to one input schema. <see cref="AppendedColumnsView"/> and <see cref="AppendedColumnsMapper"/> do the
/// rest.</remarks>
internal abstract class ColumnAppender
{
    protected ColumnAppender(DataViewSchema inputSchema, IEnumerable<DataViewSchema.DetachedColumn> added)
    {
        InputSchema = inputSchema;
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumns(added);
        OutputSchema = builder.ToSchema();
    }

    /// <summary>Schema this appender is bound to.</summary>
    public DataViewSchema InputSchema { get; }

    /// <summary>The input's columns at their own indices, then the added ones. An added column hides an older one of its name.</summary>
    public DataViewSchema OutputSchema { get; }

    /// <summary>Input columns to open so that the active output columns can be served.</summary>
    public DataViewSchema.Column[] InputsFor(ActiveColumns active)
    {
        bool[] needed = active.CopyPassedThrough();
        if (active.AnyAdded)
            MarkDependencies(active.Added, needed);
        return ActiveColumns.Choose(InputSchema, needed);
    }

    /// <summary>Computes the active added columns of <paramref name="input"/>'s current row, on demand.</summary>
    /// <param name="input">Row or cursor with the columns of <see cref="InputsFor"/> active.</param>
    /// <param name="activeAdded">One flag for each added column; at least one is set.</param>
    public abstract AddedValues Bind(DataViewRow input, ReadOnlySpan<bool> activeAdded);

    /// <summary>Wraps one input cursor. Override to look ahead; the result owns <paramref name="input"/>.</summary>
    public virtual DataViewRowCursor OpenCursor(DataViewRowCursor input, ActiveColumns active) => new AppendedCursor(this, input, active);

    /// <summary>Sets the flag of every input column that the active added columns read.</summary>
    protected abstract void MarkDependencies(ReadOnlySpan<bool> activeAdded, Span<bool> needed);
}
