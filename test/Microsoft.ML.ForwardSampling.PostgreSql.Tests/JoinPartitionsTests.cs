using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

/// <summary>Several joiners side by side, each with partitions of the keys of its own.</summary>
public class JoinPartitionsTests(StoreFixture fixture)
{
    private static readonly DateTime s_time = new(2026, 3, 29, 1, 2, 3, DateTimeKind.Utc);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Join_SeveralAtOnce_EachRecordInOneWindow_WindowsNumberedWithoutGaps(int joiners)
    {
        var options = new PostgreSqlStoreOptions { WindowRows = 100, JoinPartitions = 4 };
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        PostgreSqlRecordStore<RegressionRecord>[] stores = [.. Enumerable.Range(0, joiners)
            .Select(_ => new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options with { Schema = fixture.LastSchema }))];
        long joined = 0;
        for (int part = 0; part < 5; part++)
        {
            await Write(store, [.. Enumerable.Range(part * 530, 530).Select(i => new RegressionRecord((ulong)-i, i))]);
            await store.AddLabelsAsync(Enumerable.Range(part * 530, 530).Select(i => new LabelEvent((ulong)-i, i)).ToArray());
            joined += (await Task.WhenAll(stores.Select(s => s.JoinAsync(new LabelJoinOptions())))).Sum();
            Assert.Equal(530 * (part + 1), joined);
        }

        await Task.WhenAll(stores.Select(s => s.JoinAsync(new LabelJoinOptions(), closeShortWindow: true)));
        var keys = new HashSet<ulong>();
        var sizes = new Dictionary<ulong, List<int>>();
        for (long number = 0; await store.ClaimWindowAsync() is ClaimedWindow window; number++)
        {
            await using (window)
            {
                Assert.Equal(number, window.Number);
                ulong partition = Assert.Single(window.Records.Select(r => r.Key % 4).Distinct());
                if (!sizes.TryGetValue(partition, out List<int>? known))
                    sizes.Add(partition, known = []);
                known.Add(window.Records.Count);
                Assert.All(window.Records, r => Assert.True(keys.Add(r.Key) && r.Residual == 0));
                await window.CompleteAsync([]);
            }
        }

