using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>One entry of a joiner: the bytes of a record or of a waiting label, in their place in a chunk.</summary>
/// <remarks>key (8), word (8: state in 4 bits, number of the model version in 14, milliseconds since the year 1 in 46, which ends in the
/// year 2230), keeping code (2), number of labels (2), label (4), the record's body (4 or 20).</remarks>
internal readonly ref struct PendingEntry(Span<byte> bytes)
{
    public const int HeaderBytes = 24;
    public const int VersionBits = 14;
    public const int MostLabels = ushort.MaxValue;
    public const long LatestTime = (1L << 46) - 1;
    private const int StateBits = 4;

    private readonly Span<byte> _bytes = bytes;

    public ulong Key => BinaryPrimitives.ReadUInt64LittleEndian(_bytes);

    public EntryState State
    {
        get => (EntryState)(Word & ((1 << StateBits) - 1));
        set => Word = (Word & ~(ulong)((1 << StateBits) - 1)) | (ulong)value;
    }

    public int Version => (int)(Word >> StateBits) & ((1 << VersionBits) - 1);

    public long Time => (long)(Word >> (StateBits + VersionBits));

    public ushort KeepingCode
    {
        get => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[16..]);
        set => BinaryPrimitives.WriteUInt16LittleEndian(_bytes[16..], value);
    }

    /// <summary>How many labels <see cref="Label"/> is of.</summary>
    public int LabelCount
    {
        get => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[18..]);
        set => BinaryPrimitives.WriteUInt16LittleEndian(_bytes[18..], (ushort)value);
    }

    public float Label
    {
        get => BinaryPrimitives.ReadSingleLittleEndian(_bytes[20..]);
        set => BinaryPrimitives.WriteSingleLittleEndian(_bytes[20..], value);
    }

    public Span<byte> Body => _bytes[HeaderBytes..];

    private ulong Word
    {
        get => BinaryPrimitives.ReadUInt64LittleEndian(_bytes[8..]);
        set => BinaryPrimitives.WriteUInt64LittleEndian(_bytes[8..], value);
    }

    public void Begin(ulong key, long time, int version, EntryState state)
    {
        _bytes.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes, key);
        Word = ((ulong)time << (StateBits + VersionBits)) | ((ulong)version << StateBits) | (ulong)state;
    }

    public bool Is(EntryState state) => (State & state) != 0;
}

/// <summary>What an entry is.</summary>
[Flags]
internal enum EntryState
{
    /// <summary>A label that waits for its record.</summary>
    None = 0,

    /// <summary>A record.</summary>
    Record = 1,

    /// <summary>Nothing is to be given out or counted any more; the key is remembered.</summary>
    Done = 2,

    /// <summary>In the queue of rows to give out.</summary>
    Ready = 4,

    /// <summary>Another entry has taken its place in the index.</summary>
    Unindexed = 8,
}
