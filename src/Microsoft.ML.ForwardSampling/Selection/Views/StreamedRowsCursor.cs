using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>One pass of <see cref="StreamedRows"/>: it decides each row where it stands.</summary>
internal sealed class StreamedRowsCursor : ChosenRowsCursor
{
    private readonly StreamedRows _view;
    private readonly StreamedStatistics _statistics;
    private readonly DateTimeOffset? _began = SelectionMeters.Begin();
    private StreamedPlan? _plan;
    private StreamedDraw? _draw;
    private long _rows;
    private long _selected;
    private double _sumOfWeights;
    private float _largestWeight;
    private float _weight;

    public StreamedRowsCursor(StreamedRows view, ActiveColumns active, DataViewRowCursor cursor)
        : base(view.Schema, active, cursor, view.RowWeights)
    {
        _view = view;
        _statistics = new StreamedStatistics(cursor, view.Columns);
    }

    protected override float Weight => _weight;

    protected override bool MoveToChosen()
    {
        if (_plan is null || _draw is null)
        {
            _plan = _view.Plan;
            _draw = _plan.Start(new RepeatableRandom(_view.Seed));
        }

        while (Input.MoveNext())
        {
            if (++_rows > _plan.Rows)
                throw SelectionErrors.NotRepeatable(
                    $"there were {_plan.Rows} rows where statistics were read and there are more where values are");
            if (!_draw.Take(_statistics.Repaired(_plan), out _weight))
                continue;
            if (!(_weight > 0 && float.IsFinite(_weight)))
                throw SelectionErrors.BadWeight(_view.Policy.Name, _rows - 1, _weight);
            _selected++;
            _sumOfWeights += _weight;
            _largestWeight = Math.Max(_largestWeight, _weight);
            return true;
        }

        return false;
    }

    protected override void Complete()
    {
        StreamedPlan plan = _view.Plan;
        plan.CheckPass(_rows, _statistics.Fingerprint);
        if (_rows != plan.Rows || _selected != plan.Budget)
            throw SelectionErrors.NotRepeatable(
                $"there were {plan.Rows} rows with {plan.Budget} to select where statistics were read, and {_rows} with {_selected} "
                + $"where values are");
        var report = new SelectionReport
        {
            Windows = _rows > 0 ? 1 : 0,
            RowsSeen = _rows,
            RowsSelected = _selected,
            RepairedRows = plan.RepairedRows,
            SumOfWeights = _sumOfWeights,
            LargestWeight = _largestWeight,
        };
        _view.Complete(report);
        SelectionMeters.Count(_view.Policy.Name, report.Windows, report.RowsSeen, report.RowsSelected);
        SelectionMeters.EndSpan(_began, _view.Policy.Name, report);
    }
}
