using System.Globalization;
using DuckDB.NET.Data;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Records.Export;

/// <summary>Exported logs, read by DuckDB: not by the library that wrote them.</summary>
public sealed class ExportCommandTests : IDisposable
{
    private static readonly DateTime s_start = new(2026, 1, 2, 3, 0, 0, DateTimeKind.Utc);

    private readonly TemporaryFolder _folder = new();
    private readonly string _log;

    public ExportCommandTests() => _log = Directory.CreateDirectory(_folder.File("log")).FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("parquet")]
    [InlineData("csv")]
    public async Task Export_EveryKind_HasAllItsColumnsAndValues(string format)
    {
        BinaryRecord[] binary = [BinaryRecord.FromScore(ulong.MaxValue, -1.25f, 7, s_start, 0.25f),
            BinaryRecord.FromScore(1, float.NaN, ulong.MaxValue, s_start.AddSeconds(4095))];
        Assert.Equal([[ulong.MaxValue, s_start, 7ul, 0.25f, -1.25f], [1ul, s_start.AddSeconds(4095), ulong.MaxValue, 1f, float.NaN]],
            await ExportAsync(format, binary, "key UBIGINT, time TIMESTAMP, model_version UBIGINT, keeping_probability FLOAT, "
                + "log_odds FLOAT"));
        Assert.Equal([[2ul, s_start, 0ul, 1f, 3.5f]],
            await ExportAsync(format, [new RegressionRecord(2, 3.5f, time: s_start)], "key UBIGINT, time TIMESTAMP, "
                + "model_version UBIGINT, keeping_probability FLOAT, score FLOAT"));
        Assert.Equal([[3ul, s_start, 1f]],
            await ExportAsync(format, [new LabelEvent(3, 1f, s_start)], "key UBIGINT, time TIMESTAMP, label FLOAT"));
        MulticlassRecord multiclass = MulticlassRecord.FromProbabilities(4, [0.5f, 0.125f, 0.25f, 0.125f], 9, s_start);
        Assert.Equal([[4ul, s_start, 9ul, 1f, 4, 0, 2, 1, 0.5f, 0.25f, 0.125f, multiclass.SumOfSquares]],
            await ExportAsync(format, [multiclass], "key UBIGINT, time TIMESTAMP, model_version UBIGINT, keeping_probability FLOAT, "
                + "classes INTEGER, class1 INTEGER, class2 INTEGER, class3 INTEGER, probability1 FLOAT, probability2 FLOAT, "
                + "probability3 FLOAT, sum_of_squares FLOAT"));
    }

    [Fact]
    public async Task Export_MoreThanARowGroup_EveryRecordOnce()
    {
        const int Count = 300_000;
        Write([.. Enumerable.Range(0, Count).Select(i => new RegressionRecord((ulong)i, i, time: s_start))]);
        string file = _folder.File("records.parquet");
        (int exitCode, string output, string error) = await RunAsync(file);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal($"{file}: 300,000 records (Regression), {new FileInfo(file).Length.ToString("N0", CultureInfo.InvariantCulture)} "
            + "bytes.\nDamaged places: 0, bytes: 0; lost records: 0; read twice and left out: 0.", output.TrimEnd());
        Assert.Equal([(long)Count, (long)Count, 0ul, Count - 1ul, Count * (Count - 1L) / 2.0, 3L], Assert.Single(Query(
            $"SELECT count(*), count(DISTINCT key), min(key), max(key), sum(score::DOUBLE), "
                + $"(SELECT max(row_group_id) + 1 FROM parquet_metadata('{file}')) FROM '{file}'")));
        Assert.Equal([file], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Export_DamagedBlock_IsToldAndTheRestIsThere()
    {
        Write([.. Enumerable.Range(0, 20).Select(i => new RegressionRecord((ulong)i, i))]);
        Write([new RegressionRecord(99, 1f)]);
        string damaged = Directory.GetFiles(_log).Single(name => new FileInfo(name).Length > 400);
        byte[] bytes = File.ReadAllBytes(damaged);
        bytes[64 + 100] ^= 1;
        File.WriteAllBytes(damaged, bytes);

        (int exitCode, string output, _) = await RunAsync(_folder.File("records.csv"));

        Assert.Equal(0, exitCode);
        Assert.Contains("1 records (Regression)", output, StringComparison.Ordinal);
        Assert.Contains("Damaged places: 1, bytes: 400; lost records: 20;", output, StringComparison.Ordinal);
        Assert.Equal(99ul, Assert.Single(Query($"SELECT key::UBIGINT FROM '{_folder.File("records.csv")}'"))[0]);
    }

    [Fact]
    public async Task Export_Refusals_LeaveWhatWasThere()
    {
        string file = _folder.File("records.parquet");
        (_, _, string empty) = await RunAsync(file);
        Assert.Equal($"{_log} holds no segment file (records-*.fsl). It is empty.", empty.TrimEnd());
        Write([new RegressionRecord(1, 1f)]);
        Write([new LabelEvent(1, 1f)]);
        (int exitCode, _, string mixed) = await RunAsync(file);
        Assert.Equal((1, $"{_log} holds records of several kinds (Regression, Label), and a table has one. Move each kind's files to a "
            + "folder of their own."), (exitCode, mixed.TrimEnd()));
        File.WriteAllText(file, "notes");
        (_, _, string foreign) = await RunAsync(file);
        Assert.Contains("would write over", foreign, StringComparison.Ordinal);
        Assert.Equal("notes", File.ReadAllText(file));
        (_, _, string noFormat) = await RunAsync(_folder.File("records.txt"));
        Assert.Contains("--to parquet or --to csv is missing", noFormat, StringComparison.Ordinal);
        (_, _, string wrong) = await RunAsync(file, "--to", "xml");
        Assert.Contains("--to must be parquet or csv. Got 'xml'.", wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_Cancelled_LeavesNothingBehind()
    {
        Write([.. Enumerable.Range(0, 1000).Select(i => new RegressionRecord((ulong)i, i))]);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => Tool.Records.Export.RecordExport.Run(_log,
            Tool.Records.Export.ExportFormat.Csv, _folder.File("records.csv"), cancelled.Token));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(string file, params string[] more) =>
        Runner.RunAsync(["records", "export", _log, "--output", file, .. more], Token);

    /// <summary>The table of a log with these records alone, and whether its columns are those.</summary>
    private async Task<object[][]> ExportAsync<T>(string format, T[] records, string columns)
        where T : struct, ILogRecord<T>
    {
        Array.ForEach(Directory.GetFiles(_log), File.Delete);
        Write(records);
        string file = _folder.File($"{typeof(T).Name}.{format}");
        (int exitCode, _, string error) = await RunAsync(file);
        Assert.Equal((0, ""), (exitCode, error));
        string[] pairs = columns.Split(", ");
        // A CSV file has no types: DuckDB guesses some, and is told all.
        string table = format == "parquet" ? $"'{file}'"
            : $"read_csv('{file}', header = true, columns = {{{string.Join(", ", pairs.Select(p => $"'{p.Replace(" ", "': '")}'"))}}})";
        Assert.Equal(format == "parquet" ? columns.Replace("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", StringComparison.Ordinal) : columns,
            string.Join(", ", Query($"DESCRIBE SELECT * FROM {table}").Select(row => $"{row[0]} {row[1]}")));
        return Query($"SELECT * REPLACE (make_timestamp(epoch_us(time)) AS time) FROM {table}");
    }

    private void Write<T>(T[] records)
        where T : struct, ILogRecord<T>
    {
        using var log = new ForwardRecordLog<T>(_log);
        foreach (T record in records)
            log.Append(record);
    }

    private static object[][] Query(string sql)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using DuckDBDataReader reader = command.ExecuteReader();
        var rows = new List<object[]>();
        while (reader.Read())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }

        return [.. rows];
    }
}
