using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

public class JoinTests(StoreFixture fixture)
{
    private static readonly LabelJoinOptions s_short = new() { Wait = TimeSpan.FromMilliseconds(1), Lateness = TimeSpan.Zero };
    private static readonly DateTime s_time = new(2026, 3, 29, 1, 2, 3, DateTimeKind.Utc);

    [Theory]
    [InlineData(DuplicateLabels.First, 3)]
    [InlineData(DuplicateLabels.Last, -2)]
    [InlineData(DuplicateLabels.Sum, 6)]
    [InlineData(DuplicateLabels.Mean, 2)]
    public async Task Duplicates_FollowTheRule_InTheOrderOfArrival_AndAReplayChangesNothing(DuplicateLabels rule, float expected)
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        await Write(store, new RegressionRecord(1, 10, 5, s_time));
        LabelEvent[] labels = [new(1, 3, s_time.AddTicks(500)), new(1, 5, s_time), new(1, -2, s_time.AddTicks(-300))];
        foreach (LabelEvent label in labels)
            Assert.Equal(1, await store.AddLabelsAsync(new[] { label }));
        Assert.Equal(0, await store.AddLabelsAsync(labels));
        await Task.Delay(5);
        Assert.Equal(1, await store.JoinAsync(s_short with { Duplicates = rule }, closeShortWindow: true));

