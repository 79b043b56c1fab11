using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>A joiner's entries in the order in which they came, numbered from 0: a queue of chunks of bytes, no object for each.</summary>
internal sealed class PendingEntries<TRecord>
    where TRecord : struct, IForwardRecord<TRecord>
{
    // so that a chunk's entries never have more model versions than numbers for them
    public const int ChunkEntries = 1 << PendingEntry.VersionBits;
    private const int ChunkBits = PendingEntry.VersionBits;
    private const int MostSpares = 4;
    private const long MostNumber = 1L << 60;               // far beyond what any joiner counts to, and numbers after it still fit

    private static readonly int s_entryBytes = PendingEntry.HeaderBytes + TRecord.EncodedBytes - 12;

    private readonly Stack<Chunk> _spares = new();
    private Chunk[] _chunks = new Chunk[4];                 // a ring: entry n is in the chunk n / ChunkEntries, modulo the length
    private int _chunkCount;

    /// <summary>Number of the oldest entry.</summary>
    public long Head { get; private set; }

    /// <summary>Number of the next entry.</summary>
    public long End { get; private set; }

    public int Count => (int)(End - Head);

    /// <summary>Bytes of the chunks, spare ones too.</summary>
    public long Bytes => (long)(_chunkCount + _spares.Count) * ChunkEntries * s_entryBytes;

    public PendingEntry this[long n] => new(ChunkOf(n).Bytes.AsSpan((int)(n & (ChunkEntries - 1)) * s_entryBytes, s_entryBytes));

    public ulong KeyOf(long n) => BinaryPrimitives.ReadUInt64LittleEndian(
        ChunkOf(n).Bytes.AsSpan((int)(n & (ChunkEntries - 1)) * s_entryBytes));

    /// <summary>The number of which only the lower half is known.</summary>
    public long NumberOf(uint low) => Head + (uint)(low - (uint)Head);

    /// <summary>Asks the processor to fetch an entry that will be looked at soon, if there is one.</summary>
    public unsafe void Prefetch(long n)
    {
        if (Sse.IsSupported && n < End)
            Sse.Prefetch0(Unsafe.AsPointer(ref ChunkOf(n).Bytes[(int)(n & (ChunkEntries - 1)) * s_entryBytes]));
    }

    /// <summary>Adds a label that waits for its record.</summary>
    public long AddLabel(ulong key, long time)
    {
        long n = Add();
        this[n].Begin(key, time, version: 0, EntryState.None);
        return n;
    }

    /// <summary>Adds a record.</summary>
    public long AddRecord(ref TRecord record, long time)
    {
        long n = Add();
        PendingEntry entry = this[n];
        entry.Begin(record.Key, time, ChunkOf(n).VersionOf(record.ModelVersion, record.Classes), EntryState.Record);
        entry.KeepingCode = record.KeepingCode;
        record.WriteBody(entry.Body);
        return n;
    }

    /// <summary>A record as it was added, its time to the millisecond.</summary>
    public TRecord RecordAt(long n)
    {
        PendingEntry entry = this[n];
        (ulong version, int classes) = ChunkOf(n).Versions[entry.Version];
        return TRecord.Read(entry.Key, version, classes, new DateTime(entry.Time * TimeSpan.TicksPerMillisecond, DateTimeKind.Utc),
            entry.KeepingCode, entry.Body);
    }

    /// <summary>Drops the oldest entry.</summary>
    public void RemoveHead()
    {
        Head++;
        if ((Head & (ChunkEntries - 1)) != 0)
            return;
        Chunk chunk = ChunkOf(Head - 1);
        _chunks[Slot(Head - 1)] = null!;
        _chunkCount--;
        chunk.Versions.Clear();
        if (_spares.Count < MostSpares)
            _spares.Push(chunk);
    }

    /// <summary>Writes all entries: one section for their numbers, then one each for a chunk's model versions and for its
    /// entries.</summary>
    public void Save(StateSections sections)
    {
        Span<byte> numbers = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, Head);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], End);
        sections.Write(numbers);
        for (long from = Head; from < End;)
        {
            long to = Math.Min(End, (from | (ChunkEntries - 1)) + 1);
            Chunk chunk = ChunkOf(from);
            byte[] versions = new byte[chunk.Versions.Count * 12];
            for (int i = 0; i < chunk.Versions.Count; i++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(versions.AsSpan(i * 12), chunk.Versions[i].Version);
                BinaryPrimitives.WriteInt32LittleEndian(versions.AsSpan((i * 12) + 8), chunk.Versions[i].Classes);
            }

            sections.Write(versions);
            sections.Write(chunk.Bytes.AsSpan((int)(from & (ChunkEntries - 1)) * s_entryBytes, (int)(to - from) * s_entryBytes));
            from = to;
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into an empty queue.</summary>
    public void Load(StateSections sections, int mostEntries)
    {
        ReadOnlySpan<byte> numbers = sections.Read(16);
        Head = BinaryPrimitives.ReadInt64LittleEndian(numbers);
        End = BinaryPrimitives.ReadInt64LittleEndian(numbers[8..]);
        if (Head < 0 || Head > MostNumber || End < Head || End - Head > mostEntries)
            throw sections.Damaged($"entries {Head} to {End}, and at most {mostEntries} are allowed");
        long end = End;
        for (long from = Head; from < end;)
        {
            long to = Math.Min(end, (from | (ChunkEntries - 1)) + 1);
            Chunk chunk = BeginChunk(from);
            ReadOnlySpan<byte> versions = sections.ReadUpTo(ChunkEntries * 12);
            for (int i = 0; i + 12 <= versions.Length; i += 12)
                chunk.Versions.Add((BinaryPrimitives.ReadUInt64LittleEndian(versions[i..]),
                    BinaryPrimitives.ReadInt32LittleEndian(versions[(i + 8)..])));
            sections.Read((int)(to - from) * s_entryBytes).CopyTo(chunk.Bytes.AsSpan((int)(from & (ChunkEntries - 1)) * s_entryBytes));
            for (long n = from; n < to; n++)
            {
                if (this[n].Is(EntryState.Record) && this[n].Version >= chunk.Versions.Count)
                    throw sections.Damaged($"entry {n} names model version {this[n].Version} of {chunk.Versions.Count}");
            }

            from = to;
        }
    }

    private int Slot(long n) => (int)(n >> ChunkBits) & (_chunks.Length - 1);

    private Chunk ChunkOf(long n) => _chunks[Slot(n)];

    private long Add()
    {
        if ((End & (ChunkEntries - 1)) == 0 || _chunkCount == 0)
            BeginChunk(End);
        return End++;
    }

    private Chunk BeginChunk(long n)
    {
        if (_chunkCount == _chunks.Length)
        {
            var larger = new Chunk[2 * _chunks.Length];
            long first = Head >> ChunkBits;
            for (long i = 0; i < _chunkCount; i++)
                larger[(int)(first + i) & (larger.Length - 1)] = _chunks[(int)(first + i) & (_chunks.Length - 1)];
            _chunks = larger;
        }

        _chunkCount++;
        return _chunks[Slot(n)] = _spares.TryPop(out Chunk? spare) ? spare : new Chunk();
    }

    private sealed class Chunk
    {
        private int _latest;

        public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(ChunkEntries * s_entryBytes);

        /// <summary>Model versions of the chunk's records, each with its number of classes.</summary>
        public List<(ulong Version, int Classes)> Versions { get; } = new(1);

        public int VersionOf(ulong version, int classes)
        {
            if (_latest < Versions.Count && Versions[_latest] == (version, classes))
                return _latest;
            _latest = Versions.IndexOf((version, classes));
            if (_latest >= 0)
                return _latest;
            Versions.Add((version, classes));
            return _latest = Versions.Count - 1;
        }
    }
}
