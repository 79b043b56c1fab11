using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>A block being filled, by several threads at once. Records stand in it as they will in the file, except for their times: those
/// are known as steps between the first and the last only when the block is sealed.</summary>
/// <remarks>A place belongs to the one thread that reserved it in the writer's gate. Its time, never 0, is written last and says that the
/// place is filled; <see cref="Complete"/> waits for all of them.</remarks>
internal sealed class BlockBuffer<TRecord>
    where TRecord : struct, ILogRecord<TRecord>
{
    private const int MostParts = 8;

    private readonly byte[] _bytes;
    private readonly long[] _ticks;
    private readonly (ulong Version, int Classes)[] _versions = new (ulong, int)[BlockFormat.MostVersions];
    private readonly int[] _partEnds = new int[MostParts];
    private int _versionCount;

    public BlockBuffer(int capacity)
    {
        _ticks = new long[capacity];
        _bytes = new byte[BlockFormat.HeaderBytes + (capacity * TRecord.EncodedBytes)
            + (BlockFormat.MostVersions * BlockFormat.VersionBytes)];
    }

    /// <summary>Records that were reserved before the block was closed.</summary>
    public int Count { get; set; }

    /// <summary>Blocks that this one becomes in the file, after <see cref="Complete"/>.</summary>
    public int Parts { get; private set; }

    /// <summary>Number of the first record among all of this writer's, from 0.</summary>
    public long FirstSequence { get; private set; }

    /// <summary>When it was started, by <see cref="Environment.TickCount64"/>.</summary>
    public long OpenedAt { get; private set; }

    public void Start(long firstSequence, long now)
    {
        FirstSequence = firstSequence;
        OpenedAt = now;
        Array.Clear(_ticks, 0, Count);
        Count = 0;
        _versionCount = 0;
    }

    /// <summary>The record's model version in this block's list, or -1 when it is not there. Any thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FindVersion(in TRecord record)
    {
        int count = Volatile.Read(ref _versionCount);
        for (int i = 0; i < count; i++)
        {
            ref readonly (ulong Version, int Classes) known = ref _versions[i];
            if (known.Version == record.ModelVersion && known.Classes == record.Classes)
                return i;
        }

        return -1;
    }

    /// <summary>Adds the record's model version, which is not in the list yet; false when the list is full. Under the writer's
    /// lock.</summary>
    public bool TryAddVersion(in TRecord record)
    {
        if (_versionCount == BlockFormat.MostVersions)
            return false;
        _versions[_versionCount] = (record.ModelVersion, record.Classes);
        Volatile.Write(ref _versionCount, _versionCount + 1);
        return true;
    }

    /// <summary>Fills a place that the caller has reserved.</summary>
    /// <param name="at">The place, from 0.</param>
    /// <param name="record">The record.</param>
    /// <param name="version">What <see cref="FindVersion"/> returned for it.</param>
    /// <param name="ticks">Its time, not 0.</param>
    /// <param name="halvings">How often its keeping probability is halved.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int at, in TRecord record, int version, long ticks, int halvings)
    {
        Span<byte> place = _bytes.AsSpan(BlockFormat.HeaderBytes + (at * TRecord.EncodedBytes), TRecord.EncodedBytes);
        record.WriteBody(place[RecordBytes.Shared..]);
        BinaryPrimitives.WriteUInt64LittleEndian(place, record.Key);
        BinaryPrimitives.WriteUInt16LittleEndian(place[8..], (ushort)(version << 12));
        BinaryPrimitives.WriteUInt16LittleEndian(place[10..], (ushort)(record.KeepingCode + (halvings * KeepingProbability.Halving)));
        Volatile.Write(ref _ticks[at], ticks);
    }

    /// <summary>Waits until every reserved place is filled, and cuts the block into parts, each of which becomes a block of the file: one
    /// as a rule.</summary>
    /// <remarks>A file's block has few bits for a time. One record whose time is far off would take their precision from all others, so a
    /// block of more than an hour is cut, as long as few cuts do.</remarks>
    public void Complete()
    {
        const long MostTicks = TimeSpan.TicksPerHour;
        ReadOnlySpan<long> ticks = _ticks.AsSpan(0, Count);
        var wait = default(SpinWait);
        while (ticks.Contains(0))
            wait.SpinOnce();                                // a thread has reserved a place and is about to fill it
        Interlocked.MemoryBarrier();                        // what was written before the times is read after them

        Parts = 0;
        if (TensorPrimitives.Max(ticks) - TensorPrimitives.Min(ticks) > MostTicks)
            Cut(ticks, MostTicks);
        _partEnds[Parts++] = Count;
    }

    private void Cut(ReadOnlySpan<long> ticks, long mostTicks)
    {
        long first = ticks[0], last = first;
        for (int i = 1; i < ticks.Length; i++)
        {
            first = Math.Min(first, ticks[i]);
            last = Math.Max(last, ticks[i]);
            if (last - first <= mostTicks)
                continue;
            _partEnds[Parts++] = i;
            first = last = ticks[i];
            if (Parts == MostParts)
            {
                Parts = 0;                                  // cutting does not help
                return;
            }
        }
    }

    /// <summary>A record, after <see cref="Complete"/>.</summary>
    public BufferedRecord At(int place)
    {
        ReadOnlySpan<byte> bytes = _bytes.AsSpan(BlockFormat.HeaderBytes + (place * TRecord.EncodedBytes), TRecord.EncodedBytes);
        ref readonly (ulong Version, int Classes) version = ref _versions[BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) >> 12];
        return new BufferedRecord(bytes, _ticks[place], version.Version, version.Classes);
    }

    /// <summary>Number of the first record after a part.</summary>
    public long SequenceAfter(int part) => FirstSequence + _partEnds[part];

    /// <summary>Completes a part: times, versions, header with both checksums.</summary>
    /// <param name="part">In [0, <see cref="Parts"/>), after <see cref="Complete"/>.</param>
    /// <param name="writer">The log's name.</param>
    /// <param name="scratch">Room for a part that is not the whole block; made when it is needed.</param>
    public ReadOnlySpan<byte> Seal(int part, ulong writer, ref byte[]? scratch)
    {
        int start = part == 0 ? 0 : _partEnds[part - 1];
        ReadOnlySpan<long> ticks = _ticks.AsSpan(start, _partEnds[part] - start);
        Span<byte> bytes = _bytes;
        int end = BlockFormat.HeaderBytes + (ticks.Length * TRecord.EncodedBytes);
        if (Parts > 1)
        {
            bytes = scratch ??= new byte[_bytes.Length];
            _bytes.AsSpan(BlockFormat.HeaderBytes + (start * TRecord.EncodedBytes), ticks.Length * TRecord.EncodedBytes)
                .CopyTo(bytes[BlockFormat.HeaderBytes..]);
        }

        long first = TensorPrimitives.Min(ticks), last = TensorPrimitives.Max(ticks);
        long step = (last - first + BlockFormat.MostTimeSteps - 1) / BlockFormat.MostTimeSteps;
        if (step > 0)
            WriteTimes(bytes[BlockFormat.HeaderBytes..], ticks, first, step);

        for (int i = 0; i < _versionCount; i++, end += BlockFormat.VersionBytes)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[end..], _versions[i].Version);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[(end + 8)..], _versions[i].Classes);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[(end + 12)..], 0);
        }

        BlockFormat.WriteHeader(bytes[..end], new BlockHeader
        {
            Bytes = end,
            Kind = TRecord.Kind,
            RecordBytes = TRecord.EncodedBytes,
            Versions = _versionCount,
            Count = ticks.Length,
            FirstSequence = FirstSequence + start,
            BaseTicks = first,
            TicksPerStep = step,
            Writer = writer,
        });
        return bytes[..end];
    }

    private static void WriteTimes(Span<byte> records, ReadOnlySpan<long> ticks, long first, long step)
    {
        double stepsPerTick = 1.0 / step;
        long known = first;
        int steps = 0;
        for (int i = 0; i < ticks.Length; i++)
        {
            if (ticks[i] != known)                          // neighbours often share a look at the clock
            {
                known = ticks[i];
                steps = Math.Min(BlockFormat.MostTimeSteps, (int)(((known - first) * stepsPerTick) + 0.5));
            }

            Span<byte> place = records.Slice((i * TRecord.EncodedBytes) + 8, sizeof(ushort));
            ushort version = BinaryPrimitives.ReadUInt16LittleEndian(place);
            BinaryPrimitives.WriteUInt16LittleEndian(place, (ushort)((version & 0xF000) | steps));
        }
    }
}
