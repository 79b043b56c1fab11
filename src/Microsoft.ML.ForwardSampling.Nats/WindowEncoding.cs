using System.Buffers.Binary;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>A window's rows, as they stand in the joiner's folder and travel: header (64 bytes), then column behind column, then model
/// versions. docs/fleet.md is the description; the format is for ever.</summary>
/// <remarks>A row takes 31 bytes (regression) or 35; a column that says nothing (all NaN, all kept) is left out. Times are kept in
/// milliseconds, as the join has them, while a window spans less than 49 days.</remarks>
internal static class WindowEncoding
{
    public const byte Version = 1;
    public const int HeaderBytes = 64;
    private const int FixedRowBytes = 8 + 4 + 4 + 2 + 1;

    private static ReadOnlySpan<byte> Magic => "FSW"u8;

    private static readonly (Func<JoinedRecord, float> Get, float Nothing)[] s_columns =
    [
        (row => row.Loss, float.NaN), (row => row.GradientNorm, float.NaN), (row => row.Margin, float.NaN),
        (row => row.Entropy, float.NaN), (row => row.Residual, float.NaN), (row => row.KeepingProbability, 1),
    ];

    public static byte[] Write(int partition, int partitions, long number, ReadOnlySpan<JoinedRecord> rows)
    {
        var versions = new List<ulong>();
        var places = new Dictionary<ulong, int>();
        long first = rows.Length == 0 ? 0 : long.MaxValue, last = 0;
        int present = 0;
        foreach (ref readonly JoinedRecord row in rows)
        {
            first = Math.Min(first, row.ScoredAt.Ticks);
            last = Math.Max(last, row.ScoredAt.Ticks);
            for (int c = 0; c < s_columns.Length; c++)
                present |= s_columns[c].Get(row).Equals(s_columns[c].Nothing) ? 0 : 1 << c;
            if (!places.ContainsKey(row.ModelVersion))
            {
                places.Add(row.ModelVersion, versions.Count);
                versions.Add(row.ModelVersion);
            }
        }

        long step = Math.Max(TimeSpan.TicksPerMillisecond, ((last - first) / uint.MaxValue) + 1);
        int length = Length(rows.Length, present, versions.Count);
        byte[] bytes = new byte[length];
        Magic.CopyTo(bytes);
        bytes[3] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), rows.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(12), (ushort)versions.Count);
        bytes[14] = (byte)present;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), partition);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), partitions);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), number);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(32), first);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40), step);

        Span<byte> at = bytes.AsSpan(HeaderBytes);
        foreach (ref readonly JoinedRecord row in rows)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(at, row.Key);
            BinaryPrimitives.WriteSingleLittleEndian(at[8..], row.Label);
            BinaryPrimitives.WriteUInt32LittleEndian(at[12..], (uint)((row.ScoredAt.Ticks - first) / step));
            BinaryPrimitives.WriteUInt16LittleEndian(at[16..], (ushort)places[row.ModelVersion]);
            at[18] = (byte)((row.IsDefaultLabel ? 1 : 0) | (row.IsExact ? 2 : 0));
            at = at[FixedRowBytes..];
        }

        for (int c = 0; c < s_columns.Length; c++)
        {
            if ((present & (1 << c)) == 0)
                continue;
            foreach (ref readonly JoinedRecord row in rows)
            {
                BinaryPrimitives.WriteSingleLittleEndian(at, s_columns[c].Get(row));
                at = at[sizeof(float)..];
            }
        }

        foreach (ulong version in versions)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(at, version);
            at = at[sizeof(ulong)..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(56), Crc32C.Of(bytes.AsSpan(HeaderBytes)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(60), Crc32C.Of(bytes.AsSpan(0, 60)));
        return bytes;
    }

    /// <summary>Reads what a window's first bytes say of it.</summary>
    /// <exception cref="InvalidDataException">They begin no window, or are damaged.</exception>
    public static (long Number, int Bytes) ReadHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[60..]) != Crc32C.Of(bytes[..60]))
            throw new InvalidDataException($"{bytes.Length} bytes are no window, or damaged: its header is not whole.");
        return (BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]));
    }

    /// <summary>Reads a window.</summary>
    /// <exception cref="InvalidDataException">The bytes are no window, or damaged.</exception>
    /// <exception cref="NotSupportedException">The window is of a newer format.</exception>
    public static JoinedRecord[] Read(ReadOnlySpan<byte> bytes, out int partition, out long number)
    {
        (number, _) = ReadHeader(bytes);
        if (bytes[3] > Version)
            throw new NotSupportedException($"The window has format version {bytes[3]}, and this library reads versions up to {Version}. "
                + $"Use a library at least as new as the joiner's.");
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]), versions = BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..]);
        int present = bytes[14];
        partition = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        long first = BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]), step = BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]);
        if (count < 0 || present >= 1 << s_columns.Length || number < 0 || first < 0 || first > DateTime.MaxValue.Ticks || step < 1
            || step > (DateTime.MaxValue.Ticks / uint.MaxValue) + 1 || count > bytes.Length / FixedRowBytes
            || bytes.Length != Length(count, present, versions)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[56..]) != Crc32C.Of(bytes[HeaderBytes..]))
            throw new InvalidDataException($"The window of {bytes.Length} bytes is damaged: length or checksum is wrong.");

        var rows = new JoinedRecord[count];
        ReadOnlySpan<byte> at = bytes[HeaderBytes..], table = bytes[^(versions * sizeof(ulong))..];
        for (int i = 0; i < count; i++, at = at[FixedRowBytes..])
        {
            int version = BinaryPrimitives.ReadUInt16LittleEndian(at[16..]);
            if (version >= versions)
                throw new InvalidDataException($"Row {i} of window {number} names model version {version} of {versions}.");
            rows[i] = new JoinedRecord
            {
                Key = BinaryPrimitives.ReadUInt64LittleEndian(at),
                Label = BinaryPrimitives.ReadSingleLittleEndian(at[8..]),
                ScoredAt = new DateTime(Math.Min(DateTime.MaxValue.Ticks,
                    first + (BinaryPrimitives.ReadUInt32LittleEndian(at[12..]) * step)), DateTimeKind.Utc),
                ModelVersion = BinaryPrimitives.ReadUInt64LittleEndian(table[(version * sizeof(ulong))..]),
                IsDefaultLabel = (at[18] & 1) != 0,
                IsExact = (at[18] & 2) != 0,
                Loss = float.NaN,
                GradientNorm = float.NaN,
                Margin = float.NaN,
                Entropy = float.NaN,
                Residual = float.NaN,
                KeepingProbability = 1,
            };
        }

        for (int c = 0; c < s_columns.Length; c++)
        {
            for (int i = 0; (present & (1 << c)) != 0 && i < count; i++, at = at[sizeof(float)..])
            {
                float value = BinaryPrimitives.ReadSingleLittleEndian(at);
                rows[i] = c switch
                {
                    0 => rows[i] with { Loss = value },
                    1 => rows[i] with { GradientNorm = value },
                    2 => rows[i] with { Margin = value },
                    3 => rows[i] with { Entropy = value },
                    4 => rows[i] with { Residual = value },
                    _ => rows[i] with { KeepingProbability = value },
                };
            }
        }

        return rows;
    }

    private static int Length(int rows, int present, int versions)
        => HeaderBytes + (rows * (FixedRowBytes + (System.Numerics.BitOperations.PopCount((uint)present) * sizeof(float))))
            + (versions * sizeof(ulong));
}
