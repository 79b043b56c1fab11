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
        Way[] ways =
        [
            Way.Timed("psql \\copy, text", () => PostgreSqlServer.Finish(server.Psql("-c", $"{copy}{text}'"))),
            Way.Timed("psql \\copy, binary", () => PostgreSqlServer.Finish(server.Psql("-c", $"{copy}{binary}' WITH (FORMAT binary)"))),
            Way.Timed("writer", () => Write(store, records)),
        ];
        Taken[] taken = Turns.Run(Repeats, ways,
            before: _ => Execute(source, "TRUNCATE bench.plain, bench.records; CHECKPOINT").GetAwaiter().GetResult(),
            after: way =>
            {
                string table = way == ways.Length - 1 ? "records" : "plain";
                if (Scalar(source, $"SELECT count(*) FROM bench.{table}").GetAwaiter().GetResult() != rows)
                    throw new InvalidOperationException($"{ways[way].Name} did not write {rows} rows.");
            });
        var writing = new Table($"Writing (best of {Repeats}, {rows:N0} binary records, two indexes, one client)", "rows/s", "us/row",
            "rate");
        foreach (Taken way in taken)
            writing.Add(way.Name, $"{rows / way.Best:N0}", $"{1e6 * way.Best / rows:F2}", $"{taken[0].Best / way.Best:F2}");
        writing.Print();

        // They wait for their labels.
        await Execute(source, "TRUNCATE bench.records; CHECKPOINT");
        await Write(store, records);
        long recordBytes = await Size(source, "records");
        LabelEvent[] labels = Array.ConvertAll(records, r => new LabelEvent(r.Key, 1, r.Time.AddSeconds(1)));
        random.Shuffle(labels);
        double adding = await Turns.SecondsAsync(() => store.AddLabelsAsync(labels));
        long labelBytes = await Scalar(source, "SELECT pg_total_relation_size('bench.labels')");
        await Execute(source, "ANALYZE bench.records, bench.labels");       // as autovacuum does within a minute
        double joining = await Turns.SecondsAsync(() => store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        long joinedBytes = await Size(source, "joined");
        long read = 0;
        double working = await Turns.SecondsAsync(async () =>
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

        var once = new Table("Once", "rows/s", "us/row");
        foreach ((string name, double seconds) in new[] { ("labels added", adding), ("records joined", joining),
            ("rows read, 10 % stored", working) })
            once.Add(name, $"{rows / seconds:N0}", $"{1e6 * seconds / rows:F2}");
        once.Print();
        var disk = new Table("On disk, with indexes", "bytes/row");
        foreach ((string name, long bytes) in new[] { ("records", recordBytes), ("labels", labelBytes), ("joined", joinedBytes) })
            disk.Add(name, $"{(double)bytes / rows:F1}");
        disk.Print();
        await Joiners(server, source, records, labels);
        Directory.Delete(folder, recursive: true);
        return 0;
    }

    /// <summary>One joiner of a store of one partition against one, two and four of a store of four, in turn.</summary>
    private static async Task Joiners(PostgreSqlServer server, NpgsqlDataSource source, BinaryRecord[] records, LabelEvent[] labels)
    {
        (int Partitions, int Joiners)[] ways = [(1, 1), (4, 1), (4, 2), (4, 4)];
        double[] processor = [.. Enumerable.Repeat(double.MaxValue, ways.Length)];
        Taken[] taken = Turns.Run(Repeats, [.. ways.Select((way, i) => new Way($"{way.Joiners}, {way.Partitions}", () =>
        {
            (double seconds, double ofServer) = Join(server, source, records, labels, way.Partitions, way.Joiners).GetAwaiter().GetResult();
            processor[i] = Math.Min(processor[i], ofServer);
            return seconds;
        }))], warmUps: 0);
        var table = new Table($"Joiners, partitions (best of {Repeats}, each in a new schema; CPU: the server's)", "rows/s", "us/row",
            "rate", "CPU us/row");
        for (int i = 0; i < taken.Length; i++)
            table.Add(taken[i].Name, $"{records.Length / taken[i].Best:N0}", $"{1e6 * taken[i].Best / records.Length:F2}",
                $"{taken[0].Best / taken[i].Best:F2}", $"{1e6 * processor[i] / records.Length:F2}");
        table.Print();
    }

    private static async Task<(double Seconds, double OfServer)> Join(PostgreSqlServer server, NpgsqlDataSource source,
        BinaryRecord[] records, LabelEvent[] labels, int partitions, int joiners)
    {
        var options = new PostgreSqlStoreOptions { Schema = "joiners", JoinPartitions = partitions };
        await using var store = new PostgreSqlRecordStore<BinaryRecord>(source, options);
        await store.MigrateAsync();
        await Write(store, records);
        await store.AddLabelsAsync(labels);
        await Execute(source, "ANALYZE joiners.records, joiners.labels; CHECKPOINT");
        long[] joined = [];
        TimeSpan before = server.ProcessorTime();
        double seconds = await Turns.SecondsAsync(async () => joined = await Task.WhenAll(Enumerable.Range(0, joiners)
            .Select(_ => store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true))));
        double ofServer = (server.ProcessorTime() - before).TotalSeconds;
        if (joined.Sum() != records.Length)
            throw new InvalidOperationException($"{joined.Sum()} rows were joined, and {records.Length} written.");
        await Execute(source, "DROP SCHEMA joiners CASCADE");
        return (seconds, ofServer);
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
