using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>A pass over chosen rows: the values are an input cursor's, the weight is added. What is chosen, the derived class
/// says.</summary>
internal abstract class ChosenRowsCursor : DataViewRowCursor
{
    private readonly ActiveColumns _active;
    private readonly ValueGetter<float>[] _rowWeights = [];
    private readonly ValueGetter<float> _weightGetter;
    private long _position = -1;
    private bool _isEnded;

    protected ChosenRowsCursor(DataViewSchema schema, ActiveColumns active, DataViewRowCursor values,
        DataViewSchema.Column[] rowWeights)
    {
        Schema = schema;
        _active = active;
        Values = values;
        if (active.AnyAdded)
            _rowWeights = Array.ConvertAll(rowWeights, column => values.GetGetter<float>(values.Schema[column.Index]));
        _weightGetter = GetWeight;
    }

    public sealed override DataViewSchema Schema { get; }

    public sealed override long Position => _position;

    public sealed override long Batch => Values.Batch;

    /// <summary>The input cursor whose row is shown.</summary>
    protected DataViewRowCursor Values { get; }

    /// <summary>The weight that the policy gave the row that is shown.</summary>
    protected abstract float Weight { get; }

    public sealed override bool MoveNext()
    {
        if (_isEnded)
            return false;
        if (!MoveToChosen())
        {
            End();
            Complete();
            return false;
        }

        _position++;
        return true;
    }

    public sealed override bool IsColumnActive(DataViewSchema.Column column) => _active.IsActive(column, Schema);

    public sealed override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw SchemaErrors.Inactive(column);
        if (column.Index < Values.Schema.Count)
            return Values.GetGetter<TValue>(Values.Schema[column.Index]);
        return _weightGetter as ValueGetter<TValue> ?? throw SchemaErrors.WrongGetterType(column, typeof(TValue));
    }

    public sealed override ValueGetter<DataViewRowId> GetIdGetter() => Values.GetIdGetter();

    /// <summary>Moves <see cref="Values"/> to the next chosen row; false when there is none.</summary>
    protected abstract bool MoveToChosen();

    /// <summary>Takes the end of the pass: checks that the input was the same all along, and hands over what was counted.</summary>
    protected abstract void Complete();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            End();
            Values.Dispose();
        }

        base.Dispose(disposing);
    }

    private void End()
    {
        _isEnded = true;
        _position = -1;
    }

    private void GetWeight(ref float value)
    {
        if (_position < 0)
            throw SchemaErrors.NoRow();
        value = Weight;
        foreach (ValueGetter<float> rowWeight in _rowWeights)
        {
            float own = 0;
            rowWeight(ref own);
            value *= own;
        }
    }
}
