using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>A block being filled. Records stand in it as they will in the file, except for their times: those are known as steps between the first and the last only when the block is sealed.</summary>
internal sealed class BlockBuffer<TRecord>
    where TRecord : struct, ILogRecord<TRecord>
{
    private readonly byte[] _bytes;
    private readonly long[] _ticks;
    private readonly ulong[] _versions = new ulong[BlockFormat.MostVersions];
    private readonly int[] _classes = new int[BlockFormat.MostVersions];
    private int _versionCount;
    private int _latestVersion;

    public BlockBuffer(int recordBytes)
    {
        Capacity = recordBytes / TRecord.EncodedBytes;
        _ticks = new long[Capacity];
        _bytes = new byte[BlockFormat.HeaderBytes + recordBytes + (BlockFormat.MostVersions * BlockFormat.VersionBytes)];
    }

    public int Capacity { get; }

    public int Count { get; private set; }

    /// <summary>Number of the first record among all of this writer's, from 0.</summary>
    public long FirstSequence { get; private set; }

    public void Start(long firstSequence)
    {
        FirstSequence = firstSequence;
        Count = 0;
        _versionCount = 0;
        _latestVersion = 0;
    }

    /// <summary>Adds a record; false when the block is full, of records or of model versions.</summary>
    public bool TryAdd(in TRecord record, long ticks, int halvings)
    {
        if (Count == Capacity)
            return false;
        int version = _latestVersion;
        if (version >= _versionCount || _versions[version] != record.ModelVersion || _classes[version] != record.Classes)
        {
            version = FindVersion(in record);
            if (version < 0)
                return false;
        }

        Span<byte> place = _bytes.AsSpan(BlockFormat.HeaderBytes + (Count * TRecord.EncodedBytes), TRecord.EncodedBytes);
        record.WriteBody(place[12..]);
        BinaryPrimitives.WriteUInt64LittleEndian(place, record.Key);
        BinaryPrimitives.WriteUInt16LittleEndian(place[8..], (ushort)(version << 12));
        BinaryPrimitives.WriteUInt16LittleEndian(place[10..], (ushort)(record.KeepingCode + (halvings * KeepingProbability.Halving)));
        _ticks[Count++] = ticks;
        return true;
    }

    /// <summary>Completes the block: times, versions, header with both checksums.</summary>
    public ReadOnlySpan<byte> Seal(ulong writer)
    {
        ReadOnlySpan<long> ticks = _ticks.AsSpan(0, Count);
        long first = long.MaxValue, last = 0;
        foreach (long t in ticks)
        {
            first = Math.Min(first, t);
            last = Math.Max(last, t);
        }

        long step = (last - first + BlockFormat.MostTimeSteps - 1) / BlockFormat.MostTimeSteps;
        if (step > 0)
        {
            double stepsPerTick = 1.0 / step;
            Span<byte> place = _bytes.AsSpan(BlockFormat.HeaderBytes + 8);
            for (int i = 0; i < ticks.Length; i++)
            {
                int steps = Math.Min(BlockFormat.MostTimeSteps, (int)(((ticks[i] - first) * stepsPerTick) + 0.5));
                ushort version = BinaryPrimitives.ReadUInt16LittleEndian(place);
                BinaryPrimitives.WriteUInt16LittleEndian(place, (ushort)((version & 0xF000) | steps));
                if (i + 1 < ticks.Length)
                    place = place[TRecord.EncodedBytes..];
            }
        }

        int end = BlockFormat.HeaderBytes + (Count * TRecord.EncodedBytes);
        for (int i = 0; i < _versionCount; i++, end += BlockFormat.VersionBytes)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(end), _versions[i]);
            BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(end + 8), _classes[i]);
            BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(end + 12), 0);
        }

        BlockFormat.WriteHeader(_bytes.AsSpan(0, end), new BlockHeader
        {
            Bytes = end,
            Kind = TRecord.Kind,
            RecordBytes = TRecord.EncodedBytes,
            Versions = _versionCount,
            Count = Count,
            FirstSequence = FirstSequence,
            BaseTicks = first,
            TicksPerStep = step,
            Writer = writer,
        });
        return _bytes.AsSpan(0, end);
    }

    private int FindVersion(in TRecord record)
    {
        for (int i = 0; i < _versionCount; i++)
        {
            if (_versions[i] == record.ModelVersion && _classes[i] == record.Classes)
                return _latestVersion = i;
        }

        if (_versionCount == BlockFormat.MostVersions)
            return -1;
        _versions[_versionCount] = record.ModelVersion;
        _classes[_versionCount] = record.Classes;
        return _latestVersion = _versionCount++;
    }
}
