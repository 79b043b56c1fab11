using System.Buffers.Binary;
using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Segment files: their names and their first 64 bytes. docs/recording.md is the description.</summary>
internal static class SegmentFormat
{
    public const ushort Version = 1;
    public const int HeaderBytes = 64;
    public const string Extension = ".fsl";

    public static ReadOnlySpan<byte> Magic => "FSRLOG\r\n"u8;

    public static string FileName(ulong writer, uint ordinal) =>
        string.Create(CultureInfo.InvariantCulture, $"records-{writer:x16}-{ordinal:D8}{Extension}");

    /// <summary>Takes a file name apart; false for a file that is none of ours.</summary>
    public static bool TryParse(ReadOnlySpan<char> name, out ulong writer, out uint ordinal)
    {
        writer = 0;
        ordinal = 0;
        return name.Length >= 37 && name.StartsWith("records-") && name[24] == '-' && name.EndsWith(Extension)
            && ulong.TryParse(name[8..24], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out writer)
            && uint.TryParse(name[25..^Extension.Length], NumberStyles.None, CultureInfo.InvariantCulture, out ordinal);
    }

    public static void WriteHeader(Span<byte> header, RecordKind kind, int recordBytes, ulong writer, uint ordinal, DateTime begun)
    {
        header[..HeaderBytes].Clear();
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(header[10..], HeaderBytes);
        header[12] = (byte)kind;
        header[13] = (byte)recordBytes;
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], writer);
        BinaryPrimitives.WriteUInt32LittleEndian(header[24..], ordinal);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], begun.Ticks);
        BinaryPrimitives.WriteUInt32LittleEndian(header[60..], Crc32C.Of(header[..60]));
    }

    /// <summary>Looks at the first bytes of a file.</summary>
    /// <returns>False when they are damaged; the blocks behind them stand for themselves.</returns>
    /// <exception cref="NotSupportedException">The file is of a newer format.</exception>
    /// <exception cref="InvalidDataException">The file holds records of another kind.</exception>
    public static bool Check(ReadOnlySpan<byte> header, RecordKind kind, string path)
    {
        if (!IsWhole(header))
            return false;
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        if (version > Version)
            throw new NotSupportedException(
                $"{path} at byte 8: format version {version}, and this library reads versions up to {Version}. Read it with the version "
                + $"of Microsoft.ML.ForwardSampling that wrote it, or a later one.");
        if (header[12] != (byte)kind)
            throw new InvalidDataException(
                $"{path} at byte 12: records of kind {(RecordKind)header[12]}, and {kind} records were asked for. Keep records of each "
                + $"kind in a directory of their own.");
        return true;
    }

    public static bool IsNewer(ReadOnlySpan<byte> header) => IsWhole(header)
        && BinaryPrimitives.ReadUInt16LittleEndian(header[8..]) > Version;

    /// <summary>Magic and checksum, which stay at their places in every version to come.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> header)
        => header.Length >= HeaderBytes && header.StartsWith(Magic)
            && BinaryPrimitives.ReadUInt32LittleEndian(header[60..]) == Crc32C.Of(header[..60]);
}
