using System.Globalization;
using NATS.Client.Core;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Ships the blocks of an outbox, one in flight for each partition, and lets go of those that a joiner has saved.</summary>
internal sealed class Shipping : IDisposable
{
    /// <summary>The first block that a writer still has: what is missing before it is gone for good.</summary>
    public const string OldestHeader = "Fs-Oldest";

    private static readonly TimeSpan s_askInterval = TimeSpan.FromSeconds(2);

    private readonly JetStream _stream;
    private readonly Outbox _outbox;
    private readonly Func<int, string> _subject;
    private readonly Func<int, string> _told;
    private readonly Func<int, string> _ask;
    private readonly Func<CancellationToken, Task> _check;
    private readonly Func<BlockId, byte[]> _lost;
    private readonly TimeSpan _retryInterval;
    private readonly Lock _gate = new();
    private readonly Dictionary<(ulong Writer, int Partition), Lane> _lanes = [];
    private readonly TaskCompletionSource[] _more;
    private readonly CancellationTokenSource _ending = new();
    private readonly List<TaskCompletionSource> _waiting = [];
    private readonly Task _running;
    private long _shipped;
    private long _repeated;
    private long _failures;
    private long _unconfirmed;
    private string? _failure;

    /// <summary>Begins.</summary>
    /// <param name="stream">The cluster.</param>
    /// <param name="outbox">Where the blocks are.</param>
    /// <param name="partitions">Of the store.</param>
    /// <param name="subject">Of a partition's blocks.</param>
    /// <param name="told">Of what its joiner says.</param>
    /// <param name="ask">Of what it is asked.</param>
    /// <param name="check">Requires that the store is there and as expected.</param>
    /// <param name="lost">What is shipped for a block that is damaged on the disk.</param>
    /// <param name="retryInterval">The wait after a failure.</param>
    public Shipping(JetStream stream, Outbox outbox, int partitions, Func<int, string> subject, Func<int, string> told,
        Func<int, string> ask, Func<CancellationToken, Task> check, Func<BlockId, byte[]> lost, TimeSpan retryInterval)
    {
        (_stream, _outbox, _subject, _told, _ask, _check) = (stream, outbox, subject, told, ask, check);
        (_lost, _retryInterval) = (lost, retryInterval);
        _more = [.. Enumerable.Range(0, partitions).Select(_ => NewSignal())];
        Add(outbox.Adopted);
        _running = Task.Run(() => Task.WhenAll(Enumerable.Range(0, partitions).SelectMany(p => (Task[])[Ship(p), Listen(p), Ask(p)])));
    }

    public long Shipped => Interlocked.Read(ref _shipped);

    public long Unshipped
    {
        get
        {
            lock (_gate)
                return _lanes.Values.Sum(lane => lane.CountFrom(lane.Next));
        }
    }

    public long Repeated => Interlocked.Read(ref _repeated);

    public long Failures => Interlocked.Read(ref _failures);

    public string? Failure => Volatile.Read(ref _failure);

    public long UnconfirmedRecords => Interlocked.Read(ref _unconfirmed);

    /// <summary>Takes blocks that are safe on the disk.</summary>
    public void Add(IEnumerable<OutboxBlock> blocks)
    {
        lock (_gate)
        {
            foreach (OutboxBlock block in blocks)
            {
                BlockId id = block.Id;
                if (id.Partitions != _more.Length)
                    throw new InvalidOperationException($"{block.File.Path} holds blocks for {id.Partitions} partitions, and this store "
                        + $"has {_more.Length}. Ship them with the options they were written with first.");
                if (!_lanes.TryGetValue((id.Writer, id.Partition), out Lane? lane))
                    _lanes.Add((id.Writer, id.Partition), lane = new Lane { Next = id.Number });
                lane.Add(block);
                _unconfirmed += block.Records;
                _more[id.Partition].TrySetResult();
            }
        }
    }

