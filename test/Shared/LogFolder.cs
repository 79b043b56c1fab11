using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tests;

/// <summary>A folder of its own for one test, and short ways to write and read records there.</summary>
internal sealed class LogFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("records-").FullName;

    public static ForwardRecordLogOptions Small => new()
    {
        BlockBytes = 1024,
        MemoryBytes = 64 << 10,
        SegmentBytes = 1 << 20,
        FlushInterval = TimeSpan.FromHours(1),
        RetryInterval = TimeSpan.FromMilliseconds(20)
    };

    public string[] Files => [.. Directory.GetFiles(Path, "*.fsl").Order(StringComparer.Ordinal)];

    /// <summary>Writes keys first … first + count − 1 into one finished file, a block for each entry of blocks.</summary>
    public string Write(ulong first, params int[] blocks)
    {
        string[] before = Files;
        using (var log = new ForwardRecordLog<RegressionRecord>(Path, Small))
        {
            foreach (int count in blocks)
            {
                for (int i = 0; i < count; i++, first++)
                    log.Append(Record(first));
                log.Flush();
            }
        }

        return Assert.Single(Files.Except(before));
    }

    public static RegressionRecord Record(ulong key) => new(key, key / 4f, key % 3,
        new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(key));

    public RegressionRecord[] Read(out ForwardRecordReaderReport report)
    {
        using var reader = new ForwardRecordReader<RegressionRecord>(Path);
        RegressionRecord[] records = ReadAll(reader);
        report = reader.Report;
        Assert.Equal(records.Length, report.Records);
        return records;
    }

    public ulong[] Keys(out ForwardRecordReaderReport report) => [.. Read(out report).Select(r => r.Key)];

    public static T[] ReadAll<T>(ForwardRecordReader<T> reader)
        where T : struct, ILogRecord<T>
    {
        var all = new List<T>();
        var some = new T[37];
        for (int n; (n = reader.Read(some)) > 0;)
            all.AddRange(some.AsSpan(0, n));
        return [.. all];
    }

    public static ulong[] Range(ulong first, int count) => [.. Enumerable.Range(0, count).Select(i => first + (ulong)i)];

    public void Dispose()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
