using System.Collections.Concurrent;

namespace Microsoft.ML.Data;

/// <summary>
/// Reads cursors on background threads: splits one into several, and merges several into one in the order of their batches.
/// As in ML.NET, a merged cursor evaluates every active column of every row, read or not.
/// </summary>
internal static class ParallelCursors
{
    /// <summary>One cursor over a view from as many as it gives; if it gives one, that one.</summary>
    public static DataViewRowCursor Consolidated(IDataView view, IEnumerable<DataViewSchema.Column> columns, Random? rand)
    {
        DataViewRowCursor[] inputs = view.GetRowCursorSet(columns, Math.Max(2, Environment.ProcessorCount - 1), rand);
        if (inputs.Length == 1)
            return inputs[0];
        bool[] active = ActiveFlags(inputs[0]);
        return new BatchCursor(view.Schema, active, Array.ConvertAll(inputs, input => new BatchReader(input, users: 1)));
    }

    public static DataViewRowCursor[] Split(DataViewRowCursor input, int n)
    {
        if (n <= 1 || !CanBuffer(input.Schema.Where(input.IsColumnActive)))
            return [input];
        (DataViewSchema schema, bool[] active) = (input.Schema, ActiveFlags(input)); // the reader's thread may dispose the input soon
        var reader = new BatchReader(input, n);
        return [.. Enumerable.Range(0, n).Select(_ => new BatchCursor(schema, active, [reader]))];
    }

    private static bool[] ActiveFlags(DataViewRowCursor cursor) => [.. cursor.Schema.Select(cursor.IsColumnActive)];

    public static bool CanBuffer(IEnumerable<DataViewSchema.Column> columns) =>
        columns.All(c => c.Type is PrimitiveDataViewType or VectorDataViewType);

    /// <summary>The view without the columns whose values cannot be copied from row to row.</summary>
    public static IDataView OnlyBufferable(IDataView view) => CanBuffer(view.Schema)
        ? view
        : new RowMapperView(view, new RowMapper(view.Schema, [.. view.Schema.Where(c => CanBuffer([c])).Select(c => c.Index)]));

    /// <summary>Fills batches from one cursor, on one thread, for one cursor or several; emptied batches come back to it.</summary>
    private sealed class BatchReader
    {
        private readonly BlockingCollection<RowBatch> _queue = new(boundedCapacity: 4);
        private readonly ConcurrentBag<RowBatch> _pool = [];
        private readonly DataViewRowCursor _input;
        private readonly DataViewSchema.Column[] _columns;
        private readonly bool _isShared;
        private readonly Thread _thread;
        private int _users;
        private volatile bool _stop;

        public BatchReader(DataViewRowCursor input, int users)
        {
            _input = input;
            _columns = [.. input.Schema.Where(input.IsColumnActive)];
            _users = users;
            _isShared = users > 1;
            _thread = new Thread(Run) { IsBackground = true };
            _thread.Start();
        }

        /// <summary>The next batch, or null at the end; <paramref name="used"/> may be refilled.</summary>
        public RowBatch? Next(RowBatch? used)
        {
            if (used is not null)
                _pool.Add(used);
            return _queue.TryTake(out RowBatch? batch, Timeout.Infinite) ? batch : null;
        }

        /// <summary>The last user ends the thread and waits for it.</summary>
        public void Release()
        {
            if (Interlocked.Decrement(ref _users) > 0)
                return;
            _stop = true;
            while (_queue.TryTake(out _, Timeout.Infinite)) { } // the thread may wait for room in the queue
            _thread.Join();
        }

        private void Run()
        {
            try
            {
                using (_input)
                    Read();
            }
            catch (Exception e)
            {
                _queue.Add(new RowBatch { Stores = [], Error = e });
            }
            finally
            {
                _queue.CompleteAdding();
            }
        }

        private void Read()
        {
            RowBatch? batch = null;
            ColumnStore.Filler[]? fillers = null;
            for (long rows = 0; !_stop && _input.MoveNext(); rows++)
            {
                // A shared source says nothing by its own batch numbers: it is one sequence, cut here.
                long number = _isShared ? rows / RowBatch.Capacity : _input.Batch;
                if (batch is not null && (batch.Count == RowBatch.Capacity || batch.Batch != number))
                {
                    _queue.Add(batch);
                    batch = null;
                }

                batch ??= NewBatch(number);
                fillers ??= CreateFillers(batch);
                for (int i = 0; i < fillers.Length; i++)
                    fillers[i](batch.Stores[i], batch.Count);
                batch.Count++;
            }

            if (batch is not null)
                _queue.Add(batch);
        }

        private RowBatch NewBatch(long number)
        {
            if (!_pool.TryTake(out RowBatch? batch))
                batch = new RowBatch { Stores = [.. _columns.Select(c => ColumnStore.Create(c.Type)), new ColumnStore<DataViewRowId>()] };
            batch.Count = 0;
            batch.Batch = number;
            return batch;
        }

        private ColumnStore.Filler[] CreateFillers(RowBatch batch) =>
            [.. _columns.Select((c, i) => batch.Stores[i].CreateFiller(_input, c)), ColumnStore<DataViewRowId>.CreateFiller(_input.GetIdGetter())];
    }

    /// <summary>The rows of one reader, or of several in the order of their batches.</summary>
    private sealed class BatchCursor(DataViewSchema schema, bool[] active, BatchReader[] readers) : StoredRowCursor(schema, active)
    {
        private readonly int _idSlot = active.Count(isActive => isActive);
        private readonly RowBatch?[] _heads = new RowBatch?[readers.Length]; // the next batch of each reader
        private RowBatch? _current;
        private int _reader; // the one that the current batch is from
        private bool _released;
        public override long Batch => _current?.Batch ?? -1;

        public override ColumnStore StoreAt(int slot) => _current is null || Position < 0
            ? throw new InvalidOperationException("Cannot get value as the cursor is not in a good state")
            : _current.Stores[slot];

        public override ValueGetter<DataViewRowId> GetIdGetter() =>
            (ref DataViewRowId id) => ((ColumnStore<DataViewRowId>)StoreAt(_idSlot)).Read(StoredIndex, ref id);

        protected override bool MoveNextCore()
        {
            if (_current is null || ++StoredIndex == _current.Count)
            {
                _current = NextBatch();
                StoredIndex = 0;
            }

            if (_current?.Error is { } error)
                throw new InvalidOperationException("Splitter/consolidator worker encountered exception while consuming source data", error);
            return _current is not null;
        }

        // Batches of one reader ascend, so the least head is the least of all that is still to come.
        private RowBatch? NextBatch()
        {
            RowBatch? next = null;
            int last = _reader;
            for (int i = 0; i < readers.Length; i++)
            {
                _heads[i] ??= readers[i].Next(i == last ? _current : null);
                if (_heads[i] is { } head && (head.Error is not null || next is null || head.Batch < next.Batch))
                    (next, _reader) = (head, i);
                if (next?.Error is not null)
                    return next;
            }

            if (next is not null)
                _heads[_reader] = null;
            return next;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && !_released)
            {
                _released = true;
                Array.ForEach(readers, reader => reader.Release());
            }

            base.Dispose(disposing);
        }
    }
}
