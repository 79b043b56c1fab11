using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;
using NATS.Client.Core;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Joins one partition: one joiner has it at a time, wherever it runs; others wait, and take over when it dies or is
/// silent.</summary>
/// <remarks>
/// <para>What is joined is saved in the joiner's folder first: the join's state, the places in the streams, each writer's next block, the
/// rows that are no window yet and the windows that no worker has completed. Then the joiner makes sure that it still has the partition,
/// and only then writers let go of their blocks and workers see windows. So whoever goes on in this folder finds all that anybody was
/// told.</para>
/// <para>The folder is this joiner's memory: losing it loses what waits for labels. Joiners that shall take over from each other need the
/// same one, on one machine or a shared disk; or the same <see cref="NatsJoinerOptions.StateStore"/>, and each a folder of its own. A
/// joiner without the latest state is refused.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>.</typeparam>
public sealed class NatsJoiner<TRecord> : IAsyncDisposable
    where TRecord : struct, IForwardRecord<TRecord>
{
    private const int IdleMilliseconds = 5;
    private const int RowsAtOnce = 4096;

    private readonly JetStream _stream;
    private readonly StoreNames _names;
    private readonly NatsStoreOptions _store;
    private readonly NatsJoinerOptions _options;
    private readonly JoinerFolder _folder;
    private readonly PartitionLease _lease;
    private readonly ForwardRecordJoin<TRecord> _join;
    private readonly WindowSender _sender;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentQueue<(RecordKind Kind, Tidings One)> _asked = new();
    private readonly Dictionary<(RecordKind, ulong), long> _told = [];
    private readonly List<KeptWindow> _made = [];
    private readonly JoinedRecord[] _rows;
    private readonly Task _listening;
    private readonly IDisposable _metered;
    private BlockReader<TRecord> _records = null!;
    private BlockReader<LabelEvent> _labels = null!;
    private (string Path, long Number, long End)? _partial; // file of the rows that are no window yet
    private int _filled;
    private long _next;
    private long _savedTaken;
    private long _savedCompleted;
    private long _saves;
    private (ulong Records, ulong Labels) _saved;           // sequences up to which all is saved, and the lease says so
    private (ulong Records, ulong Labels) _forgotten;
    private long _forgottenAt;
    private TimeSpan _saveTook;
    private (long Records, long Labels) _looks;
    private bool _completes;
    private bool _disposed;

    private NatsJoiner(JetStream stream, StoreNames names, NatsStoreOptions store, NatsJoinerOptions options, JoinerFolder folder,
        PartitionLease lease, int partition, LabelJoinOptions join)
    {
        (_stream, _names, _store, _options, _folder, _lease, Partition) = (stream, names, store, options, folder, lease, partition);
        _rows = new JoinedRecord[store.WindowRows];
        _join = new ForwardRecordJoin<TRecord>(
            position => _records = new BlockReader<TRecord>(stream, names.BlocksStream(TRecord.Kind, partition),
                names.Blocks(TRecord.Kind, partition), partition, store.Partitions, position, _ending.Token),
            position => _labels = new BlockReader<LabelEvent>(stream, names.BlocksStream(RecordKind.Label, partition),
                names.Blocks(RecordKind.Label, partition), partition, store.Partitions, position, _ending.Token),
            folder.State(lease.Epoch), join, options.Limit);
        try
        {
            (List<KeptWindow> windows, (string Path, long Number, long End)? partial) = folder.Load(lease.Epoch, _join.SavedRows);
            if (partial is { } kept)
            {
                JoinedRecord[] rows = WindowEncoding.Read(File.ReadAllBytes(kept.Path), out _, out _next);
                rows.CopyTo(_rows, 0);
                _filled = rows.Length;
                _partial = kept;
            }

            // What is in the folder now, the lease says is settled: whoever saved it may have died before telling.
            _saved = (_records.Sequence, _labels.Sequence);
            foreach ((ulong writer, long next) in _records.Places)
                _told[(TRecord.Kind, writer)] = next;
            foreach ((ulong writer, long next) in _labels.Places)
                _told[(RecordKind.Label, writer)] = next;
            _sender = new WindowSender(stream, names, partition, lease, folder, windows, options.SettledAfter, _ending.Token);
            _listening = Task.Run(() => Task.WhenAll(Listen(TRecord.Kind), Listen(RecordKind.Label)));
            long first = _next;
            _metered = FleetMeters.Add(partition, () => new JoinerTotals
            {
                Windows = Interlocked.Read(ref _next) - first,
                RepeatedWindows = _sender.Repeated,
                Gaps = _records.Gaps + _labels.Gaps,
                LostBlocks = _records.LostBlocks + _labels.LostBlocks,
                Saves = Interlocked.Read(ref _saves),
                UnsentWindows = _sender.Unsent + _made.Count,
                OpenWindows = _sender.Open,
            });
        }
        catch
        {
            _ending.Cancel();
            _join.Dispose();
            throw;
        }
    }

    /// <summary>Which partition, from 0.</summary>
    public int Partition { get; }

    /// <summary>How often the partition has had a new joiner, this one included.</summary>
    public long Epoch => _lease.Epoch;

    /// <summary>What was counted so far. Not while <see cref="RunAsync"/> is at work on another thread, where it may be of two
    /// moments.</summary>
    public NatsJoinerReport Report => new()
    {
        Join = _join.Report,
        Rows = _join.Rows,
        Windows = Interlocked.Read(ref _next),
        UnsentWindows = _sender.Unsent + _made.Count,
        OpenWindows = _sender.Open,
        RepeatedBlocks = _records.RepeatedBlocks + _labels.RepeatedBlocks,
        Gaps = _records.Gaps + _labels.Gaps,
        LostBlocks = _records.LostBlocks + _labels.LostBlocks,
        DamagedBlocks = _records.DamagedBlocks + _labels.DamagedBlocks,
        RepeatedWindows = _sender.Repeated,
        RestoredSelections = _sender.Restored,
        Saves = Interlocked.Read(ref _saves),
        Failure = _sender.Failure,
    };

    /// <summary>Called at the moments at which a process that ends is found out about, in a test: "saved", "committed", "told".</summary>
    internal Action<string>? Passing { get; set; }

    internal static async Task<NatsJoiner<TRecord>> Open(JetStream stream, StoreNames names, NatsStoreOptions store, int partition,
        string directory, LabelJoinOptions join, NatsJoinerOptions options, CancellationToken cancellationToken)
    {
        var folder = new JoinerFolder(directory, partition, options.StateStore,
            string.Create(CultureInfo.InvariantCulture, $"{store.Name}.{partition}"));
        string owner = string.Create(CultureInfo.InvariantCulture,
            $"process {Environment.ProcessId} on {Environment.MachineName} in {Path.GetFullPath(directory)}");
        PartitionLease lease = await PartitionLease.Take(stream, names, partition, store.LeaseTimeout, owner, folder.FindLatest,
            folder.Place, cancellationToken).ConfigureAwait(false);
        try
        {
            await folder.Begin(lease.Epoch, cancellationToken).ConfigureAwait(false);
            await lease.Settle(cancellationToken).ConfigureAwait(false);
            var joiner = new NatsJoiner<TRecord>(stream, names, store, options, folder, lease, partition, join);
            await folder.ForgetBefore(lease.Epoch, cancellationToken).ConfigureAwait(false);
            return joiner;
        }
        catch
        {
            await lease.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Joins what comes, until it is cancelled or, after <see cref="Complete"/>, all is joined, taken by the cluster and
    /// told.</summary>
    /// <param name="cancellationToken">Ends it; what was not saved is joined again by who goes on.</param>
    /// <returns>Completes after <see cref="Complete"/> only. After an exception: dispose of this joiner and open another.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="LeaseLostException">Another joiner has taken the partition over.</exception>
    /// <exception cref="IOException">The folder cannot be written, or the state store refuses or is not there.</exception>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        // A thread of its own: joining waits for the disk and for blocks, and joiners that wait on the pool's threads, of which there are
        // as many as cores, keep each other's blocks from coming.
        await Task.Factory.StartNew(() => Run(cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default).ConfigureAwait(false);
    }

    /// <summary>Says that nothing more will come: <see cref="RunAsync"/> joins what the streams still hold, ends all windows, closes the
    /// last one short, and returns. Records that come later are late.</summary>
    /// <remarks>Let <see cref="NatsRecordWriter{TRecord}.ConfirmAsync"/> of all writers complete before, while this joiner runs: what is
    /// only shipped may be missing for a moment, when the cluster has a new leader.</remarks>
    public void Complete()
    {
        _looks = (_records.Looks, _labels.Looks);
        Volatile.Write(ref _completes, true);
    }

    /// <summary>Waits until workers have completed all windows that this joiner has made.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Completes when none is open.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task CompletedAsync(CancellationToken cancellationToken = default) => _sender.AllCompleted(cancellationToken);

    /// <summary>Gives the partition back; what was not saved is joined again by who goes on.</summary>
    /// <returns>Completes when the files are closed.</returns>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _ending.CancelAsync().ConfigureAwait(false);
        await _listening.ConfigureAwait(false);
        await _sender.DisposeAsync().ConfigureAwait(false);
        _join.Dispose();
        _metered.Dispose();
        _folder.Dispose();
        await _lease.DisposeAsync().ConfigureAwait(false);
        _ending.Dispose();
    }

    private void Run(CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
        using CancellationTokenRegistration waking = cancellationToken.Register(_ending.Cancel);   // a read may wait for the cluster
        long savedAt = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _sender.ThrowIfFailed();
            int read = HasRoom ? Read() : 0;
            if (read == 0)
            {
                bool isDrained = _records.IsDrained && _labels.IsDrained;
                if (isDrained && _options.IdleDistance is TimeSpan distance)
                    _join.AdvanceTo(_options.TimeProvider.GetUtcNow().UtcDateTime - distance);
                if (isDrained && Volatile.Read(ref _completes) && HasLookedAgain && HasRoom)
                {
                    _join.Complete();
                    if (Read() > 0)
                        continue;
                    if (_filled > 0)
                        MakeWindow();
                    Save(both.Token).GetAwaiter().GetResult();
                    _sender.AllSent(both.Token).GetAwaiter().GetResult();
                    return;
                }
            }

            Answer(both.Token).GetAwaiter().GetResult();
            Forget(both.Token).GetAwaiter().GetResult();
            TimeSpan since = Stopwatch.GetElapsedTime(savedAt);
            if (since >= _options.SaveInterval && since >= 9 * _saveTook && HasNews)
            {
                Save(both.Token).GetAwaiter().GetResult();
                savedAt = Stopwatch.GetTimestamp();
            }
            else if (read == 0)
            {
                Task.Delay(IdleMilliseconds, both.Token).GetAwaiter().GetResult();
            }
        }
    }

    private bool HasRoom => _sender.Unsent < _options.MostUnsentWindows;

    private long Taken => _records.Report.Records + _labels.Report.Records;

    /// <summary>The ends of both streams were seen since <see cref="Complete"/>; one look may have begun before it.</summary>
    private bool HasLookedAgain => _records.Looks >= _looks.Records + 3 && _labels.Looks >= _looks.Labels + 3;

    /// <summary>A state store shall forget windows that are completed, too.</summary>
    private bool HasNews => Taken != _savedTaken || _made.Count > 0
        || (_options.StateStore is not null && _sender.Completed != _savedCompleted);

    private int Read()
    {
        int most = Math.Min(_rows.Length - _filled, RowsAtOnce);
        long taken = Taken;
        int read = _join.Read(_rows.AsSpan(_filled, most));
        _filled += read;
        if (_filled == _rows.Length)
            MakeWindow();
        return read > 0 || Taken != taken ? 1 : 0;
    }

    private void MakeWindow()
    {
        byte[] bytes = WindowEncoding.Write(Partition, _store.Partitions, _next, _rows.AsSpan(0, _filled));
        _made.Add(_folder.Append(_lease.Epoch, _next, _join.Rows, bytes));
        Interlocked.Increment(ref _next);
        _filled = 0;
    }

    /// <summary>Saves, makes sure that it counts, and then lets others know.</summary>
    private async Task Save(CancellationToken cancellationToken)
    {
        long began = Stopwatch.GetTimestamp();
        _folder.FlushWindows();
        if (_partial is not { } kept || (kept.Number, kept.End) != (_next, _join.Rows))
            // Another file than that of the present state: it is never written over.
            _partial = (_folder.WritePartial(_lease.Epoch, _next, _join.Rows,
                WindowEncoding.Write(Partition, _store.Partitions, _next, _rows.AsSpan(0, _filled))), _next, _join.Rows);
        _folder.Flush(_lease.Epoch);
        (_savedTaken, _savedCompleted) = (Taken, _sender.Completed);
        _join.Save();
        await _folder.Store(_lease.Epoch, cancellationToken).ConfigureAwait(false);
        _saveTook = Stopwatch.GetElapsedTime(began);
        Passing?.Invoke("saved");
        (ulong Records, ulong Labels) saved = (_records.Sequence, _labels.Sequence);
        await _lease.Commit(cancellationToken).ConfigureAwait(false);
        _saved = saved;
        Passing?.Invoke("committed");
        Interlocked.Increment(ref _saves);
        _folder.ForgetPartials(_lease.Epoch, _partial.Value.Path);

        _sender.Add(_made);
        _made.Clear();
        await Tell(TRecord.Kind, _records.Places, cancellationToken).ConfigureAwait(false);
        await Tell(RecordKind.Label, _labels.Places, cancellationToken).ConfigureAwait(false);
        Passing?.Invoke("told");
    }

    /// <summary>Tells writers what is saved, as far as it is news.</summary>
    private async Task Tell(RecordKind kind, IEnumerable<KeyValuePair<ulong, long>> places, CancellationToken cancellationToken)
    {
        List<Tidings> news = [];
        foreach ((ulong writer, long next) in places)
        {
            if (_told.GetValueOrDefault((kind, writer), -1) == next)
                continue;
            _told[(kind, writer)] = next;
            news.Add(new Tidings(writer, next, -1));
        }

        await Say(kind, news, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Answers writers, and asks for blocks that are missing.</summary>
    private async Task Answer(CancellationToken cancellationToken)
    {
        List<Tidings> records = [.. _records.TakeGaps().Select(gap => Missing(TRecord.Kind, gap))];
        List<Tidings> labels = [.. _labels.TakeGaps().Select(gap => Missing(RecordKind.Label, gap))];
        while (_asked.TryDequeue(out var asked))
        {
            bool isLabel = asked.Kind == RecordKind.Label;
            long next = isLabel ? _labels.NextOf(asked.One.Writer) : _records.NextOf(asked.One.Writer);
            // At the stream's end, and what was shipped before that did not come: it is lost.
            bool isDrained = isLabel ? _labels.IsDrained : _records.IsDrained;
            (isLabel ? labels : records).Add(new Tidings(asked.One.Writer, _told.GetValueOrDefault((asked.Kind, asked.One.Writer)),
                isDrained && next < asked.One.Next ? next : -1));
        }

        await Say(TRecord.Kind, records, cancellationToken).ConfigureAwait(false);
        await Say(RecordKind.Label, labels, cancellationToken).ConfigureAwait(false);

        Tidings Missing(RecordKind kind, (ulong Writer, long From) gap)
            => new(gap.Writer, _told.GetValueOrDefault((kind, gap.Writer)), gap.From);
    }

    private async Task Say(RecordKind kind, List<Tidings> all, CancellationToken cancellationToken)
    {
        try
        {
            if (all.Count > 0)
                await _stream.Connection.PublishAsync(_names.Told(kind, Partition), Tidings.Write(all),
                    cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (JetStream.IsPassing(e))
        {
            // They ask again.
        }
    }

    /// <summary>Lets the cluster forget what is saved, now and then: a full stream takes nothing more until it does.</summary>
    private async Task Forget(CancellationToken cancellationToken)
    {
        const int EveryMilliseconds = 500;
        if (_saved == _forgotten || Environment.TickCount64 - _forgottenAt < EveryMilliseconds)
            return;
        _forgottenAt = Environment.TickCount64;
        try
        {
            await _stream.ForgetBefore(_names.BlocksStream(TRecord.Kind, Partition), _saved.Records + 1, cancellationToken)
                .ConfigureAwait(false);
            await _stream.ForgetBefore(_names.BlocksStream(RecordKind.Label, Partition), _saved.Labels + 1, cancellationToken)
                .ConfigureAwait(false);
            _forgotten = _saved;
        }
        catch (Exception e) when (JetStream.IsPassing(e))
        {
            // The next time.
        }
    }

    private async Task Listen(RecordKind kind)
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await foreach (NatsMsg<byte[]> message in _stream.Connection.SubscribeAsync<byte[]>(_names.Ask(kind, Partition),
                    cancellationToken: _ending.Token).ConfigureAwait(false))
                {
                    foreach (Tidings one in Tidings.Read(message.Data))
                        _asked.Enqueue((kind, one));
                }
            }
            catch (Exception) when (_ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (JetStream.IsPassing(e) || e is NotSupportedException)
            {
                await Task.Delay(200, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }
}
