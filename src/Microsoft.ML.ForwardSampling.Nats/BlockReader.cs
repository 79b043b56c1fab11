using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.ML.ForwardSampling.Records;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Reads the records of one partition's stream of blocks, each once.</summary>
/// <remarks>
/// <para>What counts is each writer's next block number: a lower one was there already, a higher one means that the cluster has lost some,
/// which are asked for again, and all that follow come again with them. The stream's sequence only says where to read on.</para>
/// <para>A thread of the pool reads ahead. <see cref="Read"/> gives 0 only when the stream's end was seen: while the cluster does not
/// answer it waits, so that the other stream's time does not run away.</para>
/// </remarks>
internal sealed class BlockReader<TRecord> : IRecordReader<TRecord>
    where TRecord : struct, ILogRecord<TRecord>
{
    private const byte PositionVersion = 1;
    private const int HeadBytes = 16;
    private const int WriterBytes = 28;
    private const int MostAhead = 8;
    private const int PollMilliseconds = 10;
    private const int LookMilliseconds = 250;
    private const long ForgetTicks = 30 * TimeSpan.TicksPerDay;

    private readonly JetStream _stream;
    private readonly string _streamName;
    private readonly string _subject;
    private readonly int _partition;
    private readonly int _partitions;
    private readonly Dictionary<ulong, WriterPlace> _writers = [];
    private readonly Queue<StoredMessage> _ahead = new();
    private readonly Lock _disposing = new();
    private readonly object _gate = new();
    private readonly SemaphoreSlim _room = new(MostAhead);
    private readonly CancellationTokenSource _ending;
    private readonly Task _reading;
    private Exception? _failure;
    private bool _isDrained;
    private bool _disposed;
    private ulong _sequence;
    private byte[] _block = [];
    private ShippedHeader _header;
    private ulong _blockSequence;
    private int _next;
    private long _records;
    private long _looks;

    /// <summary>Begins, or goes on at a position.</summary>
    /// <exception cref="InvalidDataException">The position is none.</exception>
    /// <exception cref="NotSupportedException">The position is of a newer format.</exception>
    public BlockReader(JetStream stream, string streamName, string subject, int partition, int partitions, byte[]? position,
        CancellationToken cancellationToken)
    {
        (_stream, _streamName, _subject, _partition, _partitions) = (stream, streamName, subject, partition, partitions);
        if (position is not null)
            Load(position);
        _ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ulong from = _sequence + 1;
        _reading = Task.Run(() => ReadAhead(from), CancellationToken.None);
    }

    /// <summary>Blocks given out.</summary>
    public long Blocks { get; private set; }

    /// <summary>Blocks that came again.</summary>
    public long RepeatedBlocks { get; private set; }

    /// <summary>Times that a block was missing and asked for.</summary>
    public long Gaps { get; private set; }

    /// <summary>Blocks that no writer has any more, or not whole.</summary>
    public long LostBlocks { get; private set; }

    /// <summary>Messages that were no blocks of this partition.</summary>
    public long DamagedBlocks { get; private set; }

    public RecordReaderReport Report => new() { Records = _records };

    /// <summary>All that the stream had when it was last looked at was given out.</summary>
    public bool IsDrained
    {
        get
        {
            lock (_gate)
                return _isDrained && _ahead.Count == 0 && _next >= _header.Count;
        }
    }

    /// <summary>How often the stream's end was seen and asked for.</summary>
    public long Looks => Interlocked.Read(ref _looks);

    /// <summary>The last sequence that is dealt with.</summary>
    public ulong Sequence => _sequence;

    /// <summary>Each writer's next block.</summary>
    public IEnumerable<KeyValuePair<ulong, long>> Places => _writers.Select(w => KeyValuePair.Create(w.Key, w.Value.Next));

    /// <summary>Number of a writer's next block.</summary>
    public long NextOf(ulong writer) => _writers.TryGetValue(writer, out WriterPlace? place) ? place.Next : 0;

    /// <summary>Takes the gaps that were found since the last call: which writer, and from which block on.</summary>
    public List<(ulong Writer, long From)> TakeGaps()
    {
        const int AgainMilliseconds = 1000;
        List<(ulong, long)> gaps = [];
        foreach ((ulong writer, WriterPlace place) in _writers)
        {
            if (!place.HasGap || Environment.TickCount64 - place.AskedAt < AgainMilliseconds)
                continue;
            (place.HasGap, place.AskedAt) = (false, Environment.TickCount64);
            gaps.Add((writer, place.Next));
            Gaps++;
        }

        return gaps;
    }

    public int Read(Span<TRecord> records)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int filled = 0;
        while (filled < records.Length)
        {
            if (_next < _header.Count)
            {
                int count = Math.Min(records.Length - filled, _header.Count - _next);
                BlockEncoding.Read(_block, in _header, _next, records.Slice(filled, count));
                filled += count;
                _next += count;
                WriterPlace place = _writers[_header.Id.Writer];
                place.Given = _next;
                if (_next == _header.Count)
                {
                    (place.Next, place.Given) = (place.Next + 1, 0);
                    _sequence = _blockSequence;
                }
            }
            else if (TryTake(waits: filled == 0) is { } message)
            {
                Accept(message);
            }
            else
            {
                break;
            }
        }

        _records += filled;
        return filled;
    }

    public async ValueTask<int> ReadAsync(Memory<TRecord> records, TimeSpan poll, CancellationToken cancellationToken = default)
    {
        if (records.IsEmpty)
            throw new ArgumentException("There must be room for at least one record.", nameof(records));
        ArgumentOutOfRangeException.ThrowIfLessThan(poll, Require.Millisecond);
        for (int read; ; await Task.Delay(poll, cancellationToken).ConfigureAwait(false))
        {
            if ((read = Read(records.Span)) > 0)
                return read;
        }
    }

    /// <summary>Version byte, kind, 2 bytes, number of writers (4), sequence (8); for each writer its number (8), its next block (8),
    /// records of it that were given out (4), and when it last wrote (8). The join's file has the checksum.</summary>
    public byte[] SavePosition()
    {
        long latest = _writers.Values.Select(place => place.LatestTicks).DefaultIfEmpty().Max();
        KeyValuePair<ulong, WriterPlace>[] kept = [.. _writers.Where(w => w.Value.LatestTicks > latest - ForgetTicks || w.Value.Given > 0)];
        byte[] bytes = new byte[HeadBytes + (kept.Length * WriterBytes)];
        bytes[0] = PositionVersion;
        bytes[1] = (byte)TRecord.Kind;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), kept.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), _sequence);
        Span<byte> at = bytes.AsSpan(HeadBytes);
        foreach ((ulong writer, WriterPlace place) in kept)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(at, writer);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], place.Next);
            BinaryPrimitives.WriteInt32LittleEndian(at[16..], place.Given);
            BinaryPrimitives.WriteInt64LittleEndian(at[20..], place.LatestTicks);
            at = at[WriterBytes..];
        }

        return bytes;
    }

    public void Dispose()
    {
        lock (_disposing)
        {
            if (_disposed)
                return;
            _disposed = true;
            _ending.Cancel();
            lock (_gate)
                Monitor.PulseAll(_gate);
            _reading.Wait();
            _ending.Dispose();
        }
    }

    private void Load(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 0 && bytes[0] > PositionVersion)
            throw new NotSupportedException($"The position has format version {bytes[0]}, and this library reads versions up to "
                + $"{PositionVersion}.");
        int count = bytes.Length < HeadBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (count < 0 || bytes[0] != PositionVersion || bytes.Length != HeadBytes + ((long)count * WriterBytes))
            throw new InvalidDataException($"{bytes.Length} bytes are no position in a stream of blocks.");
        if (bytes[1] != (byte)TRecord.Kind)
            throw new InvalidDataException($"The position is among {(RecordKind)bytes[1]} records, and {TRecord.Kind} records were asked "
                + $"for.");
        _sequence = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        for (ReadOnlySpan<byte> at = bytes[HeadBytes..]; !at.IsEmpty; at = at[WriterBytes..])
        {
            _writers[BinaryPrimitives.ReadUInt64LittleEndian(at)] = new WriterPlace
            {
                Next = BinaryPrimitives.ReadInt64LittleEndian(at[8..]),
                Given = BinaryPrimitives.ReadInt32LittleEndian(at[16..]),
                LatestTicks = BinaryPrimitives.ReadInt64LittleEndian(at[20..]),
            };
        }
    }

    private StoredMessage? TryTake(bool waits)
    {
        lock (_gate)
        {
            while (_ahead.Count == 0)
            {
                if (_isDrained || !waits)
                    return null;
                _ending.Token.ThrowIfCancellationRequested();
                if (_failure is not null)
                    throw new IOException($"The stream {_streamName} cannot be read: {_failure.Message}", _failure);
                Monitor.Wait(_gate, PollMilliseconds);
            }

            _room.Release();
            return _ahead.Dequeue();
        }
    }

    /// <summary>Makes a message's block the current one, if it is the one that is due.</summary>
    private void Accept(StoredMessage message)
    {
        _sequence = message.Seq;                            // for one that is passed over; a good one sets it again when it is given out
        ShippedHeader header;
        try
        {
            header = BlockEncoding.ReadHeader<TRecord>(message.Data.Span);
            if (header.Id.Partition != _partition || header.Id.Partitions != _partitions)
                throw new InvalidDataException("It is of another partition.");
        }
        catch (InvalidDataException)
        {
            DamagedBlocks++;                                // its writer still has it whole: the next one shows the gap
            return;
        }

        if (!_writers.TryGetValue(header.Id.Writer, out WriterPlace? place))
            _writers.Add(header.Id.Writer, place = new WriterPlace());
        place.LatestTicks = Math.Max(place.LatestTicks, header.FirstTicks);
        long gap = header.Id.Number - place.Next;
        if (gap < 0)
        {
            RepeatedBlocks++;
            return;
        }

        if (gap > 0 && Oldest(message) != header.Id.Number)
        {
            place.HasGap = true;
            return;
        }

        if (gap > 0)
        {
            LostBlocks += gap;
            (place.Next, place.Given) = (header.Id.Number, 0);
        }

        place.HasGap = false;
        if (header.Count == 0)
        {
            LostBlocks++;                                   // damaged on its writer's disk
            (place.Next, place.Given) = (place.Next + 1, 0);
            return;
        }

        Blocks++;
        _sequence = message.Seq - 1;
        (_block, _header, _blockSequence) = (message.Data.ToArray(), header, message.Seq);
        _next = Math.Min(place.Given, header.Count - 1);
    }

    /// <summary>What the writer says is the first block that it still has; -1 when it says nothing.</summary>
    private static long Oldest(StoredMessage message)
    {
        if (message.Hdrs is not { Length: > 0 } encoded)
            return -1;
        foreach (string line in Encoding.ASCII.GetString(Convert.FromBase64String(encoded)).Split("\r\n"))
        {
            if (line.StartsWith(Shipping.OldestHeader + ":", StringComparison.OrdinalIgnoreCase)
                && long.TryParse(line.AsSpan(Shipping.OldestHeader.Length + 1), CultureInfo.InvariantCulture, out long number))
                return number;
        }

        return -1;
    }

    private async Task ReadAhead(ulong from)
    {
        long lookAt = Environment.TickCount64 + LookMilliseconds;
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                StoredMessage? message = await _stream.Next(_streamName, _subject, from, _ending.Token).ConfigureAwait(false);
                bool isEnd = false;
                if (message is null && Environment.TickCount64 >= lookAt)
                {
                    // A node that has forgotten some has a lower end than the one before it: what comes next gets numbers seen already. One
                    // that has just become the leader may have a higher one than it gives out yet.
                    lookAt = Environment.TickCount64 + LookMilliseconds;
                    ulong end = await _stream.LastSequence(_streamName, _ending.Token).ConfigureAwait(false);
                    if (end >= from)
                    {
                        lock (_gate)
                            _isDrained = false;
                        await Task.Delay(PollMilliseconds, _ending.Token).ConfigureAwait(false);
                        continue;
                    }

                    from = end + 1;
                    isEnd = true;
                }

                lock (_gate)
                {
                    _isDrained = message is null;
                    _looks += isEnd ? 1 : 0;
                    if (message is not null)
                        _ahead.Enqueue(message);
                    Monitor.PulseAll(_gate);
                }

                if (message is not null)
                {
                    from = message.Seq + 1;
                    await _room.WaitAsync(_ending.Token).ConfigureAwait(false);
                }
                else
                {
                    await Task.Delay(PollMilliseconds, _ending.Token).ConfigureAwait(false);
                }
            }
            catch (Exception) when (_ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (JetStream.IsPassing(e))
            {
                lock (_gate)
                    _isDrained = false;
                await Task.Delay(10 * PollMilliseconds, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                lock (_gate)
                    (_failure, _isDrained) = (e, false);
                return;
            }
        }
    }

    /// <summary>How far one writer's blocks were given out.</summary>
    private sealed class WriterPlace
    {
        public long Next { get; set; }

        /// <summary>Records of the next block that were given out.</summary>
        public int Given { get; set; }

        public long LatestTicks { get; set; }

        public bool HasGap { get; set; }

        public long AskedAt { get; set; } = long.MinValue / 2;
    }
}
