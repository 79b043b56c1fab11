using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>Hands an input cursor's rows on and records each one it moves onto.</summary>
internal sealed class LoggedRowsCursor<TRecord> : InputCursor
    where TRecord : struct, IForwardRecord<TRecord>
{
    private readonly LoggedRows<TRecord> _view;
    private readonly ScoredRows<TRecord> _row;
    private KeepingDraw _draw;
    private LoggedRowsCounts _counts;

    public LoggedRowsCursor(LoggedRows<TRecord> view, DataViewRowCursor input, ActiveColumns active)
        : base(view.Schema, active, input)
    {
        _view = view;
        _row = ScoredRows.Open<TRecord>(input, view.Options);
        _draw = new KeepingDraw(view.Options.KeepingProbability, view.Options.Seed, view.NextStream());
    }

    public override bool MoveNext()
    {
        if (!Input.MoveNext())
            return false;
        _counts.Rows++;
        _row.Read();
        if (!_draw.Keeps())
            _counts.NotDrawn++;
        else if (!_row.TryMake(out TRecord record))
            _counts.WithoutKey++;
        else if (_view.Writer.Append(in record) > 0)
            _counts.Records++;
        else
            _counts.Refused++;
        return true;
    }

    protected override Delegate? OwnGetter(DataViewSchema.Column column) => _row.GetterOf(column.Index);

    protected override void Close()
    {
        _view.Add(in _counts);
        base.Close();
    }
}
