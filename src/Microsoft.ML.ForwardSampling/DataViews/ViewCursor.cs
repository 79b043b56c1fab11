using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>What every cursor of our views has in common: it knows which columns it was opened for, hands out getters of the right type
/// only, and closes once.</summary>
/// <param name="schema">Schema of the view.</param>
/// <param name="active">The columns that the cursor was opened for.</param>
internal abstract class ViewCursor(DataViewSchema schema, ActiveColumns active) : DataViewRowCursor
{
    private bool _isClosed;

    public sealed override DataViewSchema Schema => schema;

    public sealed override bool IsColumnActive(DataViewSchema.Column column) => active.IsActive(column, schema);

    public sealed override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw SchemaErrors.Inactive(column);
        return GetterOf<TValue>(column) ?? throw SchemaErrors.WrongGetterType(column, typeof(TValue));
    }

    /// <summary>The getter of an active column; null where its values are of another type.</summary>
    protected abstract ValueGetter<TValue>? GetterOf<TValue>(DataViewSchema.Column column);

    /// <summary>Releases what the cursor holds; called once.</summary>
    protected abstract void Close();

    protected sealed override void Dispose(bool disposing)
    {
        if (disposing && !_isClosed)
        {
            _isClosed = true;
            Close();
        }

        base.Dispose(disposing);
    }
}
