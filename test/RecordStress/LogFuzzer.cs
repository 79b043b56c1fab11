using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>Makes damaged log files, some with checksums that hold, and reads each with <see cref="ForwardRecordReader{TRecord}"/>, before
/// and after recovery.</summary>
/// <remarks>What must hold for any file: nothing but the two documented refusals is thrown, time and memory stay within the limits below,
/// no more records come out than fit into the file, and recovery changes none of them.</remarks>
public sealed class LogFuzzer : IFuzzer
{
    private readonly Random _random;
    private readonly string _folder;
    private readonly List<(string Name, byte[] Bytes, bool IsMulticlass)> _whole = [];
    private readonly RegressionRecord[] _regression = new RegressionRecord[256];
    private readonly MulticlassRecord[] _multiclass = new MulticlassRecord[256];
    private string _path = "";
    private byte[] _bytes = [];
    private long _refused;
    private long _records;
    private long _damaged;
    private long _recovered;
    private long _mostAllocated;
    private TimeSpan _longest;

    /// <summary>Starts a sequence of files.</summary>
    /// <param name="seed">Decides everything but the writers' random names.</param>
    public LogFuzzer(int seed)
    {
        _random = new Random(seed);
        string memory = "/dev/shm";                         // a disk would be the slowest part
        _folder = Directory.CreateDirectory(
            Path.Combine(Directory.Exists(memory) ? memory : Path.GetTempPath(), $"record-fuzz-{Environment.ProcessId}-{seed}")).FullName;
        for (int i = 0; i < 6; i++)
        {
            Collect<RegressionRecord>(i, k => new RegressionRecord((ulong)k, k, (ulong)(k % (1 + (3 * i)))));
            Collect<MulticlassRecord>(i, k => MulticlassRecord.FromProbabilities((ulong)k, [0.5f, 0.25f, 0.125f, 0.125f],
                (ulong)(k % (1 + (3 * i)))));
        }
    }

    /// <summary>One file may take this long to read twice and recover; far above what it takes on a busy machine.</summary>
    public static TimeSpan TimeLimit { get; } = TimeSpan.FromSeconds(2);

    /// <summary>After this long, reading counts as a hang.</summary>
    public static TimeSpan HangLimit { get; } = TimeSpan.FromSeconds(20);

    /// <summary>Bytes that reading a file twice and recovering it may allocate together: three times the reader's largest buffers, one of 1
    /// MiB for scanning and one for the block.</summary>
    public static long AllocationLimit => 3 * (2L << 20);

    /// <summary>Counts so far.</summary>
    public string Summary => string.Create(
        CultureInfo.InvariantCulture,
        $"{_records:N0} records read, {_damaged:N0} damaged places, {_refused:N0} files refused, {_recovered:N0} recovered; longest "
            + $"{_longest.TotalMilliseconds:0} ms (limit {TimeLimit.TotalMilliseconds:0}), most allocated {_mostAllocated / 1024:N0} KiB "
            + $"(limit {AllocationLimit / 1024:N0})");

    /// <summary>Damages a file and reads it.</summary>
    /// <returns>What is wrong with how it was read; null when nothing is.</returns>
    public string? Next()
    {
        (string name, byte[] bytes, bool isMulticlass) = _whole[_random.Next(_whole.Count)];
        for (int times = _random.Next(4); times >= 0; times--)
            bytes = Damage(bytes);
        if (_path.Length > 0)
            File.Delete(_path);
        _path = Path.Combine(_folder, name);
        File.WriteAllBytes(_path, bytes);
        _bytes = bytes;
        try
        {
            // One in 20 is read as the other kind.
            return isMulticlass ^ (_random.Next(20) == 0) ? Check(_multiclass, bytes.Length) : Check(_regression, bytes.Length);
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    /// <summary>Writes the latest file, as it was before recovery.</summary>
    /// <param name="folder">Where to.</param>
    /// <returns>Its path there.</returns>
    public string Keep(string folder)
    {
        string kept = Path.GetFullPath(Path.Combine(folder, $"{DateTime.UtcNow.Ticks}-{Path.GetFileName(_path)}"));
        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
        File.WriteAllBytes(kept, _bytes);
        return kept;
    }

    /// <summary>Deletes the working folder.</summary>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string? Check<TRecord>(TRecord[] buffer, int length)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        long started = Stopwatch.GetTimestamp(), allocated = GC.GetAllocatedBytesForCurrentThread();
        (long Count, ulong Keys)? before = Read(buffer, out ForwardRecordReaderReport? report);
        (int segments, _) = SegmentDirectory.Recover(_folder);
        (long Count, ulong Keys)? after = File.Exists(_path) ? Read(buffer, out _) : (0, 0);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;

        _refused += before is null ? 1 : 0;
        _records += before?.Count ?? 0;
        _damaged += report?.DamagedPlaces ?? 0;
        _recovered += segments;
        _longest = elapsed > _longest ? elapsed : _longest;
        _mostAllocated = Math.Max(_mostAllocated, allocated);
        if (elapsed > TimeLimit)
            return $"took {elapsed.TotalSeconds:0.0} s";
        if (allocated > AllocationLimit)
            return $"allocated {allocated} bytes";
        if (before is { } some && some.Count > length / TRecord.EncodedBytes)
            return $"{some.Count} records came out of {length} bytes";
        return before == after ? null : $"recovery changed {before} into {after}";
    }

    /// <summary>Reads the folder to its end; null when it is refused, for a reason that is documented.</summary>
    private (long Count, ulong Keys)? Read<TRecord>(TRecord[] buffer, out ForwardRecordReaderReport? report)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        report = null;
        using var reader = new ForwardRecordReader<TRecord>(_folder);
        try
        {
            long count = 0;
            ulong keys = 0;
            for (int n; (n = reader.Read(buffer)) > 0; count += n)
            {
                foreach (TRecord record in buffer.AsSpan(0, n))
                    keys = (keys * 31) + record.Key + record.ModelVersion;
            }

            report = reader.Report;
            return (count, keys);
        }
        catch (Exception e) when (e is NotSupportedException or InvalidDataException)
        {
            return null;
        }
    }

