using System.Buffers.Binary;
using System.Collections;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Counts what is in one segment file, whatever its kind.</summary>
internal sealed class SegmentInspector
{
    private readonly BlockScanner _scanner = new();
    private readonly byte[] _header = new byte[SegmentFormat.HeaderBytes];
    private readonly BitArray _keeping = new(ushort.MaxValue + 1);

    /// <summary>Reads a file to its present end.</summary>
    /// <param name="file">The file, open.</param>
    /// <param name="info">Its name and times.</param>
    /// <param name="writer">The writer, by its name.</param>
    /// <param name="ordinal">Its place among the writer's, by its name.</param>
    /// <param name="refusal">Out, why the result is null.</param>
    /// <param name="cancellation">Ends it between two blocks.</param>
    /// <returns>What is in it; null where it is no segment of this format.</returns>
    public ForwardRecordSegment? Inspect(SafeFileHandle file, FileInfo info, ulong writer, uint ordinal, out string refusal,
        CancellationToken cancellation)
    {
        refusal = "";
        long length = RandomAccess.GetLength(file);
        ReadOnlySpan<byte> start = _header.AsSpan(0, RandomAccess.Read(file, _header, 0));
        if (SegmentFormat.IsNewer(start))
        {
            refusal = $"its format version is {BinaryPrimitives.ReadUInt16LittleEndian(start[8..])}, and this library reads versions up "
                + $"to {SegmentFormat.Version}";
            return null;
        }

        // Asked for its own kind, so that only magic and checksum decide.
        bool isHeaderWhole = start.Length == SegmentFormat.HeaderBytes && SegmentFormat.Check(start, (RecordKind)start[12], info.FullName);
        RecordKind? kind = isHeaderWhole ? (RecordKind)start[12] : null;
        bool isFinished = false;
        long records = 0, blocks = 0, next = -1, lost = 0, earliest = long.MaxValue, latest = -1;
        SortedSet<ulong> versions = [];
        List<ForwardRecordDamage> damage = [];
        _keeping.SetAll(false);
        _scanner.MoveTo(isHeaderWhole ? SegmentFormat.HeaderBytes : 0);
        while (_scanner.TryNext(file, length, out BlockHeader header, out ReadOnlySpan<byte> block))
        {
            cancellation.ThrowIfCancellationRequested();
            long at = _scanner.Offset - header.Bytes;
            if (_scanner.Damaged > 0)
                damage.Add(new ForwardRecordDamage(at - _scanner.Damaged, _scanner.Damaged,
                    at == SegmentFormat.HeaderBytes && !isHeaderWhole ? "the file's header is damaged" : "no whole block"));
            kind ??= header.Writer == writer ? header.Kind : null;
            if (header.Writer != writer || header.Kind != kind)
            {
                damage.Add(new ForwardRecordDamage(at, header.Bytes, "a block of another file"));
                continue;
            }

            lost += next < 0 ? 0 : Math.Max(0, header.FirstSequence - next);
            next = Math.Max(next, header.FirstSequence + header.Count);
            if (header.IsEnd)
            {
                isFinished = true;
                continue;
            }

            blocks++;
            records += header.Count;
            for (int i = 0; i < header.Versions && kind != RecordKind.Label; i++)
                versions.Add(BinaryPrimitives.ReadUInt64LittleEndian(
                    block[(header.Bytes - ((header.Versions - i) * BlockFormat.VersionBytes))..]));
            for (int i = 0; i < header.Count; i++)
            {
                ReadOnlySpan<byte> record = block[(BlockFormat.HeaderBytes + (i * header.RecordBytes))..];
                long time = header.BaseTicks + ((BinaryPrimitives.ReadUInt16LittleEndian(record[8..]) & 0xFFF) * header.TicksPerStep);
                (earliest, latest) = (Math.Min(earliest, time), Math.Max(latest, time));
                _keeping[BinaryPrimitives.ReadUInt16LittleEndian(record[10..])] = true;
            }
        }

        if (!isHeaderWhole && blocks == 0 && !isFinished && length >= SegmentFormat.HeaderBytes)
        {
            refusal = "it begins with no segment's header, and holds no whole block";
            return null;
        }

        return new ForwardRecordSegment
        {
            Name = info.Name,
            Writer = writer,
            Ordinal = ordinal,
            Kind = kind,
            IsFinished = isFinished,
            Records = records,
            Blocks = blocks,
            Bytes = length,
            Begun = isHeaderWhole ? Time(BinaryPrimitives.ReadInt64LittleEndian(_header.AsSpan(32))) : null,
            LastWritten = info.LastWriteTimeUtc,
            EarliestTime = blocks == 0 ? null : Time(earliest),
            LatestTime = blocks == 0 ? null : Time(latest),
            ModelVersions = [.. versions],
            KeepingProbabilities = kind is RecordKind.Label or null ? []
                : [.. Enumerable.Range(0, _keeping.Count).Where(code => _keeping[code])
                .Select(code => KeepingProbability.Decode((ushort)code))],
            Damage = damage,
            LostRecords = lost,
            NextSequence = next,
            UnfinishedBytes = length - Math.Min(length, _scanner.Offset),
        };
    }

    private static DateTime Time(long ticks) => new(Math.Clamp(ticks, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
}