        Assert.Equal(2650, keys.Count);
        // Keys 0, -1, -2, ...: 663, 662, 662 and 663 of them.
        Assert.Equal(4, sizes.Count);
        Assert.All(sizes, s => Assert.Equal([100, 100, 100, 100, 100, 100, s.Key is 0 or 3 ? 63 : 62], s.Value));
    }

    /// <summary>The single joiner is the oracle: the same records and labels, in the same calls, late, doubled and without the
    /// other.</summary>
    [Fact]
    public async Task Join_TwoAtOnceOnFourPartitions_GivesWhatOneJoinerGives()
    {
        var options = new PostgreSqlStoreOptions { WindowRows = 7 };
        PostgreSqlRecordStore<RegressionRecord> single = await fixture.NewStore<RegressionRecord>(options);
        PostgreSqlRecordStore<RegressionRecord> divided = await fixture.NewStore<RegressionRecord>(options with { JoinPartitions = 4 });
        ulong cases = 0;
        var happened = new PostgreSqlStoreReport();
        Gen<float> label = Gen.Elements(0, 1, -2.5f, float.NaN, float.PositiveInfinity);
        Gen<(ulong Key, float Label, int Hours)> events = Gen.Choose(0, 30)
            .SelectMany(key => label.SelectMany(value => Gen.Elements(0, 2, -1, 30).Select(hours => ((ulong)key, value, hours))));
        Gen<((ulong Key, float Label, int Hours)[] Records, (ulong Key, float Label, int Hours)[] Labels)[]> steps =
            events.ArrayOf().SelectMany(records => events.ArrayOf().Select(labels => (records, labels))).ArrayOf(4);
        Gen<DuplicateLabels> rules = Gen.Elements(Enum.GetValues<DuplicateLabels>());
        Properties.Hold(steps.SelectMany(s => rules.Select(rule => (Steps: s, Rule: rule))),
            input => Check(input.Steps, input.Rule).Wait(), 25);
        Assert.True(happened is { Joined: > 50, Defaulted: > 50, Voided: > 20, DuplicateRecords: > 50 }, happened.ToString());
        Assert.True(happened is { LateLabels: > 10, PendingLabels: > 20 }, happened.ToString());

        async Task Check(((ulong Key, float Label, int Hours)[] Records, (ulong Key, float Label, int Hours)[] Labels)[] input,
            DuplicateLabels rule)
        {
            // Keys of their own for each case: the stores stay.
            ulong first = 1000 * ++cases;
            var patient = new LabelJoinOptions { Duplicates = rule };
            LabelJoinOptions now = patient with { Wait = TimeSpan.FromMilliseconds(1), Lateness = TimeSpan.Zero, DefaultLabel = 0.5f };
            foreach (((ulong Key, float Label, int Hours)[] records, (ulong Key, float Label, int Hours)[] labels) in input)
            {
                foreach (PostgreSqlRecordStore<RegressionRecord> store in (PostgreSqlRecordStore<RegressionRecord>[])[single, divided])
                {
                    // The same score for the same key and time: of two such records either may be the first.
                    await Write(store, [.. records.Select(r => new RegressionRecord(first + r.Key, (int)r.Key + r.Hours, 0,
                        s_time.AddHours(r.Hours)))]);
                    await store.AddLabelsAsync(labels.Select(l => new LabelEvent(first + l.Key, l.Label, s_time.AddHours(l.Hours)))
                        .ToArray());
                }

                await Join(patient);
                await Task.Delay(3);
            }

            await Join(now);
            // A label of a row that has just been given out is late for the next call, which the second of two at once may be.
            await Join(new LabelJoinOptions());
            Assert.Equal(await Rows(single, 1), await Rows(divided, 4));
            PostgreSqlStoreReport one = await single.ReportAsync(), four = await divided.ReportAsync();
            Assert.Equal(one with { Windows = 0, OpenWindows = 0 }, four with { Windows = 0, OpenWindows = 0 });
            happened = one;

            async Task Join(LabelJoinOptions rules)
            {
                long[] rows = await Task.WhenAll(single.JoinAsync(rules, closeShortWindow: true),
                    divided.JoinAsync(rules, closeShortWindow: true), divided.JoinAsync(rules, closeShortWindow: true));
                Assert.Equal(rows[0], rows[1] + rows[2]);
            }
        }

        async Task<List<JoinedRecord>> Rows(PostgreSqlRecordStore<RegressionRecord> store, ulong partitions)
        {
            var rows = new List<JoinedRecord>();
            while (await store.ClaimWindowAsync() is { } window)
            {
                await using (window)
                {
                    rows.AddRange(window.Records);
                    Assert.Single(window.Records.Select(r => r.Key % partitions).Distinct());
                    await window.CompleteAsync([]);
                }
            }

            return [.. rows.OrderBy(r => r.Key).ThenBy(r => r.ScoredAt)];
        }
    }

    [Fact]
    public async Task Join_OfOnePartition_TakesItsKeysAlone()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { JoinPartitions = 4 });
        await Write(store, [.. Enumerable.Range(0, 10).Select(i => new RegressionRecord((ulong)i, i))]);
        await store.AddLabelsAsync(Enumerable.Range(0, 10).Select(i => new LabelEvent((ulong)i, 0)).ToArray());
        Assert.Equal(3, await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true, partition: 1));
        await using (ClaimedWindow? window = await store.ClaimWindowAsync())
            Assert.Equal([1UL, 5UL, 9UL], window!.Records.Select(r => r.Key));
        Assert.Equal(7, await store.JoinAsync(new LabelJoinOptions()));
        var error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => store.JoinAsync(new LabelJoinOptions(), partition: 4));
        Assert.Equal("The store has partitions 0 to 3 (JoinPartitions). (Parameter 'partition')\nActual value was 4.",
            error.Message.ReplaceLineEndings("\n"));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => store.JoinAsync(new LabelJoinOptions(), partition: -1));
    }

    /// <summary>Another joiner is in the middle of a slice of partition 0.</summary>
    [Fact]
    public async Task Join_WhileAPartitionIsTaken_DoesTheOthersFirst_ThenWaits()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { JoinPartitions = 2 });
        string schema = fixture.LastSchema;
        await Write(store, [.. Enumerable.Range(0, 10).Select(i => new RegressionRecord((ulong)i, i))]);
        await store.AddLabelsAsync(Enumerable.Range(0, 10).Select(i => new LabelEvent((ulong)i, 0)).ToArray());
        await using NpgsqlConnection other = await fixture.Source.OpenConnectionAsync();
        await using NpgsqlTransaction transaction = await other.BeginTransactionAsync();
        await using (var take = new NpgsqlCommand($"SELECT FROM {schema}.progress WHERE join_partition = 0 FOR UPDATE", other, transaction))
            await take.ExecuteNonQueryAsync();
        Task<long> joining = store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true);
        while (await fixture.Scalar<long>($"SELECT count(*) FROM {schema}.windows") == 0)
            await Task.Delay(5);
        await using (ClaimedWindow? window = await store.ClaimWindowAsync())
            Assert.Equal([1UL, 3UL, 5UL, 7UL, 9UL], window!.Records.Select(r => r.Key));
        Assert.Equal(0, await store.JoinAsync(new LabelJoinOptions(), partition: 1));
        Assert.False(joining.IsCompleted);
        await transaction.RollbackAsync();
        Assert.Equal(10, await joining);
        Assert.Equal(2, (await store.ReportAsync()).Windows);
    }

    /// <summary>Partition 1 is joined and has looked at all labels, old ones too; those of partition 0 are as new to its joiner as they
    /// were.</summary>
    [Fact]
    public async Task Join_OfAPartitionThatIsBehind_LooksAtItsLabelsAllTheSame()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { JoinPartitions = 2 });
        await Write(store, new RegressionRecord(1, 1), new RegressionRecord(2, 2));
        await store.AddLabelsAsync(new LabelEvent[] { new(1, 1), new(2, 2) });
        await fixture.Execute($"UPDATE {fixture.LastSchema}.labels SET stored = stored - interval '30 min'");
        var options = new LabelJoinOptions { Lateness = TimeSpan.FromMinutes(10) };
        Assert.Equal(1, await store.JoinAsync(options, partition: 1));
        Assert.Equal(1, await store.JoinAsync(options, partition: 0));
    }

    [Fact]
    public async Task Store_OfAnotherNumber_IsRefused()
    {
        await fixture.NewStore<RegressionRecord>(new PostgreSqlStoreOptions { JoinPartitions = 4 });
        var other = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source,
            new PostgreSqlStoreOptions { Schema = fixture.LastSchema, JoinPartitions = 2 });
        string expected = $"The schema {fixture.LastSchema} was made with JoinPartitions 4, and this store asks for 2.";
        Assert.Equal(expected, (await Assert.ThrowsAsync<InvalidOperationException>(() => other.MigrateAsync())).Message);
        Assert.Equal(expected,
            (await Assert.ThrowsAsync<InvalidOperationException>(() => other.JoinAsync(new LabelJoinOptions()))).Message);
    }

    /// <summary>A store of each earlier version, with rows given out, in windows and not, and others that wait: it goes on as one of one
    /// partition, and is never divided.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Migrate_StoreOfAnEarlierVersion_NumbersGoOn(int version)
    {
        var options = new PostgreSqlStoreOptions { Schema = fixture.NewSchema(), WindowRows = 2 };
        string schema = options.Schema;
        var old = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options, [.. SchemaMigrations.Embedded.Take(version)]);
        await old.MigrateAsync();
        await Write(old, new RegressionRecord(4, 4), new RegressionRecord(5, 5));
        await old.AddLabelsAsync(new LabelEvent[] { new(4, 4), new(5, 5), new(3, 3) });

        // As that version's joiner leaves it: three rows, two of them in a window that was completed.
        await fixture.Execute($"""
            INSERT INTO {schema}.joined SELECT now(), n, n + 1, now(), 0, n + 1, 0, 0, false, '\x00000000' FROM generate_series(0, 2) n;
            INSERT INTO {schema}.windows (number, first, rows, sealed, completed, worker, keys, weights) VALUES (0, 0, 2, now(), now(), 'w', ARRAY[1], ARRAY[1]);
            UPDATE {schema}.progress SET joined = 3, windowed = 2, windows = 1, voided = 7;
            """);
        var divided = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options with { JoinPartitions = 2 });
        Assert.Equal($"The schema {schema} was made with JoinPartitions 1, and this store asks for 2.",
            (await Assert.ThrowsAsync<InvalidOperationException>(() => divided.MigrateAsync())).Message);

        var store = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options);
        await store.MigrateAsync();
        Assert.Equal(2, await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        var windows = new List<(long, int)>();
        while (await store.ClaimWindowAsync() is { } window)
        {
            await using (window)
            {
                windows.Add((window.Number, window.Records.Count));
                await window.CompleteAsync([.. window.Records.Select(r => new SelectedKey(r.Key, 1))]);
            }
        }

        Assert.Equal([(1, 2), (2, 1)], windows);
        var selected = new List<ulong>();
        await foreach (SelectedWindow window in store.ReadSelectionsAsync())
            selected.AddRange(window.Rows.Select(r => r.Key));
        Assert.Equal([1UL, 3UL, 4UL, 5UL], selected);
        PostgreSqlStoreReport report = await store.ReportAsync();
        Assert.Equal((5, 3, 7, 1), (report.Joined, report.Windows, report.Voided, report.LateLabels));
    }

    [Fact]
    public async Task Migrate_StoreOfAnEarlierVersionThatHoldsNothing_IsDividedAsItIsAskedFor()
    {
        var options = new PostgreSqlStoreOptions { Schema = fixture.NewSchema(), JoinPartitions = 2 };
        await new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options with { JoinPartitions = 1 },
            [.. SchemaMigrations.Embedded.Take(3)]).MigrateAsync();
        var store = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options);
        await store.MigrateAsync();
        Assert.Equal(0, await store.JoinAsync(new LabelJoinOptions(), partition: 1));
    }

    [Fact]
    public async Task DropPartitions_OfSeveralJoinPartitions_CountsWhatNobodyUsed_AndNumbersGoOn()
    {
        var options = new PostgreSqlStoreOptions { JoinPartitions = 2, WindowRows = 2 };
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        string schema = fixture.LastSchema;
        // Partition 0: 3 rows, a window of 2 and one row in none; partition 1: 2 rows in a window that is completed.
        await Join(0, 2, 4, 1, 3);
        await using (ClaimedWindow? first = await store.ClaimWindowAsync())
        await using (ClaimedWindow? second = await store.ClaimWindowAsync())
        {
            ClaimedWindow odd = new[] { first!, second! }.Single(w => w.Records[0].Key % 2 == 1);
            await odd.CompleteAsync([]);
        }

        await fixture.Execute($"SELECT {schema}.drop_partitions('-infinity', now() + interval '9 days')");
        PostgreSqlStoreReport report = await store.ReportAsync();
        Assert.Equal((5, 3, 2, 0), (report.Joined, report.DroppedRows, report.Windows, report.OpenWindows));

        await Join(6, 8, 5, 7);
        await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true);
        var rows = new List<ulong>();
        while (await store.ClaimWindowAsync() is { } window)
        {
            await using (window)
            {
                rows.AddRange(window.Records.Select(r => r.Key));
                await window.CompleteAsync([]);
            }
        }

        Assert.Equal([5UL, 6UL, 7UL, 8UL], rows.Order());

        async Task Join(params ulong[] keys)
        {
            await store.MigrateAsync();
            await Write(store, [.. keys.Select(k => new RegressionRecord(k, k))]);
            await store.AddLabelsAsync(keys.Select(k => new LabelEvent(k, 0)).ToArray());
            Assert.Equal(keys.Length, await store.JoinAsync(new LabelJoinOptions()));
        }
    }

    /// <summary>Joiners hold one partition and want the numbering of windows; maintenance wants all of them.</summary>
    [Fact]
    public async Task Maintain_BesideSeveralJoiners_DoesNotWaitInACircle()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { JoinPartitions = 4, WindowRows = 3 });
        using var stop = new CancellationTokenSource();
        Task<long>[] joining = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            long joined = 0;
            while (!stop.IsCancellationRequested)
                joined += await store.JoinAsync(new LabelJoinOptions());
            return joined;
        }))];
        for (int round = 0; round < 20; round++)
        {
            await Write(store, [.. Enumerable.Range(50 * round, 50).Select(i => new RegressionRecord((ulong)i, i))]);
            await store.AddLabelsAsync(Enumerable.Range(50 * round, 50).Select(i => new LabelEvent((ulong)i, i)).ToArray());
            Assert.Equal(0, await store.MaintainAsync());
        }

        await stop.CancelAsync();
        long before = (await Task.WhenAll(joining)).Sum();
        Assert.Equal(1000, before + await store.JoinAsync(new LabelJoinOptions()));
    }

    private static async Task Write(PostgreSqlRecordStore<RegressionRecord> store, params RegressionRecord[] records)
    {
        await using PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync();
        writer.Append(records);
    }
}
