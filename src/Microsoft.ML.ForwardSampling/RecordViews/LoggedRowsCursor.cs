using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>Hands an input cursor's rows on and records each one it moves onto.</summary>
internal sealed class LoggedRowsCursor<TRecord> : DataViewRowCursor
    where TRecord : struct, IForwardRecord<TRecord>
{
    private readonly LoggedRows<TRecord> _view;
    private readonly DataViewRowCursor _input;
    private readonly ActiveColumns _active;
    private readonly ScoredRows<TRecord> _row;
    private KeepingDraw _draw;
    private LoggedRowsCounts _counts;
    private bool _disposed;

    public LoggedRowsCursor(LoggedRows<TRecord> view, DataViewRowCursor input, ActiveColumns active)
    {
        _view = view;
        _input = input;
        _active = active;
        _row = ScoredRows.Open<TRecord>(input, view.Options);
        _draw = new KeepingDraw(view.Options.KeepingProbability, view.Options.Seed, view.NextStream());
    }

    public override DataViewSchema Schema => _view.Schema;

    public override long Position => _input.Position;

    public override long Batch => _input.Batch;

    public override bool MoveNext()
    {
        if (!_input.MoveNext())
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

    public override bool IsColumnActive(DataViewSchema.Column column) => _active.IsActive(column, Schema);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw SchemaErrors.Inactive(column);
        if (_row.GetterOf(column.Index) is not { } read)
            return _input.GetGetter<TValue>(_input.Schema[column.Index]);
        return read as ValueGetter<TValue> ?? throw SchemaErrors.WrongGetterType(column, typeof(TValue));
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _view.Add(in _counts);
            _input.Dispose();
        }

        base.Dispose(disposing);
    }
}
