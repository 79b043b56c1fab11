using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>A saved state as sections, each with its length and checksum: what is read is whole or refused, and nothing is allocated on the
/// word of damaged bytes.</summary>
internal sealed class StateSections(Stream stream, string name)
{
    private const int FirstBytes = 1 << 16;

    private byte[] _buffer = [];

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Span<byte> head = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(head, bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], Crc32C.Of(bytes));
        stream.Write(head);
        stream.Write(bytes);
    }

    public void Write(ReadOnlySpan<long> numbers)
    {
        byte[] bytes = new byte[numbers.Length * sizeof(long)];
        for (int i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), numbers[i]);
        Write(bytes);
    }

    /// <summary>The next section as numbers: so many, or however many there are.</summary>
    public long[] ReadNumbers(int? count = null)
    {
        const int MostBytes = 1 << 24;
        ReadOnlySpan<byte> bytes = count is { } known ? Read(known * sizeof(long)) : ReadUpTo(MostBytes);
        var numbers = new long[bytes.Length / sizeof(long)];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(i * sizeof(long))..]);
        return numbers;
    }

    /// <summary>The next section, which has this length; valid until the next call.</summary>
    public ReadOnlySpan<byte> Read(int length)
    {
        ReadOnlySpan<byte> bytes = ReadUpTo(length);
        return bytes.Length == length ? bytes : throw Damaged($"a section of {bytes.Length} bytes where {length} belong");
    }

    /// <summary>The next section; valid until the next call.</summary>
    public ReadOnlySpan<byte> ReadUpTo(int most)
    {
        Span<byte> head = stackalloc byte[8];
        Fill(head);
        int length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length < 0 || length > most)
            throw Damaged($"a section of {length} bytes where at most {most} belong");
        // Grows with what is there: a damaged length asks for a quarter of a gigabyte as easily as for ten bytes.
        for (int filled = 0; filled < length;)
        {
            int next = (int)Math.Min(length, Math.Max(FirstBytes, 2L * filled));
            if (_buffer.Length < next)
                Array.Resize(ref _buffer, next);
            Fill(_buffer.AsSpan(filled, next - filled));
            filled = next;
        }

        Span<byte> bytes = _buffer.AsSpan(0, length);
        return Crc32C.Of(bytes) == BinaryPrimitives.ReadUInt32LittleEndian(head[4..]) ? bytes
            : throw Damaged("a checksum that does not hold");
    }

    public InvalidDataException Damaged(string what) => new($"{name} is damaged: {what}. Begin without it, or go back to an older copy.");

    private void Fill(Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw Damaged("it ends too early");
    }
}
