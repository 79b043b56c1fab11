using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Reads rows ahead, scores them by one pass of the network when the first of their scores is asked for, and serves them one by
/// one.</summary>
/// <remarks>Blocks grow from 16 to 1,024 rows (fewer where rows have many values), so that whoever takes a few rows does not pay for many.
/// Active columns of the input are copied.</remarks>
internal sealed class LookAheadCursor : DataViewRowCursor
{
    private const int FirstBlock = 16;
    private const int LargestBlock = 1024;

    private readonly DataViewRowCursor _input;
    private readonly ActiveColumns _active;
    private readonly BufferedRow _current = new();
    private readonly ColumnBuffer?[] _columns;
    private readonly ColumnBuffer<DataViewRowId> _ids;
    private readonly int _largestBlock;
    private readonly long[] _batches;
    private readonly InputReader _inputs;
    private readonly BlockScores _scores;
    private VBuffer<float> _buffer;
    private int _filled;
    private int _block = FirstBlock / 2;
    private long _position = -1;
    private bool _ended;
    private bool _disposed;

    public LookAheadCursor(
        DataViewRowCursor input, DataViewSchema schema, ActiveColumns active, DataViewSchema.Column[] buffered,
            InputReader inputs, NetworkModel model, bool withActivationNorm, float threshold)
    {
        _input = input;
        Schema = schema;
        _active = active;
        _largestBlock = ScoringBatch.RowsFor(model, LargestBlock);
        _batches = new long[_largestBlock];
        _columns = new ColumnBuffer?[input.Schema.Count];
        foreach (DataViewSchema.Column column in buffered)
            _columns[column.Index] = ColumnBuffer.Create(input, column, _current, _largestBlock);
        _ids = ColumnBuffer.CreateForIds(input, _current, _largestBlock);
        _inputs = inputs;
        _scores = new BlockScores(model, _current, _largestBlock, withActivationNorm, threshold);
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
        Delegate getter = added < 0 ? _columns[column.Index]!.Getter : _scores.GetGetter(added);
        return getter as ValueGetter<TValue> ?? throw SchemaErrors.WrongGetterType(column, typeof(TValue));
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ValueGetter<DataViewRowId>)_ids.Getter;

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _scores.Dispose();
            _input.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool ReadBlock()
    {
        if (_ended)
            return false;
        _block = Math.Min(2 * _block, _largestBlock);
        _filled = 0;
        _current.Slot = -1;
        while (_filled < _block && !_scores.IsFull(_filled) && !(_ended = !_input.MoveNext()))
        {
            _inputs.Read(ref _buffer);
            _scores.Set(_filled, _buffer);
            _ids.Fill(_filled);
            foreach (ColumnBuffer? column in _columns)
                column?.Fill(_filled);
            _batches[_filled++] = _input.Batch;
        }

        _scores.NewBlock(_filled);
        return _filled > 0;
    }

    /// <summary>Scores a block when the first of its scores is asked for.</summary>
    private sealed class BlockScores(NetworkModel model, BufferedRow current, int capacity, bool withActivationNorm,
        float threshold) : ScoreGetters(model, capacity, withActivationNorm, threshold)
    {
        private int _rows;
        private bool _scored;

        public void Set(int slot, in VBuffer<float> inputs) => Batch.Set(slot, inputs);

        public bool IsFull(int rows) => rows > 0 && Batch.IsFull;

        public void NewBlock(int rows)
        {
            _rows = rows;
            _scored = false;
        }

        protected override int CurrentRow()
        {
            if (!_scored)
            {
                Batch.Score(_rows);
                _scored = true;
            }

            return current.Slot;
        }
    }
}
