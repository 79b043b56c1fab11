using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Reads rows of an input ahead in blocks and serves them one by one, so that a block's added values can be computed
/// together.</summary>
/// <remarks>Blocks double from the first size to the largest, so that whoever takes a few rows does not pay for many. Active columns of the
/// input are copied.</remarks>
internal abstract class BlockCursor : ViewCursor
{
    private readonly DataViewRowCursor _input;
    private readonly ColumnBuffer?[] _columns;
    private readonly ColumnBuffer<DataViewRowId> _ids;
    private readonly int _largestBlock;
    private readonly long[] _batches;
    private int _filled;
    private int _block;
    private long _position = -1;
    private bool _ended;

    /// <param name="input">The input; closed with this cursor.</param>
    /// <param name="schema">Schema of the view: the input's columns, then the added ones.</param>
    /// <param name="active">The columns that the cursor was opened for.</param>
    /// <param name="firstBlock">Rows of the first block.</param>
    /// <param name="largestBlock">Most rows of a block.</param>
    protected BlockCursor(DataViewRowCursor input, DataViewSchema schema, ActiveColumns active, int firstBlock, int largestBlock)
        : base(schema, active)
    {
        _input = input;
        _largestBlock = largestBlock;
        _block = Math.Min(firstBlock, largestBlock);
        _batches = new long[largestBlock];
        _columns = new ColumnBuffer?[input.Schema.Count];
        foreach (DataViewSchema.Column column in ActiveColumns.Choose(input.Schema, active.CopyPassedThrough()))
            _columns[column.Index] = ColumnBuffer.Create(input, column, Current, largestBlock);
        _ids = ColumnBuffer.CreateForIds(input, Current, largestBlock);
    }

    public sealed override long Position => _position;

    public sealed override long Batch => Current.Slot < 0 ? 0 : _batches[Current.Slot];

    /// <summary>The place of the shown row in the block.</summary>
    protected BufferedRow Current { get; } = new();

    public sealed override bool MoveNext()
    {
        if (Current.Slot + 1 >= _filled && !ReadBlock())
        {
            _position = -1;
            return false;
        }

        Current.Slot++;
        _position++;
        return true;
    }

    public sealed override ValueGetter<DataViewRowId> GetIdGetter() => (ValueGetter<DataViewRowId>)_ids.Getter;

    protected sealed override ValueGetter<TValue>? GetterOf<TValue>(DataViewSchema.Column column)
    {
        int added = column.Index - _columns.Length;
        return (added < 0 ? _columns[column.Index]!.Getter : AddedGetter(added)) as ValueGetter<TValue>;
    }

    /// <summary>The getter of an added column, counted from 0.</summary>
    protected abstract Delegate AddedGetter(int added);

    /// <summary>Takes the row on which the input stands into the block.</summary>
    protected abstract void ReadRow(int slot);

    /// <summary>Whether a block that holds some rows cannot hold another, although it is not as long as blocks are now.</summary>
    protected virtual bool IsFull => false;

    /// <summary>A block was read.</summary>
    protected abstract void StartBlock(int rows);

    protected override void Close() => _input.Dispose();

    private bool ReadBlock()
    {
        if (_ended)
            return false;
        if (_position >= 0)
            _block = Math.Min(2 * _block, _largestBlock);
        _filled = 0;
        Current.Slot = -1;
        while (_filled < _block && !(_filled > 0 && IsFull) && !(_ended = !_input.MoveNext()))
        {
            ReadRow(_filled);
            _ids.Fill(_filled);
            foreach (ColumnBuffer? column in _columns)
                column?.Fill(_filled);
            _batches[_filled++] = _input.Batch;
        }

        StartBlock(_filled);
        return _filled > 0;
    }
}
