using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Nats;
using Microsoft.ML.ForwardSampling.PostgreSql;
using Microsoft.ML.ForwardSampling.PostgreSql.Tests;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests.Shared;
using NATS.Client.Core;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>A fleet over a cluster of three nodes beside one over PostgreSQL, in the same run: records and labels written, rows joined into
/// windows by 1, 2 and 4 partitions, and the time from a prediction to its window.</summary>
internal static class NatsBench
{
    private static readonly LabelJoinOptions s_rules = new() { Wait = TimeSpan.FromHours(1), Lateness = TimeSpan.FromHours(1) };

    /// <summary>Prints two tables; "cores" is what this process and the three nodes took during the join.</summary>
    /// <param name="args">Optional: number of rows; left out, 1,000,000. Then numbers of partitions: only these are joined, without
    /// PostgreSQL and without the second table.</param>
    public static async Task<int> Run(string[] args)
    {
        int rows = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
        int[] only = [.. args.Skip(1).Select(a => int.Parse(a, CultureInfo.InvariantCulture))];
        if (PostgreSqlServer.FindPrograms() is not string programs || NatsCluster.FindProgram() is null)
        {
            Console.Error.WriteLine("PostgreSQL or nats-server is not installed: apt-get install postgresql nats-server.");
            return 1;
        }

        var random = new Random(1);
        var records = new BinaryRecord[rows];
        for (int i = 0; i < rows; i++)
            records[i] = BinaryRecord.FromScore((ulong)random.NextInt64(), random.NextSingle(), 7,
                DateTime.UnixEpoch.AddSeconds(1.7e9 + (i / 1000.0)));
        LabelEvent[] labels = Array.ConvertAll(records, r => new LabelEvent(r.Key, 1, r.Time.AddSeconds(1)));
        random.Shuffle(labels);

        await using NatsCluster cluster = NatsCluster.Start(3);
        await using var connection = new NatsConnection(NatsOpts.Default with { Url = cluster.Url });
        var joins = new Table($"rows/s ({rows:N0} binary records, a label each)", "records", "labels", "joined", "rate", "cores");
        await WarmUp(cluster, connection, records, labels);
        if (only.Length > 0)
        {
            foreach (int partitions in only)
                await Join(joins, cluster, connection, partitions, records, labels, peer: null);
            joins.Print();
            return 0;
        }

        await using PostgreSqlServer server = await PostgreSqlServer.Start(programs);
        await using var postgres = new PostgreSqlRecordStore<BinaryRecord>(server.ConnectionString);
        await postgres.MigrateAsync();
        await using (PostgreSqlRecordWriter<BinaryRecord> writer = await postgres.OpenWriterAsync())
        await using (PostgreSqlLabelWriter labelWriter = await postgres.OpenLabelWriterAsync())
        {
            double written = await Turns.SecondsAsync(() => Write(writer, records)),
                labelled = await Turns.SecondsAsync(() => Write(labelWriter, labels));
            await using var source = Npgsql.NpgsqlDataSource.Create(server.ConnectionString);
            await using (Npgsql.NpgsqlCommand analyze = source.CreateCommand("ANALYZE"))
                await analyze.ExecuteNonQueryAsync();
            double joined = await Turns.SecondsAsync(() => postgres.JoinAsync(s_rules, closeShortWindow: true));
            Add(joins, "PostgreSQL", rows, written, labelled, joined, joined, cores: null);
            foreach (int partitions in (int[])[1, 2, 4])
                await Join(joins, cluster, connection, partitions, records, labels, joined);
        }

        joins.Print();

        var latencies = new Table("Prediction to window, seconds", "rows/s", "median", "p99", "windows");
        await using var fresh = new PostgreSqlRecordStore<BinaryRecord>(server.ConnectionString,
            new PostgreSqlStoreOptions { Schema = "latency" });
        await fresh.MigrateAsync();
        await Latency(latencies, "PostgreSQL", await fresh.OpenWriterAsync(), await fresh.OpenLabelWriterAsync(),
            async stop =>
            {
                while (!stop.IsCancellationRequested)
                    await fresh.JoinAsync(s_rules, cancellationToken: stop);
            },
            async () => await fresh.ClaimWindowAsync() is { } window ? (window.Records, window, () => window.CompleteAsync([])) : null);

        string folder = Directory.CreateTempSubdirectory("nats-bench-").FullName;
        var options = new NatsStoreOptions { Name = "latency", Partitions = 1, StreamBytes = 1 << 30 };
        var store = new NatsRecordStore<BinaryRecord>(connection, options);
        await store.MigrateAsync();
        await using (NatsJoiner<BinaryRecord> joiner = await store.OpenJoinerAsync(0, Path.Combine(folder, "joiner"), s_rules))
        {
            await Latency(latencies, "JetStream, 1 partition", await store.OpenWriterAsync(Path.Combine(folder, "records")),
                await store.OpenLabelWriterAsync(Path.Combine(folder, "labels")),
                stop => joiner.RunAsync(stop),
                async () => await store.ClaimWindowAsync() is { } window ? (window.Records, window, () => window.CompleteAsync([])) : null);
        }

        latencies.Print();
        Directory.Delete(folder, recursive: true);
        return 0;
    }

