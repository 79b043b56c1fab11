using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>One block of a segment file: header (64 bytes), records, model versions. docs/recording.md is the description.</summary>
internal static class BlockFormat
{
    public const int HeaderBytes = 64;
    public const int VersionBytes = 16;
    public const int MostVersions = 16;
    public const int MostTimeSteps = 4095;

    public static ReadOnlySpan<byte> Magic => "FSB\x01"u8;

    /// <summary>Fills the header in front of records and versions.</summary>
    public static void WriteHeader(Span<byte> block, in BlockHeader header)
    {
        block[..HeaderBytes].Clear();
        Magic.CopyTo(block);
        BinaryPrimitives.WriteInt32LittleEndian(block[4..], header.Bytes);
        block[8] = (byte)header.Kind;
        block[9] = (byte)header.RecordBytes;
        block[10] = (byte)header.Versions;
        block[11] = header.IsEnd ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(block[12..], header.Count);
        BinaryPrimitives.WriteInt64LittleEndian(block[16..], header.FirstSequence);
        BinaryPrimitives.WriteInt64LittleEndian(block[24..], header.BaseTicks);
        BinaryPrimitives.WriteInt64LittleEndian(block[32..], header.TicksPerStep);
        BinaryPrimitives.WriteUInt64LittleEndian(block[40..], header.Writer);
        BinaryPrimitives.WriteUInt32LittleEndian(block[56..], Crc32C.Of(block[HeaderBytes..header.Bytes]));
        BinaryPrimitives.WriteUInt32LittleEndian(block[60..], Crc32C.Of(block[..60]));
    }

    /// <summary>Reads a header; true only if its checksum holds and its fields agree with each other, so that its length can be
    /// trusted.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> block, out BlockHeader header)
    {
        header = default;
        if (block.Length < HeaderBytes || !block.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(block[60..]) != Crc32C.Of(block[..60]))
            return false;
        header = new BlockHeader
        {
            Bytes = BinaryPrimitives.ReadInt32LittleEndian(block[4..]),
            Kind = (RecordKind)block[8],
            RecordBytes = block[9],
            Versions = block[10],
            IsEnd = block[11] == 1,
            Count = BinaryPrimitives.ReadInt32LittleEndian(block[12..]),
            FirstSequence = BinaryPrimitives.ReadInt64LittleEndian(block[16..]),
            BaseTicks = BinaryPrimitives.ReadInt64LittleEndian(block[24..]),
            TicksPerStep = BinaryPrimitives.ReadInt64LittleEndian(block[32..]),
            Writer = BinaryPrimitives.ReadUInt64LittleEndian(block[40..]),
            BodyChecksum = BinaryPrimitives.ReadUInt32LittleEndian(block[56..]),
        };
        return header.RecordBytes is 16 or 32
            && block[11] <= 1
            && header.Versions <= MostVersions
            && header.Count >= 0
            && header.Bytes == HeaderBytes + ((long)header.Count * header.RecordBytes) + (header.Versions * VersionBytes)
            && header.Bytes <= ForwardRecordLogOptions.LargestBlockBytes
            && (header.IsEnd ? header.Count == 0 : header.Count > 0 && header.Versions > 0)
            && header.FirstSequence is >= 0 and <= long.MaxValue - ForwardRecordLogOptions.LargestBlockBytes
            && header.BaseTicks >= 0 && header.BaseTicks <= DateTime.MaxValue.Ticks
            && header.TicksPerStep >= 0 && header.TicksPerStep <= (DateTime.MaxValue.Ticks / MostTimeSteps) + 1;
    }

    public static bool IsWhole(ReadOnlySpan<byte> block, in BlockHeader header) =>
        Crc32C.Of(block[HeaderBytes..header.Bytes]) == header.BodyChecksum;

    /// <summary>Writes the 64-byte block that finishes a segment.</summary>
    public static void WriteEnd(Span<byte> block, RecordKind kind, int recordBytes, ulong writer, long nextSequence)
        => WriteHeader(block, new BlockHeader
        {
            Bytes = HeaderBytes,
            Kind = kind,
            RecordBytes = recordBytes,
            Writer = writer,
            IsEnd = true,
            FirstSequence = nextSequence
        });
}

/// <summary>The fields of a block's header.</summary>
internal readonly struct BlockHeader
{
    public int Bytes { get; init; }

    public RecordKind Kind { get; init; }

    public int RecordBytes { get; init; }

    public int Versions { get; init; }

    public bool IsEnd { get; init; }

    public int Count { get; init; }

    public long FirstSequence { get; init; }

    public long BaseTicks { get; init; }

    public long TicksPerStep { get; init; }

    public ulong Writer { get; init; }

    public uint BodyChecksum { get; init; }
}
