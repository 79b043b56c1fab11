using System.Collections.Concurrent;

namespace Microsoft.ML.Data;

/// <summary>
/// Reads cursors on background threads: splits one into several, and merges several into one in the order of their batches.
/// As in ML.NET, a merged cursor evaluates every active column of every row, read or not.
/// </summary>
internal static class ParallelCursors
{
    private const int QueueLength = 4;

    /// <summary>One cursor over a view from as many as it gives; if it gives one, that one.</summary>
    public static DataViewRowCursor Consolidated(IDataView view, IEnumerable<DataViewSchema.Column> columns, Random? rand)
    {
        DataViewRowCursor[] inputs = view.GetRowCursorSet(columns, Math.Max(2, Environment.ProcessorCount - 1), rand);
        return inputs.Length == 1 ? inputs[0] : new ConsolidatedCursor(inputs);
    }

    public static bool CanBuffer(IEnumerable<DataViewSchema.Column> columns) =>
        columns.All(c => c.Type is PrimitiveDataViewType or VectorDataViewType);

    public static DataViewRowCursor[] Split(DataViewRowCursor input, int n)
    {
        if (n <= 1 || !CanBuffer(input.Schema.Where(input.IsColumnActive)))
            return [input];
        var source = new SplitSource(input, n);
        return [.. Enumerable.Range(0, n).Select(_ => new SplitCursor(source, input.Schema, ActiveFlags(input)))];
    }

    private static bool[] ActiveFlags(DataViewRowCursor cursor) => [.. cursor.Schema.Select(cursor.IsColumnActive)];

