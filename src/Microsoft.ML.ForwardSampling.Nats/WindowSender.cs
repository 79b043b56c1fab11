using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Sends the windows of a partition, and keeps each until a worker's selection of it is there.</summary>
/// <remarks>A window is stored only where there is none of its number. Where there is one it must be the same, or somebody else joins this
/// partition.</remarks>
internal sealed class WindowSender : IAsyncDisposable
{
    private const int AtOnce = 8;

    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(200);

    private readonly JetStream _stream;
    private readonly StoreNames _names;
    private readonly int _partition;
    private readonly PartitionLease _lease;
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
    private string? _failure;
    private Exception? _fault;

    public WindowSender(JetStream stream, StoreNames names, int partition, PartitionLease lease, IEnumerable<KeptWindow> windows,
        CancellationToken cancellationToken)
    {
        (_stream, _names, _partition, _lease) = (stream, names, partition, lease);
        _ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Add(windows);
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

    public Task AllCompleted(CancellationToken cancellationToken) => Until(() => Open == 0, cancellationToken);

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
                if (sent.Length == 0)
                    continue;
                bool[] done = await Task.WhenAll(sent.Select(IsCompleted)).ConfigureAwait(false);
                for (int i = 0; i < sent.Length; i++)
                {
                    if (done[i])
                        await Finish(sent[i]).ConfigureAwait(false);
                }

                if (!Array.Exists(done, d => d))
                    await SendLostAgain(sent).ConfigureAwait(false);
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

    private async Task<bool> IsCompleted(KeptWindow window)
        => await _stream.Last(_names.SelectionsStream, _names.Selection(_partition, window.Number), _ending.Token).ConfigureAwait(false)
            is not null;

    private async Task Finish(KeptWindow window)
    {
        await _stream.Forget(_names.WindowsStream(_partition), _names.Window(_partition, window.Number), _ending.Token)
            .ConfigureAwait(false);
        lock (_gate)
        {
            _open.Remove(window.Number);
            _sent.Remove(window.Number);
        }

        window.File.Forget(window);
        Interlocked.Increment(ref _completed);
    }

    /// <summary>Windows that are not in the stream, or that workers have acknowledged without a selection: the cluster has lost one or the
    /// other. They are sent again; a selection that comes after all is still the only one.</summary>
    private async Task SendLostAgain(KeptWindow[] sent)
    {
        INatsJSConsumer workers = await _stream.Consumer(_names.WindowsStream(_partition), StoreNames.Workers, _ending.Token)
            .ConfigureAwait(false);
        foreach (KeptWindow window in sent)
        {
            string subject = _names.Window(_partition, window.Number);
            StoredMessage? there = await _stream.Last(_names.WindowsStream(_partition), subject, _ending.Token).ConfigureAwait(false);
            if (there is not null && there.Seq > workers.Info.AckFloor.StreamSeq)
                continue;
            if (await IsCompleted(window).ConfigureAwait(false))
                continue;
            if (there is not null)
                await _stream.Forget(_names.WindowsStream(_partition), subject, _ending.Token).ConfigureAwait(false);
            Interlocked.Increment(ref _repeated);
            await Send(window).ConfigureAwait(false);
        }
    }
}
