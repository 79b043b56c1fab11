using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>How far a <see cref="ForwardRecordReader{TRecord}"/> has read: 40 bytes for each writer whose files are there, and 24
/// more.</summary>
internal sealed class ForwardRecordPosition
{
    private const int HeaderBytes = 20;
    private const int WriterBytes = 40;
    private const int ChecksumBytes = 4;

    internal ForwardRecordPosition(RecordKind kind, WriterPosition[] writers) => (Kind, Writers) = (kind, writers);

    internal RecordKind Kind { get; }

    internal WriterPosition[] Writers { get; }

    private static ReadOnlySpan<byte> Magic => "FSRPOS\r\n"u8;

    /// <summary>Reads a position back.</summary>
    /// <param name="bytes">What <see cref="ToArray"/> gave.</param>
    /// <returns>The position.</returns>
    /// <exception cref="InvalidDataException">The bytes are no position, or damaged.</exception>
    /// <exception cref="NotSupportedException">The position is of a newer format.</exception>
    public static ForwardRecordPosition Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes + ChecksumBytes || !bytes.StartsWith(Magic))
            throw new InvalidDataException($"{bytes.Length} bytes are no reader's position: they do not begin as one.");
        int version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        if (version > 1)
            throw new NotSupportedException(
                $"The reader's position has format version {version}, and this library reads versions up to 1.");
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        if (count < 0 || bytes.Length != HeaderBytes + ((long)count * WriterBytes) + ChecksumBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[^ChecksumBytes..]) != Crc32C.Of(bytes[..^ChecksumBytes]))
            throw new InvalidDataException($"The reader's position of {bytes.Length} bytes is damaged: length or checksum is wrong.");
        var writers = new WriterPosition[count];
        for (int i = 0; i < count; i++)
            writers[i] = WriterPosition.Read(bytes.Slice(HeaderBytes + (i * WriterBytes), WriterBytes));
        return new ForwardRecordPosition((RecordKind)bytes[10], writers);
    }

    /// <summary>The position as bytes, with a checksum.</summary>
    /// <returns>A new array.</returns>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[HeaderBytes + (Writers.Length * WriterBytes) + ChecksumBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), 1);
        bytes[10] = (byte)Kind;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), Writers.Length);
        for (int i = 0; i < Writers.Length; i++)
            Writers[i].Write(bytes.AsSpan(HeaderBytes + (i * WriterBytes)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - ChecksumBytes),
            Crc32C.Of(bytes.AsSpan(0, bytes.Length - ChecksumBytes)));
        return bytes;
    }
}

/// <summary>How far the files of one writer are read.</summary>
/// <param name="Writer">The writer's number.</param>
/// <param name="Offset">Bytes of the current file that are dealt with.</param>
/// <param name="NextSequence">Number of the writer's next record; negative when none was seen.</param>
/// <param name="LatestTicks">Latest time seen of this writer.</param>
/// <param name="Ordinal">The current file's number among the writer's.</param>
/// <param name="State">What is known of the current file.</param>
internal readonly record struct WriterPosition(ulong Writer, long Offset, long NextSequence, long LatestTicks, uint Ordinal,
    PlaceState State)
{
    public static WriterPosition Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]),
        (PlaceState)BinaryPrimitives.ReadUInt32LittleEndian(bytes[36..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Writer);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], NextSequence);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], LatestTicks);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[32..], Ordinal);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[36..], (uint)State);
    }
}

/// <summary>What a reader knows of a writer's current file.</summary>
[Flags]
internal enum PlaceState : uint
{
    None = 0,

    /// <summary>There is a current file.</summary>
    Begun = 1,

    /// <summary>Its header was looked at.</summary>
    Checked = 2,

    /// <summary>Its end mark was read.</summary>
    Ended = 4,

    /// <summary>It is dealt with.</summary>
    Left = 8,

    /// <summary>Files between the previous one and this one are missing.</summary>
    Jumped = 16,

    /// <summary>The next block was given out in part.</summary>
    InsideBlock = 32,

    /// <summary>The reader was busy with this writer.</summary>
    Current = 64,
}
