using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Writes the records of one process into a directory of segment files, from any number of threads; other processes may write into the same directory, and <see cref="ForwardRecordReader{TRecord}"/> reads along.</summary>
/// <remarks>
/// <para><b>Acknowledged.</b> Append only copies the record into memory. A thread of the log writes full blocks at once and others after <see cref="ForwardRecordLogOptions.FlushInterval"/>;
/// then the records numbered up to <see cref="Acknowledged"/> have the promised <see cref="ForwardRecordLogOptions.Durability"/>. <see cref="Flush"/> waits for that. A record that is not acknowledged may be lost in a crash.</para>
/// <para><b>When the disk refuses</b> (full, read-only, an error), nothing acknowledged is touched and what is in memory is tried again every <see cref="ForwardRecordLogOptions.RetryInterval"/>, and at each Flush.
/// Meanwhile Flush throws; Append throws once memory is full, or drops and counts under <see cref="RecordOverflow.DropAndRecord"/>. When the directory or the segment in use is deleted, the log makes a new one and writes again
/// what was not yet acknowledged; what was acknowledged went with the files.</para>
/// <para><b>Clock.</b> Record times are written as they come, also when the clock goes backwards; a block's times are exact to 1/8190 of the time it spans. Segment age runs on the monotonic clock.</para>
/// <para>Thread-safe. Append allocates nothing. Memory is fixed at opening: <see cref="ForwardRecordLogOptions.MemoryBytes"/> and 8 bytes a record.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>, or <see cref="LabelEvent"/> for labels; one directory holds one of them.</typeparam>
public sealed class ForwardRecordLog<TRecord> : IDisposable, IAsyncDisposable
    where TRecord : struct, ILogRecord<TRecord>
{
    private readonly object _gate = new();
    private readonly ForwardRecordLogOptions _options;
    private readonly SegmentWriter _segments;
    private readonly Thread _thread;
    private readonly BlockBuffer<TRecord>[] _free;
    private readonly BlockBuffer<TRecord>[] _queue;             // a ring: sealed, not yet acknowledged
    private readonly BlockBuffer<TRecord>[] _batch;
    private readonly List<(long Number, TaskCompletionSource Done)> _waiting = [];
    private readonly bool _thins;
    private readonly bool _hasSystemClock;
    private readonly int _recoveredSegments;
    private readonly long _truncatedBytes;
    private SelectionRandom _random;
    private BlockBuffer<TRecord>? _open;
    private int _freeCount;
    private int _queueStart;
    private int _queueCount;
    private int _halvings;
    private long _flushDue;
    private long _retryAt;
    private long _stampedAt = -1;
    private long _stamp;
    private bool _sleeping;
    private bool _flushAsked;
    private bool _closing;
    private long _appended;
    private long _acknowledged;
    private long _thinned;
    private long _dropped;
    private long _failures;
    private Exception? _failure;

    /// <summary>Opens a log: creates the directory if need be, finishes the segments of crashed writers, deletes old ones, begins a segment.</summary>
    /// <param name="directory">Folder of the segment files, for records of this kind only.</param>
    /// <param name="options">How to write; left out, the defaults.</param>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty, or options do not agree with each other, or labels would be dropped under <see cref="RecordOverflow.DropAndRecord"/>.</exception>
    /// <exception cref="IOException">The directory cannot be created or written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory is not writable for this user.</exception>
    public ForwardRecordLog(string directory, ForwardRecordLogOptions? options = null)
        : this(directory, options, DiskStorage.Instance)
    {
    }

    internal ForwardRecordLog(string directory, ForwardRecordLogOptions? options, ISegmentStorage storage)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        _options = options ?? new ForwardRecordLogOptions();
        _options.Validate();
        if (TRecord.Kind == RecordKind.Label && _options.Overflow == RecordOverflow.DropAndRecord)
            throw new ArgumentException($"{nameof(ForwardRecordLogOptions)}.{nameof(ForwardRecordLogOptions.Overflow)} must be {nameof(RecordOverflow.Block)} for labels: a label carries no keeping probability, so nothing would stand for a dropped one. Got {_options.Overflow}.", nameof(options));
        Directory = Path.GetFullPath(directory);
        storage.CreateDirectory(Directory);
        (_recoveredSegments, _truncatedBytes) = SegmentDirectory.Recover(Directory);
        _segments = new SegmentWriter(Directory, _options, storage, TRecord.Kind, TRecord.EncodedBytes);
        _segments.Open();

        _free = new BlockBuffer<TRecord>[_options.MemoryBytes / _options.BlockBytes];
        for (int i = 0; i < _free.Length; i++)
            _free[i] = new BlockBuffer<TRecord>(_options.BlockBytes);
        _freeCount = _free.Length;
        _queue = new BlockBuffer<TRecord>[_free.Length];
        _batch = new BlockBuffer<TRecord>[_free.Length];
        _hasSystemClock = ReferenceEquals(_options.TimeProvider, TimeProvider.System);
        _thins = _options.Overflow == RecordOverflow.DropAndRecord;
        _random = new SelectionRandom((ulong)(uint)_options.Seed);
        _thread = new Thread(RunWriter) { IsBackground = true, Name = "ForwardRecordLog" };
        _thread.Start();
    }

    /// <summary>Full path of the folder.</summary>
    public string Directory { get; }

    /// <summary>Records 1 to this have the promised durability.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>What was counted so far; a snapshot.</summary>
    public ForwardRecordLogReport Report
    {
        get
        {
            lock (_gate)
            {
                return new ForwardRecordLogReport
                {
                    Appended = _appended,
                    Acknowledged = _acknowledged,
                    Thinned = _thinned,
                    Dropped = _dropped,
                    Blocks = _segments.Blocks,
                    Bytes = _segments.Bytes,
                    Segments = _segments.Segments,
                    AbandonedSegments = _segments.Abandoned,
                    DeletedSegments = _segments.Deleted,
                    RecoveredSegments = _recoveredSegments,
                    TruncatedBytes = _truncatedBytes,
                    Failures = _failures,
                    Failure = _failure?.Message,
                };
            }
        }
    }

    /// <summary>Takes one record into memory; it is written soon.</summary>
    /// <param name="record">The record; one without a time gets the current one, exact to a tick of the machine's coarse clock (1 to 16 ms).</param>
    /// <param name="cancellationToken">Ends waiting for room, under <see cref="RecordOverflow.Block"/>.</param>
    /// <returns>The record's number, from 1: it is durable once <see cref="Acknowledged"/> has reached it. 0 when the record was not kept, under <see cref="RecordOverflow.DropAndRecord"/>.</returns>
    /// <exception cref="IOException">Memory is full and the disk refuses (only under <see cref="RecordOverflow.Block"/>). The record was not taken.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting. The record was not taken.</exception>
    /// <exception cref="ObjectDisposedException">The log is closed.</exception>
    public long Append(in TRecord record, CancellationToken cancellationToken = default)
    {
        lock (_gate)
            return TryTake(in record, Now(), cancellationToken) ? _appended : 0;
    }

    /// <summary>Takes records into memory, in order; cheaper than one by one.</summary>
    /// <param name="records">The records; those without a time all get the current one.</param>
    /// <param name="cancellationToken">Ends waiting for room, under <see cref="RecordOverflow.Block"/>.</param>
    /// <returns>The number of the last record taken so far by this log; once <see cref="Acknowledged"/> has reached it, all that were kept of these are durable.</returns>
    /// <exception cref="IOException">Memory is full and the disk refuses (only under <see cref="RecordOverflow.Block"/>). Some of the records may have been taken: compare <see cref="ForwardRecordLogReport.Appended"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting. Some of the records may have been taken.</exception>
    /// <exception cref="ObjectDisposedException">The log is closed.</exception>
    public long Append(ReadOnlySpan<TRecord> records, CancellationToken cancellationToken = default)
    {
        const int Turn = 1024;                              // then other threads may have the gate
        long last;
        do
        {
            ReadOnlySpan<TRecord> part = records[..Math.Min(Turn, records.Length)];
            records = records[part.Length..];
            lock (_gate)
            {
                long now = Now();
                foreach (ref readonly TRecord record in part)
                    _ = TryTake(in record, now, cancellationToken);
                last = _appended;
            }
        }
        while (!records.IsEmpty);
        return last;
    }

    /// <summary>Waits until all records appended so far are durable.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="IOException">The disk refuses; the records stay in memory and are tried again. The inner exception says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    /// <exception cref="ObjectDisposedException">The log is closed.</exception>
    public void Flush(CancellationToken cancellationToken = default) => FlushAsync(cancellationToken).GetAwaiter().GetResult();

    /// <summary>Completes when all records appended so far are durable. Flushes at the same time share one write and, for <see cref="RecordDurability.PowerLoss"/>, one fsync.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>A task that fails with <see cref="IOException"/> when the disk refuses; the records stay in memory and are tried again.</returns>
    /// <exception cref="ObjectDisposedException">The log is closed.</exception>
    public Task FlushAsync(CancellationToken cancellationToken = default)
    {
        TaskCompletionSource done;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            if (_acknowledged == _appended)
                return Task.CompletedTask;
            done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((_appended, done));
            _flushAsked = true;
            Monitor.PulseAll(_gate);
        }

        return done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Writes what is in memory, finishes the segment and closes the log. Records appended meanwhile by other threads are refused.</summary>
    /// <exception cref="IOException">The disk refuses; the message says how many records are lost with it.</exception>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closing)
                return;
            _closing = true;
            Monitor.PulseAll(_gate);
        }

        _thread.Join();
        if (_acknowledged != _appended)
            throw new IOException($"The log in {Directory} was closed while the disk refused: {_appended - _acknowledged} of {_appended} records were never acknowledged and are lost. {_failure?.Message}", _failure);
    }

    /// <summary>As <see cref="Dispose"/>, without holding a thread of the caller.</summary>
    /// <returns>A task that fails with <see cref="IOException"/> as <see cref="Dispose"/> does.</returns>
    public async ValueTask DisposeAsync() => await Task.Run(Dispose).ConfigureAwait(false);

    /// <summary>Under the gate: draws whether to keep the record, and puts it into the open block.</summary>
    private bool TryTake(in TRecord record, long now, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_closing, this);
        long ticks = record.Time.Ticks;
        if (ticks == 0)
            ticks = now;
        int halvings = _halvings;
        if (halvings > 0)
        {
            halvings = Math.Min(halvings, (ushort.MaxValue - record.KeepingCode) / KeepingProbability.Halving);
            if (halvings > 0 && _random.NextUInt64() >> (64 - halvings) != 0)
            {
                _thinned++;
                return false;
            }
        }

        while (true)
        {
            if (_open is BlockBuffer<TRecord> open)
            {
                if (open.TryAdd(in record, ticks, halvings))
                {
                    _appended++;
                    return true;
                }

                Seal();
            }
            else if (_freeCount > 0)
            {
                _open = _free[--_freeCount];
                _open.Start(_appended);
                _flushDue = Environment.TickCount64 + (long)_options.FlushInterval.TotalMilliseconds;
                if (_thins)
                    SetHalvings();
                if (_sleeping)
                    Monitor.PulseAll(_gate);
            }
            else if (_thins)
            {
                _dropped++;
                return false;
            }
            else
            {
                WaitForRoom(cancellationToken);
            }
        }
    }

    /// <summary>Under the gate: the current time. The system's clock is read once a tick of the coarse monotonic clock, which costs a fraction of it.</summary>
    private long Now()
    {
        if (!_hasSystemClock)
            return _options.TimeProvider.GetUtcNow().UtcTicks;
        long tick = Environment.TickCount64;
        if (tick != _stampedAt)
        {
            _stampedAt = tick;
            _stamp = DateTime.UtcNow.Ticks;
        }

        return _stamp;
    }

    private void WaitForRoom(CancellationToken cancellationToken)
    {
        const int LookAtTokenMilliseconds = 20;
        cancellationToken.ThrowIfCancellationRequested();
        if (_failure is Exception failure)
            throw Refused(failure);
        Monitor.Wait(_gate, LookAtTokenMilliseconds);
        ObjectDisposedException.ThrowIf(_closing, this);
    }

    /// <summary>Moves the open block to the queue. Its place there is certain: the queue has room for all blocks.</summary>
    private void Seal()
    {
        _queue[(_queueStart + _queueCount++) % _queue.Length] = _open!;
        _open = null;
        if (_sleeping)
            Monitor.PulseAll(_gate);
    }

    /// <summary>Half full: every record is kept. Above, one halving for each further 1/32 of memory.</summary>
    private void SetHalvings()
    {
        int beyondHalf = (2 * (_free.Length - _freeCount)) - _free.Length;
        _halvings = beyondHalf <= 0 ? 0 : Math.Min(KeepingProbability.MostHalvings, beyondHalf * 16 / _free.Length);
    }

    private void RunWriter()
    {
        while (true)
        {
            int count;
            bool closing;
            lock (_gate)
            {
                bool due = WaitForWork();
                if (_open is { Count: > 0 } && (_closing || ((_flushAsked || due) && (_failure is null || _queueCount == 0))))
                    Seal();
                _flushAsked = false;
                closing = _closing;
                count = _queueCount;
                for (int i = 0; i < count; i++)
                    _batch[i] = _queue[(_queueStart + i) % _queue.Length];
            }

            try
            {
                if (count == 0 && !closing)
                    _segments.FinishIfOld();
                if (count > 0)
                    WriteBatch(count);
                lock (_gate)
                    Acknowledge(count);
                if (closing)
                    _segments.Finish();
            }
            catch (Exception e)
            {
                // Also what is no disk error must not end this thread without a word: appenders would wait for ever.
                lock (_gate)
                    Fail(e);
            }

            if (closing)
            {
                _segments.Close();
                lock (_gate)
                    FailWaiting();
                return;
            }
        }
    }

    /// <summary>Under the gate: sleeps until there is something to write or a segment may have become old. True when the open block has waited long enough.</summary>
    private bool WaitForWork()
    {
        const long LookAtAgeMilliseconds = 1000;
        long woken = Environment.TickCount64 + LookAtAgeMilliseconds;
        while (true)
        {
            long now = Environment.TickCount64;
            bool due = _open is { Count: > 0 } && now >= _flushDue;
            if (_closing || _flushAsked)
                return due;
            long until;
            if (_failure is not null)
            {
                if (now >= _retryAt)
                    return due;
                until = _retryAt;
            }
            else
            {
                if (due || _queueCount > 0 || now >= woken)
                    return due;
                until = _open is { Count: > 0 } ? Math.Min(woken, _flushDue) : woken;
            }

            _sleeping = true;
            Monitor.Wait(_gate, (int)Math.Clamp(until - now, 1, LookAtAgeMilliseconds));
            _sleeping = false;
        }
    }

    /// <summary>Writes sealed blocks and makes them durable. After a failure they stay in the queue and writing goes on where it stopped, or from the first one if their segment was lost: readers know by its number what they have already seen.</summary>
    private void WriteBatch(int count)
    {
        const int Attempts = 2;                             // a deleted file costs one; a refusing disk fails at both
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                for (int i = 0; i < count; i++)
                {
                    BlockBuffer<TRecord> block = _batch[i];
                    long next = block.FirstSequence + block.Count;
                    if (next > _segments.Written)
                        _segments.Write(block.Seal(_segments.Id), next);
                }

                _segments.Commit();
                return;
            }
            catch (IOException) when (attempt < Attempts)
            {
            }
        }
    }

    private void Acknowledge(int count)
    {
        _flushAsked |= _failure is not null;                // what a refused Flush had asked for follows at once
        _failure = null;
        if (count == 0)
            return;
        BlockBuffer<TRecord> last = _batch[count - 1];
        Interlocked.Exchange(ref _acknowledged, last.FirstSequence + last.Count);
        for (int i = 0; i < count; i++)
            _free[_freeCount++] = _batch[i];
        _queueStart = (_queueStart + count) % _queue.Length;
        _queueCount -= count;
        if (_thins)
            SetHalvings();
        int kept = 0;
        for (int i = 0; i < _waiting.Count; i++)
        {
            if (_waiting[i].Number <= _acknowledged)
                _waiting[i].Done.SetResult();
            else
                _waiting[kept++] = _waiting[i];
        }

        _waiting.RemoveRange(kept, _waiting.Count - kept);
        Monitor.PulseAll(_gate);
    }

    private void Fail(Exception failure)
    {
        _failures++;
        _failure = failure;
        _retryAt = Environment.TickCount64 + (long)_options.RetryInterval.TotalMilliseconds;
        FailWaiting();
        Monitor.PulseAll(_gate);
    }

    private void FailWaiting()
    {
        foreach ((_, TaskCompletionSource done) in _waiting)
            done.SetException(_failure is null ? new ObjectDisposedException(GetType().Name) : Refused(_failure));
        _waiting.Clear();
    }

    private IOException Refused(Exception failure)
        => new($"The log in {Directory} cannot write: {failure.Message} {_appended - _acknowledged} records wait in memory and are tried again every {_options.RetryInterval.TotalSeconds:0.###} s.", failure);
}
