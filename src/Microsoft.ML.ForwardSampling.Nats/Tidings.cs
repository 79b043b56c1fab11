using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>What joiners and writers say to each other: a version byte, then entries of 24 bytes.</summary>
/// <param name="Writer">Whose blocks.</param>
/// <param name="Next">Of a joiner: the blocks before this one are saved. Of a writer: the blocks before this one are shipped.</param>
/// <param name="Again">Of a joiner: ship from this one on again; -1: no need.</param>
internal readonly record struct Tidings(ulong Writer, long Next, long Again)
{
    private const byte Version = 1;
    private const int EntryBytes = 24;

    public static byte[] Write(IReadOnlyCollection<Tidings> all)
    {
        byte[] bytes = new byte[1 + (all.Count * EntryBytes)];
        bytes[0] = Version;
        Span<byte> place = bytes.AsSpan(1);
        foreach (Tidings one in all)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(place, one.Writer);
            BinaryPrimitives.WriteInt64LittleEndian(place[8..], one.Next);
            BinaryPrimitives.WriteInt64LittleEndian(place[16..], one.Again);
            place = place[EntryBytes..];
        }

        return bytes;
    }

    /// <summary>Reads a message.</summary>
    /// <exception cref="InvalidDataException">The bytes are none.</exception>
    /// <exception cref="NotSupportedException">It is of a newer format.</exception>
    public static Tidings[] Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 0 && bytes[0] > Version)
            throw new NotSupportedException($"The message has format version {bytes[0]}, and this library reads versions up to {Version}.");
        if (bytes.Length == 0 || bytes[0] != Version || (bytes.Length - 1) % EntryBytes != 0)
            throw new InvalidDataException($"{bytes.Length} bytes are no message between a writer and a joiner.");
        var all = new Tidings[(bytes.Length - 1) / EntryBytes];
        for (int i = 0; i < all.Length; i++)
        {
            ReadOnlySpan<byte> place = bytes.Slice(1 + (i * EntryBytes), EntryBytes);
            all[i] = new Tidings(BinaryPrimitives.ReadUInt64LittleEndian(place), BinaryPrimitives.ReadInt64LittleEndian(place[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(place[16..]));
        }

        return all;
    }
}
