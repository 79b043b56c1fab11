using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.ML.ForwardSampling.PostgreSql;
using Microsoft.ML.ForwardSampling.PostgreSql.Tests;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Records per second into PostgreSQL by the writer and by psql's \copy of the same rows into a table of the same shape, in the
/// same run; then what labels, join and windows take, several joiners, and bytes a row.</summary>
internal static class PostgresBench
{
    private const int Repeats = 3;

    /// <summary>Prints four tables.</summary>
    /// <param name="args">Optional: number of rows; left out, 1,000,000.</param>
    public static async Task<int> Run(string[] args)
    {
        int rows = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
        if (PostgreSqlServer.FindPrograms() is not string programs)
        {
            Console.Error.WriteLine("PostgreSQL is not installed: apt-get install postgresql.");
            return 1;
        }

        var random = new Random(1);
        var records = new BinaryRecord[rows];
        for (int i = 0; i < rows; i++)
            records[i] = BinaryRecord.FromScore((ulong)random.NextInt64(), random.NextSingle(), 7,
                DateTime.UnixEpoch.AddSeconds(1.7e9 + (i / 1000.0)));
        string folder = Directory.CreateTempSubdirectory("postgres-bench-").FullName;
        string text = Path.Combine(folder, "rows.txt"), binary = Path.Combine(folder, "rows.bin");
        WriteText(text, records);
        WriteBinary(binary, records);

        await using PostgreSqlServer server = await PostgreSqlServer.Start(programs);
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(server.ConnectionString + ";Command Timeout=0");
        var store = new PostgreSqlRecordStore<BinaryRecord>(source, new PostgreSqlStoreOptions { Schema = "bench" });
        await store.MigrateAsync();
        await Execute(source, """
            CREATE TABLE bench.plain (LIKE bench.records INCLUDING DEFAULTS) PARTITION BY RANGE (stored);
            CREATE INDEX ON bench.plain (key);
            CREATE INDEX ON bench.plain (stored);
            CREATE TABLE bench.plain_now PARTITION OF bench.plain FOR VALUES FROM ('2000-01-01') TO ('2200-01-01');
            """);

        string copy = $"\\copy bench.plain ({CopyRow.Columns}) FROM '";
        (string Name, Func<Task> Run)[] ways =
        [
            ("psql \\copy, text", () => PostgreSqlServer.Finish(server.Psql("-c", $"{copy}{text}'"))),
            ("psql \\copy, binary", () => PostgreSqlServer.Finish(server.Psql("-c", $"{copy}{binary}' WITH (FORMAT binary)"))),
            ("writer", () => Write(store, records)),
        ];
        var best = new double[ways.Length];
        Array.Fill(best, double.MaxValue);
        for (int repeat = 0; repeat <= Repeats; repeat++)
        {
            for (int way = 0; way < ways.Length; way++)
            {
                await Execute(source, "TRUNCATE bench.plain, bench.records; CHECKPOINT");
                long start = Stopwatch.GetTimestamp();
                await ways[way].Run();
                if (repeat > 0)
                    best[way] = Math.Min(best[way], Stopwatch.GetElapsedTime(start).TotalSeconds);
                string table = way == ways.Length - 1 ? "records" : "plain";
                if (await Scalar(source, $"SELECT count(*) FROM bench.{table}") != rows)
                    throw new InvalidOperationException($"{ways[way].Name} did not write {rows} rows.");
            }
        }

        Console.WriteLine($"{"Writing",-24}{"rows/s",12}{"us/row",9}{"rate",7}   (best of {Repeats}, {rows:N0} binary records, two "
            + $"indexes, one client)");
        for (int way = 0; way < ways.Length; way++)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{ways[way].Name,-24}{rows / best[way],12:N0}{1e6 * best[way] / rows,9:F2}{best[0] / best[way],7:F2}"));

        // The records of the last repeat wait for their labels.
        long recordBytes = await Size(source, "records");
        LabelEvent[] labels = Array.ConvertAll(records, r => new LabelEvent(r.Key, 1, r.Time.AddSeconds(1)));
        random.Shuffle(labels);
        double adding = await Time(() => store.AddLabelsAsync(labels));
        long labelBytes = await Scalar(source, "SELECT pg_total_relation_size('bench.labels')");
        await Execute(source, "ANALYZE bench.records, bench.labels");       // as autovacuum does within a minute
        double joining = await Time(() => store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        long joinedBytes = await Size(source, "joined");
        long read = 0;
        double working = await Time(async () =>
        {
            while (await store.ClaimWindowAsync() is ClaimedWindow window)
            {
                await using (window)
                {
                    read += window.Records.Count;
                    await window.CompleteAsync([.. window.Records.Take(window.Records.Count / 10).Select(r => new SelectedKey(r.Key, 10))]);
                }
            }
        });
        if (read != rows)
            throw new InvalidOperationException($"{read} rows were read from windows, and {rows} written.");

        Console.WriteLine($"\n{"Once",-24}{"rows/s",12}{"us/row",9}");
        foreach ((string name, double seconds) in new[] { ("labels added", adding), ("records joined", joining),
            ("rows read, 10 % stored", working) })
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-24}{rows / seconds,12:N0}{1e6 * seconds / rows,9:F2}"));
        await Joiners(server, source, records, labels);
        Console.WriteLine($"\n{"On disk, with indexes",-24}{"bytes/row",12}");
        foreach ((string name, long bytes) in new[] { ("records", recordBytes), ("labels", labelBytes), ("joined", joinedBytes) })
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-24}{(double)bytes / rows,12:F1}"));
        Directory.Delete(folder, recursive: true);
        return 0;
    }

    /// <summary>One joiner of a store of one partition against one, two and four of a store of four, in turn.</summary>
    private static async Task Joiners(PostgreSqlServer server, NpgsqlDataSource source, BinaryRecord[] records, LabelEvent[] labels)
    {
        (int Partitions, int Joiners)[] ways = [(1, 1), (4, 1), (4, 2), (4, 4)];
        double[] best = new double[ways.Length], processor = new double[ways.Length];
        Array.Fill(best, double.MaxValue);
        Array.Fill(processor, double.MaxValue);
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            for (int way = 0; way < ways.Length; way++)
            {
                var options = new PostgreSqlStoreOptions { Schema = "joiners", JoinPartitions = ways[way].Partitions };
                await using var store = new PostgreSqlRecordStore<BinaryRecord>(source, options);
                await store.MigrateAsync();
                await Write(store, records);
                await store.AddLabelsAsync(labels);
                await Execute(source, "ANALYZE joiners.records, joiners.labels; CHECKPOINT");
                long[] joined = [];
                TimeSpan before = server.ProcessorTime();
                best[way] = Math.Min(best[way], await Time(async () => joined = await Task.WhenAll(Enumerable.Range(0, ways[way].Joiners)
                    .Select(_ => store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true)))));
                processor[way] = Math.Min(processor[way], (server.ProcessorTime() - before).TotalSeconds);
                if (joined.Sum() != records.Length)
                    throw new InvalidOperationException($"{joined.Sum()} rows were joined, and {records.Length} written.");
                await Execute(source, "DROP SCHEMA joiners CASCADE");
            }
        }

        Console.WriteLine($"\n{"Joiners, partitions",-24}{"rows/s",12}{"us/row",9}{"rate",7}{"CPU us/row",12}   (best of {Repeats}, each "
            + $"in a new schema; CPU: the server's)");
        for (int way = 0; way < ways.Length; way++)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{$"{ways[way].Joiners}, {ways[way].Partitions}",-24}{records.Length / best[way],12:N0}"
                + $"{1e6 * best[way] / records.Length,9:F2}{best[0] / best[way],7:F2}"
                + $"{1e6 * processor[way] / records.Length,12:F2}"));
    }

    private static async Task Write(PostgreSqlRecordStore<BinaryRecord> store, BinaryRecord[] records)
    {
        await using PostgreSqlRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync();
        for (int i = 0; i < records.Length; i += 1024)
            writer.Append(records.AsSpan(i, Math.Min(1024, records.Length - i)));
        writer.Flush();
    }

    private static void WriteText(string path, BinaryRecord[] records)
    {
        using var file = new StreamWriter(path, append: false, new UTF8Encoding(false), 1 << 16);
        Span<byte> body = stackalloc byte[4];
        foreach (BinaryRecord record in records)
        {
            BitConverter.TryWriteBytes(body, record.LogOdds);
            file.Write(string.Create(CultureInfo.InvariantCulture,
                $"{(long)record.Key}\t{record.Time:yyyy-MM-dd HH:mm:ss.ffffff}+00\t{record.ModelVersion}\t\\N\t0\t\\"
                + $"\\x{Convert.ToHexString(body)}\n"));
        }
    }

    private static void WriteBinary(string path, BinaryRecord[] records)
    {
        using var file = new BufferedStream(File.Create(path), 1 << 16);
        file.Write(CopyRow.Header);
        byte[] row = new byte[CopyRow.MostBytes(BinaryRecord.EncodedBytes)];
        var block = new BlockBuffer<BinaryRecord>(1);
        foreach (BinaryRecord record in records)
        {
            block.Start(0, 0);
            block.TryAddVersion(in record);
            block.Put(0, in record, 0, record.Time.Ticks, 0);
            file.Write(row, 0, CopyRow.Write(block.At(0), row));
        }

        file.Write(CopyRow.Trailer);
    }

    private static async Task<double> Time(Func<Task> work)
    {
        long start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static Task<long> Size(NpgsqlDataSource source, string table)
        => Scalar(source, $"SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits WHERE inhparent = "
            + $"'bench.{table}'::regclass");

    private static async Task<long> Scalar(NpgsqlDataSource source, string sql)
    {
        await using NpgsqlCommand command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task Execute(NpgsqlDataSource source, string sql)
    {
        foreach (string statement in sql.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            await using NpgsqlCommand command = source.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }
}
