using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Reads rows ahead in whole groups, tests them when the first of their scores is asked for, and serves them one by
/// one.</summary>
/// <remarks>Blocks grow from one group, or 16 rows, to about 1,024 rows, so that whoever takes a few rows does not pay for many. Each is a
/// whole number of groups: a row is in the same group whatever was read. Active columns of the input are copied.</remarks>
internal sealed class GroupCursor : DataViewRowCursor
{
    private const int FirstBlock = 16;
    private const int LargestBlock = 1024;

    private readonly DataViewRowCursor _input;
    private readonly ActiveColumns _active;
    private readonly GroupCounters _counters;
    private readonly BufferedRow _current = new();
    private readonly ColumnBuffer?[] _columns;
    private readonly ColumnBuffer<DataViewRowId> _ids;
    private readonly int _largestBlock;
    private readonly long[] _batches;
    private readonly ValueGetter<VBuffer<float>>? _features;
    private readonly GroupTester? _tester;
    private readonly Delegate[] _getters;
    private VBuffer<float> _buffer;
    private int _filled;
    private int _block;
    private long _position = -1;
    private bool _ended;
    private bool _scored;
    private bool _disposed;

    public GroupCursor(DataViewRowCursor input, DataViewSchema schema, ActiveColumns active, GroupTestingTransformer transformer,
        DataViewSchema.Column features)
    {
        _input = input;
        Schema = schema;
        _active = active;
        _counters = transformer.Counters;
        int unit = transformer.Schedule.Unit;
        _largestBlock = Math.Max(1, RowBlocks.RowsFor(transformer.Network.FeatureCount, LargestBlock) / unit) * unit;
        _block = Math.Min((FirstBlock + unit - 1) / unit * unit, _largestBlock);
        _batches = new long[_largestBlock];
        _columns = new ColumnBuffer?[input.Schema.Count];
        foreach (DataViewSchema.Column column in ActiveColumns.Choose(input.Schema, active.CopyPassedThrough()))
            _columns[column.Index] = ColumnBuffer.Create(input, column, _current, _largestBlock);
        _ids = ColumnBuffer.CreateForIds(input, _current, _largestBlock);
        if (active.AnyAdded)
        {
            _features = input.GetGetter<VBuffer<float>>(input.Schema[features.Index]);
            _tester = new GroupTester(transformer.Network, transformer.Schedule, [.. transformer.Thresholds], transformer.Prevalence,
                _largestBlock);
        }

        _getters = [(ValueGetter<float>)GetScore, (ValueGetter<float>)GetProbability, (ValueGetter<bool>)GetIsPositive,
            (ValueGetter<float>)GetTests];
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _position;

    public override long Batch => _current.Slot < 0 ? 0 : _batches[_current.Slot];

    public override bool MoveNext()
    {
        if (_current.Slot + 1 >= _filled && !ReadBlock())
        {
            _position = -1;
            return false;
        }

        _current.Slot++;
        _position++;
        return true;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => _active.IsActive(column, Schema);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw SchemaErrors.Inactive(column);
        int added = column.Index - _columns.Length;
        Delegate getter = added < 0 ? _columns[column.Index]!.Getter : _getters[added];
        return getter as ValueGetter<TValue> ?? throw SchemaErrors.WrongGetterType(column, typeof(TValue));
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ValueGetter<DataViewRowId>)_ids.Getter;

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _input.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool ReadBlock()
    {
        if (_ended)
            return false;
        if (_position >= 0)
            _block = Math.Min(2 * _block, _largestBlock);
        _filled = 0;
        _scored = false;
        _current.Slot = -1;
        while (_filled < _block && _input.MoveNext())
        {
            if (_tester is not null)
            {
                _features!(ref _buffer);
                _buffer.CopyTo(_tester.Features(_filled));
            }

            _ids.Fill(_filled);
            foreach (ColumnBuffer? column in _columns)
                column?.Fill(_filled);
            _batches[_filled++] = _input.Batch;
        }

        _ended = _filled < _block;
        return _filled > 0;
    }

    private int CurrentRow()
    {
        if (!_scored)
        {
            _tester!.Score(_filled);
            _counters.Add(_tester.Counts);
            _scored = true;
        }

        return _current.Slot;
    }

    private void GetScore(ref float value) => value = _tester!.Scores[CurrentRow()];

    private void GetProbability(ref float value) => value = _tester!.Probabilities[CurrentRow()];

    private void GetIsPositive(ref bool value) => value = _tester!.Scores[CurrentRow()] > 0f;

    private void GetTests(ref float value) => value = _tester!.Tests[CurrentRow()];
}
