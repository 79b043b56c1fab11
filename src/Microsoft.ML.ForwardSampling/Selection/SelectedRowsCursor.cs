using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>One pass of <see cref="SelectedRows"/>: a reader of statistics runs a window ahead of the cursor that shows the chosen rows.</summary>
internal sealed class SelectedRowsCursor : DataViewRowCursor
{
    private readonly SelectedRows _view;
    private readonly ActiveColumns _active;
    private readonly SelectionWindowReader _reader;
    private readonly DataViewRowCursor _data;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly RowSelector _selector;
    private readonly ValueGetter<float>? _exampleWeight;
    private readonly ValueGetter<float> _weightGetter;
    private int[] _rows = [];
    private float[] _weights = [];
    private int _chosen;                // rows of the current window that were chosen
    private int _next;                  // the one to show next, in [0, _chosen]
    private long _dataRow = -1;         // input row that the data cursor shows
    private long _position = -1;
    private bool _ended;
    private bool _disposed;

    public SelectedRowsCursor(SelectedRows view, ActiveColumns active, DataViewRowCursor statistics, DataViewRowCursor data)
    {
        _view = view;
        _active = active;
        _reader = new SelectionWindowReader(statistics, view.Policy.Needs, view.Options);
        _data = data;
        _id = data.GetIdGetter();
        _selector = view.StartSelector();
        if (active.AnyAdded && view.Options.ExampleWeightColumnName is { } exampleWeight)
            _exampleWeight = data.GetGetter<float>(data.Schema[exampleWeight]);
        _weightGetter = GetWeight;
    }

    public override DataViewSchema Schema => _view.Schema;

    public override long Position => _position;

    public override long Batch => _data.Batch;

    public override bool MoveNext()
    {
        if (_ended)
            return false;

        while (_next == _chosen)
        {
            if (!_reader.ReadNext())
                return End();
            Select();
        }

        int row = _rows[_next++];
        MoveDataTo(_reader.InputRow(row));
        DataViewRowId id = default;
        _id(ref id);
        if (!id.Equals(_reader.Ids[row]))
            throw SelectionErrors.NotRepeatable($"row {_dataRow} has id {_reader.Ids[row]} where its statistics are read and id {id} where its values are");
        _position++;
        return true;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => _active.IsActive(column, Schema);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw SchemaErrors.Inactive(column);
        if (column.Index < _data.Schema.Count)
            return _data.GetGetter<TValue>(_data.Schema[column.Index]);
        return _weightGetter as ValueGetter<TValue> ?? throw SchemaErrors.WrongGetterType(column, typeof(TValue));
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => _id;

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _ended = true;
            _position = -1;
            _reader.Dispose();
            _data.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Select()
    {
        int budget = _view.Options.Budget.For(_reader.Count, _view.Options.WindowSize);
        if (_rows.Length < budget)
        {
            _rows = new int[budget];
            _weights = new float[budget];
        }

        SelectionWindow window = _reader.Window(_selector.Scratch);
        _selector.Select(in window, _rows.AsSpan(0, budget), _weights.AsSpan(0, budget));
        _chosen = budget;
        _next = 0;
    }

    private void MoveDataTo(long row)
    {
        while (_dataRow < row)
        {
            if (!_data.MoveNext())
                throw SelectionErrors.NotRepeatable($"there are {_dataRow + 1} rows where values are read and at least {_reader.RowsRead} where statistics are");
            _dataRow++;
        }
    }

    /// <summary>Both cursors must end together; only then is the pass complete.</summary>
    private bool End()
    {
        _ended = true;
        _position = -1;
        MoveDataTo(_reader.RowsRead - 1);
        if (_data.MoveNext())
            throw SelectionErrors.NotRepeatable($"there are {_reader.RowsRead} rows where statistics are read and more where values are");
        _selector.CountOldRecords(_reader.ExcludedRows, _reader.DiscountedRows);
        _view.Complete(_selector.State);
        return false;
    }

    private void GetWeight(ref float value)
    {
        if (_position < 0)
            throw SchemaErrors.NoRow();
        value = _weights[_next - 1];
        if (_exampleWeight is not null)
        {
            float own = 0;
            _exampleWeight(ref own);
            value *= own;
        }
    }
}
