using System.Buffers.Binary;
using System.IO.Compression;

namespace Microsoft.ML.ForwardSampling.Tool.Pages;

/// <summary>A small grey picture as a PNG file (ISO/IEC 15948), for a page that loads nothing.</summary>
internal static class GrayPng
{
    /// <summary>Draws values from black, the least, to white.</summary>
    /// <param name="values">Row by row; finite.</param>
    /// <param name="width">Of the picture, in pixels; divides the number of values.</param>
    public static byte[] Of(ReadOnlySpan<float> values, int width)
    {
        float least = float.PositiveInfinity, most = float.NegativeInfinity;
        foreach (float value in values)
            (least, most) = (Math.Min(least, value), Math.Max(most, value));
        float scale = most > least ? 255 / (most - least) : 0;
        using var pixels = new MemoryStream();
        using (var packed = new ZLibStream(pixels, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            for (int start = 0; start < values.Length; start += width)
            {
                packed.WriteByte(0);                        // this line is not filtered
                foreach (float value in values.Slice(start, width))
                    packed.WriteByte((byte)((value - least) * scale));
            }
        }

        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], values.Length / width);
        header[8] = 8;                                      // bits a pixel; the other fields are 0: grey, zlib, no interlace
        header[9..].Clear();
        using var file = new MemoryStream();
        file.Write([0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n']);
        Write(file, "IHDR"u8, header);
        Write(file, "IDAT"u8, pixels.ToArray());
        Write(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void Write(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        file.Write(number);
        file.Write(type);
        file.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Checksum(content, Checksum(type, uint.MaxValue)));
        file.Write(number);
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes, uint crc)
    {
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        }

        return crc;
    }
}
