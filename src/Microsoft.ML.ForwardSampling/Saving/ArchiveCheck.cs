using System.Buffers;
using System.IO.Compression;
using System.IO.Hashing;

namespace Microsoft.ML.ForwardSampling.Saving;

/// <summary>Holds what a zip file says of its entries against what is in them, before anything believes it.</summary>
/// <remarks>Neither ML.NET nor .NET 10's <see cref="ZipArchive"/> compares checksums, and ML.NET's readers (Microsoft.ML 5.0.1) loop or
/// allocate for as long as a damaged count says.</remarks>
internal static class ArchiveCheck
{
    /// <summary>Deflate cannot make more of a byte: a block of 258 bytes takes two bits.</summary>
    private const long MostBytesOfOne = 1032;

    private const int BufferBytes = 1 << 16;

    /// <param name="stream">Seekable, at its beginning; left there.</param>
    /// <exception cref="InvalidDataException">It is no zip file, or an entry is damaged; the message names the entry.</exception>
    public static void ThrowIfDamaged(Stream stream)
    {
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true))
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
            try
            {
                foreach (ZipArchiveEntry entry in archive.Entries)
                    ThrowIfDamaged(entry, buffer);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        stream.Position = 0;
    }

    private static void ThrowIfDamaged(ZipArchiveEntry entry, byte[] buffer)
    {
        long declared = entry.Length;
        if (declared < 0 || declared / MostBytesOfOne > entry.CompressedLength)
            throw Damaged(entry, $"it declares {declared} bytes, more than {entry.CompressedLength} compressed ones can hold");
        var crc = new Crc32();
        long length = 0;
        try
        {
            using Stream bytes = entry.Open();
            for (int read; length <= declared && (read = bytes.Read(buffer)) > 0; length += read)
                crc.Append(buffer.AsSpan(0, read));
        }
        catch (Exception e) when (e is IOException or InvalidDataException or NotSupportedException)
        {
            throw Damaged(entry, e.Message, e);
        }

        if (length != declared)
            throw Damaged(entry, $"it declares {declared} bytes and has {(length < declared ? $"{length}" : "more")}");
        if (crc.GetCurrentHashAsUInt32() is uint sum && sum != entry.Crc32)
            throw Damaged(entry, $"checksum {sum:X8} instead of {entry.Crc32:X8}");
    }

    private static InvalidDataException Damaged(ZipArchiveEntry entry, string what, Exception? inner = null)
        => new($"its part '{entry.FullName}' is damaged: {what}", inner);
}
