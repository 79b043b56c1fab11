using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

public class WriterTests(StoreFixture fixture)
{
    private static readonly DateTime s_time = new(2026, 3, 29, 1, 2, 3, 456, 789, DateTimeKind.Utc);

    [Fact]
    public async Task Records_OfEachKind_ComeBackWithTheirStatistics()
    {
        await RoundTrip([new RegressionRecord(ulong.MaxValue, -1.5f, ulong.MaxValue, s_time, 0.25f),
            new RegressionRecord(0, float.NaN, 1, DateTime.UnixEpoch)], 3);
        await RoundTrip([BinaryRecord.FromScore(1UL << 63, 0.3f, 7, s_time, 1f / 65536),
            BinaryRecord.FromScore(2, float.NegativeInfinity, 7, s_time)], 1);
        await RoundTrip([MulticlassRecord.FromProbabilities(3, [0.1f, 0.2f, 0.3f, 0.25f, 0.15f], 9, s_time),
            MulticlassRecord.FromLogits(4, new float[60000], 9, s_time, 0.5f)], 4);

        async Task RoundTrip<TRecord>(TRecord[] records, float label)
            where TRecord : struct, IForwardRecord<TRecord>
        {
            PostgreSqlRecordStore<TRecord> store = await fixture.NewStore<TRecord>();
            await using (PostgreSqlRecordWriter<TRecord> writer = await store.OpenWriterAsync())
                Assert.Equal(records.Length, writer.Append(records));
            await store.AddLabelsAsync(Array.ConvertAll(records, r => new LabelEvent(r.Key, label, r.Time)));
            await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true);
            await using ClaimedWindow? window = await store.ClaimWindowAsync();
            Assert.Equal(records.Select(r => r.Join(label)).OrderBy(r => r.Key), window!.Records.OrderBy(r => r.Key));
        }
    }

    [Fact]
    public async Task Batch_SentAgainAfterItsAnswerWasLost_IsThereOnce()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;

        // The server commits the batch and then ends the connection in place of its answer.
        await fixture.Execute($"""
            CREATE FUNCTION {schema}.vanish() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.batch = 2 AND (SELECT count(*) FROM {schema}.vanished) = 0 THEN RAISE EXCEPTION 'refused'; END IF;
                RETURN NEW;
            END $$;
            CREATE TABLE {schema}.vanished (batch bigint);
            CREATE TRIGGER vanish BEFORE INSERT OR UPDATE ON {schema}.writers FOR EACH ROW EXECUTE FUNCTION {schema}.vanish();
            """);
        await using PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(
            new PostgreSqlWriterOptions { RetryInterval = TimeSpan.FromHours(1), LongestRetryInterval = TimeSpan.FromHours(1) });
        writer.Append(new RegressionRecord(1, 1));
        await writer.FlushAsync();
        writer.Append(new RegressionRecord(2, 2));
        IOException error = await Assert.ThrowsAsync<IOException>(() => writer.FlushAsync());
        Assert.Contains("refused", error.Message, StringComparison.Ordinal);
        Assert.Contains("1 records wait in memory", error.Message, StringComparison.Ordinal);

        // As if that try had been committed: its note and its record are there.
        await fixture.Execute($"INSERT INTO {schema}.vanished VALUES (2); UPDATE {schema}.writers SET batch = 2; INSERT INTO "
            + $"{schema}.records (key, scored, model_version, keeping, body) SELECT 2, scored, model_version, keeping, body FROM "
            + $"{schema}.records");
        writer.Append(new RegressionRecord(3, 3));
        await writer.FlushAsync();
        Assert.Equal("1,2,3", await fixture.Scalar<string>($"SELECT string_agg(key::text, ',' ORDER BY key) FROM {schema}.records"));
        Assert.Equal((3, 3, 3, 1, 1), (writer.Report.Appended, writer.Acknowledged, writer.Report.Batches, writer.Report.RepeatedBatches,
            writer.Report.Failures));
        Assert.Null(writer.Report.Failure);
    }

    [Fact]
    public async Task ConnectionCut_WhileWriting_EachRecordIsThereOnce()
    {
        await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;
        await using var store = new PostgreSqlRecordStore<RegressionRecord>(fixture.Server.ConnectionString + ";Application Name=cut",
            new PostgreSqlStoreOptions { Schema = schema });
        const int Records = 6000;
        await using (PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(
            new PostgreSqlWriterOptions
            {
                BatchRecords = 64,
                MemoryRecords = Records,
                RetryInterval = TimeSpan.FromMilliseconds(1),
                LongestRetryInterval = TimeSpan.FromMilliseconds(5)
            }))
        {
            for (ulong i = 0; i < Records; i++)
                writer.Append(new RegressionRecord(i, i));
            while (writer.Acknowledged < Records)
            {
                await fixture.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut'");
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }

            Assert.True(writer.Report.Failures > 0);
        }

        Assert.Equal((long)Records, await fixture.Scalar<long>($"SELECT count(*) FROM {schema}.records"));
        Assert.Equal((long)Records, await fixture.Scalar<long>($"SELECT count(DISTINCT key) FROM {schema}.records"));
        Assert.Equal(Records, (long)await fixture.Scalar<decimal>($"SELECT sum(records) FROM {schema}.writers"));
    }

    [Fact]
    public async Task ServerRefuses_AppendThrowsOnceMemoryIsFull_DisposeSaysHowManyAreLost()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;
        PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(
            new PostgreSqlWriterOptions
            {
                BatchRecords = 2,
                MemoryRecords = 5,
                RetryInterval = TimeSpan.FromMilliseconds(1),
                LongestRetryInterval = TimeSpan.FromMilliseconds(2)
            });
        await fixture.Execute($"ALTER TABLE {schema}.records RENAME TO away");
        IOException full = Assert.Throws<IOException>(() =>
        {
            for (ulong i = 0; i < 6; i++)
                writer.Append(new RegressionRecord(i, i));
        });
        Assert.Contains("5 records wait in memory", full.Message, StringComparison.Ordinal);
        IOException lost = Assert.Throws<IOException>(writer.Dispose);
        Assert.StartsWith($"The writer to \"{schema}\" was closed while the server refused or was gone: 5 of 5 records were never "
            + $"acknowledged and are lost.", lost.Message, StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => writer.Append(new RegressionRecord(1, 1)));
        writer.Dispose();
    }

    [Fact]
    public async Task DropAndRecord_ServerRefuses_KeptRecordsStandForTheThinnedOnes()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;
        const int Records = 4000;
        await using (PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(
            new PostgreSqlWriterOptions
            {
                Overflow = RecordOverflow.DropAndRecord,
                BatchRecords = 1000,
                MemoryRecords = 2000,
                RetryInterval = TimeSpan.FromMilliseconds(1),
                Seed = 1
            }))
        {
            await fixture.Execute($"ALTER TABLE {schema}.records RENAME TO away");
            for (ulong i = 0; i < Records; i++)
                writer.Append(new RegressionRecord(i, i));
            PostgreSqlWriterReport report = writer.Report;
            Assert.Equal(Records, report.Appended + report.Thinned + report.Dropped);
            Assert.True(report.Thinned > 1000 && report.Dropped == 0);
            await fixture.Execute($"ALTER TABLE {schema}.away RENAME TO records");
        }

        await store.AddLabelsAsync(Enumerable.Range(0, Records).Select(i => new LabelEvent((ulong)i, 0)).ToArray());
        await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true);
        await using ClaimedWindow? window = await store.ClaimWindowAsync();
        // Each record that was offered when only one in w was kept stands for w, with variance w (w - 1): some 6 % of the sum here.
        double variance = window!.Records.Sum(r => r.RecordWeight * (r.RecordWeight - 1));
        Assert.InRange(Math.Sqrt(variance), 0.01 * Records, 0.1 * Records);
        Assert.InRange(window.Records.Sum(r => r.RecordWeight), Records - (4 * Math.Sqrt(variance)), Records + (4 * Math.Sqrt(variance)));
        Assert.Contains(window.Records, r => r.KeepingProbability < 0.3f);
    }

    [Fact]
    public async Task LabelWriter_RefusedAndSentAgain_EachLabelIsThereOnce()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;
        var options = new PostgreSqlWriterOptions { BatchRecords = 4, MemoryRecords = 64, RetryInterval = TimeSpan.FromMilliseconds(1) };
        await using (PostgreSqlLabelWriter writer = await store.OpenLabelWriterAsync(options))
        {
            writer.Append([new LabelEvent(1, 1, s_time), new LabelEvent(1, 1, s_time), new LabelEvent(1, 2, s_time)]);
            await writer.FlushAsync();
            await fixture.Execute($"ALTER TABLE {schema}.labels RENAME TO away");
            writer.Append(new LabelEvent(2, float.NaN));                 // stamped when it is appended
            Assert.StartsWith($"The writer of labels to \"{schema}\" cannot write: ",
                (await Assert.ThrowsAsync<IOException>(() => writer.FlushAsync())).Message, StringComparison.Ordinal);
            await fixture.Execute($"ALTER TABLE {schema}.away RENAME TO labels");
            // By itself: a Flush could still be told of an attempt that began before.
            for (long until = Environment.TickCount64 + 30_000; writer.Acknowledged < 4; await Task.Delay(5))
                Assert.True(Environment.TickCount64 < until, "The writer did not try again.");
            for (ulong key = 3; key < 20; key++)
                writer.Append(new LabelEvent(key, key, s_time));
            await writer.FlushAsync();
            Assert.Equal((21, 21, true), (writer.Report.Appended, writer.Acknowledged, writer.Report.Failures > 0));
            Assert.Equal(20L, await fixture.Scalar<long>($"SELECT count(*) FROM {schema}.labels"));
            Assert.InRange(await fixture.Scalar<DateTime>($"SELECT known FROM {schema}.labels WHERE key = 2"),
                DateTime.UtcNow.AddMinutes(-1), DateTime.UtcNow);
        }

        Assert.Contains("must be Block for labels",
            (await Assert.ThrowsAsync<ArgumentException>(() => store.OpenLabelWriterAsync(
            new PostgreSqlWriterOptions { Overflow = RecordOverflow.DropAndRecord }))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Append_AllocatesNothing()
    {
        PostgreSqlRecordStore<BinaryRecord> store = await fixture.NewStore<BinaryRecord>();
        await using PostgreSqlRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync();
        var records = new BinaryRecord[100];
        Array.Fill(records, BinaryRecord.FromScore(1, 1));
        Append();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Append();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Append()
        {
            for (int i = 0; i < records.Length; i++)
                writer.Append(in records[i]);
            writer.Append(records);
        }
    }

    [Fact]
    public async Task Flush_OfManyThreads_EachSeesItsOwnRecords()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        await using PostgreSqlRecordWriter<RegressionRecord> writer =
            await store.OpenWriterAsync(new PostgreSqlWriterOptions { FlushInterval = TimeSpan.FromHours(1) });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(t => Task.Run(async () =>
        {
            for (ulong i = 0; i < 20; i++)
            {
                long number = writer.Append(new RegressionRecord(((ulong)t << 32) | i, i));
                await writer.FlushAsync();
                Assert.True(writer.Acknowledged >= number);
            }
        })));
        Assert.Equal(160L, await fixture.Scalar<long>($"SELECT count(DISTINCT key) FROM {fixture.LastSchema}.records"));
    }
}
