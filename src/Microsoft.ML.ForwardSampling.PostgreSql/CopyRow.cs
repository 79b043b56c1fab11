using System.Buffers.Binary;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>Records as rows of PostgreSQL's binary COPY format: big-endian, each field after its length.</summary>
/// <remarks>Source: PostgreSQL 15 documentation, COPY, "Binary Format".</remarks>
internal static class CopyRow
{
    /// <summary>The columns, in the order of the fields.</summary>
    public const string Columns = "key, scored, model_version, classes, keeping, body";

    private const int Fields = 6;
    private const long TicksOfYear2000 = 630822816000000000;

    /// <summary>Signature, flags and length of the header's extension.</summary>
    public static ReadOnlySpan<byte> Header => [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Comes after the last row.</summary>
    public static ReadOnlySpan<byte> Trailer => [0xFF, 0xFF];

    /// <summary>Most bytes that a row takes.</summary>
    public static int MostBytes(int bodyBytes) => 2 + (Fields * 4) + 8 + 8 + 8 + 4 + 2 + bodyBytes;

    /// <summary>Writes one row and gives its length.</summary>
    /// <param name="record">The record; the database keeps microseconds of its time.</param>
    /// <param name="row">Out, at least <see cref="MostBytes"/> long.</param>
    public static int Write(BufferedRecord record, Span<byte> row)
    {
        BinaryPrimitives.WriteInt16BigEndian(row, Fields);
        int at = 2;
        at = Long((long)record.Key, row, at);
        at = Long((record.Time.Ticks - TicksOfYear2000) / TimeSpan.TicksPerMicrosecond, row, at);
        at = Long((long)record.ModelVersion, row, at);
        int classes = record.Classes;
        BinaryPrimitives.WriteInt32BigEndian(row[at..], classes == 0 ? -1 : 4);     // -1: NULL
        at += 4;
        if (classes != 0)
        {
            BinaryPrimitives.WriteInt32BigEndian(row[at..], classes);
            at += 4;
        }

        BinaryPrimitives.WriteInt32BigEndian(row[at..], 2);
        BinaryPrimitives.WriteUInt16BigEndian(row[(at + 4)..], record.KeepingCode);
        at += 6;
        ReadOnlySpan<byte> body = record.Body;
        BinaryPrimitives.WriteInt32BigEndian(row[at..], body.Length);
        body.CopyTo(row[(at + 4)..]);
        return at + 4 + body.Length;
    }

    private static int Long(long value, Span<byte> row, int at)
    {
        BinaryPrimitives.WriteInt32BigEndian(row[at..], 8);
        BinaryPrimitives.WriteInt64BigEndian(row[(at + 4)..], value);
        return at + 12;
    }
}