    /// <summary>Completes when a joiner has saved all blocks that are there now, and later ones that come meanwhile.</summary>
    public Task Confirmed(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_unconfirmed == 0)
                return Task.CompletedTask;
            var done = NewSignal();
            _waiting.Add(done);
            return done.Task.WaitAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        _ending.Cancel();
        _running.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        lock (_gate)
            _waiting.ForEach(done => done.TrySetException(new ObjectDisposedException(nameof(Shipping))));
        _ending.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task Ship(int partition)
    {
        string subject = _subject(partition);
        for (bool isChecked = false; !_ending.IsCancellationRequested;)
        {
            OutboxBlock? block;
            bool isAgain, isOldest;
            Task more;
            lock (_gate)
            {
                block = Take(partition, out isAgain, out isOldest);
                if (block is null && _more[partition].Task.IsCompleted)
                    _more[partition] = NewSignal();
                more = _more[partition].Task;
            }

            try
            {
                if (block is null)
                {
                    await more.WaitAsync(_ending.Token).ConfigureAwait(false);
                    continue;
                }

                if (!isChecked)
                    await _check(_ending.Token).ConfigureAwait(false);
                isChecked = true;
                await Ship(block, subject, isAgain, isOldest).ConfigureAwait(false);
            }
            catch (Exception) when (_ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is, the block stays and is tried again: the report says why it does not get on.
                Interlocked.Increment(ref _failures);
                Volatile.Write(ref _failure, e.Message);
                await Pause(_retryInterval).ConfigureAwait(false);
            }
        }
    }

    private async Task Ship(OutboxBlock block, string subject, bool isAgain, bool isOldest)
    {
        BlockId id = block.Id;
        byte[] bytes;
        try
        {
            bytes = block.IsLost ? _lost(id) : Outbox.Read(block);
        }
        catch (ObjectDisposedException)
        {
            return;                                         // confirmed meanwhile, and its file deleted
        }
        catch (InvalidDataException)
        {
            // Those behind it go on: the joiner is told that this one will never come.
            OutboxBlock lost = _outbox.SetAside(block);
            lock (_gate)
            {
                if (_lanes.TryGetValue((id.Writer, id.Partition), out Lane? own))
                    own.Replace(block, lost);
            }

            bytes = _lost(id);
        }

        // Asked for again, it must not pass for the copy that the cluster has lost.
        string? name = isAgain ? null : string.Create(CultureInfo.InvariantCulture, $"{id.Writer:x16}-{id.Partition}-{id.Number}");
        NatsHeaders? headers = isOldest && id.Number > 0
            ? new NatsHeaders { { OldestHeader, id.Number.ToString(CultureInfo.InvariantCulture) } } : null;
        await _stream.Append(subject, bytes, name, headers, _ending.Token).ConfigureAwait(false);
        Interlocked.Increment(ref _shipped);
        if (isAgain)
            Interlocked.Increment(ref _repeated);
        Volatile.Write(ref _failure, null);
        lock (_gate)
        {
            if (_lanes.TryGetValue((id.Writer, id.Partition), out Lane? lane) && lane.Next == id.Number)
                lane.Next = id.Number + 1;
        }
    }

    /// <summary>Under the lock: the next block to ship; earlier writers' first.</summary>
    private OutboxBlock? Take(int partition, out bool isAgain, out bool isOldest)
    {
        foreach (((ulong _, int p), Lane lane) in _lanes.OrderBy(l => l.Key.Writer == _outbox.Writer))
        {
            if (p != partition || lane.Find(lane.Next) is not { } block)
                continue;
            lane.Next = block.Id.Number;                    // beyond what nobody knows of
            isAgain = block.Id.Number < lane.AgainUpTo;
            isOldest = lane.First == block;
            return block;
        }

        isAgain = isOldest = false;
        return null;
    }

