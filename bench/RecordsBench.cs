using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Records per second into a log and out of it, against writing and reading the same bytes through one plain FileStream in the
/// same run; and what recording adds to scoring.</summary>
internal static class RecordsBench
{
    private const int Records = 8_000_000;
    private const int Repeats = 5;

    /// <summary>Prints three tables.</summary>
    /// <param name="args">Optional: a folder on the disk to measure; left out, the temporary folder.</param>
    public static int Run(string[] args)
    {
        string root = args.Length > 0 ? args[0] : Path.GetTempPath();
        string folder = Path.Combine(root, $"records-bench-{Environment.ProcessId}");
        var records = new RegressionRecord[Records];
        var random = new Random(1);
        for (int i = 0; i < Records; i++)
            records[i] = new RegressionRecord((ulong)random.NextInt64(), random.NextSingle(), 7);
        string plain = Path.Combine(folder, "plain.bin");

        // The bytes that both sides write: a log's own.
        Directory.CreateDirectory(folder);
        byte[] bytes;
        using (var log = new ForwardRecordLog<RegressionRecord>(folder))
            _ = log.Append(records);
        bytes = File.ReadAllBytes(Directory.GetFiles(folder, "*.fsl").Single());
        Directory.Delete(folder, recursive: true);

        try
        {
            Print("Writing", folder, bytes.Length,
            [
                Way.Timed("FileStream, 64 KiB a call", () => WritePlain(plain, bytes, 65536)),
                Way.Timed("FileStream, 16 bytes a call", () => WritePlain(plain, bytes, 16)),
                Way.Timed("log, 1,024 records a call", () => WriteLog(folder, records, 1024, 1, RecordDurability.ProcessCrash)),
                Way.Timed("log, one record a call", () => WriteLog(folder, records, 1, 1, RecordDurability.ProcessCrash)),
                Way.Timed("log, one a call, 2 threads", () => WriteLog(folder, records, 1, 2, RecordDurability.ProcessCrash)),
                Way.Timed("log, 1,024 a call, PowerLoss", () => WriteLog(folder, records, 1024, 1, RecordDurability.PowerLoss)),
            ], after: () => Directory.Delete(folder, recursive: true));

            WriteLog(folder, records, 1024, 1, RecordDurability.ProcessCrash);
            File.WriteAllBytes(plain, bytes);
            var buffer = new RegressionRecord[4096];
            var block = new byte[65536];
            Print("Reading", folder, bytes.Length,
            [
                Way.Timed("FileStream, 64 KiB a call", () =>
                {
                    using var stream = new FileStream(plain, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
                    while (stream.Read(block) > 0)
                    {
                    }
                }),
                Way.Timed("log, 4,096 records a call", () =>
                {
                    using var reader = new ForwardRecordReader<RegressionRecord>(folder);
                    long read = 0;
                    for (int n; (n = reader.Read(buffer)) > 0;)
                        read += n;
                    if (read != Records)
                        throw new InvalidOperationException($"{read} records were read, and {Records} written.");
                }),
            ]);
            RecordingOverhead.Run(folder);
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    private static void Print(string title, string folder, long bytes, Way[] ways, Action? after = null)
    {
        Taken[] taken = Turns.Run(Repeats, ways, before: _ => Directory.CreateDirectory(folder), after: _ => after?.Invoke());
        var table = new Table($"{title} (best of {Repeats}, {Records:N0} records of 16 bytes)", "records/s", "ns/record", "MB/s", "rate");
        foreach (Taken way in taken)
            table.Add(way.Name, $"{Records / way.Best:N0}", $"{1e9 * way.Best / Records:F1}", $"{bytes / way.Best / 1e6:F0}",
                $"{taken[0].Best / way.Best:F2}");
        table.Print();
    }

    private static void WritePlain(string path, byte[] bytes, int piece)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 65536);
        for (int at = 0; at < bytes.Length; at += piece)
            stream.Write(bytes, at, Math.Min(piece, bytes.Length - at));
    }

    private static void WriteLog(string folder, RegressionRecord[] records, int piece, int threads, RecordDurability durability)
    {
        using var log = new ForwardRecordLog<RegressionRecord>(folder, new ForwardRecordLogOptions { Durability = durability });
        if (threads == 1)
            Append(0, records.Length);
        else
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads },
                t => Append((int)((long)records.Length * t / threads), (int)((long)records.Length * (t + 1) / threads)));
        log.Flush();

        void Append(int from, int to)
        {
            if (piece == 1)
            {
                for (int i = from; i < to; i++)
                    _ = log.Append(in records[i]);
            }
            else
            {
                for (int i = from; i < to; i += piece)
                    _ = log.Append(records.AsSpan(i, Math.Min(piece, to - i)));
            }
        }
    }
}
