using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

public class SchemaTests(StoreFixture fixture)
{
    [Fact]
    public async Task Migrate_EightTogether_MakeOneSchema()
    {
        NpgsqlDataSource source = fixture.Source;
        string schema = fixture.NewSchema();
        await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(_ => new PostgreSqlRecordStore<BinaryRecord>(source, new PostgreSqlStoreOptions { Schema = schema }).MigrateAsync()));
        Assert.Equal(1L, await fixture.Scalar<long>($"SELECT count(*) FROM {schema}.settings"));
        Assert.Equal(SchemaMigrations.Embedded.Count, await fixture.Scalar<int>($"SELECT max(version) FROM {schema}.schema_version"));
        Assert.Equal(6L, await fixture.Scalar<long>($"SELECT count(*) FROM {schema}.partitions"));
    }

    [Fact]
    public async Task Migrate_OlderSchema_KeepsItsRows_AndTheOlderLibraryThenRefuses()
    {
        // A store of version 1, with a record and a label that wait.
        int latest = SchemaMigrations.Embedded.Count;
        var options = new PostgreSqlStoreOptions { Schema = fixture.NewSchema() };
        var old = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options, [.. SchemaMigrations.Embedded.Take(1)]);
        await old.MigrateAsync();
        await using (PostgreSqlRecordWriter<RegressionRecord> writer = await old.OpenWriterAsync())
            writer.Append([new RegressionRecord(1, 2), new RegressionRecord(2, 3)]);
        await old.AddLabelsAsync(new[] { new LabelEvent(1, 5) });

        var next = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => next.OpenWriterAsync());
        Assert.Equal($"The schema {options.Schema} of database postgres has version 1, and this library needs version {latest}. Call "
            + $"MigrateAsync once, as the role that owns the schema.", error.Message);
        await next.MigrateAsync();
        await next.MigrateAsync();
        Assert.Equal(1, await next.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        await using (ClaimedWindow? window = await next.ClaimWindowAsync())
            Assert.Equal((1UL, 5f), (Assert.Single(window!.Records).Key, window.Records[0].Label));
        PostgreSqlStoreReport report = await next.ReportAsync();
        Assert.Equal((1, 1, 0), (report.Joined, report.PendingRecords, report.PendingLabels));

        string newer = $"The schema {options.Schema} has version {latest}, and this library knows versions up to 1. Use a library at "
            + $"least as new as the one that migrated it.";
        var fresh = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options, [.. SchemaMigrations.Embedded.Take(1)]);
        Assert.Equal(newer, (await Assert.ThrowsAsync<NotSupportedException>(() => fresh.OpenWriterAsync())).Message);
        Assert.Equal(newer, (await Assert.ThrowsAsync<NotSupportedException>(() => fresh.MigrateAsync())).Message);
    }

    [Fact]
    public async Task Migrate_ThatFails_ChangesNothing()
    {
        string schema = fixture.NewSchema();
        var broken = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, new PostgreSqlStoreOptions { Schema = schema },
            [SchemaMigrations.Embedded[0] + "; SELECT 1/0"]);
        await Assert.ThrowsAsync<PostgresException>(() => broken.MigrateAsync());
        Assert.Equal(0L, await fixture.Scalar<long>($"SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'"));
    }

    [Fact]
    public async Task Store_NotThereOrOfAnotherKindOrInterval_IsRefused()
    {
        var none = new PostgreSqlRecordStore<BinaryRecord>(fixture.Source, new PostgreSqlStoreOptions { Schema = fixture.NewSchema() });
        Assert.Contains("is not there", (await Assert.ThrowsAsync<InvalidOperationException>(() => none.ClaimWindowAsync())).Message,
            StringComparison.Ordinal);

        await fixture.NewStore<BinaryRecord>();
        var options = new PostgreSqlStoreOptions { Schema = fixture.LastSchema };
        Assert.Equal(
            $"The schema {options.Schema} holds Binary records, and this store is of Regression records. Use another schema.",
            (await Assert.ThrowsAsync<InvalidOperationException>(
                () => new PostgreSqlRecordStore<RegressionRecord>(fixture.Source, options).MigrateAsync())).Message);
        Assert.Equal(
            $"The schema {options.Schema} was made with PartitionInterval 1.00:00:00, and this store asks for 01:00:00.",
            (await Assert.ThrowsAsync<InvalidOperationException>(
                () => new PostgreSqlRecordStore<BinaryRecord>(fixture.Source, options with { PartitionInterval = TimeSpan.FromHours(1) })
                .MigrateAsync())).Message);
    }

    [Fact]
    public async Task Partitions_AreMadeAsTimeGoesOn_AndDroppedByRetention_CountingWhatWasNotUsed()
    {
        var options = new PostgreSqlStoreOptions
        {
            PartitionInterval = TimeSpan.FromSeconds(1),
            PartitionsAhead = 1,
            RecordRetention = TimeSpan.FromSeconds(1),
            JoinedRetention = TimeSpan.FromSeconds(1),
            LabelRetention = TimeSpan.FromSeconds(1),
            WindowRows = 2,
        };
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        string schema = fixture.LastSchema;
        await using var joiner = new PostgreSqlRecordStore<RegressionRecord>(fixture.Source,
            options with { Schema = schema, RecordRetention = TimeSpan.FromDays(2), LabelRetention = TimeSpan.FromDays(2) });
        await using (PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(
            new PostgreSqlWriterOptions { RetryInterval = TimeSpan.FromMilliseconds(1) }))
        {
            for (ulong i = 0; i < 5; i++)
                writer.Append(new RegressionRecord(i, i));
            await writer.FlushAsync();
            await store.AddLabelsAsync(new[] { new LabelEvent(0, 0), new LabelEvent(1, 0), new LabelEvent(2, 0), new LabelEvent(99, 0) });
            Assert.Equal(3, await joiner.JoinAsync(new LabelJoinOptions()));

            await Task.Delay(2100, TestContext.Current.CancellationToken);
            writer.Append(new RegressionRecord(5, 5));          // there is no partition for it until the writer makes one
            await writer.FlushAsync();
        }

        // At once: a second later the new record's own partition may be past its retention, too.
        Assert.True(await store.MaintainAsync() >= 2);
        PostgreSqlStoreReport report = await store.ReportAsync();
        Assert.Equal((3, 2, 3, 1, 1, 0),
            (report.Joined, report.DroppedRecords, report.DroppedRows, report.OrphanLabels, report.Windows, report.OpenWindows));
        Assert.Equal((1, 0), (report.PendingRecords, report.PendingLabels));
        Assert.Null(await store.ClaimWindowAsync());
        Assert.Equal(0L, await fixture.Scalar<long>($"SELECT count(*) FROM {schema}.partitions WHERE upper <= now() - interval '2 s'"));

        // Windows go on behind the rows that went.
        await store.AddLabelsAsync(new[] { new LabelEvent(5, 0) });
        Assert.Equal(1, await joiner.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        await using ClaimedWindow? window = await store.ClaimWindowAsync();
        Assert.Equal(5UL, Assert.Single(window!.Records).Key);
    }

    /// <summary>A database where everybody may create in schema public, as up to PostgreSQL 14: whoever adds labels plants functions and
    /// operators there that fit a call better than the built-in ones. Nobody else runs them.</summary>
    [Fact]
    public async Task OverloadsPlantedOnTheSearchPath_AreNeverRunAsSomebodyElse()
    {
        string schema = fixture.NewSchema(), database = $"open_{schema}", planter = $"planter_{schema}", joiner = $"joiner_{schema}";
        await fixture.Execute($"CREATE ROLE {planter} LOGIN PASSWORD 'p'; CREATE ROLE {joiner} LOGIN PASSWORD 'p'");
        await fixture.Execute($"CREATE DATABASE {database}");
        await using NpgsqlDataSource owning = Source("postgres"), planting = Source(planter), joining = Source(joiner);
        await Run(owning, "GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE TABLE public.caught (who text); GRANT INSERT ON public.caught "
            + "TO PUBLIC");
        string[] planted =
        [
            Planted("hashtextextended(text, integer)", "bigint", "0::bigint"),
                Planted("generate_series(integer, bigint)", "SETOF bigint", null), Planted("floor(real)", "real", "$1"),
            Planted("to_timestamp(numeric)", "timestamptz", "now()"), Planted("abs(real)", "real", "$1"),
            Planted("real_is(real, integer)", "boolean", "true"),
                "CREATE OPERATOR public.= (FUNCTION = public.real_is, LEFTARG = real, RIGHTARG = integer)",
            Planted("real_from(real, integer)", "boolean", "true"),
                "CREATE OPERATOR public.>= (FUNCTION = public.real_from, LEFTARG = real, RIGHTARG = integer)",
            Planted("double_above(double precision, numeric)", "boolean", "true"),
                "CREATE OPERATOR public.> (FUNCTION = public.double_above, LEFTARG = double precision, RIGHTARG = numeric)",
            Planted("long_less(bigint, integer)", "bigint", "0::bigint"),
                "CREATE OPERATOR public.- (FUNCTION = public.long_less, LEFTARG = bigint, RIGHTARG = integer)",
        ];
        foreach (string sql in planted)
            await Run(planting, sql);

        await Whole(MulticlassRecord.FromLogits(1, [1, 2, 3, 4], 1), default);
        await Whole(BinaryRecord.FromScore(1, 1), default);
        await Whole(new RegressionRecord(1, 1), DuplicateLabels.Sum);
        await using NpgsqlCommand caught = owning.CreateCommand("SELECT string_agg(who, ', ') FROM public.caught");
        Assert.Equal(DBNull.Value, await caught.ExecuteScalarAsync());

        // They are there, and would be taken by who leaves the path as it is.
        await Run(joining, "SELECT hashtextextended('x', 0)");
        Assert.Equal($"{joiner} hashtextextended", await caught.ExecuteScalarAsync());

        NpgsqlDataSource Source(string role) => NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(role == "postgres" ? fixture.Server.ConnectionString
            : fixture.Server.ConnectionStringOf(role, "p"))
            { Database = database, Pooling = false }.ConnectionString);

        static string Planted(string signature, string returns, string? value)
            => $"CREATE FUNCTION public.{signature} RETURNS {returns} LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.caught VALUES "
                + $"(current_user::text || ' {signature[..signature.IndexOf('(', StringComparison.Ordinal)]}'); RETURN {value}; END $$";

        static async Task Run(NpgsqlDataSource source, string sql)
        {
            await using NpgsqlCommand command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        async Task Whole<TRecord>(TRecord record, DuplicateLabels rule)
            where TRecord : struct, IForwardRecord<TRecord>
        {
            var options = new PostgreSqlStoreOptions
            {
                Schema = $"{schema}_{typeof(TRecord).Name.ToLowerInvariant()}",
                JoinPartitions = 4,
            };
            PostgreSqlRecordStore<TRecord> owner = new(owning, options), labeller = new(planting, options), other = new(joining, options);
            await owner.MigrateAsync();
            await owner.GrantAsync(planter, StoreAccess.Labeller);
            foreach (StoreAccess access in new[] { StoreAccess.Writer, StoreAccess.Joiner, StoreAccess.Worker })
                await owner.GrantAsync(joiner, access);
            await using (PostgreSqlRecordWriter<TRecord> writer = await other.OpenWriterAsync())
                writer.Append(record);
            Assert.Equal(1, await labeller.AddLabelsAsync(new LabelEvent[] { new(1, 1) }));
            long joined = 0;
            for (int call = 0; joined == 0 && call < 100; call++, await Task.Delay(50))
                joined = await other.JoinAsync(new LabelJoinOptions
                { Wait = TimeSpan.FromSeconds(1), Lateness = TimeSpan.Zero, Duplicates = rule }, closeShortWindow: true);
            Assert.Equal(1, joined);
            await using (ClaimedWindow? window = await other.ClaimWindowAsync())
                await window!.CompleteAsync([new SelectedKey(1, 1)]);
            await owner.MaintainAsync();
            Assert.Equal(1, (await owner.ReportAsync()).Joined);
        }
    }

    [Fact]
    public async Task Roles_MayDoTheirWorkAndNothingElse_OverTlsWithAPassword()
    {
        PostgreSqlRecordStore<BinaryRecord> owner = await fixture.NewStore<BinaryRecord>(new PostgreSqlStoreOptions { WindowRows = 2 });
        string schema = fixture.LastSchema;
        var options = new PostgreSqlStoreOptions { Schema = schema, WindowRows = 2 };
        foreach (StoreAccess access in Enum.GetValues<StoreAccess>())
        {
            await fixture.Execute($"CREATE ROLE \"{schema} {access}\" LOGIN PASSWORD 'p''{access}'");
            await owner.GrantAsync($"{schema} {access}", access);
        }

        await using PostgreSqlRecordStore<BinaryRecord> writing = As(StoreAccess.Writer), labelling = As(StoreAccess.Labeller),
            joining = As(StoreAccess.Joiner), working = As(StoreAccess.Worker);
        await using (PostgreSqlRecordWriter<BinaryRecord> writer = await writing.OpenWriterAsync())
            writer.Append([BinaryRecord.FromScore(1, 1), BinaryRecord.FromScore(2, -1)]);
        Assert.Equal(2, await labelling.AddLabelsAsync(new[] { new LabelEvent(1, 1), new LabelEvent(2, 1) }));
        Assert.Equal(2, await joining.JoinAsync(new LabelJoinOptions()));
        await using (ClaimedWindow? window = await working.ClaimWindowAsync())
            await window!.CompleteAsync([new SelectedKey(2, 2)]);
        await foreach (SelectedWindow selected in working.ReadSelectionsAsync())
            Assert.Equal(new SelectedKey(2, 2), Assert.Single(selected.Rows));

        string[] denied = ["SELECT * FROM {0}.records", "DELETE FROM {0}.records", "UPDATE {0}.records SET key = 0",
            "SELECT * FROM {0}.labels", "DELETE FROM {0}.joined", "UPDATE {0}.windows SET first = 0", "DROP TABLE {0}.records",
            "TRUNCATE {0}.records", "CREATE TABLE {0}.mine (a int)", "SELECT {0}.drop_partitions(now(), now())",
            "UPDATE {0}.settings SET kind = 1", "INSERT INTO {0}.records (stored) VALUES (now())"];
        foreach (StoreAccess access in Enum.GetValues<StoreAccess>())
        {
            await using NpgsqlDataSource source = NpgsqlDataSource.Create(Of(access));
            await using (NpgsqlCommand tls = source.CreateCommand("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                Assert.Equal(true, await tls.ExecuteScalarAsync());
            foreach (string statement in denied.Where(s => access != StoreAccess.Joiner
                || !(s.StartsWith("SELECT *", StringComparison.Ordinal)
                || s.StartsWith("DELETE FROM {0}.records", StringComparison.Ordinal))))
            {
                await using NpgsqlCommand command = source.CreateCommand(string.Format(null, statement, schema));
                var error = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
                Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, error.SqlState);
            }
        }

        string Of(StoreAccess access) => fixture.Server.ConnectionStringOf($"{schema} {access}", $"\"p'{access}\"")
            + $";SSL Mode=VerifyFull;Root Certificate={fixture.Server.Certificate}";
        PostgreSqlRecordStore<BinaryRecord> As(StoreAccess access) => new(Of(access), options);
    }
}
