using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Cuts a batch into one block for each partition that it has records of.</summary>
internal sealed class BlockCutter<TRecord>(ulong writer, int partitions)
    where TRecord : struct, ILogRecord<TRecord>
{
    private readonly Part[] _parts = [.. Enumerable.Range(0, partitions).Select(_ => new Part())];
    private readonly long[] _next = new long[partitions];

    /// <summary>The blocks of a batch; the same again until <see cref="Accept"/> is called. Valid until the next call.</summary>
    /// <param name="batch">At most <see cref="BlockEncoding.MostRecords"/> records.</param>
    public IEnumerable<(BlockId Id, ReadOnlyMemory<byte> Bytes)> Cut(RecordBatch<TRecord> batch)
    {
        foreach (Part part in _parts)
            part.Reset();
        foreach (BufferedRecord record in batch)
            _parts[PartitionOf(record.Key, partitions)].Look(record);
        for (int p = 0; p < partitions; p++)
        {
            if (_parts[p].Count > 0)
                _parts[p].Begin(new BlockId(writer, p, partitions, _next[p]));
        }

        foreach (BufferedRecord record in batch)
            _parts[PartitionOf(record.Key, partitions)].Put(record);
        return _parts.Where(part => part.Count > 0).Select(part => (part.Id, part.End()));
    }

    /// <summary>The blocks that were cut are safe: the next ones get the next numbers.</summary>
    public void Accept()
    {
        for (int p = 0; p < partitions; p++)
            _next[p] += _parts[p].Count > 0 ? 1 : 0;
    }

    public static int PartitionOf(ulong key, int partitions) => (int)(key % (ulong)partitions);

    private sealed class Part
    {
        private readonly List<(ulong Version, int Classes)> _versions = [];
        private readonly Dictionary<(ulong Version, int Classes), int> _places = [];
        private byte[] _bytes = [];
        private (ulong Version, int Classes) _latest;
        private int _latestPlace;
        private long _first;
        private long _last;
        private long _step;
        private int _put;

        public int Count { get; private set; }

        public BlockId Id { get; private set; }

        public void Reset()
        {
            (Count, _put, _first, _last) = (0, 0, long.MaxValue, 0);
            _versions.Clear();
            _places.Clear();
            _latestPlace = -1;
        }

        public void Look(BufferedRecord record)
        {
            Count++;
            _first = Math.Min(_first, record.Time.Ticks);
            _last = Math.Max(_last, record.Time.Ticks);
        }

        public void Begin(in BlockId id)
        {
            Id = id;
            int room = BlockEncoding.HeaderBytes + (Count * (BlockEncoding.RecordBytes<TRecord>() + BlockEncoding.VersionBytes));
            if (_bytes.Length < room)
                _bytes = new byte[room];
            _step = BlockEncoding.Begin<TRecord>(_bytes, in id, _first, _last);
        }

        public void Put(BufferedRecord record)
        {
            (ulong, int) version = (record.ModelVersion, record.Classes);
            if (_latestPlace < 0 || version != _latest)
            {
                _latest = version;
                if (!_places.TryGetValue(version, out _latestPlace))
                {
                    _places.Add(version, _latestPlace = _versions.Count);
                    _versions.Add(version);
                }
            }

            BlockEncoding.Put<TRecord>(_bytes, _put++, record, _latestPlace, _first, _step);
        }

        public ReadOnlyMemory<byte> End() => _bytes.AsMemory(0, BlockEncoding.End<TRecord>(_bytes, Count, _versions));
    }
}