    /// <summary>The first join of a process is compiled while it runs: not measured.</summary>
    private static async Task WarmUp(NatsCluster cluster, INatsConnection connection, BinaryRecord[] records, LabelEvent[] labels)
    {
        records = records[..Math.Min(records.Length, 500_000)];
        HashSet<ulong> keys = [.. records.Select(r => r.Key)];
        await Join(null, cluster, connection, 2, records, [.. labels.Where(label => keys.Contains(label.Key))], peer: null);
    }

    /// <summary>Writes and joins; without a table it is a warm-up, in a store of its own.</summary>
    private static async Task Join(Table? table, NatsCluster cluster, INatsConnection connection, int partitions, BinaryRecord[] records,
        LabelEvent[] labels, double? peer)
    {
        string folder = Directory.CreateTempSubdirectory("nats-bench-").FullName;
        string storeName = table is null ? "warm_up" : $"bench{partitions}";
        var options = new NatsStoreOptions { Name = storeName, Partitions = partitions, StreamBytes = 1 << 30 };
        var store = new NatsRecordStore<BinaryRecord>(connection, options);
        await store.MigrateAsync();
        await using NatsRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync(Path.Combine(folder, "records"));
        await using NatsRecordWriter<LabelEvent> labelWriter = await store.OpenLabelWriterAsync(Path.Combine(folder, "labels"));
        double acknowledged = 0, acknowledgedLabels = 0;
        double written = await Turns.SecondsAsync(async () =>
        {
            acknowledged = await Turns.SecondsAsync(() => Write(writer, records));
            await Until(() => writer.Report.UnshippedBlocks == 0);
        });
        double labelled = await Turns.SecondsAsync(async () =>
        {
            acknowledgedLabels = await Turns.SecondsAsync(() => Write(labelWriter, labels));
            await Until(() => labelWriter.Report.UnshippedBlocks == 0);
        });

        NatsJoiner<BinaryRecord>[] joiners = await Task.WhenAll(Enumerable.Range(0, partitions)
            .Select(p => store.OpenJoinerAsync(p, Path.Combine(folder, "joiner"), s_rules)));
        Task[] running = [];
        double busy = Busy(cluster);
        double joined = await Turns.SecondsAsync(async () =>
        {
            running = [.. joiners.Select(joiner => Task.Run(() => joiner.RunAsync()))];
            await Until(() => running.Any(r => r.IsCompleted)
                || (joiners.Sum(j => j.Report.Join.Joined) == records.Length && joiners.All(j => j.Report.UnsentWindows == 0)));
        });
        double cores = (Busy(cluster) - busy) / joined;
        foreach (NatsJoiner<BinaryRecord> joiner in joiners)
            joiner.Complete();
        await Task.WhenAll(running);
        if (joiners.Sum(j => j.Report.Join.Joined) != records.Length)
            throw new InvalidOperationException($"{joiners.Sum(j => j.Report.Join.Joined)} rows were joined of {records.Length}: "
                + string.Join("; ", joiners.Select(j => j.Report.ToString())));
        string name = $"JetStream, {partitions} partition{(partitions > 1 ? "s" : "")}";
        if (table is not null)
        {
            Add(table, $"{name}: on disk", records.Length, acknowledged, acknowledgedLabels, null, peer, cores: null);
            Add(table, $"{name}: in the cluster", records.Length, written, labelled, joined, peer, cores);
        }

        foreach (NatsJoiner<BinaryRecord> joiner in joiners)
            await joiner.DisposeAsync();
        await writer.DisposeAsync();
        await labelWriter.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Writes at an even rate for 20 s, and tells the age of each window's latest row when a worker gets it.</summary>
    private static async Task Latency(Table table, string name, IRecordWriter<BinaryRecord> writer, IRecordWriter<LabelEvent> labels,
        Func<CancellationToken, Task> join,
        Func<Task<(IReadOnlyList<JoinedRecord> Rows, IAsyncDisposable Claim, Func<Task> Complete)?>> claim)
    {
        const int Rate = 20_000, Seconds = 20;
        using var stop = new CancellationTokenSource();
        Task joining = Task.Run(() => join(stop.Token));
        Task writing = Task.Run(async () =>
        {
            var random = new Random(5);
            for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < Seconds; await Task.Delay(5))
            {
                for (long due = (long)(clock.Elapsed.TotalSeconds * Rate); writer.Report.Appended < due;)
                {
                    ulong key = (ulong)random.NextInt64();
                    DateTime now = DateTime.UtcNow;
                    writer.Append(BinaryRecord.FromScore(key, random.NextSingle(), 7, now));
                    labels.Append(new LabelEvent(key, 1, now));
                }
            }
        });
        var ages = new List<double>();
        long rows = 0;
        while (!writing.IsCompleted)
        {
            if (await claim() is not { } window)
            {
                await Task.Delay(2);
                continue;
            }

            await using (window.Claim)
            {
                ages.Add((DateTime.UtcNow - window.Rows.Max(r => r.ScoredAt)).TotalSeconds);
                rows += window.Rows.Count;
                await window.Complete();
            }
        }

        await stop.CancelAsync();
        try
        {
            await joining;
        }
        catch (OperationCanceledException)
        {
        }

        await writer.DisposeAsync();
        await labels.DisposeAsync();
        ages.Sort();
        table.Add(name, $"{rows / (double)Seconds:N0}", $"{ages[ages.Count / 2]:F2}", $"{ages[ages.Count * 99 / 100]:F2}", $"{ages.Count}");
    }

    private static Task Write<T>(BufferedRecordWriter<T> writer, T[] records)
        where T : struct, ILogRecord<T>
    {
        for (int i = 0; i < records.Length; i += 1024)
            writer.Append(records.AsSpan(i, Math.Min(1024, records.Length - i)));
        return writer.FlushAsync();
    }

    private static void Add(Table table, string name, int rows, double written, double labelled, double? joined, double? peer,
        double? cores)
        => table.Add(name, $"{rows / written:N0}", $"{rows / labelled:N0}", $"{rows / joined:N0}", $"{peer / joined:F2}", $"{cores:F2}");

    /// <summary>Processor seconds that this process and the nodes have taken.</summary>
    private static double Busy(NatsCluster cluster)
    {
        double sum = 0;
        foreach (int id in (int[])[Environment.ProcessId, .. Enumerable.Range(0, cluster.Count).Select(cluster.ProcessOf)])
        {
            using Process process = Process.GetProcessById(id);
            sum += process.TotalProcessorTime.TotalSeconds;
        }

        return sum;
    }

    private static async Task Until(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(1);
    }
}
