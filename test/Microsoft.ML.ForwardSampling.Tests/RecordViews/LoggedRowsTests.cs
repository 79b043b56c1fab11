using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.RecordViews;

/// <summary>Scoring and recording in one pass: what the log gives back is what RecordForwardPass says of the same rows.</summary>
public class LoggedRowsTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Regression_RoundTrip_StatisticsAreThoseOfTheColumns()
    {
        using var folder = new LogFolder();
        Row[] rows = Rows(100);
        ForwardNumbers[] columns = Columns(rows, new ForwardRecordingOptions { Task = PredictionTask.Regression });
        RegressionRecord[] records = Drain<RegressionRecord>(folder, rows, new RecordToOptions { ModelVersion = 7 },
            out LoggedRowsReport report);

        Assert.Equal(new LoggedRowsReport { Rows = 100, Records = 100 }, report);
        Assert.Equal(rows.Select(r => r.Key), records.Select(r => r.Key));
        Assert.All(records, r => Assert.Equal((7UL, 1f), (r.ModelVersion, r.KeepingProbability)));
        for (int i = 0; i < rows.Length; i++)
            Assert.Equal((columns[i].Loss, columns[i].GradientNorm),
                (records[i].Statistics(rows[i].Label).Loss, records[i].Statistics(rows[i].Label).GradientNorm));
    }

    [Theory]
    [InlineData("Probability", 1e-6)]
    [InlineData("NoSuchColumn", 0)]
    public void Binary_RoundTrip_StatisticsAreThoseOfTheColumns(string probability, double tolerance)
    {
        using var folder = new LogFolder();
        Row[] rows = Rows(100);
        ForwardNumbers[] columns = Columns(rows,
            new ForwardRecordingOptions { Task = PredictionTask.Binary, LabelColumnName = "Flag", ProbabilityColumnName = probability });
        BinaryRecord[] records = Drain<BinaryRecord>(folder, rows, new RecordToOptions { ProbabilityColumnName = probability }, out _);
        for (int i = 0; i < rows.Length; i++)
        {
            ClassificationStatistics statistics = records[i].Statistics(rows[i].Flag ? 1 : 0);
            Assert.Equal(columns[i].Loss, statistics.Loss, tolerance * (1 + columns[i].Loss));
            Assert.Equal(columns[i].GradientNorm, statistics.GradientNorm, 2 * tolerance);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Multiclass_RoundTrip_StatisticsAreThoseOfTheColumns(bool logits)
    {
        using var folder = new LogFolder();
        Row[] rows = Rows(100);
        MulticlassScores scores = logits ? MulticlassScores.Logits : MulticlassScores.Probabilities;
        string score = logits ? "Logits" : "Scores";
        ForwardNumbers[] columns = Columns(rows, new ForwardRecordingOptions
        { Task = PredictionTask.Multiclass, LabelColumnName = "Class", ScoreColumnName = score, MulticlassScores = scores });
        MulticlassRecord[] records = Drain<MulticlassRecord>(folder, rows,
            new RecordToOptions { ScoreColumnName = score, MulticlassScores = scores }, out _);
        for (int i = 0; i < rows.Length; i++)
        {
            ClassificationStatistics statistics = records[i].Statistics((int)rows[i].Class, out bool exact);
            Assert.True(exact);
            Assert.Equal(columns[i].Loss, statistics.Loss, 1e-5 * (1 + columns[i].Loss));
            Assert.Equal(columns[i].GradientNorm, statistics.GradientNorm, 5e-4);
        }
    }

    [Fact]
    public void View_HandsRowsOn_AndEachPassAppendsOnce()
    {
        using var folder = new LogFolder();
        Row[] rows = Rows(30);
        using (var log = new ForwardRecordLog<MulticlassRecord>(folder.Path, LogFolder.Small))
        {
            IDataView input = _ml.Data.LoadFromEnumerable(rows);
            LoggedRows<MulticlassRecord> view = _ml.ForwardSampling()
                .RecordTo(input, log, new RecordToOptions { ScoreColumnName = "Scores" });
            Assert.Equal(0, log.Report.Appended);
            DataViewSchema.Column[] read = [view.Schema["Scores"], view.Schema["Score"], view.Schema["Label"]];
            Assert.Equal(ViewContract.Read(input.GetRowCursor(read)), ViewContract.Read(view.GetRowCursor(read)));
            Assert.Equal(30, log.Report.Appended);
            Assert.Equal(30, view.GetRowCursorSet([], 4).Sum(cursor =>
            {
                int count = 0;
                using (cursor)
                {
                    while (cursor.MoveNext())
                        count++;
                }

                return count;
            }));
            Assert.Equal((60, 60), (log.Report.Appended, view.Report.Records));
            using (DataViewRowCursor early = view.GetRowCursor([]))
                Assert.True(early.MoveNext());
            Assert.Equal(61, log.Report.Appended);
        }

        using var reader = new ForwardRecordReader<MulticlassRecord>(folder.Path);
        Assert.Equal(rows.Concat(rows).Select(r => r.Key).Append(rows[0].Key), LogFolder.ReadAll(reader).Select(r => r.Key));
    }

    [Fact]
    public void View_KeepsTheContractOfDataViews()
    {
        using var folder = new LogFolder();
        using var log = new ForwardRecordLog<BinaryRecord>(folder.Path, LogFolder.Small);
        IDataView input = _ml.Transforms.DropColumns("Key").Fit(_ml.Data.LoadFromEnumerable(Rows(20)))
            .Transform(_ml.Data.LoadFromEnumerable(Rows(20)));
        ViewContract.Check(_ml.ForwardSampling().RecordTo(input, log, new RecordToOptions { KeyColumnName = "Name" }));
    }

    /// <summary>A model's score is computed once a row, for the reader and the record together.</summary>
    [Fact]
    public void Score_ReadByBoth_IsComputedOnce()
    {
        using var folder = new LogFolder();
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small);
        int computed = 0;
        var mapping = _ml.Transforms.CustomMapping<Row, Scored>((row, scored) =>
        {
            Interlocked.Increment(ref computed);
            scored.NewScore = row.Score + 1;
        }, contractName: null);
        IDataView input = _ml.Data.LoadFromEnumerable(Rows(50));
        IDataView view = _ml.ForwardSampling().RecordTo(mapping.Fit(input).Transform(input), log,
            new RecordToOptions { ScoreColumnName = "NewScore" });
        DataViewRowCursor cursor = Assert.Single(view.GetRowCursorSet([view.Schema["NewScore"]], 1));
        ValueGetter<float> score = cursor.GetGetter<float>(view.Schema["NewScore"]);
        float value = 0;
        while (cursor.MoveNext())
        {
            score(ref value);
            score(ref value);
        }

        cursor.Dispose();
        Assert.Equal(50, computed);
    }

    /// <summary>A lazy cursor computes the model anew for each column: a record from a probability asks for the score only where the
    /// probability is exactly 0 or 1.</summary>
    [Fact]
    public void ScoreBehindAProbability_IsReadOnlyAtItsEnds()
    {
        using var folder = new LogFolder();
        Row[] rows = Rows(20);
        (rows[3].Probability, rows[3].Score) = (1, 40);
        (rows[7].Probability, rows[7].Score) = (0, -30);
        rows[9].Probability = float.NaN;
        int computed = 0;
        var mapping = _ml.Transforms.CustomMapping<Row, Scored>((row, scored) =>
        {
            computed++;
            scored.NewScore = row.Score;
        }, contractName: null);
        IDataView input = _ml.Data.LoadFromEnumerable(rows);
        using (var log = new ForwardRecordLog<BinaryRecord>(folder.Path))
        {
            IDataView view = _ml.ForwardSampling().RecordTo(mapping.Fit(input).Transform(input), log,
                new RecordToOptions { ScoreColumnName = "NewScore" });
            DataViewSchema.Column probability = view.Schema["Probability"];
            using DataViewRowCursor cursor = Assert.Single(view.GetRowCursorSet([probability], 1));
            ValueGetter<float> getter = cursor.GetGetter<float>(probability);
            float value = 0;
            for (int i = 0; cursor.MoveNext(); i++)
            {
                getter(ref value);
                Assert.Equal(rows[i].Probability, value);
            }
        }

        Assert.Equal(2, computed);
        using var reader = new ForwardRecordReader<BinaryRecord>(folder.Path);
        Assert.Equal(rows.Select(r => BinaryRecord.FromProbability(r.Key, r.Probability, r.Score).LogOdds),
            LogFolder.ReadAll(reader).Select(r => r.LogOdds));
    }

    [Fact]
    public void TextKey_IsHashed_AndAnEmptyOneIsCounted()
    {
        using var folder = new LogFolder();
        Row[] rows = Rows(5);
        rows[3].Name = "";
        RegressionRecord[] records = Drain<RegressionRecord>(folder, rows, new RecordToOptions { KeyColumnName = "Name" },
            out LoggedRowsReport report);
        Assert.Equal(new LoggedRowsReport { Rows = 5, Records = 4, WithoutKey = 1 }, report);
        Assert.Equal(rows.Where(r => r.Name != "").Select(r => RecordKey.FromString(r.Name)), records.Select(r => r.Key));
    }

    /// <summary>Kept at random: the weights 1 / probability add up to the number of rows, within four standard deviations; each pass draws
    /// anew.</summary>
    [Fact]
    public void KeepingProbability_WeightsStandForAllRows()
    {
        const int Count = 20_000;
        using var folder = new LogFolder();
        Row[] rows = Rows(Count);
        var options = new RecordToOptions { KeepingProbability = 0.3, Seed = 4 };
        RegressionRecord[] records = Drain<RegressionRecord>(folder, rows, options, out LoggedRowsReport report);
        Assert.Equal((Count, records.Length), (report.Records + report.NotDrawn, report.Records));
        double p = records[0].KeepingProbability;
        Assert.Equal(0.3, p, 1e-4);
        Assert.InRange(records.Sum(r => 1.0 / r.KeepingProbability), Count - (4 * Math.Sqrt(Count * (1 - p) / p)),
            Count + (4 * Math.Sqrt(Count * (1 - p) / p)));

        using var other = new LogFolder();
        Assert.Equal(records.Select(r => r.Key), Drain<RegressionRecord>(other, rows, options, out _).Select(r => r.Key));
        using var third = new LogFolder();
        Assert.NotEqual(records.Select(r => r.Key),
            Drain<RegressionRecord>(third, rows, options with { Seed = 5 }, out _).Select(r => r.Key));
    }

    /// <summary>A service that scores one row a request: with a seed of 0 for every view it recorded nothing for ever, or
    /// everything.</summary>
    [Fact]
    public void KeepingProbability_OneRowAView_IsDrawnAnewInEachView()
    {
        using var folder = new LogFolder();
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small);
        Row[] rows = Rows(400);
        foreach (Row row in rows)
            _ml.ForwardSampling().AppendRecords(_ml.Data.LoadFromEnumerable([row]), log, new RecordToOptions { KeepingProbability = 0.5 });

        // 400 fair draws: six standard deviations of 10.
        Assert.InRange(log.Report.Appended, 140, 260);
    }

    [Fact]
    public void Seed_TwoViewsOverOneLog_DrawDifferently()
    {
        using var folder = new LogFolder();
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small);
        var options = new RecordToOptions { KeepingProbability = 0.5, Seed = 3 };
        IDataView rows = _ml.Data.LoadFromEnumerable(Rows(100));
        for (int view = 0; view < 2; view++)
            _ml.ForwardSampling().AppendRecords(rows, log, options);

        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        int[] times = [.. LogFolder.ReadAll(reader).GroupBy(record => record.Key).Select(group => group.Count())];
        Assert.Contains(1, times);
        Assert.Contains(2, times);
    }

    public static TheoryData<string, ulong> IntegerKeys => new()
    {
        { "UInt64", ulong.MaxValue - 1 }, { "Int64", unchecked((ulong)-2L) }, { "UInt32", 4_000_000_000 },
            { "Int32", unchecked((ulong)-3L) },
        // raw: ML.NET counts the property's values from 0, and its own from 1
        { "UInt16", 65_000 }, { "Int16", unchecked((ulong)-4L) }, { "Byte", 200 }, { "SByte", unchecked((ulong)-5L) }, { "Key", 3 },
    };

    [Theory, MemberData(nameof(IntegerKeys))]
    public void Key_OfEveryIntegerType_IsRecordedWithItsBits(string column, ulong expected)
    {
        using var folder = new LogFolder();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
            _ml.ForwardSampling().AppendRecords(_ml.Data.LoadFromEnumerable([new IntegerRow()]), log,
                new RecordToOptions { KeyColumnName = column });

        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        Assert.Equal(expected, Assert.Single(LogFolder.ReadAll(reader)).Key);
    }

    [Fact]
    public void AppendRecords_Cancelled_KeepsWhatWasAppended()
    {
        using var folder = new LogFolder();
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => _ml.ForwardSampling()
            .AppendRecords(_ml.Data.LoadFromEnumerable(Rows(5)), log, null, cancelled.Token));
        Assert.Equal(1, log.Report.Appended);
    }

    [Fact]
    public void Columns_MissingOrOfAWrongType_AreNamedWhenTheViewIsMade()
    {
        using var folder = new LogFolder();
        IDataView rows = _ml.Data.LoadFromEnumerable(Rows(1));
        using var numbers = new ForwardRecordLog<RegressionRecord>(Path.Combine(folder.Path, "a"));
        using var classes = new ForwardRecordLog<MulticlassRecord>(Path.Combine(folder.Path, "b"));
        using var binary = new ForwardRecordLog<BinaryRecord>(Path.Combine(folder.Path, "c"));
        Refused("Schema mismatch for key column 'Id': expected an integer, Key or String, got no such column. The key is what the row's "
            + "record was made with", numbers, new RecordToOptions { KeyColumnName = "Id" });
        Refused("Schema mismatch for key column 'Label': expected an integer, Key or String, got Single.", numbers,
            new RecordToOptions { KeyColumnName = "Label" });
        Refused("Schema mismatch for score column 'S': expected Single, got no such column. The model adds this column, and the log "
            + "holds records of type RegressionRecord;", numbers, new RecordToOptions { ScoreColumnName = "S" });
        Refused("Schema mismatch for score column 'Scores': expected Single, got Vector<Single, 3>.", numbers,
            new RecordToOptions { ScoreColumnName = "Scores" });
        Refused("Schema mismatch for score column 'Score': expected Vector<Single>, got Single.", classes, new RecordToOptions());
        Refused("Schema mismatch for probability column 'Name': expected Single, got String.", binary,
            new RecordToOptions { ProbabilityColumnName = "Name" });
        Assert.Throws<ArgumentNullException>(() => _ml.ForwardSampling().RecordTo<RegressionRecord>(rows, null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RecordToOptions { KeepingProbability = 0 });
        Assert.Throws<ArgumentException>(() => new RecordToOptions { KeyColumnName = " " });

        void Refused<TRecord>(string message, ForwardRecordLog<TRecord> log, RecordToOptions options)
            where TRecord : struct, IForwardRecord<TRecord>
            => Assert.StartsWith(message, Assert.Throws<ArgumentOutOfRangeException>(
                () => _ml.ForwardSampling().RecordTo(rows, log, options)).Message, StringComparison.Ordinal);
    }

    private static Row[] Rows(int count)
    {
        var random = new Random(2);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            float score = (float)(4 * random.NextDouble()) - 2;
            float[] logits = [3 * random.NextSingle(), 3 * random.NextSingle(), 3 * random.NextSingle()];
            float sum = logits.Sum(MathF.Exp);
            return new Row
            {
                Key = (ulong)random.NextInt64(),
                Name = $"row {i}",
                Score = score,
                Probability = 1 / (1 + MathF.Exp(-score)),
                Logits = logits,
                Scores = [.. logits.Select(z => MathF.Exp(z) / sum)],
                Label = random.NextSingle(),
                Flag = random.Next(2) == 0,
                Class = (uint)random.Next(3),
            };
        })];
    }

    private TRecord[] Drain<TRecord>(LogFolder folder, Row[] rows, RecordToOptions options, out LoggedRowsReport report)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        using var log = new ForwardRecordLog<TRecord>(folder.Path);
        report = _ml.ForwardSampling().AppendRecords(_ml.Data.LoadFromEnumerable(rows), log, options);
        Assert.Equal(report.Records, log.Acknowledged);
        using var reader = new ForwardRecordReader<TRecord>(folder.Path);
        return LogFolder.ReadAll(reader);
    }

    /// <summary>What RecordForwardPass says of scores that stand there already.</summary>
    private ForwardNumbers[] Columns(Row[] rows, ForwardRecordingOptions options)
    {
        IDataView data = _ml.Data.LoadFromEnumerable(rows);
        ITransformer nothing = _ml.Transforms.CopyColumns("Copy", "Label").Fit(data);
        return [.. _ml.Data.CreateEnumerable<ForwardNumbers>(
            _ml.ForwardSampling().RecordForwardPass(nothing, options).Fit(data).Transform(data), reuseRowObject: false)];
    }

    private sealed class ForwardNumbers
    {
        [ColumnName(ForwardColumns.Loss)]
        public float Loss { get; set; }

        [ColumnName(ForwardColumns.GradientNorm)]
        public float GradientNorm { get; set; }
    }

    private sealed class Scored
    {
        public float NewScore { get; set; }
    }

    private sealed class IntegerRow
    {
        public ulong UInt64 { get; set; } = ulong.MaxValue - 1;

        public long Int64 { get; set; } = -2;

        public uint UInt32 { get; set; } = 4_000_000_000;

        public int Int32 { get; set; } = -3;

        public ushort UInt16 { get; set; } = 65_000;

        public short Int16 { get; set; } = -4;

        public byte Byte { get; set; } = 200;

        public sbyte SByte { get; set; } = -5;

        [KeyType(3)]
        public uint Key { get; set; } = 2;

        public float Score { get; set; } = 1;
    }

    private sealed class Row
    {
        public ulong Key { get; set; }

        public string Name { get; set; } = "";

        public float Score { get; set; }

        public float Probability { get; set; }

        [VectorType(3)]
        public float[] Scores { get; set; } = [0, 0, 0];

        [VectorType(3)]
        public float[] Logits { get; set; } = [0, 0, 0];

        public float Label { get; set; }

        public bool Flag { get; set; }

        [KeyType(3)]
        public uint Class { get; set; }
    }
}
