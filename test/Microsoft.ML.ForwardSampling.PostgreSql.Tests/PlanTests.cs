using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

/// <summary>The work of a join grows with its records and labels, and not with their product, whatever the server knows of its tables. It
/// once took 19 s for 20,000 rows of a young table.</summary>
public class PlanTests(StoreFixture fixture)
{
    private const int Many = 4000, Few = 100;

    /// <summary>What the server was told of the tables, and what is in them.</summary>
    public enum Age
    {
        NeverAnalysed,
        AnalysedWhileEmpty,
        AnalysedWhileSmall,
        AnalysedBefore,
        AnalysedNow,
        ManyPartitions,
        FourJoinPartitions,
        ManyLabels,
        ManyRecords,
    }

    public static TheoryData<Age, DuplicateLabels> Cases()
    {
        var cases = new TheoryData<Age, DuplicateLabels>();
        foreach (Age age in Enum.GetValues<Age>())
        {
            foreach (DuplicateLabels rule in (DuplicateLabels[])[DuplicateLabels.First, DuplicateLabels.Last, DuplicateLabels.Sum])
                cases.Add(age, rule);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Join_AtWhateverAge_GoesOverRowsOnce(Age age, DuplicateLabels rule)
    {
        await using var visited = new VisitedRows(fixture.Server.ConnectionString);
        PostgreSqlRecordStore<RegressionRecord> store = await NewStore(visited, age);
        // Wait 1 ms: all records are joined when their wait is over. First joins those with a label before that, with a wait that is long.
        var options = new LabelJoinOptions
        {
            Wait = rule == DuplicateLabels.First ? TimeSpan.FromDays(1) : TimeSpan.FromMilliseconds(1),
            Lateness = TimeSpan.Zero,
            Duplicates = rule,
            DefaultLabel = 0,
        };

        // The second time with rows given out, and with index entries of rows that are gone.
        for (int round = 0; round < 2; round++)
        {
            (int records, int labels) = await Fill(store, age, round);
            await Task.Delay(5, TestContext.Current.CancellationToken);
            visited.Statements.Clear();
            int expected = rule == DuplicateLabels.First ? Math.Min(records, labels) : records;
            Assert.Equal(expected, await store.JoinAsync(options, closeShortWindow: true));
            AssertLinear(visited, records + labels);
            Assert.Contains(visited.Statements, s => s.Rows >= expected);
        }
    }

    [Fact]
    public async Task Maintain_ManyOldLabels_GoesOverThemOnce()
    {
        await using var visited = new VisitedRows(fixture.Server.ConnectionString);
        PostgreSqlRecordStore<RegressionRecord> store = await NewStore(visited, Age.NeverAnalysed);
        for (int round = 0; round < 2; round++)
        {
            await Fill(store, Age.ManyLabels, round);
            await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true);
            await fixture.Execute($"UPDATE {fixture.LastSchema}.labels SET stored = stored - interval '31 days'");
            visited.Statements.Clear();
            await store.MaintainAsync();
            AssertLinear(visited, Many);
        }

        Assert.Equal(2 * (Many - Few), (await store.ReportAsync()).OrphanLabels);
    }

    /// <summary>As the join once was: nothing kept the server from reading one table whole for each row of the other.</summary>
    [Fact]
    public async Task Join_WithTheSettingsOfItsFirstVersion_WouldBeSeen()
    {
        await using var visited = new VisitedRows(fixture.Server.ConnectionString);
        PostgreSqlRecordStore<RegressionRecord> store = await NewStore(visited, Age.NeverAnalysed);
        await Fill(store, Age.NeverAnalysed, 0);
        var sql = new JoinSql($"\"{fixture.LastSchema}\"", RecordKind.Regression, DuplicateLabels.First, 0, 1);
        DateTime now = TimeProvider.System.GetUtcNow().UtcDateTime;
        string before = JoinSql.Settings.Replace("('enable_material', 'off'), ('random_page_cost', '0.1'), ", "",
            StringComparison.Ordinal);
        Assert.NotEqual(JoinSql.Settings, before);
        visited.Statements.Clear();
        await using (NpgsqlConnection connection = await visited.Source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (NpgsqlTransaction transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await StoreCommand.Execute(connection, before, TestContext.Current.CancellationToken);
            await StoreCommand.Execute(connection, sql.JoinLabelled, TestContext.Current.CancellationToken, DateTime.UnixEpoch,
                now.AddDays(1), TimeSpan.FromDays(1), TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        }

        Assert.Contains("rows were read", Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertLinear(visited, 2 * Many)).Message,
            StringComparison.Ordinal);
    }

    /// <summary>Twenty rows for each record or label are what the plans need, in all their nodes together; the table of all pairs has 400
    /// times as many.</summary>
    private static void AssertLinear(VisitedRows visited, int rows)
    {
        Assert.NotEmpty(visited.Statements);
        foreach ((string statement, long read, string plan) in visited.Statements)
            Assert.True(read <= (20L * rows) + 1000, string.Create(CultureInfo.InvariantCulture,
                $"{read:N0} rows were read for {rows:N0} records and labels by {statement}{plan}"));
    }

    private async Task<PostgreSqlRecordStore<RegressionRecord>> NewStore(VisitedRows visited, Age age)
    {
        var options = new PostgreSqlStoreOptions
        {
            Schema = fixture.NewSchema(),
            PartitionInterval = TimeSpan.FromHours(1),
            WindowRows = 1000,
            JoinPartitions = age == Age.FourJoinPartitions ? 4 : 1,
        };
        var store = new PostgreSqlRecordStore<RegressionRecord>(visited.Source, options);
        await store.MigrateAsync();
        string schema = options.Schema;
        if (age == Age.ManyPartitions)
        {
            await fixture.Execute($"""
                DO $$ DECLARE begins timestamptz; parent text; BEGIN
                    FOR i IN 1..40 LOOP FOREACH parent IN ARRAY ARRAY['records', 'joined'] LOOP
                        begins := date_trunc('hour', now()) - i * interval '1 hour';
                        EXECUTE format('CREATE TABLE {schema}.%I PARTITION OF {schema}.%I FOR VALUES FROM (%L) TO (%L)', parent || '_old' || i, parent, begins, begins + interval '1 hour');
                    END LOOP; END LOOP;
                END $$
                """);
        }

        // Nobody analyses them meanwhile.
        await fixture.Execute($"""
            DO $$ DECLARE part regclass; BEGIN
                FOR part IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind = 'r' LOOP
                    EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', part);
                END LOOP;
            END $$
            """);
        if (age == Age.AnalysedWhileEmpty)
            await Analyse(schema);
        if (age == Age.AnalysedWhileSmall)
        {
            await Write(store, 1L << 40, 3, 3);
            await Analyse(schema);
        }

        return store;
    }

    private async Task<(int Records, int Labels)> Fill(PostgreSqlRecordStore<RegressionRecord> store, Age age, int round)
    {
        (int records, int labels) = age switch
        {
            Age.ManyLabels => (Few, Many),
            Age.ManyRecords => (Many, Few),
            _ => (Many, Many),
        };
        await Write(store, (long)round << 32, records, labels);
        string schema = fixture.LastSchema;
        if (age == Age.ManyPartitions)
            await fixture.Execute($"UPDATE {schema}.records SET stored = stored - (key & 15) * interval '1 hour'");
        if (age == Age.AnalysedNow || (age == Age.AnalysedBefore && round == 0))
            await Analyse(schema);
        return age == Age.AnalysedWhileSmall && round == 0 ? (records + 3, labels + 3) : (records, labels);
    }

    private static async Task Write(PostgreSqlRecordStore<RegressionRecord> store, long firstKey, int records, int labels)
    {
        await using (PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync())
        {
            writer.Append([.. Enumerable.Range(0, records).Select(i => new RegressionRecord((ulong)(firstKey + i), i))]);
            await writer.FlushAsync();
        }

        await store.AddLabelsAsync(Enumerable.Range(0, labels).Select(i => new LabelEvent((ulong)(firstKey + i), i)).ToArray());
    }

    private Task Analyse(string schema)
        => fixture.Execute($"ANALYZE {schema}.records, {schema}.labels, {schema}.joined, {schema}.progress, {schema}.windows");
}
