using System.Buffers.Binary;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Records or labels of one writer and one partition, as they stand in the writer's outbox and travel: header (64 bytes), records,
/// model versions. docs/fleet.md is the description; the format is for ever.</summary>
/// <remarks>A record takes 16 bytes (key, time, model version, keeping code) and its body: 20 bytes, multiclass 36. Times are exact while a
/// block spans less than 7 minutes, to a microsecond for three days.</remarks>
internal static class BlockEncoding
{
    public const byte Version = 1;
    public const int HeaderBytes = 64;
    public const int VersionBytes = 12;

    /// <summary>With bodies of 20 bytes and as many versions as records, 786,496 bytes: below a server's usual limit of a
    /// megabyte.</summary>
    public const int MostRecords = 16384;
    public const int MostBytes = HeaderBytes + (MostRecords * (SharedBytes + 20 + VersionBytes));
    private const int SharedBytes = 16;

    public static ReadOnlySpan<byte> Magic => "FSN"u8;

    public static int RecordBytes<TRecord>()
        where TRecord : struct, ILogRecord<TRecord>
        => SharedBytes + TRecord.BodyBytes;

    /// <summary>Begins a block.</summary>
    /// <param name="bytes">Out: the header, but for count, length and checksum.</param>
    /// <param name="block">Whose it is.</param>
    /// <param name="first">Earliest time of its records, ticks.</param>
    /// <param name="last">Latest time, ticks.</param>
    /// <returns>Ticks of one step of its times.</returns>
    public static long Begin<TRecord>(Span<byte> bytes, in BlockId block, long first, long last)
        where TRecord : struct, ILogRecord<TRecord>
    {
        long step = Math.Max(1, ((last - first) / uint.MaxValue) + ((last - first) % uint.MaxValue == 0 ? 0 : 1));
        bytes[..HeaderBytes].Clear();
        Magic.CopyTo(bytes);
        bytes[3] = Version;
        bytes[8] = (byte)TRecord.Kind;
        bytes[9] = (byte)TRecord.BodyBytes;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], block.Writer);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], block.Number);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[32..], block.Partition);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[36..], block.Partitions);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[40..], first);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[48..], step);
        return step;
    }

    /// <summary>Writes one record behind the <paramref name="count"/> that are there.</summary>
    public static void Put<TRecord>(Span<byte> bytes, int count, BufferedRecord record, int version, long first, long step)
        where TRecord : struct, ILogRecord<TRecord>
    {
        Span<byte> place = bytes.Slice(HeaderBytes + (count * RecordBytes<TRecord>()), RecordBytes<TRecord>());
        BinaryPrimitives.WriteUInt64LittleEndian(place, record.Key);
        BinaryPrimitives.WriteUInt32LittleEndian(place[8..], (uint)((record.Time.Ticks - first) / step));
        BinaryPrimitives.WriteUInt16LittleEndian(place[12..], (ushort)version);
        BinaryPrimitives.WriteUInt16LittleEndian(place[14..], record.KeepingCode);
        record.Body.CopyTo(place[SharedBytes..]);
    }

    /// <summary>Ends a block: versions, count, length, checksum. Gives its length.</summary>
    public static int End<TRecord>(Span<byte> bytes, int count, IReadOnlyList<(ulong Version, int Classes)> versions)
        where TRecord : struct, ILogRecord<TRecord>
    {
        int end = HeaderBytes + (count * RecordBytes<TRecord>());
        foreach ((ulong version, int classes) in versions)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[end..], version);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[(end + 8)..], classes);
            end += VersionBytes;
        }

        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], end);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[10..], (ushort)versions.Count);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], count);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[56..], Crc32C.Of(bytes[HeaderBytes..end]));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[60..], Crc32C.Of(bytes[..60]));
        return end;
    }

    /// <summary>What stands for a block that is damaged on its writer's disk: a header that counts no records.</summary>
    public static byte[] Lost<TRecord>(in BlockId block)
        where TRecord : struct, ILogRecord<TRecord>
    {
        byte[] bytes = new byte[HeaderBytes];
        Begin<TRecord>(bytes, in block, 0, 0);
        End<TRecord>(bytes, 0, []);
        return bytes;
    }

    /// <summary>Reads a header; true only if its checksum holds and its fields agree with each other, so that its length can be
    /// trusted.</summary>
    /// <exception cref="NotSupportedException">The block is of a newer format.</exception>
    public static bool TryReadHeader(ReadOnlySpan<byte> bytes, out ShippedHeader header)
    {
        header = default;
        if (bytes.Length < HeaderBytes || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[60..]) != Crc32C.Of(bytes[..60]))
            return false;
        if (bytes[3] > Version)
            throw new NotSupportedException($"The block has format version {bytes[3]}, and this library reads versions up to {Version}. "
                + $"Use a library at least as new as the one that wrote it.");
        header = new ShippedHeader
        {
            Id = new BlockId(
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
                BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]),
                BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])),
            Kind = (RecordKind)bytes[8],
            BodyBytes = bytes[9],
            Versions = BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]),
            Bytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
            Count = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            FirstTicks = BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            Step = BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]),
            BodyChecksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[56..]),
        };
        return header.Count is >= 0 and <= MostRecords && header.Versions > 0 == header.Count > 0 && header.BodyBytes is 4 or 20
            && header.Bytes == HeaderBytes + (header.Count * (SharedBytes + header.BodyBytes)) + (header.Versions * VersionBytes)
            && header.Id is { Number: >= 0, Partition: >= 0 } && header.Id.Partition < header.Id.Partitions
            && header.FirstTicks >= 0 && header.FirstTicks <= DateTime.MaxValue.Ticks
            && header.Step >= 1 && header.Step <= (DateTime.MaxValue.Ticks / uint.MaxValue) + 1;
    }

    public static bool IsWhole(ReadOnlySpan<byte> bytes, in ShippedHeader header)
        => bytes.Length >= header.Bytes && Crc32C.Of(bytes[HeaderBytes..header.Bytes]) == header.BodyChecksum;

    /// <summary>Reads a block that has travelled.</summary>
    /// <exception cref="InvalidDataException">The bytes are no block, damaged, or of another kind of record.</exception>
    /// <exception cref="NotSupportedException">The block is of a newer format.</exception>
    public static ShippedHeader ReadHeader<TRecord>(ReadOnlySpan<byte> bytes)
        where TRecord : struct, ILogRecord<TRecord>
    {
        if (!TryReadHeader(bytes, out ShippedHeader header) || bytes.Length != header.Bytes || !IsWhole(bytes, in header))
            throw new InvalidDataException($"{bytes.Length} bytes are no block of records, or damaged: length or checksum is wrong.");
        if (header.Kind != TRecord.Kind || header.BodyBytes != TRecord.BodyBytes)
            throw new InvalidDataException($"The block holds {header.Kind} records, and {TRecord.Kind} records were asked for.");
        return header;
    }

    /// <summary>Decodes records of a block that <see cref="ReadHeader"/> has checked.</summary>
    /// <param name="bytes">The block.</param>
    /// <param name="header">Its header.</param>
    /// <param name="start">The first one, from 0.</param>
    /// <param name="records">Out, at most as long as the block's rest.</param>
    /// <exception cref="InvalidDataException">A record names a version that is not there, or its own part is malformed.</exception>
    public static void Read<TRecord>(ReadOnlySpan<byte> bytes, in ShippedHeader header, int start, Span<TRecord> records)
        where TRecord : struct, ILogRecord<TRecord>
    {
        int size = RecordBytes<TRecord>();
        ReadOnlySpan<byte> versions = bytes[(HeaderBytes + (header.Count * size))..];
        for (int i = 0; i < records.Length; i++)
        {
            ReadOnlySpan<byte> place = bytes.Slice(HeaderBytes + ((start + i) * size), size);
            int version = BinaryPrimitives.ReadUInt16LittleEndian(place[12..]);
            if (version >= header.Versions)
                throw new InvalidDataException($"Record {start + i} of the block names model version {version} of {header.Versions}.");
            long ticks = Math.Min(DateTime.MaxValue.Ticks, header.FirstTicks + (BinaryPrimitives.ReadUInt32LittleEndian(place[8..])
                * header.Step));
            records[i] = TRecord.Read(
                BinaryPrimitives.ReadUInt64LittleEndian(place),
                BinaryPrimitives.ReadUInt64LittleEndian(versions[(version * VersionBytes)..]),
                BinaryPrimitives.ReadInt32LittleEndian(versions[((version * VersionBytes) + 8)..]),
                new DateTime(ticks, DateTimeKind.Utc),
                BinaryPrimitives.ReadUInt16LittleEndian(place[14..]),
                place[SharedBytes..]);
        }
    }
}

/// <summary>Which block it is: no two have the same.</summary>
/// <param name="Writer">Random number of the writer that made it.</param>
/// <param name="Partition">From 0.</param>
/// <param name="Partitions">The store's.</param>
/// <param name="Number">Among this writer's of this partition, from 0 without a gap.</param>
internal readonly record struct BlockId(ulong Writer, int Partition, int Partitions, long Number);

/// <summary>The fields of a block's header.</summary>
internal readonly struct ShippedHeader
{
    public BlockId Id { get; init; }

    public RecordKind Kind { get; init; }

    public int BodyBytes { get; init; }

    public int Versions { get; init; }

    public int Bytes { get; init; }

    public int Count { get; init; }

    public long FirstTicks { get; init; }

    public long Step { get; init; }

    public uint BodyChecksum { get; init; }
}
