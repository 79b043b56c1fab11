using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>Makes damaged states of a join, some with checksums that hold, and opens each.</summary>
/// <remarks>What must hold for any: it is refused as documented, or the join goes on with it and comes to an end; time and memory stay
/// within the limits.</remarks>
public sealed class StateFuzzer : IFuzzer
{
    private static readonly LabelJoinOptions s_options = new()
    { Wait = TimeSpan.FromSeconds(60), Lateness = TimeSpan.FromSeconds(10), DefaultLabel = 0 };

    private readonly Random _random;
    private readonly FileDamage _damage;
    private readonly string _folder;
    private readonly string _state;
    private readonly List<byte[]> _whole = [];
    private readonly JoinedRecord[] _rows = new JoinedRecord[256];
    private byte[] _bytes = [];
    private long _refused;
    private long _opened;
    private long _mostAllocated;
    private TimeSpan _longest;

    /// <summary>Starts a sequence of states.</summary>
    /// <param name="seed">Decides everything but the writers' random names.</param>
    public StateFuzzer(int seed)
    {
        _random = new Random(seed);
        _damage = new FileDamage(_random);
        string memory = "/dev/shm";
        _folder = Directory.CreateDirectory(
            Path.Combine(Directory.Exists(memory) ? memory : Path.GetTempPath(), $"state-fuzz-{Environment.ProcessId}-{seed}")).FullName;
        _state = Path.Combine(_folder, "join.state");
        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        using (var records = new ForwardRecordLog<RegressionRecord>(Records))
        using (var labels = new ForwardRecordLog<LabelEvent>(Labels))
        {
            for (int i = 0; i < 300; i++)
            {
                _ = records.Append(new RegressionRecord((ulong)i, i, (ulong)(i % 3), start.AddSeconds(i)));
                if (i % 3 != 0)
                    _ = labels.Append(new LabelEvent((ulong)i, i, start.AddSeconds(i + (i % 40))));
            }
        }

        using var join = Open();
        for (int n = 1; n > 0;)
        {
            join.Save();
            _whole.Add(File.ReadAllBytes(_state));
            n = join.Read(_rows.AsSpan(0, 40));
        }
    }

    /// <summary>Bytes that opening a state and reading on may allocate: an empty join's, and a few times the largest chunk of
    /// entries.</summary>
    public static long AllocationLimit => 8L << 20;

    /// <summary>Counts so far.</summary>
    public string Summary => string.Create(CultureInfo.InvariantCulture,
        $"{_opened:N0} states gone on with, {_refused:N0} refused; longest {_longest.TotalMilliseconds:0} ms (limit "
        + $"{LogFuzzer.TimeLimit.TotalMilliseconds:0}), most allocated {_mostAllocated / 1024:N0} KiB (limit {AllocationLimit / 1024:N0})");

    private string Records => Path.Combine(_folder, "records");

    private string Labels => Path.Combine(_folder, "labels");

    /// <summary>Damages a state and opens it.</summary>
    /// <returns>What is wrong with how it was taken; null when nothing is.</returns>
    public string? Next()
    {
        _bytes = _whole[_random.Next(_whole.Count)];
        for (int times = _random.Next(3); times >= 0; times--)
            _bytes = Damage([.. _bytes]);
        File.WriteAllBytes(_state, _bytes);
        long started = Stopwatch.GetTimestamp(), allocated = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            using ForwardRecordJoin<RegressionRecord> join = Open();
            join.Complete();
            long rows = 0;
            for (int n; (n = join.Read(_rows)) > 0; rows += n)
            {
                if (rows > 1000)
                    return $"{rows} rows came out of 300 records";
            }

            _opened++;
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException or ArgumentException
        { ParamName: "options" or "position" })
        {
            _refused++;
        }
        catch (Exception e)
        {
            return e.ToString();
        }

        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        _longest = elapsed > _longest ? elapsed : _longest;
        _mostAllocated = Math.Max(_mostAllocated, allocated);
        return elapsed > LogFuzzer.TimeLimit ? $"took {elapsed.TotalSeconds:0.0} s" : allocated > AllocationLimit
            ? $"allocated {allocated} bytes" : null;
    }

    /// <summary>Writes the latest state.</summary>
    /// <param name="folder">Where to.</param>
    /// <returns>Its path there.</returns>
    public string Keep(string folder)
    {
        string kept = Path.GetFullPath(Path.Combine(folder, $"{DateTime.UtcNow.Ticks}-join.state"));
        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
        File.WriteAllBytes(kept, _bytes);
        return kept;
    }

    /// <summary>Deletes the working folder.</summary>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ForwardRecordJoin<RegressionRecord> Open() => new(Records, Labels, _state, s_options);

    private byte[] Damage(byte[] bytes) => _random.Next(8) < 3 ? _damage.Break(bytes) : Lie(bytes);

    /// <summary>Another number in a section, with a checksum that holds; or another length.</summary>
    private byte[] Lie(byte[] bytes)
    {
        var sections = new List<int>();
        for (int at = 0; at + 8 <= bytes.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
            if (length < 0 || length > bytes.Length - at - 8)
                break;
            sections.Add(at);
            at += 8 + length;
        }

        if (sections.Count == 0)
            return bytes;
        Span<byte> section = bytes.AsSpan(sections[_random.Next(sections.Count)]);
        int held = BinaryPrimitives.ReadInt32LittleEndian(section);
        if (held < 8 || _random.Next(8) == 0)
        {
            BinaryPrimitives.WriteInt32LittleEndian(section, (int)_damage.Number());
            return bytes;
        }

        _damage.Lie(section.Slice(8, held));
        BinaryPrimitives.WriteUInt32LittleEndian(section[4..], Crc32C.Of(section.Slice(8, held)));
        return bytes;
    }
}
