using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>One pass of <see cref="SelectedRows"/>: a reader of statistics runs a window ahead of the cursor that shows the chosen
/// rows.</summary>
internal sealed class SelectedRowsCursor : ChosenRowsCursor
{
    private readonly SelectedRows _view;
    private readonly SelectionWindowReader _reader;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly ValueGetter<float>[] _again;
    private readonly RowSelector _selector;
    private readonly DateTimeOffset? _began = SelectionMeters.Begin();
    private int[] _rows = [];
    private float[] _weights = [];
    private int _chosen;                // rows of the current window that were chosen
    private int _next;                  // the one to show next, in [0, _chosen]
    private long _dataRow = -1;         // input row that the data cursor shows

    public SelectedRowsCursor(SelectedRows view, ActiveColumns active, DataViewRowCursor statistics, SelectionColumns columns,
        DataViewRowCursor data)
        : base(view.Schema, active, data, view.RowWeights)
    {
        _view = view;
        _reader = new SelectionWindowReader(statistics, columns, view.Options.WindowSize, view.Options.Limits);
        _id = data.GetIdGetter();
        _again = _reader.OpenAgain(data);
        _selector = view.StartSelector();
    }

    protected override float Weight => _weights[_next - 1];

    protected override bool MoveToChosen()
    {
        while (_next == _chosen)
        {
            if (!_reader.ReadNext())
                return false;
            Select();
        }

        int row = _rows[_next++];
        MoveDataTo(_reader.InputRow(row));
        DataViewRowId id = default;
        _id(ref id);
        if (!id.Equals(_reader.Ids[row]))
            throw SelectionErrors.NotRepeatable(
                $"row {_dataRow} has id {_reader.Ids[row]} where its statistics are read and id {id} where its values are");
        _reader.CheckAgain(row, _again);
        return true;
    }

    protected override void Complete()
    {
        // Both cursors must end together.
        MoveDataTo(_reader.RowsRead - 1);
        if (Input.MoveNext())
            throw SelectionErrors.NotRepeatable($"there are {_reader.RowsRead} rows where statistics are read and more where values are");
        _selector.CountOldRecords(_reader.ExcludedRows, _reader.DiscountedRows);
        RowSelectorState state = _selector.State;
        _view.Complete(state);
        SelectionMeters.EndSpan(_began, _view.Policy.Name, state.Report, _view.Options.StartState?.Report);
    }

    protected override void Close()
    {
        _reader.Dispose();
        base.Close();
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
            if (!Input.MoveNext())
                throw SelectionErrors.NotRepeatable(
                    $"there are {_dataRow + 1} rows where values are read and at least {_reader.RowsRead} where statistics are");
            _dataRow++;
        }
    }
}