    private async Task Listen(int partition)
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await foreach (NatsMsg<byte[]> message in _stream.Connection.SubscribeAsync<byte[]>(_told(partition),
                    cancellationToken: _ending.Token).ConfigureAwait(false))
                    Hear(partition, Tidings.Read(message.Data));
            }
            catch (Exception) when (_ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Volatile.Write(ref _failure, e.Message);
                await Pause(_retryInterval).ConfigureAwait(false);
            }
        }
    }

    private void Hear(int partition, Tidings[] all)
    {
        lock (_gate)
        {
            foreach (Tidings one in all)
            {
                if (!_lanes.TryGetValue((one.Writer, partition), out Lane? lane))
                    continue;
                while (lane.First is { } first && first.Id.Number < one.Next)
                {
                    lane.RemoveFirst();
                    _unconfirmed -= first.Records;
                    _outbox.Release(first);
                }

                if (one.Again >= 0 && one.Again < lane.Next)
                {
                    lane.AgainUpTo = Math.Max(lane.AgainUpTo, lane.Next);
                    lane.Next = one.Again;
                    _more[partition].TrySetResult();
                }

                lane.Next = Math.Max(lane.Next, one.Next);
                if (lane.First is null && one.Writer != _outbox.Writer)
                    _lanes.Remove((one.Writer, partition));
            }

            if (_unconfirmed == 0)
            {
                _waiting.ForEach(done => done.TrySetResult());
                _waiting.Clear();
            }
        }
    }

    /// <summary>While something is shipped and not confirmed, asks: what the joiner said may have been lost, and so may a block.</summary>
    private async Task Ask(int partition)
    {
        while (!_ending.IsCancellationRequested)
        {
            await Pause(s_askInterval).ConfigureAwait(false);
            List<Tidings> open = [];
            lock (_gate)
            {
                foreach (((ulong writer, int p), Lane lane) in _lanes)
                {
                    if (p != partition)
                        continue;
                    if (lane.First is { } first && first.Id.Number < lane.Before)
                        open.Add(new Tidings(writer, lane.Before, -1));
                    lane.Before = lane.Next;
                }
            }

            try
            {
                if (open.Count > 0 && !_ending.IsCancellationRequested)
                    await _stream.Connection.PublishAsync(_ask(partition), Tidings.Write(open), cancellationToken: _ending.Token)
                        .ConfigureAwait(false);
            }
            catch (Exception e) when (e is NatsException or OperationCanceledException or IOException or ObjectDisposedException)
            {
            }
        }
    }

    private async Task Pause(TimeSpan time)
    {
        try
        {
            await Task.Delay(time, _ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>The blocks of one writer for one partition that are not confirmed yet, by number.</summary>
    private sealed class Lane
    {
        private readonly List<OutboxBlock> _blocks = [];
        private int _start;

        /// <summary>Number of the next one to ship.</summary>
        public long Next { get; set; }

        /// <summary>Those before this number were shipped once.</summary>
        public long AgainUpTo { get; set; }

        /// <summary>The next one to ship when the joiner was asked last: those before it have had time to be read.</summary>
        public long Before { get; set; }

        public OutboxBlock? First => _start < _blocks.Count ? _blocks[_start] : null;

        public void Add(OutboxBlock block) => _blocks.Add(block);

        /// <summary>Puts another in a block's place, if that is not confirmed yet.</summary>
        public void Replace(OutboxBlock block, OutboxBlock other)
        {
            int place = PlaceOf(block.Id.Number);
            if (place < _blocks.Count && _blocks[place] == block)
                _blocks[place] = other;
        }

        public void RemoveFirst()
        {
            const int Many = 1024;
            if (++_start < Many || _start < _blocks.Count / 2)
                return;
            _blocks.RemoveRange(0, _start);
            _start = 0;
        }

        /// <summary>The first block that has at least this number.</summary>
        public OutboxBlock? Find(long number) => PlaceOf(number) is int place && place < _blocks.Count ? _blocks[place] : null;

        /// <summary>Blocks that have at least this number.</summary>
        public int CountFrom(long number) => _blocks.Count - PlaceOf(number);

        private int PlaceOf(long number)
        {
            int from = _start, to = _blocks.Count;
            while (from < to)
            {
                int middle = (from + to) / 2;
                (from, to) = _blocks[middle].Id.Number < number ? (middle + 1, to) : (from, middle);
            }

            return from;
        }
    }
}
