using System.Security.Cryptography;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Selection;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>Writes the records of one process into a <see cref="PostgreSqlRecordStore{TRecord}"/>, from any number of threads; any number of processes write side by side.</summary>
/// <remarks>
/// <para><b>Acknowledged.</b> Append only copies the record into memory. A thread of the writer sends batches, each in one transaction by binary COPY;
/// once its commit is answered, the records numbered up to <see cref="Acknowledged"/> are in the database, each once, and survive what the server's commits survive. <see cref="Flush"/> waits for that.
/// A record that is not acknowledged may be lost with the process, or may be there.</para>
/// <para><b>Retries never duplicate.</b> A batch keeps its number and its records until it is acknowledged, and its transaction also notes the number under this writer's own identity: sent again after its commit was done but the answer lost, it is recognised and not written.</para>
/// <para><b>When the server is gone</b>, records wait in memory and the batch is tried again, at first after <see cref="PostgreSqlWriterOptions.RetryInterval"/>, then ever more rarely up to <see cref="PostgreSqlWriterOptions.LongestRetryInterval"/>, and at each Flush.
/// Meanwhile Flush throws; Append throws once memory is full, or drops and counts under <see cref="RecordOverflow.DropAndRecord"/>.</para>
/// <para>Thread-safe. Append allocates nothing. Memory is fixed at opening.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>.</typeparam>
public sealed class PostgreSqlRecordWriter<TRecord> : IDisposable, IAsyncDisposable
    where TRecord : struct, IForwardRecord<TRecord>
{
    private const int AttemptsAtClosing = 3;

    private readonly object _gate = new();
    private readonly NpgsqlDataSource _source;
    private readonly PostgreSqlWriterOptions _options;
    private readonly string _schema;
    private readonly string _noteBatch;
    private readonly string _copy;
    private readonly TimeSpan _partitionCheck;
    private readonly long _writer = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
    private readonly Slot[] _ring;                                  // record number n, from 0, is in slot n mod length until it is acknowledged
    private readonly byte[] _bytes = new byte[1 << 16];
    private readonly List<(long Number, TaskCompletionSource Done)> _waiting = [];
    private readonly bool _thins;
    private readonly Thread _thread;
    private NpgsqlConnection? _connection;
    private SelectionRandom _random;
    private long _partitionsDue;
    private long _flushDue;
    private long _retryAt;
    private TimeSpan _retryAfter;
    private bool _sleeping;
    private bool _flushAsked;
    private bool _closing;
    private long _appended;
    private long _acknowledged;
    private long _batchEnd;
    private long _batches;
    private long _repeated;
    private long _thinned;
    private long _dropped;
    private long _failures;
    private Exception? _failure;

    internal PostgreSqlRecordWriter(NpgsqlDataSource source, string schema, TimeSpan partitionInterval, PostgreSqlWriterOptions options)
    {
        options.Validate();
        (_source, _options, _schema) = (source, options, schema);
        _noteBatch = $"INSERT INTO {schema}.writers AS w (writer, batch, records) VALUES ($1, $2, $3) ON CONFLICT (writer) DO UPDATE SET batch = $2, records = w.records + $3, seen = now() WHERE w.batch < $2";
        _copy = $"COPY {schema}.records ({CopyRow.Columns}) FROM STDIN (FORMAT BINARY)";
        _partitionCheck = partitionInterval / 4;
        _ring = new Slot[options.MemoryRecords];
        _retryAfter = options.RetryInterval;
        _thins = options.Overflow == RecordOverflow.DropAndRecord;
        _random = RecordDraws.Start(DrawPurpose.StoreThinning, options.Seed);
        _thread = new Thread(Run) { IsBackground = true, Name = "PostgreSqlRecordWriter" };
        _thread.Start();
    }

    /// <summary>Records 1 to this are committed.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>What was counted so far; a snapshot.</summary>
    public PostgreSqlWriterReport Report
    {
        get
        {
            lock (_gate)
            {
                return new PostgreSqlWriterReport
                {
                    Appended = _appended,
                    Acknowledged = _acknowledged,
                    Thinned = _thinned,
                    Dropped = _dropped,
                    Batches = _batches,
                    RepeatedBatches = _repeated,
                    Failures = _failures,
                    Failure = _failure?.Message,
                };
            }
        }
    }

    /// <summary>Takes one record into memory; it is sent soon.</summary>
    /// <param name="record">The record; one without a time gets the current one. The database keeps microseconds.</param>
    /// <param name="cancellationToken">Ends waiting for room, under <see cref="RecordOverflow.Block"/>.</param>
    /// <returns>The record's number, from 1: it is committed once <see cref="Acknowledged"/> has reached it. 0 when the record was not kept, under <see cref="RecordOverflow.DropAndRecord"/>.</returns>
    /// <exception cref="IOException">Memory is full and the server refuses or is gone (only under <see cref="RecordOverflow.Block"/>). The record was not taken.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting. The record was not taken.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    public long Append(in TRecord record, CancellationToken cancellationToken = default)
    {
        long ticks = TicksOf(in record);
        lock (_gate)
            return TryTake(in record, ticks, cancellationToken) ? _appended : 0;
    }

    /// <summary>Takes records into memory, in order; cheaper than one by one.</summary>
    /// <param name="records">The records.</param>
    /// <param name="cancellationToken">Ends waiting for room, under <see cref="RecordOverflow.Block"/>.</param>
    /// <returns>The number of the last record taken so far by this writer; once <see cref="Acknowledged"/> has reached it, all that were kept of these are committed.</returns>
    /// <exception cref="IOException">Memory is full and the server refuses or is gone (only under <see cref="RecordOverflow.Block"/>). Some of the records may have been taken: compare <see cref="PostgreSqlWriterReport.Appended"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting. Some of the records may have been taken.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    public long Append(ReadOnlySpan<TRecord> records, CancellationToken cancellationToken = default)
    {
        const int Turn = 1024;                                      // then other threads may have the gate
        long last;
        do
        {
            ReadOnlySpan<TRecord> part = records[..Math.Min(Turn, records.Length)];
            records = records[part.Length..];
            lock (_gate)
            {
                foreach (ref readonly TRecord record in part)
                    _ = TryTake(in record, TicksOf(in record), cancellationToken);
                last = _appended;
            }
        }
        while (!records.IsEmpty);
        return last;
    }

    /// <summary>Waits until all records appended so far are committed.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="IOException">The server refuses or is gone; the records stay in memory and are tried again. The inner exception says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    public void Flush(CancellationToken cancellationToken = default) => FlushAsync(cancellationToken).GetAwaiter().GetResult();

    /// <summary>Completes when all records appended so far are committed.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>A task that fails with <see cref="IOException"/> when the server refuses or is gone; the records stay in memory and are tried again.</returns>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
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

    /// <summary>Sends what is in memory and closes the writer. Records appended meanwhile by other threads are refused.</summary>
    /// <exception cref="IOException">The server refuses or is gone, three times in a row; the message says how many records are lost with it.</exception>
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
            throw new IOException($"The writer to {_schema} was closed while the server refused or was gone: {_appended - _acknowledged} of {_appended} records were never acknowledged and are lost. {_failure?.Message}", _failure);
    }

    /// <summary>As <see cref="Dispose"/>, without holding a thread of the caller.</summary>
    /// <returns>A task that fails with <see cref="IOException"/> as <see cref="Dispose"/> does.</returns>
    public async ValueTask DisposeAsync() => await Task.Run(Dispose).ConfigureAwait(false);

    private long TicksOf(in TRecord record) => record.Time.Ticks is not 0 and long ticks ? ticks : _options.TimeProvider.GetUtcNow().UtcTicks;

    /// <summary>Under the gate: draws whether to keep the record, and puts it into the ring.</summary>
    private bool TryTake(in TRecord record, long ticks, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_closing, this);
        int keepingCode = record.KeepingCode;
        if (_thins)
        {
            // Half full: every record is kept. Above, one halving for each further 1/32 of memory.
            long beyondHalf = (2 * (_appended - _acknowledged)) - _ring.Length;
            int halvings = (int)Math.Clamp(beyondHalf * 16 / _ring.Length, 0, Math.Min(KeepingProbability.MostHalvings, (ushort.MaxValue - keepingCode) / KeepingProbability.Halving));
            if (halvings > 0 && _random.NextUInt64() >> (64 - halvings) != 0)
            {
                _thinned++;
                return false;
            }

            keepingCode += halvings * KeepingProbability.Halving;
        }

        while (_appended - _acknowledged == _ring.Length)
        {
            if (_thins)
            {
                _dropped++;
                return false;
            }

            WaitForRoom(cancellationToken);
        }

        _ring[_appended % _ring.Length] = new Slot { Record = record, Ticks = ticks, KeepingCode = (ushort)keepingCode };
        if (_appended == _acknowledged)
            _flushDue = Environment.TickCount64 + (long)_options.FlushInterval.TotalMilliseconds;
        _appended++;
        if (_sleeping && (_appended - _acknowledged == 1 || _appended - _acknowledged == _options.BatchRecords))
            Monitor.PulseAll(_gate);
        return true;
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

    private void Run()
    {
        for (int attemptsLeft = AttemptsAtClosing; ;)
        {
            long first, end, number;
            bool closing;
            lock (_gate)
            {
                WaitForWork();
                _flushAsked = false;
                closing = _closing;
                first = _acknowledged;
                if (_batchEnd == first)                             // else: the same batch again
                    _batchEnd = Math.Min(_appended, first + _options.BatchRecords);
                end = _batchEnd;
                number = _batches + 1;
            }

            try
            {
                bool isNew = end == first || Send(number, first, end);
                lock (_gate)
                    Acknowledge(end, isNew);
                if (closing && end == first)
                    break;
            }
            catch (Exception e)
            {
                // Also what is no error of the database must not end this thread without a word: appenders would wait for ever.
                _connection?.Dispose();
                _connection = null;
                lock (_gate)
                    Fail(e);
                if (closing && --attemptsLeft == 0)
                    break;
            }
        }

        _connection?.Dispose();
        lock (_gate)
            FailWaiting();
    }

    /// <summary>Under the gate: sleeps until there is a batch to send.</summary>
    private void WaitForWork()
    {
        while (!_flushAsked)
        {
            long now = Environment.TickCount64, waiting = _appended - _acknowledged;
            long until = _failure is not null ? _retryAt
                : waiting == 0 ? _closing ? now : long.MaxValue
                : _closing || waiting >= _options.BatchRecords || _waiting.Count > 0 ? now : _flushDue;
            if (until <= now)
                return;
            _sleeping = true;
            Monitor.Wait(_gate, (int)Math.Min(until - now, int.MaxValue));
            _sleeping = false;
        }
    }

    /// <summary>Commits records [first, end), or finds that they are committed already, and says which: true when they were written now.</summary>
    private bool Send(long number, long first, long end)
    {
        NpgsqlConnection connection = _connection ??= _source.OpenConnection();
        if (Environment.TickCount64 >= _partitionsDue)
        {
            using var make = new NpgsqlCommand($"SELECT {_schema}.make_partitions()", connection);
            make.ExecuteNonQuery();
            _partitionsDue = Environment.TickCount64 + (long)_partitionCheck.TotalMilliseconds;
        }

        using NpgsqlTransaction transaction = connection.BeginTransaction();
        using var note = new NpgsqlCommand(_noteBatch, connection, transaction)
        {
            Parameters = { new() { Value = _writer }, new() { Value = number }, new() { Value = end - first } },
        };

        // When the first try's transaction is still running at the server, this waits for its end.
        bool isNew = note.ExecuteNonQuery() == 1;
        if (isNew)
            Copy(connection, first, end);
        transaction.Commit();
        return isNew;
    }

    private void Copy(NpgsqlConnection connection, long first, long end)
    {
        using NpgsqlRawCopyStream stream = connection.BeginRawBinaryCopy(_copy);
        CopyRow.Header.CopyTo(_bytes);
        int length = CopyRow.Header.Length;
        for (long i = first; i < end; i++)
        {
            ref readonly Slot slot = ref _ring[i % _ring.Length];
            length += CopyRow.Write(in slot.Record, slot.Ticks, slot.KeepingCode, _bytes.AsSpan(length));
            if (_bytes.Length - length < CopyRow.MostBytes<TRecord>() + CopyRow.Trailer.Length)
            {
                stream.Write(_bytes, 0, length);
                length = 0;
            }
        }

        CopyRow.Trailer.CopyTo(_bytes.AsSpan(length));
        stream.Write(_bytes, 0, length + CopyRow.Trailer.Length);
    }

    private void Acknowledge(long end, bool isNew)
    {
        _failure = null;
        _retryAfter = _options.RetryInterval;
        if (end == _acknowledged)
            return;
        _batches++;
        _repeated += isNew ? 0 : 1;
        _flushDue = Environment.TickCount64 + (long)_options.FlushInterval.TotalMilliseconds;
        Interlocked.Exchange(ref _acknowledged, end);
        _waiting.RemoveAll(w => w.Number <= end && w.Done.TrySetResult());
        Monitor.PulseAll(_gate);
    }

    private void Fail(Exception failure)
    {
        _failures++;
        _failure = failure;
        // The next try looks at the partitions too: a missing one is a possible reason.
        _partitionsDue = 0;
        _retryAt = Environment.TickCount64 + (long)_retryAfter.TotalMilliseconds;
        _retryAfter = TimeSpan.FromTicks(Math.Min(2 * _retryAfter.Ticks, _options.LongestRetryInterval.Ticks));
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
        => new($"The writer to {_schema} cannot write: {failure.Message} {_appended - _acknowledged} records wait in memory and are tried again.", failure);

    /// <summary>A record that waits, with its time and its code after thinning.</summary>
    private struct Slot
    {
        public TRecord Record;
        public long Ticks;
        public ushort KeepingCode;
    }
}