        // All of it again.
        await Write(store, new RegressionRecord(1, 10, 5, s_time));
        await store.AddLabelsAsync(labels);
        await Task.Delay(5);
        Assert.Equal(0, await store.JoinAsync(s_short with { Duplicates = rule }, closeShortWindow: true));
        PostgreSqlStoreReport report = await store.ReportAsync();
        Assert.Equal((1, 1, 0, 1), (report.Joined, report.DuplicateRecords, report.PendingRecords, report.Windows));
        await using ClaimedWindow? window = await store.ClaimWindowAsync();
        Assert.Equal(new RegressionRecord(1, 10, 5, s_time).Join(expected), Assert.Single(window!.Records));
    }

    [Fact]
    public async Task WhileLabelsStreamIn_EachCallEnds()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        Task[] adding = [.. Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
        {
            for (ulong key = (ulong)n << 32; !stop.IsCancellationRequested; key++)
                await store.AddLabelsAsync(new LabelEvent[] { new(key, 0, s_time) });
        }))];

        int calls = 0;
        for (; calls < 5; calls++)
            await store.JoinAsync(new LabelJoinOptions(), cancellationToken: stop.Token);

        Assert.Equal(5, calls);
        await stop.CancelAsync();
        await Task.WhenAll(adding);
    }

    [Fact]
    public async Task SameLabelsFromTwo_InOppositeOrder_DoNotWaitForEachOther()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        for (ulong key = 0; key < 5; key++)
        {
            LabelEvent[] labels = [.. Enumerable.Range(0, 4000).Select(i => new LabelEvent(key, i, s_time.AddMilliseconds(i)))];
            LabelEvent[] reversed = [.. labels.Reverse()];
            long[] added = await Task.WhenAll(Task.Run(() => store.AddLabelsAsync(labels)), Task.Run(() => store.AddLabelsAsync(reversed)));
            Assert.Equal(labels.Length, added.Sum());
        }
    }

    [Theory]
    [InlineData(nameof(PostgreSqlStoreOptions.RecordRetention))]
    [InlineData(nameof(PostgreSqlStoreOptions.LabelRetention))]
    public async Task Retention_ShorterThanTheWait_IsRefused(string option)
    {
        TimeSpan kept = TimeSpan.FromMinutes(10);
        var options = new PostgreSqlStoreOptions();
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(option == nameof(options.LabelRetention)
            ? options with { LabelRetention = kept } : options with { RecordRetention = kept });
        var join = new LabelJoinOptions { Wait = TimeSpan.FromMinutes(9), Lateness = TimeSpan.FromMinutes(2) };
        Assert.Equal(
            $"PostgreSqlStoreOptions.{option} must be at least Wait + Lateness, 00:11:00: what waits would be dropped. Got 00:10:00. "
                + $"(Parameter 'options')",
            (await Assert.ThrowsAsync<ArgumentException>(() => store.JoinAsync(join))).Message);
        Assert.Equal(0, await store.JoinAsync(join with { Lateness = TimeSpan.FromMinutes(1) }));
    }

    /// <summary>A joiner has the progress and is about to take a label that maintenance finds too old.</summary>
    [Fact]
    public async Task Maintain_BesideAJoiner_DoesNotWaitInACircle()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { LabelRetention = TimeSpan.FromSeconds(1) });
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 1, s_time) });
        await Task.Delay(1100);
        string schema = fixture.LastSchema;
        await using NpgsqlConnection joiner = await fixture.Source.OpenConnectionAsync();
        await using NpgsqlTransaction transaction = await joiner.BeginTransactionAsync();
        await Execute($"SELECT FROM {schema}.progress FOR UPDATE");
        Task<int> maintaining = store.MaintainAsync();
        await Task.Delay(300);
        await Execute($"DELETE FROM {schema}.labels");
        await transaction.CommitAsync();
        await maintaining;
        Assert.Equal(0, (await store.ReportAsync()).OrphanLabels);

        async Task Execute(string sql)
        {
            await using var command = new NpgsqlCommand(sql, joiner, transaction);
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>A worker has a window and is about to read its rows, which retention would drop.</summary>
    [Fact]
    public async Task DropPartitions_WhoseWindowAWorkerHas_LeavesThemToTheNextCall_AndHoldsNobodyUp()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        await Write(store, new RegressionRecord(1, 1, 0, s_time));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 1, s_time) });
        Assert.Equal(1, await store.JoinAsync(s_short with { Wait = TimeSpan.FromDays(1) }, closeShortWindow: true));
        string schema = fixture.LastSchema;
        await using (NpgsqlConnection worker = await fixture.Source.OpenConnectionAsync())
        await using (NpgsqlTransaction transaction = await worker.BeginTransactionAsync())
        {
            await Execute($"SELECT FROM {schema}.windows FOR UPDATE");
            await Drop();
            Assert.Equal((0, 1), ((await store.ReportAsync()).DroppedRows, (await store.ReportAsync()).OpenWindows));
            await Execute($"SELECT 1 / count(*) FROM {schema}.joined");

            async Task Execute(string sql)
            {
                await using var command = new NpgsqlCommand(sql, worker, transaction);
                await command.ExecuteNonQueryAsync();
            }
        }

        await Drop();
        Assert.Equal((1, 0), ((await store.ReportAsync()).DroppedRows, (await store.ReportAsync()).OpenWindows));
        Assert.Equal(0L, await fixture.Scalar<long>($"SELECT count(*) FROM {schema}.partitions WHERE parent = 'joined'"));

        Task Drop() => fixture.Execute(
            $"BEGIN; SET LOCAL statement_timeout = '5s'; SELECT {schema}.drop_partitions('-infinity', now() + interval '9 days'); COMMIT");
    }

    /// <summary>A worker that takes its time has read all partitions by way of their parent.</summary>
    [Fact]
    public async Task DropPartitions_WhileAWindowIsClaimed_LeavesThemToTheNextCall_AndHoldsNobodyUp()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;
        await fixture.Execute($"""
            CREATE TABLE {schema}.joined_old PARTITION OF {schema}.joined FOR VALUES FROM ('2000-01-01') TO ('2000-01-02');
            INSERT INTO {schema}.partitions VALUES ('joined_old', 'joined', '2000-01-01', '2000-01-02');
            """);
        await Write(store, new RegressionRecord(1, 1, 0, s_time));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 1, s_time) });
        await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true);
        await using (ClaimedWindow? window = await store.ClaimWindowAsync())
        {
            Task<int> maintaining = store.MaintainAsync();
            await Task.Delay(100);
            await Write(store, new RegressionRecord(2, 1, 0, s_time));
            Assert.Null(await store.ClaimWindowAsync());
            await store.JoinAsync(new LabelJoinOptions());
            Assert.Equal(0, await maintaining);
        }

        Assert.Equal(1, await store.MaintainAsync());
        Assert.Equal(0L, await fixture.Scalar<long>($"SELECT count(*) FROM {schema}.partitions WHERE name = 'joined_old'"));
    }

    /// <summary>However many partitions are due, a table that is being read is waited for once; and who comes later waits for that second
    /// only.</summary>
    [Fact]
    public async Task DropPartitions_ManyWhileAWindowIsClaimed_WaitsOnce()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;
        for (int day = 1; day < 9; day++)
        {
            await fixture.Execute($"""
                CREATE TABLE {schema}.joined_{day} PARTITION OF {schema}.joined FOR VALUES FROM ('2000-01-0{day}') TO ('2000-01-0{day + 1}');
                INSERT INTO {schema}.partitions VALUES ('joined_{day}', 'joined', '2000-01-0{day}', '2000-01-0{day + 1}');
                """);
        }

        await Write(store, new RegressionRecord(1, 1, 0, s_time));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 1, s_time) });
        await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true);
        await using (ClaimedWindow? window = await store.ClaimWindowAsync())
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            Assert.Equal(0, await store.MaintainAsync());
            Assert.InRange(clock.Elapsed.TotalSeconds, 0.9, 5);
        }

        Assert.Equal(8, await store.MaintainAsync());
    }

    /// <summary>A transaction that began long ago is still writing into a partition that retention would drop: what it adds is not lost
    /// without a count.</summary>
    [Fact]
    public async Task DropPartitions_WhileSomebodyStillWritesIntoOne_LeavesItToTheNextCall()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;
        await fixture.Execute($"""
            CREATE TABLE {schema}.records_old PARTITION OF {schema}.records FOR VALUES FROM ('2000-01-01') TO ('2000-01-02');
            INSERT INTO {schema}.partitions VALUES ('records_old', 'records', '2000-01-01', '2000-01-02');
            """);
        await using (NpgsqlConnection writer = await fixture.Source.OpenConnectionAsync())
        await using (NpgsqlTransaction transaction = await writer.BeginTransactionAsync())
        {
            await using (var insert = new NpgsqlCommand(
                $"INSERT INTO {schema}.records (stored, key, scored, model_version, keeping, body) VALUES ('2000-01-01 12:00', 1, now(), "
                + $"1, 0, '')", writer, transaction))
                await insert.ExecuteNonQueryAsync();
            Task<int> maintaining = store.MaintainAsync();
            await Task.Delay(300);
            await transaction.CommitAsync();
            await maintaining;
        }

        await store.MaintainAsync();
        Assert.Equal((1, 0), ((await store.ReportAsync()).DroppedRecords, (await store.ReportAsync()).PendingRecords));
    }

    /// <summary>The first of the call's transactions takes longer than partitions were made ahead for.</summary>
    [Fact]
    public async Task Join_LongerThanPartitionsWereMadeAhead_MakesMore()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { PartitionInterval = TimeSpan.FromSeconds(1), PartitionsAhead = 1 });
        string schema = fixture.LastSchema;
        await fixture.Execute($"""
            CREATE FUNCTION {schema}.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2.2) FROM {schema}.progress WHERE join_partition = 0 AND joined = 0; RETURN NULL; END $$;
            CREATE TRIGGER slow BEFORE DELETE ON {schema}.labels EXECUTE FUNCTION {schema}.slow();
            """);
        await Write(store, new RegressionRecord(1, 1), new RegressionRecord(2, 1));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 1) });
        await Task.Delay(5);
        Assert.Equal(2, await store.JoinAsync(
            s_short with { Wait = TimeSpan.FromMilliseconds(1), Lateness = TimeSpan.Zero, DefaultLabel = 0 }));
    }

    /// <summary>As when a disk is slow, or other joiners have their turn first.</summary>
    [Fact]
    public async Task Join_WaitsLongerThanTheCommandTimeout_AndEndsWhenCancelled()
    {
        await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;
        await using var store = new PostgreSqlRecordStore<RegressionRecord>(
            fixture.Server.ConnectionString.Replace("Command Timeout=20", "Command Timeout=1", StringComparison.Ordinal),
            new PostgreSqlStoreOptions { Schema = schema });
        await Write(store, new RegressionRecord(1, 1));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 1) });
        await using NpgsqlConnection other = await fixture.Source.OpenConnectionAsync();
        await using NpgsqlTransaction transaction = await other.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand($"SELECT FROM {schema}.progress FOR UPDATE", other, transaction))
            await command.ExecuteNonQueryAsync();
        using var cancel = new CancellationTokenSource(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => store.JoinAsync(new LabelJoinOptions(), cancellationToken: cancel.Token));
        Task<long> joining = store.JoinAsync(new LabelJoinOptions());
        await Task.Delay(1500);
        await transaction.RollbackAsync();
        Assert.Equal(1, await joining);
    }

    [Fact]
    public async Task First_JoinsAtOnce_OthersWait_WithoutALabelWaitIsOver()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        await Write(store, [.. Enumerable.Range(0, 4).Select(i => new RegressionRecord((ulong)i, i))]);
        await store.AddLabelsAsync(new LabelEvent[] { new(0, 0), new(9, 0) });
        var patient = new LabelJoinOptions();
        Assert.Equal(0, await store.JoinAsync(patient with { Duplicates = DuplicateLabels.Last }));
        Assert.Equal(1, await store.JoinAsync(patient));
        await store.AddLabelsAsync(new LabelEvent[] { new(0, 7), new(1, float.NaN) });
        Assert.Equal(0, await store.JoinAsync(patient));
        PostgreSqlStoreReport report = await store.ReportAsync();
        Assert.Equal((1, 1, 1, 2, 1), (report.Joined, report.Voided, report.LateLabels, report.PendingRecords, report.PendingLabels));

        await Task.Delay(5);
        Assert.Equal(2, await store.JoinAsync(s_short with { DefaultLabel = 0.5f }, closeShortWindow: true));
        await Write(store, new RegressionRecord(4, 4));
        await Task.Delay(5);
        Assert.Equal(0, await store.JoinAsync(s_short));
        report = await store.ReportAsync();
        Assert.Equal((1, 2, 1, 1, 0, 1),
            (report.Joined, report.Defaulted, report.Expired, report.Voided, report.PendingRecords, report.PendingLabels));
        await using ClaimedWindow? window = await store.ClaimWindowAsync();
        Assert.Equal([(0UL, 0f, false), (2UL, 0.5f, true), (3UL, 0.5f, true)],
            window!.Records.Select(r => (r.Key, r.Label, r.IsDefaultLabel)));
    }

    [Fact]
    public async Task Label_TooFarInTimeOrNoClass_DoesNotJoin()
    {
        PostgreSqlRecordStore<MulticlassRecord> store = await fixture.NewStore<MulticlassRecord>();
        float[] scores = [1, 2, 3, 4];
        await Write(store, [.. Enumerable.Range(0, 6).Select(i => MulticlassRecord.FromLogits((ulong)i, scores, 1, s_time))]);
        await store.AddLabelsAsync(new LabelEvent[]
        {
            new(0, 1, s_time.AddMinutes(61)), new(1, 4, s_time), new(2, 1.5f, s_time), new(3, -1, s_time), new(4, float.NaN, s_time),
                new(5, 3, s_time.AddMinutes(-60)),
        });
        Assert.Equal(1, await store.JoinAsync(new LabelJoinOptions { Wait = TimeSpan.FromHours(1) }, closeShortWindow: true));
        PostgreSqlStoreReport report = await store.ReportAsync();
        Assert.Equal((1, 4, 1, 1), (report.Joined, report.Voided, report.PendingRecords, report.PendingLabels));
        await Assert.ThrowsAsync<ArgumentException>(() => store.JoinAsync(new LabelJoinOptions { Duplicates = DuplicateLabels.Mean }));
    }

    [Fact]
    public async Task Sum_BeyondASingle_IsVoidedAndStopsNothing()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        await Write(store, new RegressionRecord(1, 1, 1, s_time), new RegressionRecord(2, 1, 1, s_time));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 3e38f, s_time), new(1, 2e38f, s_time), new(2, 1, s_time) });
        await Task.Delay(5);
        Assert.Equal(1, await store.JoinAsync(s_short with { Duplicates = DuplicateLabels.Sum }));
        Assert.Equal(1, (await store.ReportAsync()).Voided);
    }

    /// <summary>In Berlin 24 hours before this label are a day and an hour: the clocks were set forward.</summary>
    [Fact]
    public async Task Wait_IsThatLong_WhateverTheSessionsTimeZone()
    {
        await fixture.NewStore<RegressionRecord>();
        var options = new PostgreSqlStoreOptions { Schema = fixture.LastSchema };
        await using var store = new PostgreSqlRecordStore<RegressionRecord>(fixture.Server.ConnectionString + ";Timezone=Europe/Berlin",
            options);
        var scored = new DateTime(2026, 3, 28, 12, 0, 0, DateTimeKind.Utc);
        await Write(store, new RegressionRecord(1, 1, 0, scored), new RegressionRecord(2, 1, 0, scored));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 7, scored.AddHours(24)), new(2, 7, scored.AddHours(24).AddMilliseconds(1)) });
        Assert.Equal(1, await store.JoinAsync(new LabelJoinOptions { Wait = TimeSpan.FromDays(1) }, closeShortWindow: true));
        await using ClaimedWindow? window = await store.ClaimWindowAsync();
        Assert.Equal((1UL, scored), (Assert.Single(window!.Records).Key, window.Records[0].ScoredAt));
    }

    [Fact]
    public async Task Label_BeforeItsRecord_JoinsAtOnceWithinLateness_ThenAtTheEndOfTheWait()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        string schema = fixture.LastSchema;
        var options = new LabelJoinOptions { Lateness = TimeSpan.FromMinutes(10) };
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 1), new(2, 2) });
        Assert.Equal(0, await store.JoinAsync(options));

        // The joins go on for eight minutes, and for thirty.
        await fixture.Execute($"UPDATE {schema}.labels SET stored = stored - CASE key WHEN 1 THEN interval '8 min' ELSE interval '30 "
            + $"min' END");
        await Write(store, new RegressionRecord(1, 1), new RegressionRecord(2, 2));
        Assert.Equal(1, await store.JoinAsync(options));
        Assert.Equal(1L, await fixture.Scalar<long>($"SELECT key FROM {schema}.joined"));
        Assert.Equal(1, await store.JoinAsync(s_short with { Wait = TimeSpan.FromSeconds(1), DefaultLabel = 9 }) + await LaterJoin());
        Assert.Equal(2f, await fixture.Scalar<float>($"SELECT label FROM {schema}.joined WHERE key = 2"));

        async Task<long> LaterJoin()
        {
            await Task.Delay(1100);
            return await store.JoinAsync(s_short with { Wait = TimeSpan.FromSeconds(1), DefaultLabel = 9 });
        }
    }

    [Fact]
    public async Task First_IsTheLabelStoredFirst_AlsoWhereAnEarlierJoinHasSeenItAlone()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        var options = new LabelJoinOptions { Lateness = TimeSpan.FromMinutes(10) };
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 1, s_time) });
        Assert.Equal(0, await store.JoinAsync(options));
        await fixture.Execute($"UPDATE {fixture.LastSchema}.labels SET stored = stored - interval '30 min'");
        await Write(store, new RegressionRecord(1, 1, 0, s_time));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 2, s_time) });
        Assert.Equal(1, await store.JoinAsync(options));
        Assert.Equal(1f, await fixture.Scalar<float>($"SELECT label FROM {fixture.LastSchema}.joined"));
    }

    /// <summary>As after a fail-over to a server whose clock is an hour behind.</summary>
    [Fact]
    public async Task Clock_SetBack_RecordsAreStillJoinedAsSoonAsALabelIsThere()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        Assert.Equal(0, await store.JoinAsync(new LabelJoinOptions()));
        await fixture.Execute($"UPDATE {fixture.LastSchema}.progress SET labels_seen = now() + interval '1 hour'");
        for (ulong key = 0; key < 2; key++)
        {
            await Write(store, new RegressionRecord(key, 1, 0, s_time));
            await store.AddLabelsAsync(new LabelEvent[] { new(key, 1, s_time) });
            Assert.Equal(1, await store.JoinAsync(new LabelJoinOptions()));
        }
    }

    [Fact]
    public async Task KeyThatComesAgain_IsARepetition_UnlessItWasScoredLongAfter()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        DateTime now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var options = s_short with { Wait = TimeSpan.FromMinutes(1), DefaultLabel = null };
        foreach (DateTime scored in new[] { now, now.AddDays(-9), now.AddMinutes(60), now.AddMinutes(62) })
        {
            await Write(store, new RegressionRecord(1, 1, 0, scored));
            await store.AddLabelsAsync(new LabelEvent[] { new(1, 1, scored) });
            await store.JoinAsync(options);
        }

        PostgreSqlStoreReport report = await store.ReportAsync();
        Assert.Equal((2, 2, 0, 0), (report.Joined, report.DuplicateRecords, report.PendingRecords, report.PendingLabels));
    }

    [Fact]
    public async Task SeveralLabelsInASlice_TheFirstStoredCounts_TheOthersAreLate()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>();
        await Write(store, new RegressionRecord(1, 1, 0, s_time), new RegressionRecord(2, 1, 0, s_time),
            new RegressionRecord(1, 2, 0, s_time));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 8, s_time.AddHours(2)) });
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 6, s_time.AddHours(-30)), new(1, 5, s_time), new(2, 3, s_time),
            new(1, 4, s_time.AddHours(1)) });
        Assert.Equal(2, await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        await using ClaimedWindow? window = await store.ClaimWindowAsync();
        Assert.Equal([(1UL, 8f), (2UL, 3f)], window!.Records.Select(r => (r.Key, r.Label)));
        PostgreSqlStoreReport report = await store.ReportAsync();
        Assert.Equal((1, 0, 0), (report.DuplicateRecords, report.PendingLabels, report.PendingRecords));
        Assert.Equal(3, report.LateLabels);
    }

    [Fact]
    public async Task Windows_AreConsecutiveAndWhole_HoweverManyJoin()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { WindowRows = 100 });
        for (int part = 0; part < 5; part++)
        {
            await Write(store, [.. Enumerable.Range(part * 130, 130).Select(i => new RegressionRecord((ulong)i, i))]);
            await store.AddLabelsAsync(Enumerable.Range(part * 130, 130).Select(i => new LabelEvent((ulong)i, 0)).ToArray());
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => store.JoinAsync(new LabelJoinOptions())));
        }

        Assert.Equal(6, (await store.ReportAsync()).Windows);
        await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true);
        await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true);
        var sizes = new List<int>();
        var keys = new HashSet<ulong>();
        while (await store.ClaimWindowAsync() is ClaimedWindow window)
        {
            await using (window)
            {
                Assert.Equal(sizes.Count, window.Number);
                sizes.Add(window.Records.Count);
                Assert.All(window.Records, r => Assert.True(keys.Add(r.Key)));
                await window.CompleteAsync([]);
            }
        }

        Assert.Equal([100, 100, 100, 100, 100, 100, 50], sizes);
        Assert.Equal(650, keys.Count);
    }

    private static async Task Write<TRecord>(PostgreSqlRecordStore<TRecord> store, params TRecord[] records)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        await using PostgreSqlRecordWriter<TRecord> writer = await store.OpenWriterAsync();
        writer.Append(records);
    }
}