    private byte[] Damage(byte[] bytes)
    {
        int length = bytes.Length, at = _random.Next(length + 1), size = Math.Min(length - at, 1 + _random.Next(1 << _random.Next(11)));
        switch (_random.Next(9))
        {
            case 0:                                         // cut off
                return bytes[..at];
            case 1:                                         // cut out
                return [.. bytes[..at], .. bytes[(at + size)..]];
            case 2:                                         // said twice
                return [.. bytes[..(at + size)], .. bytes[at..]];
            case 3:                                         // noise in between
                byte[] noise = new byte[size];
                _random.NextBytes(noise);
                return [.. bytes[..at], .. noise, .. bytes[at..]];
            case 4:                                         // the end of another file
                byte[] other = _whole[_random.Next(_whole.Count)].Bytes;
                return [.. bytes[..at], .. other[_random.Next(other.Length)..]];
            case 5:                                         // zeros, as after a loss of power
                bytes = [.. bytes];
                Array.Clear(bytes, at, size);
                return bytes;
            case 6:                                         // single bits
                bytes = [.. bytes];
                for (int flips = _random.Next(8); flips >= 0 && length > 0; flips--)
                    bytes[_random.Next(length)] ^= (byte)(1 << _random.Next(8));
                return bytes;
            default:                                        // another number in a header, and a checksum that holds
                return Lie([.. bytes]);
        }
    }

    private byte[] Lie(byte[] bytes)
    {
        Span<byte> from = bytes.AsSpan(Math.Min(bytes.Length, _random.Next(3) == 0 ? 0 : _random.Next(bytes.Length + 1)));
        int block = from.IndexOf(BlockFormat.Magic), file = from.IndexOf(SegmentFormat.Magic);
        int header = block >= 0 && (file < 0 || _random.Next(4) > 0) ? block : file;
        if (header < 0 || from.Length - header < 64)
            return bytes;
        Span<byte> fields = from[header..];
        int width = 1 << _random.Next(4), at = 4 + _random.Next(56 - width);
        long number = _random.Next(6) switch
        {
            0 => 0,
            1 => -1,
            2 => long.MaxValue,
            3 => _random.Next(64),
            4 => BinaryPrimitives.ReadInt64LittleEndian(fields[Math.Min(at, 56)..]) + _random.Next(-2, 3),
            _ => _random.NextInt64(),
        };
        Span<byte> eight = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(eight, number);
        eight[..width].CopyTo(fields[at..]);
        int blockBytes = BinaryPrimitives.ReadInt32LittleEndian(fields[4..]);
        if (header == block && blockBytes >= 64 && blockBytes <= fields.Length)
            BinaryPrimitives.WriteUInt32LittleEndian(fields[56..], Crc32C.Of(fields[64..blockBytes]));
        BinaryPrimitives.WriteUInt32LittleEndian(fields[60..], Crc32C.Of(fields[..60]));
        return bytes;
    }

    /// <summary>Adds a finished file and one without its end.</summary>
    private void Collect<TRecord>(int number, Func<int, TRecord> make)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        string folder = Path.Combine(_folder, "whole");
        using (var log = new ForwardRecordLog<TRecord>(folder,
            new ForwardRecordLogOptions
            {
                BlockBytes = 1024 << (number % 3),
                MemoryBytes = 64 << 10,
                FlushInterval = TimeSpan.FromHours(1)
            }))
        {
            for (int k = 0; k < 40 << number; k++)
            {
                _ = log.Append(make(k));
                if (k % (10 << number) == 0)
                    log.Flush();
            }
        }

        string path = Directory.GetFiles(folder).Single();
        byte[] bytes = File.ReadAllBytes(path);
        _whole.Add((Path.GetFileName(path), bytes, typeof(TRecord) == typeof(MulticlassRecord)));
        _whole.Add((Path.GetFileName(path), bytes[..^BlockFormat.HeaderBytes], typeof(TRecord) == typeof(MulticlassRecord)));
        Directory.Delete(folder, recursive: true);
    }
}