    private static Thread StartThread(Action action)
    {
        var thread = new Thread(() => action()) { IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>Fills batches from one cursor, on one thread; emptied batches come back to it.</summary>
    private sealed class BatchReader(DataViewRowCursor input)
    {
        private readonly ConcurrentBag<RowBatch> _pool = [];
        private readonly DataViewSchema.Column[] _columns = [.. input.Schema.Where(input.IsColumnActive)];
        private ColumnStore.Filler[]? _fillers;
        public BlockingCollection<RowBatch> Queue { get; } = new(QueueLength);
        public void Return(RowBatch batch) => _pool.Add(batch);

        /// <summary>Reads to the end, or until told to stop, and disposes the cursor.</summary>
        public void Run(Func<bool> stop)
        {
            try
            {
                using (input)
                    Read(stop);
            }
            catch (Exception e)
            {
                Queue.Add(new RowBatch { Stores = [], Error = e });
            }
            finally
            {
                Queue.CompleteAdding();
            }
        }

        private void Read(Func<bool> stop)
        {
            RowBatch? batch = null;
            while (!stop() && input.MoveNext())
            {
                if (batch is not null && (batch.Count == RowBatch.Capacity || batch.Batch != input.Batch))
                {
                    Queue.Add(batch);
                    batch = null;
                }

                batch ??= NewBatch(input.Batch);
                _fillers ??= CreateFillers(batch);
                for (int i = 0; i < _fillers.Length; i++)
                    _fillers[i](batch.Stores[i], batch.Count);
                batch.Count++;
            }

            if (batch is not null)
                Queue.Add(batch);
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
            [.. _columns.Select((c, i) => batch.Stores[i].CreateFiller(input, c)), ColumnStore<DataViewRowId>.CreateFiller(input.GetIdGetter())];
    }

    private abstract class BatchCursor(DataViewSchema schema, bool[] active) : StoredRowCursor(schema, active)
    {
        private readonly int _idSlot = active.Count(isActive => isActive);
        protected RowBatch? Current { get; private set; }
        public override long Batch => Current?.Batch ?? -1;

        public override ColumnStore StoreAt(int slot) => Current is null || Position < 0
            ? throw new InvalidOperationException("Cannot get value as the cursor is not in a good state")
            : Current.Stores[slot];

        public override ValueGetter<DataViewRowId> GetIdGetter() =>
            (ref DataViewRowId id) => ((ColumnStore<DataViewRowId>)StoreAt(_idSlot)).Read(StoredIndex, ref id);

        protected sealed override bool MoveNextCore()
        {
            if (Current is null || ++StoredIndex == Current.Count)
            {
                Current = NextBatch(Current);
                StoredIndex = 0;
            }

            if (Current?.Error is { } error)
                throw new InvalidOperationException("Splitter/consolidator worker encountered exception while consuming source data", error);
            return Current is not null;
        }

        /// <summary>The next batch, or null at the end; <paramref name="used"/> may be refilled.</summary>
        protected abstract RowBatch? NextBatch(RowBatch? used);
    }

    private sealed class ConsolidatedCursor : BatchCursor
    {
        private readonly BatchReader[] _readers;
        private readonly RowBatch?[] _heads; // the next batch of each reader
        private readonly Thread[] _threads;
        private int _currentReader;
        private volatile bool _stop;

        public ConsolidatedCursor(DataViewRowCursor[] inputs) : base(inputs[0].Schema, ActiveFlags(inputs[0]))
        {
            _readers = Array.ConvertAll(inputs, input => new BatchReader(input));
            _heads = new RowBatch?[inputs.Length];
            _threads = Array.ConvertAll(_readers, reader => StartThread(() => reader.Run(() => _stop)));
        }

        // Batches of one reader ascend, so the least head is the least of all that is still to come.
        protected override RowBatch? NextBatch(RowBatch? used)
        {
            if (used is not null)
                _readers[_currentReader].Return(used);
            int best = -1;
            for (int i = 0; i < _readers.Length; i++)
            {
                if (_heads[i] is null && _readers[i].Queue.TryTake(out RowBatch? taken, Timeout.Infinite))
                    _heads[i] = taken;
                if (_heads[i]?.Error is not null)
                    return _heads[i];
                if (_heads[i] is { } head && (best < 0 || head.Batch < _heads[best]!.Batch))
                    best = i;
            }

            if (best < 0)
                return null;
            RowBatch next = _heads[best]!;
            _heads[best] = null;
            _currentReader = best;
            return next;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && !_stop)
            {
                _stop = true;
                for (int i = 0; i < _readers.Length; i++)
                {
                    while (_readers[i].Queue.TryTake(out _, Timeout.Infinite)) { } // a reader may wait for room in its queue
                    _threads[i].Join();
                }
            }

            base.Dispose(disposing);
        }
    }

    /// <summary>The one reader behind the cursors of a split.</summary>
    private sealed class SplitSource
    {
        private readonly Thread _thread;
        private int _cursors;
        private long _batches;
        private volatile bool _stop;

        public SplitSource(DataViewRowCursor input, int cursors)
        {
            Reader = new BatchReader(input);
            _cursors = cursors;
            _thread = StartThread(() => Reader.Run(() => _stop));
        }

        public BatchReader Reader { get; }

        public RowBatch? Next()
        {
            lock (this) // taking and numbering go together
            {
                if (!Reader.Queue.TryTake(out RowBatch? batch, Timeout.Infinite))
                    return null;
                batch.Batch = _batches++;
                return batch;
            }
        }

        public void Release()
        {
            if (Interlocked.Decrement(ref _cursors) > 0)
                return;
            _stop = true;
            while (Reader.Queue.TryTake(out _, Timeout.Infinite)) { }
            _thread.Join();
        }
    }

    private sealed class SplitCursor(SplitSource source, DataViewSchema schema, bool[] active) : BatchCursor(schema, active)
    {
        private bool _released;

        protected override RowBatch? NextBatch(RowBatch? used)
        {
            if (used is not null)
                source.Reader.Return(used);
            return source.Next();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && !_released)
            {
                _released = true;
                source.Release();
            }

            base.Dispose(disposing);
        }
    }
}
