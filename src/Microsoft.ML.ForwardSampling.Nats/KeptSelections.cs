using System.Buffers.Binary;
using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>A file of selections that a joiner has seen in the cluster: until they are settled there, this is where they come from
/// again.</summary>
/// <remarks>"FSK", version byte; then of each: window's number (8), length (4), checksum of these twelve bytes (4), and the selection as
/// <see cref="SelectionEncoding"/> wrote it. A file that was torn while it was written ends where it is whole: windows behind that were not
/// let go of.</remarks>
internal sealed class KeptSelections
{
    private const byte Version = 1;
    private const int HeadBytes = 4;
    private const int EntryBytes = 16;
    private const int MostBytes = 1 << 24;

    private readonly string _path;
    private readonly long _seenAt = Stopwatch.GetTimestamp();

    private KeptSelections(string path, List<Entry> entries) => (_path, Entries) = (path, entries);

    private static ReadOnlySpan<byte> Magic => "FSK"u8;

    /// <summary>What is in it.</summary>
    public IReadOnlyList<Entry> Entries { get; }

    /// <summary>How long the joiner has had it.</summary>
    public TimeSpan Age => Stopwatch.GetElapsedTime(_seenAt);

    /// <summary>How often it was compared with the cluster.</summary>
    public int Looks { get; set; }

    /// <summary>Writes a file and forces it to the disk.</summary>
    /// <param name="path">Where.</param>
    /// <param name="selections">Each with its window's number.</param>
    public static KeptSelections Write(string path, IReadOnlyList<(long Number, ReadOnlyMemory<byte> Bytes)> selections)
    {
        var entries = new List<Entry>();
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        stream.Write(Magic);
        stream.WriteByte(Version);
        Span<byte> head = stackalloc byte[EntryBytes];
        foreach ((long number, ReadOnlyMemory<byte> bytes) in selections)
        {
            BinaryPrimitives.WriteInt64LittleEndian(head, number);
            BinaryPrimitives.WriteInt32LittleEndian(head[8..], bytes.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(head[12..], Crc32C.Of(head[..12]));
            stream.Write(head);
            entries.Add(new Entry(number, stream.Position, bytes.Length, Crc32C.Of(bytes.Span)));
            stream.Write(bytes.Span);
        }

        stream.Flush(flushToDisk: true);
        return new KeptSelections(path, entries);
    }

    /// <summary>Reads a file back.</summary>
    /// <exception cref="NotSupportedException">It is of a newer format.</exception>
    public static KeptSelections Scan(string path)
    {
        var entries = new List<Entry>();
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] head = new byte[EntryBytes];
        int read = stream.ReadAtLeast(head.AsSpan(0, HeadBytes), HeadBytes, throwOnEndOfStream: false);
        if (read == HeadBytes && head.AsSpan().StartsWith(Magic) && head[3] > Version)
            throw new NotSupportedException($"{path} has format version {head[3]}, and this library reads versions up to {Version}.");
        bool isWhole = read == HeadBytes && head.AsSpan().StartsWith(Magic);
        while (isWhole && stream.ReadAtLeast(head, EntryBytes, throwOnEndOfStream: false) == EntryBytes
            && BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(12)) == Crc32C.Of(head.AsSpan(0, 12)))
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8));
            long at = stream.Position;
            isWhole = length is > 0 and <= MostBytes && at + length <= stream.Length;
            byte[] bytes = isWhole ? new byte[length] : [];
            stream.ReadExactly(bytes);
            if (isWhole = isWhole && IsSelection(bytes))
                entries.Add(new Entry(BinaryPrimitives.ReadInt64LittleEndian(head), at, length, Crc32C.Of(bytes)));
        }

        return new KeptSelections(path, entries);
    }

    /// <summary>A selection's bytes.</summary>
    public byte[] Read(Entry entry)
    {
        byte[] bytes = new byte[entry.Bytes];
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = entry.Offset;
        stream.ReadExactly(bytes);
        return bytes;
    }

    public void Delete() => File.Delete(_path);

    private static bool IsSelection(byte[] bytes)
    {
        try
        {
            _ = SelectionEncoding.Read(bytes);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>One of them.</summary>
    /// <param name="Number">Of its window.</param>
    /// <param name="Offset">Where it begins in the file.</param>
    /// <param name="Bytes">Its length.</param>
    /// <param name="Checksum">Of all its bytes.</param>
    internal readonly record struct Entry(long Number, long Offset, int Bytes, uint Checksum)
    {
        /// <summary>Whether a message is this selection.</summary>
        public bool Is(ReadOnlySpan<byte> message) => message.Length == Bytes && Crc32C.Of(message) == Checksum;
    }
}
