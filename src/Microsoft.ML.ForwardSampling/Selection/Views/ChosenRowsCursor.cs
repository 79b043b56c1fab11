using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>A pass over chosen rows: the values are an input cursor's, the weight is added. What is chosen, the derived class
/// says.</summary>
internal abstract class ChosenRowsCursor : InputCursor
{
    private readonly ValueGetter<float>[] _rowWeights = [];
    private readonly ValueGetter<float> _weightGetter;
    private long _position = -1;
    private bool _isEnded;

    protected ChosenRowsCursor(DataViewSchema schema, ActiveColumns active, DataViewRowCursor values,
        DataViewSchema.Column[] rowWeights)
        : base(schema, active, values)
    {
        if (active.AnyAdded)
            _rowWeights = Array.ConvertAll(rowWeights, column => values.GetGetter<float>(values.Schema[column.Index]));
        _weightGetter = GetWeight;
    }

    public sealed override long Position => _position;

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

    /// <summary>Moves <see cref="InputCursor.Input"/> to the next chosen row; false when there is none.</summary>
    protected abstract bool MoveToChosen();

    /// <summary>Takes the end of the pass: checks that the input was the same all along, and hands over what was counted.</summary>
    protected abstract void Complete();

    protected sealed override Delegate? OwnGetter(DataViewSchema.Column column)
        => column.Index < Input.Schema.Count ? null : _weightGetter;

    protected override void Close()
    {
        End();
        base.Close();
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
