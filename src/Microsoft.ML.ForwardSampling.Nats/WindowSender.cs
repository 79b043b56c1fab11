using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Sends the windows of a partition, keeps each until a worker's selection of it is there, and then the selection until it is
/// settled there.</summary>
/// <remarks>
/// <para>A window is stored only where there is none of its number. Where there is one it must be the same, or somebody else joins this
/// partition.</para>
/// <para>The selection that was kept is the window's: where the cluster has lost it, it is stored again. Should another worker have been
/// given the window in between, and have selected from it, the kept one takes the place of that.</para>
/// </remarks>
internal sealed class WindowSender : IAsyncDisposable
{
    private const int AtOnce = 8;

    /// <summary>Looks in a row, a fifth of a second apart, at a queue that has nothing: what was just sent may not have come to
    /// it.</summary>
    private const int IdleLooks = 5;

    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(200);

    /// <summary>The first look after a selection was seen: a node that was killed is replaced by then.</summary>
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(15);

    private readonly JetStream _stream;
    private readonly StoreNames _names;
    private readonly int _partition;
    private readonly PartitionLease _lease;
    private readonly JoinerFolder _folder;
    private readonly TimeSpan _settled;
    private readonly List<KeptSelections> _selections;
    private readonly HashSet<long> _kept = [];              // numbers of what is in them
    private readonly Queue<long> _finished = new();         // windows that the cluster shall forget
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, KeptWindow> _open = [];
    private readonly Queue<KeptWindow> _unsent = new();
    private readonly SortedSet<long> _sent = [];
    private readonly SemaphoreSlim _more = new(0);
    private readonly CancellationTokenSource _ending;
    private readonly Task _running;
    private int _inFlight;
    private long _repeated;
    private long _completed;
    private long _restored;
    private long _wanted;                                   // looks at all kept selections that were asked for, and done
    private long _looked;
    private int _idleLooks;
    private string? _failure;
    private Exception? _fault;

