using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Joins of records with labels per second on one thread, and the memory of many pending records.</summary>
internal static class JoinBench
{
    private const int Batch = 1024;
    private const int Repeats = 3;
    private static readonly float[] s_probabilities = [0.05f, 0.4f, 0.1f, 0.3f, 0.15f];
    private static readonly DateTime s_start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Prints one table. A row of it is one record pushed, its label pushed later, and the joined row pulled; keys leave when
    /// their windows end.</summary>
    /// <param name="args">Nothing; or <c>--pending N</c>, or <c>--pending N multiclass</c>: memory and speed with N pending
    /// records.</param>
    public static int Run(string[] args)
    {
        if (args is ["--pending", var number, ..])
        {
            int count = int.Parse(number, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
            return args is [_, _, "multiclass"]
                ? Pending(count, i => MulticlassRecord.FromProbabilities(Key(i), s_probabilities, 3, Time(i)))
                : Pending(count, i => BinaryRecord.FromScore(Key(i), 0.5f, 3, Time(i)));
        }

        var table = new Table($"Joins, one thread (best of {Repeats})", "joins/s", "ns/join", "CPU ns", "held", "bytes/entry",
            "allocated");
        foreach (int delay in new[] { 10_000, 1_000_000 })
        {
            Join<RegressionRecord>(table, "regression", DuplicateLabels.First, delay,
                i => new RegressionRecord(Key(i), i % 1000, 3, Time(i)));
            Join<RegressionRecord>(table, "regression", DuplicateLabels.Mean, delay,
                i => new RegressionRecord(Key(i), i % 1000, 3, Time(i)));
            Join<BinaryRecord>(table, "binary", DuplicateLabels.First, delay, i => BinaryRecord.FromScore(Key(i), (i % 9) - 4, 3, Time(i)));
            Join<MulticlassRecord>(table, "multiclass", DuplicateLabels.First, delay,
                i => MulticlassRecord.FromProbabilities(Key(i), s_probabilities, 3, Time(i)));
        }

        table.Print();
        return 0;
    }

    // A record and a label every 10 microseconds; keys as spread as hashed names.
    private static DateTime Time(int i) => s_start.AddTicks(i * 100L);

    private static ulong Key(int i) => ((ulong)i * 0x9E3779B97F4A7C15) ^ 0x5555555555555555;

    private static void Join<TRecord>(Table table, string name, DuplicateLabels rule, int delay, Func<int, TRecord> make)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        // Labels come this many records later; the window is twice as long.
        int count = Math.Max(2_000_000, 3 * delay);
        var options = new LabelJoinOptions
        {
            Wait = TimeSpan.FromMilliseconds(2 * delay / 100),
            Lateness = TimeSpan.Zero,
            Duplicates = rule
        };
        var records = new TRecord[count];
        var labels = new LabelEvent[count];
        for (int i = 0; i < count; i++)
        {
            records[i] = make(i);
            labels[i] = new LabelEvent(Key(i), i % 2, Time(i + delay));
        }

        var rows = new JoinedRecord[Batch];
        double best = double.MaxValue, bestOfProcessor = double.MaxValue;
        long allocated = 0, held = 0, bytes = 0;
        for (int repeat = 0; repeat <= Repeats; repeat++)
        {
            var joiner = new LabelJoiner<TRecord>(options);
            long joined = 0, middle = 0;
            TimeSpan processor = Process.GetCurrentProcess().TotalProcessorTime;
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < count + delay; i += Batch)
            {
                if (i >= count / 2 && middle == 0)
                    middle = GC.GetAllocatedBytesForCurrentThread();
                if (i < count)
                    joined += Push(joiner, records.AsSpan(i, Math.Min(Batch, count - i)), [], rows);
                int from = Math.Max(0, i - delay), to = Math.Min(count, i + Batch - delay);
                if (from < to)
                    joined += Push(joiner, [], labels.AsSpan(from, to - from), rows);
                if (i + Batch >= count && held == 0)
                    (held, bytes) = (joiner.Report.PendingEntries, joiner.Report.PendingBytes);
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - middle;
            joiner.Complete();
            for (int n; (n = joiner.Read(rows)) > 0;)
                joined += n;
            if (repeat > 0)
            {
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
                bestOfProcessor = Math.Min(bestOfProcessor, (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds);
            }

            if (joined != count)
                throw new InvalidOperationException($"{joined} rows were joined of {count}: {joiner.Report}.");
        }

        table.Add($"{name}, {rule}, label {delay:N0} records later", $"{count / best:N0}", $"{1e9 * best / count:F0}",
            $"{1e9 * bestOfProcessor / count:F0}", $"{held:N0}", $"{(double)bytes / held:F1}", $"{allocated:N0}");
    }

    private static int Push<TRecord>(
        LabelJoiner<TRecord> joiner, ReadOnlySpan<TRecord> records, ReadOnlySpan<LabelEvent> labels, JoinedRecord[] rows)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        int joined = 0;
        do
        {
            records = records[joiner.Push(records)..];
            labels = labels[joiner.Push(labels)..];
            for (int n; (n = joiner.Read(rows)) > 0;)
                joined += n;
        }
        while (records.Length + labels.Length > 0);
        return joined;
    }

    private static int Pending<TRecord>(int count, Func<int, TRecord> make)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        var joiner = new LabelJoiner<TRecord>(new LabelJoinOptions { Wait = TimeSpan.FromDays(1) },
            new PendingLimit { MaximumEntries = count });
        var records = new TRecord[Batch];
        var rows = new JoinedRecord[Batch];
        long before = Environment.WorkingSet, peak = 0;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i += Batch)
        {
            int n = Math.Min(Batch, count - i);
            for (int j = 0; j < n; j++)
                records[j] = make(i + j);
            if (joiner.Push(records.AsSpan(0, n)) != n)
                throw new InvalidOperationException("There was no room.");
            if (i % (Batch * 256) == 0)
                peak = Math.Max(peak, Environment.WorkingSet);
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        LabelJoinReport report = joiner.Report;
        Say("pending records", $"{report.PendingRecords:N0}, pushed at {1e9 * seconds / count:F0} ns each");
        Say("entries and index", $"{report.PendingBytes:N0} bytes, {(double)report.PendingBytes / count:F1} a record");
        Say("managed heap", $"{GC.GetTotalMemory(forceFullCollection: false):N0} bytes, committed "
            + $"{GC.GetGCMemoryInfo().TotalCommittedBytes:N0}");
        Say("process", $"{Environment.WorkingSet:N0} bytes, at most {Math.Max(peak, Environment.WorkingSet):N0}, {before:N0} before the "
            + $"first record");
        Say("2 GiB", $"{1L << 31:N0} bytes");

        // Labels of records all over the window, so that nothing is in a cache.
        const int Labels = 4_000_000;
        var labels = new LabelEvent[Labels];
        var random = new Random(1);
        for (int i = 0; i < Labels; i++)
            labels[i] = new LabelEvent(Key((int)((i + random.NextDouble()) * count / Labels)), i % 2, Time(count));
        random.Shuffle(labels);
        start = Stopwatch.GetTimestamp();
        int joined = 0;
        for (int i = 0; i < Labels; i += Batch)
            joined += Push(joiner, [], labels.AsSpan(i, Math.Min(Batch, Labels - i)), rows);
        seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Say("joined then", $"{joined:N0} rows, {joined / seconds:N0} a second, labels in random order");
        return 0;
    }

    private static void Say(string what, string value) => Console.WriteLine($"{what,-20}{value}");
}
