using System.Globalization;
using System.Transactions;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

/// <summary>What the store's connections take over from who calls, from the pool and from the server: nothing that is not theirs.</summary>
public class ConnectionTests(StoreFixture fixture)
{
    private static readonly PostgreSqlWriterOptions s_quick =
        new()
        {
            BatchRecords = 2,
            MemoryRecords = 1000,
            FlushInterval = TimeSpan.FromMilliseconds(5),
            RetryInterval = TimeSpan.FromMilliseconds(5),
            LongestRetryInterval = TimeSpan.FromMilliseconds(10)
        };

    /// <summary>The caller's transaction is rolled back; what the store acknowledged inside it stays.</summary>
    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task InsideATransactionScope_EachCallIsItsOwnTransaction(bool ownSource)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        var options = new PostgreSqlStoreOptions { Schema = fixture.NewSchema() };
        await using PostgreSqlRecordStore<BinaryRecord> store = ownSource ? new(fixture.Server.ConnectionString + ";Enlist=true", options)
            : new(fixture.Source, options);
        using (new TransactionScope(TransactionScopeOption.Required, TransactionScopeAsyncFlowOption.Enabled))
        {
            await store.MigrateAsync(cancel);
            await using (PostgreSqlRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync(s_quick, cancel))
            {
                for (ulong key = 0; key < 100; key++)
                    writer.Append(BinaryRecord.FromScore(key, 1));
                writer.Flush(cancel);
                Assert.Equal((100, 0), (writer.Acknowledged, writer.Report.Failures));
            }

            await using (PostgreSqlLabelWriter labels = await store.OpenLabelWriterAsync(s_quick, cancel))
            {
                labels.Append(new LabelEvent(0, 1));
                await labels.FlushAsync(cancel);
            }

            await store.AddLabelsAsync(Enumerable.Range(1, 99).Select(i => new LabelEvent((ulong)i, 0)).ToArray(), cancel);
            Assert.Equal(100, await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true, cancellationToken: cancel));
            await using (ClaimedWindow? window = await store.ClaimWindowAsync(cancel))
                await window!.CompleteAsync([new SelectedKey(3, 2)]);
            await store.MaintainAsync(cancel);
            Assert.Equal(100, (await store.ReportAsync()).Joined);
            Assert.NotNull(Transaction.Current);
        }

        Assert.Equal((100, 0), ((await store.ReportAsync()).Joined, (await store.ReportAsync()).OpenWindows));
        await foreach (SelectedWindow selected in store.ReadSelectionsAsync())
            Assert.Equal(new SelectedKey(3, 2), Assert.Single(selected.Rows));
    }

    /// <summary>The process's culture and current directory change nothing, at the server either.</summary>
    [Theory]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    [InlineData("de-DE")]
    public async Task Culture_OfTheProcess_ChangesNothing(string culture)
    {
        (CultureInfo before, string folder) = (CultureInfo.CurrentCulture, Directory.GetCurrentDirectory());
        try
        {
            CultureInfo.CurrentCulture = ForwardSampling.Tests.ForeignCulture.Get(culture);
            PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
                new PostgreSqlStoreOptions { ClaimTimeout = TimeSpan.FromSeconds(1234.5) });
            var time = new DateTime(2026, 3, 29, 1, 30, 0, 123, DateTimeKind.Utc);
            await using (PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(s_quick))
            {
                Directory.SetCurrentDirectory(Path.GetTempPath());
                writer.Append(new RegressionRecord(1, -0.25f, 3, time.ToLocalTime()));
            }

            await store.AddLabelsAsync(new LabelEvent[] { new(1, -1.5f, time.ToLocalTime()) });
            Assert.Equal(1, await store.JoinAsync(new LabelJoinOptions { Wait = TimeSpan.FromHours(1.5) }, closeShortWindow: true));
            await using (ClaimedWindow? window = await store.ClaimWindowAsync())
            {
                Assert.Equal(new RegressionRecord(1, -0.25f, 3, time).Join(-1.5f), Assert.Single(window!.Records));
                await window.CompleteAsync([new SelectedKey(1, 0.75f)]);
            }

            await store.MaintainAsync();
            await foreach (SelectedWindow selected in store.ReadSelectionsAsync())
                Assert.Equal(new SelectedKey(1, 0.75f), Assert.Single(selected.Rows));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
            Directory.SetCurrentDirectory(folder);
        }
    }

    /// <summary>As after a failover: the pool holds sessions that take no writes, and new ones do.</summary>
    [Theory]
    [InlineData("SET default_transaction_read_only = on")]
    [InlineData("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stale' AND pid <> pg_backend_pid()")]
    public async Task Pool_OfStaleConnections_EachCallFindsAGoodOne(string spoil)
    {
        await using var source = NpgsqlDataSource.Create(fixture.Server.ConnectionString
            + ";No Reset On Close=true;Application Name=stale");
        var options = new PostgreSqlStoreOptions { Schema = fixture.NewSchema() };
        var store = new PostgreSqlRecordStore<BinaryRecord>(source, options);
        await Spoil();
        await store.MigrateAsync();
        await Spoil();
        await using (PostgreSqlRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync(s_quick))
        {
            await Spoil();
            writer.Append(BinaryRecord.FromScore(1, 1));
            await writer.FlushAsync();
            Assert.Equal(0, writer.Report.Failures);
        }

        await Spoil();
        Assert.Equal(1, await store.AddLabelsAsync(new LabelEvent[] { new(1, 1) }));
        await Spoil();
        Assert.Equal(1, await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        await Spoil();
        Assert.Equal(1, (await store.ReportAsync()).OpenWindows);
        await Spoil();
        await using (ClaimedWindow? window = await store.ClaimWindowAsync())
            await window!.CompleteAsync([]);
        await Spoil();
        await store.MaintainAsync();

        async Task Spoil()
        {
            NpgsqlConnection[] connections = [.. Enumerable.Range(0, 5).Select(_ => source.CreateConnection())];
            foreach (NpgsqlConnection connection in connections)
            {
                for (int attempt = 0; connection.State != System.Data.ConnectionState.Open; attempt++)
                    await connection.OpenAsync();
            }

            foreach (NpgsqlConnection connection in connections)
            {
                try
                {
                    await using var command = new NpgsqlCommand(spoil, connection);
                    await command.ExecuteNonQueryAsync();
                }
                catch (NpgsqlException)
                {
                    // Ended by another one.
                }

                await connection.DisposeAsync();
            }
        }
    }

    /// <summary>The writer's session ends, and all that it finds for a while is read-only. The first session that takes writes again is the
    /// one that it goes on with.</summary>
    [Fact]
    public async Task Writer_FindsReadOnlySessionsForAWhile_GoesOnWithTheFirstGoodOne()
    {
        await fixture.NewStore<BinaryRecord>();
        string schema = fixture.LastSchema, role = $"role_{schema}";
        await fixture.Execute($"CREATE ROLE {role} LOGIN PASSWORD 'p' SUPERUSER");
        await using var store = new PostgreSqlRecordStore<BinaryRecord>(fixture.Server.ConnectionStringOf(role, "p"),
            new PostgreSqlStoreOptions { Schema = schema });
        await using PostgreSqlRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync(s_quick);
        writer.Append(BinaryRecord.FromScore(1, 1));
        await writer.FlushAsync();

        await fixture.Execute($"ALTER ROLE {role} SET default_transaction_read_only = on; SELECT pg_terminate_backend(pid) FROM "
            + $"pg_stat_activity WHERE usename = '{role}'");
        writer.Append(BinaryRecord.FromScore(2, 1));
        Assert.True(SpinWait.SpinUntil(() => writer.Report.Failures > 3, 10_000));
        Assert.Contains("takes no writes: a new session there is read-only", writer.Report.Failure, StringComparison.Ordinal);
        NpgsqlException refused = await Assert.ThrowsAsync<NpgsqlException>(() => store.AddLabelsAsync(new LabelEvent[] { new(1, 1) }));
        Assert.Contains("name all hosts: Host=one,two.", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await store.ReportAsync()).Joined);          // reading is what a standby is for

        await fixture.Execute($"ALTER ROLE {role} RESET default_transaction_read_only");
        Assert.True(SpinWait.SpinUntil(() => writer.Acknowledged == 2, 10_000));
        Assert.Equal(2L, await fixture.Scalar<long>($"SELECT count(*) FROM {schema}.records"));
    }

    [Fact]
    public async Task Hosts_SeveralNamed_TheOneThatTakesWritesIsFound()
    {
        await fixture.NewStore<BinaryRecord>();
        var several = new NpgsqlConnectionStringBuilder(fixture.Server.ConnectionString);
        several.Host = $"127.0.0.1:1,127.0.0.1:{several.Port}";      // nobody listens on the first
        await using (var store = new PostgreSqlRecordStore<BinaryRecord>(several.ConnectionString,
            new PostgreSqlStoreOptions { Schema = fixture.LastSchema }))
            Assert.Equal(1, await store.AddLabelsAsync(new LabelEvent[] { new(1, 1) }));
        await using (var store = new PostgreSqlRecordStore<BinaryRecord>(several.ConnectionString
            + ";Target Session Attributes=prefer-standby", new PostgreSqlStoreOptions { Schema = fixture.LastSchema }))
            Assert.Equal(1, (await store.ReportAsync()).PendingLabels);
    }
}