    /// <param name="stream">The cluster.</param>
    /// <param name="names">Of the store.</param>
    /// <param name="partition">Which.</param>
    /// <param name="lease">The owner's.</param>
    /// <param name="folder">Where selections are kept.</param>
    /// <param name="windows">Those that were open.</param>
    /// <param name="settled">After this long the cluster's servers have a selection on their disks.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public WindowSender(JetStream stream, StoreNames names, int partition, PartitionLease lease, JoinerFolder folder,
        IReadOnlyList<KeptWindow> windows, TimeSpan settled, CancellationToken cancellationToken)
    {
        (_stream, _names, _partition, _lease, _folder, _settled) = (stream, names, partition, lease, folder, settled);
        _ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _selections = folder.LoadSelections(lease.Epoch);
        _kept.UnionWith(_selections.SelectMany(file => file.Entries).Select(entry => entry.Number));
        _wanted = _selections.Count > 0 ? 1 : 0;            // at once: who kept them may have died long ago
        // Kept, and not let go of: nobody shall select from it again.
        foreach (KeptWindow window in windows.Where(window => _kept.Contains(window.Number)))
        {
            window.File.Forget(window);
            _finished.Enqueue(window.Number);
        }

        Add(windows.Where(window => !_kept.Contains(window.Number)));
        _running = Task.Run(() => Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Send()).Append(Watch())), CancellationToken.None);
    }

    /// <summary>Windows that the cluster has not taken.</summary>
    public int Unsent
    {
        get
        {
            lock (_gate)
                return _unsent.Count + _inFlight;
        }
    }

    /// <summary>Windows without a selection.</summary>
    public int Open
    {
        get
        {
            lock (_gate)
                return _open.Count;
        }
    }

    public long Repeated => Interlocked.Read(ref _repeated);

    /// <summary>Windows that were let go of.</summary>
    public long Completed => Interlocked.Read(ref _completed);

    /// <summary>Selections that the cluster had lost, and that were stored again.</summary>
    public long Restored => Interlocked.Read(ref _restored);

    public string? Failure => Volatile.Read(ref _failure);

    public void Add(IEnumerable<KeptWindow> windows)
    {
        lock (_gate)
        {
            foreach (KeptWindow window in windows)
            {
                _open.Add(window.Number, window);
                _unsent.Enqueue(window);
                _more.Release();
            }
        }
    }

    public void ThrowIfFailed()
    {
        if (_lease.Lost is { } lost)
            throw new LeaseLostException(lost.Message, lost);
        switch (Volatile.Read(ref _fault))
        {
            case LeaseLostException fenced:
                throw new LeaseLostException(fenced.Message, fenced);
            case { } other:
                throw new IOException($"Windows of partition {_partition} cannot be sent: {other.Message}", other);
        }
    }

    public Task AllSent(CancellationToken cancellationToken) => Until(() => Unsent == 0, cancellationToken);

    /// <summary>Waits for all selections, and until none that is not settled is missing in the cluster.</summary>
    public async Task AllCompleted(CancellationToken cancellationToken)
    {
        await Until(() => Open == 0, cancellationToken).ConfigureAwait(false);
        long wanted = Interlocked.Increment(ref _wanted);
        await Until(() => Interlocked.Read(ref _looked) >= wanted, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _ending.Dispose();
        _more.Dispose();
    }

    private async Task Until(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (!condition())
        {
            ThrowIfFailed();
            await Task.Delay(10, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task Send()
    {
        try
        {
            while (true)
            {
                await _more.WaitAsync(_ending.Token).ConfigureAwait(false);
                KeptWindow window;
                lock (_gate)
                {
                    window = _unsent.Dequeue();
                    _inFlight++;
                }

                await Send(window).ConfigureAwait(false);
                lock (_gate)
                {
                    _inFlight--;
                    _sent.Add(window.Number);
                }
            }
        }
        catch (Exception) when (_ending.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            Volatile.Write(ref _fault, e);
        }
    }

    private async Task Send(KeptWindow window)
    {
        byte[] bytes = window.Read();
        string subject = _names.Window(_partition, window.Number);
        while (true)
        {
            try
            {
                if (await _stream.TryCreate(subject, bytes, _ending.Token).ConfigureAwait(false))
                    break;
                StoredMessage? there = await _stream.Last(_names.WindowsStream(_partition), subject, _ending.Token).ConfigureAwait(false);
                if (there is null)
                    continue;                               // forgotten in this moment: then it is completed, which is seen soon
                if (!there.Data.Span.SequenceEqual(bytes))
                    throw new LeaseLostException($"Window {window.Number} of partition {_partition} is in the cluster with other rows: "
                        + $"somebody else has joined it from another state.");
                break;
            }
            catch (Exception e) when (JetStream.IsPassing(e) && e is not LeaseLostException)
            {
                Volatile.Write(ref _failure, e.Message);
                await Task.Delay(s_retry, _ending.Token).ConfigureAwait(false);
            }
        }

        Volatile.Write(ref _failure, null);
    }

    /// <summary>Looks for selections, and for windows that the cluster has lost before any.</summary>
    private async Task Watch()
    {
        const int AtOnce = 32;
        TimeSpan pause = TimeSpan.FromMilliseconds(200);
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(pause, _ending.Token).ConfigureAwait(false);
                KeptWindow[] sent;
                lock (_gate)
                    sent = [.. _sent.Take(AtOnce).Select(number => _open[number])];
                if (sent.Length > 0 && !await FinishCompleted(sent).ConfigureAwait(false))
                    await SendLostAgain(sent).ConfigureAwait(false);
                for (; _finished.TryPeek(out long number); _finished.Dequeue())
                    await ForgetWindow(number).ConfigureAwait(false);
                long wanted = Interlocked.Read(ref _wanted);
                await LookAtSelections(all: wanted > _looked).ConfigureAwait(false);
                Interlocked.Exchange(ref _looked, wanted);
            }
            catch (Exception) when (_ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (JetStream.IsPassing(e))
            {
                Volatile.Write(ref _failure, e.Message);
            }
            catch (Exception e)
            {
                Volatile.Write(ref _fault, e);
                return;
            }
        }
    }

    private Task<StoredMessage?> SelectionOf(long number)
        => _stream.Last(_names.SelectionsStream, _names.Selection(_partition, number), _ending.Token);

    /// <summary>Lets go of windows whose selections are there; false: none was.</summary>
    private async Task<bool> FinishCompleted(KeptWindow[] sent)
    {
        // A kept one is the window's, whether or not the cluster has it at the moment.
        StoredMessage?[] there = await Task.WhenAll(sent.Select(window => _kept.Contains(window.Number)
            ? Task.FromResult<StoredMessage?>(null) : SelectionOf(window.Number))).ConfigureAwait(false);
        (long Number, ReadOnlyMemory<byte> Bytes)[] seen = [.. sent.Zip(there).Where(pair => pair.Second is not null)
            .Select(pair => (pair.First.Number, pair.Second!.Data))];
        if (seen.Length > 0)
        {
            _selections.Add(_folder.Keep(_lease.Epoch, seen));
            _kept.UnionWith(seen.Select(one => one.Number));
        }

        KeptWindow[] done = [.. sent.Where(window => _kept.Contains(window.Number))];
        foreach (KeptWindow window in done)
            await Finish(window).ConfigureAwait(false);
        return done.Length > 0;
    }

    /// <summary>Stores again what the cluster has lost of the selections that are kept, and lets go of those that are settled.</summary>
    private async Task LookAtSelections(bool all)
    {
        foreach (KeptSelections file in _selections.ToArray())
        {
            TimeSpan age = file.Age;
            if (!all && age < _settled && (file.Looks > 0 || age < s_soon))
                continue;
            StoredMessage?[] there = await Task.WhenAll(file.Entries.Select(entry => SelectionOf(entry.Number))).ConfigureAwait(false);
            for (int i = 0; i < there.Length; i++)
            {
                KeptSelections.Entry entry = file.Entries[i];
                if (there[i] is { } message && entry.Is(message.Data.Span))
                    continue;
                string subject = _names.Selection(_partition, entry.Number);
                byte[] bytes = file.Read(entry);
                if (there[i] is not null || !await _stream.TryCreate(subject, bytes, _ending.Token).ConfigureAwait(false))
                    await _stream.Append(subject, bytes, messageId: null, headers: null, _ending.Token).ConfigureAwait(false);
                await ForgetWindow(entry.Number).ConfigureAwait(false);
                Interlocked.Increment(ref _restored);
            }

            file.Looks++;
            if (age < _settled)
                continue;
            file.Delete();
            _selections.Remove(file);
            _kept.ExceptWith(file.Entries.Select(entry => entry.Number));
        }
    }

    private Task ForgetWindow(long number)
        => _stream.Forget(_names.WindowsStream(_partition), _names.Window(_partition, number), _ending.Token);

    private async Task Finish(KeptWindow window)
    {
        await ForgetWindow(window.Number).ConfigureAwait(false);
        lock (_gate)
        {
            _open.Remove(window.Number);
            _sent.Remove(window.Number);
        }

        window.File.Forget(window);
        Interlocked.Increment(ref _completed);
    }

    /// <summary>Windows that are not in the stream, or that workers have acknowledged without a selection, or that no worker has and none
    /// is offered: the cluster has lost one or the other. They are sent again; a selection that comes after all is still the only
    /// one.</summary>
    /// <remarks>The last: a stream that has lost its end gives its numbers once more, and to a queue that remembers more they are done
    /// with.</remarks>
    private async Task SendLostAgain(KeptWindow[] sent)
    {
        INatsJSConsumer workers = await _stream.Consumer(_names.WindowsStream(_partition), StoreNames.Workers, _ending.Token)
            .ConfigureAwait(false);
        _idleLooks = workers.Info is { NumPending: 0, NumAckPending: 0 } ? _idleLooks + 1 : 0;
        bool offersNone = _idleLooks >= IdleLooks;
        foreach (KeptWindow window in sent)
        {
            string subject = _names.Window(_partition, window.Number);
            StoredMessage? there = await _stream.Last(_names.WindowsStream(_partition), subject, _ending.Token).ConfigureAwait(false);
            if (there is not null && there.Seq > workers.Info.AckFloor.StreamSeq && !offersNone)
                continue;
            if (await SelectionOf(window.Number).ConfigureAwait(false) is not null)
                continue;
            if (there is not null)
                await _stream.Forget(_names.WindowsStream(_partition), subject, _ending.Token).ConfigureAwait(false);
            Interlocked.Increment(ref _repeated);
            await Send(window).ConfigureAwait(false);
        }
    }
}
