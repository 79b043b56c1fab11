using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>A writer that keeps records in memory until a thread of its own has written them: waiting, thinning, failing, trying again and
/// closing, for every place that records can go to.</summary>
/// <remarks>
/// <para><b>For who writes a further one:</b> derive, call <see cref="Start"/> at the end of the constructor, and write batches in
/// <see cref="WriteBatch"/>. A batch that failed comes again, the same records under the same <see cref="RecordBatch{TRecord}.First"/>,
/// until it is written: what was written of it must be recognised, and not be written twice.</para>
/// <para>Append only copies the record into memory. A thread of the writer writes full blocks at once and others after the flush interval;
/// then the records numbered up to <see cref="Acknowledged"/> are as safe as the writer promises. A record that is not acknowledged may be
/// lost in a crash.</para>
/// <para><b>When what the records go to refuses</b>, nothing acknowledged is touched and what is in memory is tried again after the retry
/// interval, and at each Flush. Meanwhile Flush throws; Append throws once memory is full, or drops and counts under
/// <see cref="RecordOverflow.DropAndRecord"/>.</para>
/// <para>Thread-safe. While the open block has room, Append takes no lock: threads reserve their places in it with one interlocked
/// exchange. Append allocates nothing. Memory is fixed at opening: a record's bytes and 8 more for its time. A record without a time gets
/// what the clock said at most some 10 ms before; while one write takes longer, at most that long or 64 records before.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/>, <see cref="MulticlassRecord"/> or
/// <see cref="LabelEvent"/>.</typeparam>
public abstract class BufferedRecordWriter<TRecord> : IRecordWriter<TRecord>, IMeasuredWriter
    where TRecord : struct, ILogRecord<TRecord>
{
    private const int CountBits = 20;
    private const long CountMask = (1 << CountBits) - 1;

    private readonly object _gate = new();
    private readonly RecordBufferOptions _options;
    private readonly Thread _thread;
    private readonly BlockBuffer<TRecord>[] _free;
    private readonly BlockBuffer<TRecord>[] _queue;             // a ring: sealed, not yet acknowledged
    private readonly BlockBuffer<TRecord>[] _batch;
    private readonly List<(long Number, TaskCompletionSource Done)> _waiting = [];
    private readonly int _blockRecords;
    private readonly bool _thins;
    private readonly bool _hasSystemClock;
    private RepeatableRandom _random;

    /// <summary>Places reserved in the open block, and above <see cref="CountBits"/> a number that no other open block has; all ones
    /// instead of the places while none is open.</summary>
    /// <remarks>An appender that raises it by n owns the n places from there on. Only the lock's owner opens and closes blocks.</remarks>
    private LoneInt64 _reserved = new() { Value = CountMask };
    private BlockBuffer<TRecord>? _open;
    private bool _isOpen;
    private long _sealed;
    private int _freeCount;
    private int _queueStart;
    private int _queueCount;
    private int _batchCount;                                    // blocks of the batch that is being written, or failed and comes again
    private int _halvings;
    private long _retryAt;
    private TimeSpan _retryAfter;
    private long _stamp;                                        // time of records without one; 0 when the next must look at the clock
    private bool _sleeping;
    private bool _flushAsked;
    private bool _closing;
    private bool _ended;
    private long _acknowledged;
    private long _thinned;
    private long _dropped;
    private long _failures;
    private Exception? _failure;

    /// <summary>Allocates the memory. Nothing is taken before <see cref="Start"/>.</summary>
    /// <param name="options">How to keep records and to try again.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">Labels would be dropped under <see cref="RecordOverflow.DropAndRecord"/>.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="TRecord"/> is not one of the four.</exception>
    protected BufferedRecordWriter(RecordBufferOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (typeof(TRecord).Assembly != typeof(LabelEvent).Assembly)
            throw new NotSupportedException(
                $"{typeof(TRecord)} has no encoding: records are {nameof(RegressionRecord)}, {nameof(BinaryRecord)}, "
                + $"{nameof(MulticlassRecord)} and {nameof(LabelEvent)}.");
        if (TRecord.Kind == RecordKind.Label && options.Overflow == RecordOverflow.DropAndRecord)
            throw new ArgumentException($"{nameof(RecordBufferOptions.Overflow)} must be {nameof(RecordOverflow.Block)} for labels: a "
                + $"label carries no keeping probability, so nothing would stand for a dropped one. Got {options.Overflow}.",
                nameof(options));
        _options = options;
        _blockRecords = options.BlockRecords;
        _free = new BlockBuffer<TRecord>[options.Blocks];
        for (int i = 0; i < _free.Length; i++)
            _free[i] = new BlockBuffer<TRecord>(_blockRecords);
        _freeCount = _free.Length;
        _queue = new BlockBuffer<TRecord>[_free.Length];
        _batch = new BlockBuffer<TRecord>[_free.Length];
        _retryAfter = options.RetryInterval;
        _hasSystemClock = ReferenceEquals(options.TimeProvider, TimeProvider.System);
        _thins = options.Overflow == RecordOverflow.DropAndRecord;
        _random = RecordDraws.Start(DrawPurpose.Thinning, options.Seed);
        _thread = new Thread(Run) { IsBackground = true, Name = GetType().Name };
    }

    /// <inheritdoc/>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <inheritdoc/>
    public abstract RecordWriterReport Report { get; }

    /// <summary>What writes, as messages name it at their beginning: "The log in /records".</summary>
    protected abstract string Name { get; }

    /// <summary>What refuses, as messages name it: "the disk refused".</summary>
    protected abstract string Refusal { get; }

    /// <summary>Takes one record into memory; it is written soon.</summary>
    /// <param name="record">The record; one without a time gets the current one, as the remarks say.</param>
    /// <param name="cancellationToken">Ends waiting for room, under <see cref="RecordOverflow.Block"/>.</param>
    /// <returns>The record's number, from 1: it is safe once <see cref="Acknowledged"/> has reached it. 0 when the record was not kept,
    /// under <see cref="RecordOverflow.DropAndRecord"/>.</returns>
    /// <exception cref="IOException">Memory is full and what the records go to refuses (only under <see cref="RecordOverflow.Block"/>). The
    /// record was not taken.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting. The record was not taken.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    public long Append(in TRecord record, CancellationToken cancellationToken = default)
    {
        // The common case, without a call: the open block has room, and the time is known.
        long ticks = record.Time.Ticks;
        if (ticks == 0)
            ticks = Volatile.Read(ref _stamp);
        long reserved = Volatile.Read(ref _reserved.Value);
        if (ticks != 0 && !IsLookDue(reserved, 1) && _halvings == 0)
        {
            long number = TryAppend(in record, reserved, ticks, halvings: 0);
            if (number != 0)
                return number;
        }

        return AppendSlowly(in record, cancellationToken);
    }

    /// <summary>Takes records into memory, in order; cheaper than one by one.</summary>
    /// <param name="records">The records; those without a time all get the current one.</param>
    /// <param name="cancellationToken">Ends waiting for room, under <see cref="RecordOverflow.Block"/>.</param>
    /// <returns>The number of the last record taken so far by this writer; once <see cref="Acknowledged"/> has reached it, all that were
    /// kept of these are safe.</returns>
    /// <exception cref="IOException">Memory is full and what the records go to refuses (only under <see cref="RecordOverflow.Block"/>).
    /// Some of the records may have been taken: compare <see cref="RecordWriterReport.Appended"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting. Some of the records may have been taken.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    public long Append(ReadOnlySpan<TRecord> records, CancellationToken cancellationToken = default)
    {
        while (!records.IsEmpty)
        {
            if (_halvings > 0)
            {
                _ = Append(in records[0], cancellationToken);
                records = records[1..];
                continue;
            }

            long reserved = Volatile.Read(ref _reserved.Value);
            int at = (int)(reserved & CountMask);
            if (at < _blockRecords)
            {
                BlockBuffer<TRecord> open = _open!;
                ReadOnlySpan<TRecord> part = records[..Math.Min(records.Length, _blockRecords - at)];
                int version = open.FindVersion(in part[0]);
                if (version >= 0)
                {
                    part = part[..SameVersion(part)];
                    long now = Now(reserved, part.Length);  // before the exchange, as above
                    if (Interlocked.CompareExchange(ref _reserved.Value, reserved + part.Length, reserved) != reserved)
                        continue;
                    for (int i = 0; i < part.Length; i++)
                    {
                        long ticks = part[i].Time.Ticks;
                        open.Put(at + i, in part[i], version, ticks == 0 ? now : ticks, halvings: 0);
                    }

                    records = records[part.Length..];
                    continue;
                }
            }

            if (!MakeRoom(reserved, in records[0], cancellationToken))
                records = records[1..];
        }

        lock (_gate)
            return Appended;
    }

    /// <summary>Waits until all records appended so far are safe.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="IOException">What the records go to refuses; the records stay in memory and are tried again. The inner exception
    /// says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    public void Flush(CancellationToken cancellationToken = default) => FlushAsync(cancellationToken).GetAwaiter().GetResult();

    /// <summary>Completes when all records appended so far are safe. Flushes at the same time share one write.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>A task that fails with <see cref="IOException"/> when what the records go to refuses; the records stay in memory and are
    /// tried again.</returns>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    public Task FlushAsync(CancellationToken cancellationToken = default)
    {
        TaskCompletionSource done;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            if (_acknowledged == Appended)
                return Task.CompletedTask;
            done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((Appended, done));
            _flushAsked = true;
            Monitor.PulseAll(_gate);
        }

        return done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Writes what is in memory and closes the writer. Records appended meanwhile by other threads are refused. A second call
    /// waits for the first, which is the one that throws.</summary>
    /// <exception cref="IOException">What the records go to refuses; the message says how many records are lost with it.</exception>
    public void Dispose()
    {
        bool isSecond;
        lock (_gate)
        {
            isSecond = _closing;
            _closing = true;
            Monitor.PulseAll(_gate);
        }

        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted) || Thread.CurrentThread == _thread)
            return;                                         // opening failed; or the writer's own thread, which goes on to its end
        _thread.Join();
        if (!isSecond && _acknowledged != Appended)
            throw new IOException($"{Name} was closed while {Refusal}: {Appended - _acknowledged} of {Appended} records were never "
                + $"acknowledged and are lost. {_failure?.Message}", _failure);
    }

    /// <summary>As <see cref="Dispose"/>, without holding a thread of the caller.</summary>
    /// <returns>A task that fails with <see cref="IOException"/> as <see cref="Dispose"/> does.</returns>
    public async ValueTask DisposeAsync() => await Task.Run(Dispose).ConfigureAwait(false);

    /// <summary>Begins to write. Last in the constructor.</summary>
    protected void Start()
    {
        RecordMeters.Add(this);
        _thread.UnsafeStart();                              // without the caller's context: its transaction and its culture are not ours
    }

    /// <summary>The counts that all writers have.</summary>
    /// <returns>Those of one moment.</returns>
    protected RecordWriterReport Count()
    {
        lock (_gate)
        {
            return new RecordWriterReport
            {
                Appended = Appended,
                Acknowledged = _acknowledged,
                Thinned = _thinned,
                Dropped = _dropped,
                Failures = _failures,
                Failure = _failure?.Message,
            };
        }
    }

    /// <summary>Writes records so that they are as safe as the writer promises. Called by the writer's own thread only, as all that
    /// follow.</summary>
    /// <param name="batch">The records. After an exception the same come again.</param>
    protected abstract void WriteBatch(RecordBatch<TRecord> batch);

    /// <summary>Called about once a second while there is nothing to write. An exception counts as a failure.</summary>
    protected virtual void Rest()
    {
    }

    /// <summary>All is written and the writer closes. An exception counts as a failure.</summary>
    protected virtual void Finish()
    {
    }

    /// <summary>Gives back what the thread holds: the last call.</summary>
    protected virtual void Close()
    {
    }

    RecordKind IMeasuredWriter.Kind => TRecord.Kind;

    WriterTotals IMeasuredWriter.Totals
    {
        get
        {
            lock (_gate)
            {
                long pending = _ended ? 0 : Appended - _acknowledged;
                BlockBuffer<TRecord>? oldest = _queueCount > 0 ? _queue[_queueStart] : _isOpen ? _open : null;
                return new WriterTotals
                {
                    Writers = 1,
                    Appended = Appended,
                    Acknowledged = _acknowledged,
                    Thinned = _thinned,
                    Dropped = _dropped,
                    Failures = _failures,
                    Pending = pending,
                    LagMilliseconds = pending == 0 || oldest is null ? 0 : Math.Max(0, Environment.TickCount64 - oldest.OpenedAt),
                };
            }
        }
    }

    /// <summary>Under the lock: number of records that have a place.</summary>
    private long Appended => _sealed + OpenCount;

    /// <summary>Under the lock: records that have a place in the open block.</summary>
    private int OpenCount => !_isOpen ? 0 : (int)(Interlocked.Read(ref _reserved.Value) & CountMask);

    private static int SameVersion(ReadOnlySpan<TRecord> records)
    {
        ulong version = records[0].ModelVersion;
        int classes = records[0].Classes;
        for (int i = 1; i < records.Length; i++)
        {
            if (records[i].ModelVersion != version || records[i].Classes != classes)
                return i;
        }

        return records.Length;
    }

    /// <summary>Puts a record into the next place of the open block.</summary>
    /// <returns>Its number, or 0 when there is no place for it, or another thread was faster.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long TryAppend(in TRecord record, long reserved, long ticks, int halvings)
    {
        int at = (int)(reserved & CountMask);
        if (at >= _blockRecords)
            return 0;
        BlockBuffer<TRecord> open = _open!;                 // another block than that of the number, and the exchange fails
        int version = open.FindVersion(in record);
        if (version < 0 || Interlocked.CompareExchange(ref _reserved.Value, reserved + 1, reserved) != reserved)
            return 0;
        long number = open.FirstSequence + at + 1;          // before the place is filled: then the block may go its way
        open.Put(at, in record, version, ticks, halvings);
        return number;
    }

    private long AppendSlowly(in TRecord record, CancellationToken cancellationToken)
    {
        int halvings = 0;
        if (_halvings > 0 && !Draw(in record, out halvings))
            return 0;
        while (true)
        {
            long reserved = Volatile.Read(ref _reserved.Value);
            long ticks = record.Time.Ticks;
            if (ticks == 0)
                // before the exchange: a reserved place must be filled, and a caller's clock may throw
                ticks = Now(reserved, 1);
            long number = TryAppend(in record, reserved, ticks, halvings);
            if (number != 0)
                return number;
            if (Volatile.Read(ref _reserved.Value) == reserved && !MakeRoom(reserved, in record, cancellationToken))
                return 0;
        }
    }

    /// <summary>Draws whether to keep a record while memory is more than half full.</summary>
    private bool Draw(in TRecord record, out int halvings)
    {
        lock (_gate)
        {
            halvings = Math.Min(_halvings, (ushort.MaxValue - record.KeepingCode) / KeepingProbability.Halving);
            if (halvings == 0 || _random.NextUInt64() >> (64 - halvings) == 0)
                return true;
            _thinned++;
            return false;
        }
    }

    /// <summary>Makes a place for a record that found none: adds its model version to the open block, or opens the next block.</summary>
    /// <param name="reserved">What the caller saw. When that has changed meanwhile, there may be a place.</param>
    /// <param name="record">The record.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>False when the record is dropped instead.</returns>
    private bool MakeRoom(long reserved, in TRecord record, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            if (_isOpen)
            {
                if (Interlocked.Read(ref _reserved.Value) != reserved)
                    return true;
                bool hasPlace = (reserved & CountMask) < _blockRecords;
                if (hasPlace && (_open!.FindVersion(in record) >= 0 || _open.TryAddVersion(in record)))
                    return true;
                Seal();
            }

            while (!_isOpen)
            {
                if (_freeCount > 0)
                {
                    OpenBlock(in record);
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

            return true;
        }
    }

    /// <summary>Under the lock: opens a block that has room for a record of this model version.</summary>
    private void OpenBlock(in TRecord record)
    {
        BlockBuffer<TRecord> block = _free[--_freeCount];
        block.Start(_sealed, Environment.TickCount64);
        _ = block.TryAddVersion(in record);
        (_open, _isOpen) = (block, true);
        Interlocked.Exchange(ref _reserved.Value, (_reserved.Value | CountMask) + 1);
        if (_thins)
            SetHalvings();
        if (_sleeping)
            Monitor.PulseAll(_gate);
    }

    /// <summary>The time of the next records: what the clock said when it was last looked at.</summary>
    /// <remarks>A look takes longer than all else that Append does. One is due at one place in 64, and whenever the writer's thread has
    /// taken the last one back.</remarks>
    private long Now(long reserved, int count)
    {
        long stamp = Volatile.Read(ref _stamp);
        if (stamp != 0 && !IsLookDue(reserved, count))
            return stamp;
        if (!_hasSystemClock)
            return Math.Max(1, _options.TimeProvider.GetUtcNow().UtcTicks);
        stamp = DateTime.UtcNow.Ticks;
        Volatile.Write(ref _stamp, stamp);
        return stamp;
    }

    /// <summary>Whether one of the next places is one that looks at the clock.</summary>
    private static bool IsLookDue(long reserved, int count)
    {
        const int PlacesPerLook = 64;
        return (-reserved & (PlacesPerLook - 1)) < count;
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

    /// <summary>Under the lock: closes the open block and moves it to the queue, where there is room for all blocks. One that nobody has
    /// put a record into is free again.</summary>
    private void Seal()
    {
        BlockBuffer<TRecord> block = _open!;
        block.Count = (int)(Interlocked.Exchange(ref _reserved.Value, _reserved.Value | CountMask) & CountMask);
        _isOpen = false;
        if (block.Count == 0)
        {
            _free[_freeCount++] = block;
            return;
        }

        _sealed += block.Count;
        _queue[(_queueStart + _queueCount++) % _queue.Length] = block;
        if (_sleeping)
            Monitor.PulseAll(_gate);
    }

    /// <summary>Half full: every record is kept. Above, one halving for each further 1/32 of memory.</summary>
    private void SetHalvings()
    {
        int beyondHalf = (2 * (_free.Length - _freeCount)) - _free.Length;
        _halvings = beyondHalf <= 0 ? 0 : Math.Min(KeepingProbability.MostHalvings, beyondHalf * 16 / _free.Length);
    }

    private void Run()
    {
        for (int attemptsLeft = _options.AttemptsAtClosing; ;)
        {
            int count;
            bool closing;
            lock (_gate)
            {
                bool due = WaitForWork(isRepeated: attemptsLeft < _options.AttemptsAtClosing);
                if (_isOpen && (_closing || ((_flushAsked || due) && (_failure is null || _queueCount == 0))))
                    Seal();
                _flushAsked = false;
                closing = _closing;
                if (_batchCount == 0)                           // else: the same batch again
                    _batchCount = Math.Min(_queueCount, _options.MostBatchBlocks);
                count = _batchCount;
                for (int i = 0; i < count; i++)
                    _batch[i] = _queue[(_queueStart + i) % _queue.Length];
            }

            bool isLast = false;
            try
            {
                if (count > 0)
                {
                    for (int i = 0; i < count; i++)
                        _batch[i].Complete();
                    WriteBatch(new RecordBatch<TRecord>(_batch.AsSpan(0, count)));
                }
                else if (!closing)
                {
                    Rest();
                }

                lock (_gate)
                {
                    Acknowledge(count);
                    isLast = closing && _queueCount == 0;
                }

                if (isLast)
                    Finish();
            }
            catch (Exception e)
            {
                // Also what is no error of the disk or the server must not end this thread without a word: appenders would wait for ever.
                lock (_gate)
                    Fail(e);
                isLast |= closing && --attemptsLeft == 0;
            }

            if (isLast)
            {
                Close();
                lock (_gate)
                {
                    FailWaiting();
                    _ended = true;
                }

                RecordMeters.Remove(this);
                return;
            }
        }
    }

    /// <summary>Under the lock: sleeps until there is something to write or a second is over; while a block is open, it wakes up to take
    /// the last look at the clock back. True when the oldest record has waited long enough.</summary>
    private bool WaitForWork(bool isRepeated)
    {
        const long RestMilliseconds = 1000;
        const long LookAtClockMilliseconds = 10;
        long woken = Environment.TickCount64 + RestMilliseconds;
        while (true)
        {
            long now = Environment.TickCount64;
            Volatile.Write(ref _stamp, 0);                      // also when busy: it comes by once a batch
            BlockBuffer<TRecord>? oldest = _queueCount > 0 ? _queue[_queueStart] : _isOpen ? _open : null;
            long dueAt = oldest is null ? long.MaxValue : oldest.OpenedAt + (long)_options.FlushInterval.TotalMilliseconds;
            bool due = now >= dueAt;
            if (_flushAsked || (_closing && !isRepeated))
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
                if (due || _queueCount >= _options.FewestBatchBlocks || _closing || now >= woken)
                    return due;
                until = Math.Min(woken, dueAt);
            }

            if (_isOpen)
                until = Math.Min(until, now + LookAtClockMilliseconds);
            _sleeping = true;
            Monitor.Wait(_gate, (int)Math.Clamp(until - now, 1, RestMilliseconds));
            _sleeping = false;
        }
    }

    private void Acknowledge(int count)
    {
        _flushAsked |= _failure is not null;                    // what a refused Flush had asked for follows at once
        _failure = null;
        _retryAfter = _options.RetryInterval;
        if (count == 0)
            return;
        BlockBuffer<TRecord> last = _batch[count - 1];
        Interlocked.Exchange(ref _acknowledged, last.FirstSequence + last.Count);
        for (int i = 0; i < count; i++)
            _free[_freeCount++] = _batch[i];
        _queueStart = (_queueStart + count) % _queue.Length;
        _queueCount -= count;
        _batchCount = 0;
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
        _flushAsked |= kept > 0;                                // a batch had no room for all of them
        Monitor.PulseAll(_gate);
    }

    private void Fail(Exception failure)
    {
        _failures++;
        _failure = failure;
        _retryAt = Environment.TickCount64 + (long)_retryAfter.TotalMilliseconds;
        _retryAfter = TimeSpan.FromTicks(
            Math.Max(_options.RetryInterval.Ticks, Math.Min(2 * _retryAfter.Ticks, _options.LongestRetryInterval.Ticks)));
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
        => new($"{Name} cannot write: {failure.Message} {Appended - _acknowledged} records wait in memory and are tried again.", failure);
}

/// <summary>A number alone in its cache lines: who changes it does not take away what stands beside it from other cores.</summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
internal struct LoneInt64
{
    [FieldOffset(64)]
    public long Value;
}
