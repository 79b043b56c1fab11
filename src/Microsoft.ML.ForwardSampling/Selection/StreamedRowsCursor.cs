using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>One pass of <see cref="StreamedRows"/>: it decides each row where it stands.</summary>
internal sealed class StreamedRowsCursor : DataViewRowCursor
{
    private readonly StreamedRows _view;
    private readonly ActiveColumns _active;
    private readonly DataViewRowCursor _cursor;
    private readonly StreamedStatistics _statistics;
    private readonly ValueGetter<float>? _exampleWeight;
    private readonly ValueGetter<float> _weightGetter;
    private StreamedPlan? _plan;
    private StreamedDraw? _draw;
    private long _rows;
    private long _selected;
    private double _sumOfWeights;
    private float _largestWeight;
    private float _weight;
    private long _position = -1;
    private bool _ended;

    public StreamedRowsCursor(StreamedRows view, ActiveColumns active, DataViewRowCursor cursor)
    {
        _view = view;
        _active = active;
        _cursor = cursor;
        _statistics = new StreamedStatistics(cursor, StreamedPlan.Reads(view.Policy), view.Options);
        if (active.AnyAdded && view.Options.ExampleWeightColumnName is { } exampleWeight)
            _exampleWeight = cursor.GetGetter<float>(cursor.Schema[exampleWeight]);
        _weightGetter = GetWeight;
    }

    public override DataViewSchema Schema => _view.Schema;

    public override long Position => _position;

    public override long Batch => _cursor.Batch;

    public override bool MoveNext()
    {
        if (_ended)
            return false;
        if (_plan is null || _draw is null)
        {
            _plan = _view.Plan;
            _draw = _plan.Start(new SelectionRandom((ulong)(uint)_view.Seed));
        }

        while (_cursor.MoveNext())
        {
            if (++_rows > _plan.Rows)
                throw SelectionErrors.NotRepeatable($"there were {_plan.Rows} rows where statistics were read and there are more where values are");
            if (!_draw.Take(_plan.Repair(_statistics.Value()), _statistics.Label(), out _weight))
                continue;
            _selected++;
            _position++;
            _sumOfWeights += _weight;
            _largestWeight = Math.Max(_largestWeight, _weight);
            return true;
        }

        return End(_plan);
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => _active.IsActive(column, Schema);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw SchemaErrors.Inactive(column);
        if (column.Index < _cursor.Schema.Count)
            return _cursor.GetGetter<TValue>(_cursor.Schema[column.Index]);
        return _weightGetter as ValueGetter<TValue> ?? throw SchemaErrors.WrongGetterType(column, typeof(TValue));
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => _cursor.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ended = true;
            _position = -1;
            _cursor.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool End(StreamedPlan plan)
    {
        _ended = true;
        _position = -1;
        if (_rows != plan.Rows || _selected != plan.Budget)
            throw SelectionErrors.NotRepeatable($"there were {plan.Rows} rows with {plan.Budget} to select where statistics were read, and {_rows} with {_selected} where values are");
        _view.Complete(new SelectionReport
        {
            Windows = _rows > 0 ? 1 : 0,
            RowsSeen = _rows,
            RowsSelected = _selected,
            RepairedRows = plan.RepairedRows,
            SumOfWeights = _sumOfWeights,
            LargestWeight = _largestWeight,
        });
        return false;
    }

    private void GetWeight(ref float value)
    {
        if (_position < 0)
            throw SchemaErrors.NoRow();
        value = _weight;
        if (_exampleWeight is not null)
        {
            float own = 0;
            _exampleWeight(ref own);
            value *= own;
        }
    }
}
