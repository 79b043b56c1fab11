using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>Records, labels and windows of a fleet in one PostgreSQL database: serving processes write records, others add labels, a joiner
/// brings them together into windows, and workers on any number of machines select from these.</summary>
/// <remarks>
/// <para>The library makes its schema (<see cref="MigrateAsync"/>) and its partitions; <see cref="MaintainAsync"/>, called now and then by
/// the schema's owner, drops old ones. All statements name the schema in full and take values as parameters only.</para>
/// <para>The store's own statements have no time limit, whatever the connection string's Command Timeout says: a cancellation token ends
/// them.</para>
/// <para>PostgreSQL 14 or later. Thread-safe. Guide and contract: docs/postgresql.md.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>; one schema holds
/// one of them.</typeparam>
public sealed class PostgreSqlRecordStore<TRecord> : IAsyncDisposable
    where TRecord : struct, IForwardRecord<TRecord>
{
    private const int LabelsAtOnce = 16384;

    /// <summary>Version of the schema that knows join partitions.</summary>
    private const int DividedVersion = 4;

    private readonly StoreConnections _connections;
    private readonly PostgreSqlStoreOptions _options;
    private readonly SchemaMigrations _migrations;
    private readonly string _schema;
    private bool _isChecked;

    /// <summary>A store in the database of a data source, which the caller keeps and disposes of.</summary>
    /// <param name="source">Where the database is; TLS, password and pool are its affair.</param>
    /// <param name="options">Left out, the defaults.</param>
    public PostgreSqlRecordStore(NpgsqlDataSource source, PostgreSqlStoreOptions? options = null)
        : this(new StoreConnections(source ?? throw new ArgumentNullException(nameof(source))), options, migrations: null)
    {
    }

    /// <summary>A store in the database of a connection string.</summary>
    /// <param name="connectionString">As Npgsql takes it, for example <c>Host=db;Username=scorer;Password=…;Database=records;SSL
    /// Mode=VerifyFull</c>.</param>
    /// <param name="options">Left out, the defaults.</param>
    /// <exception cref="ArgumentException">The string is empty or has a keyword that Npgsql does not know.</exception>
    public PostgreSqlRecordStore(string connectionString, PostgreSqlStoreOptions? options = null)
        : this(new StoreConnections(connectionString), options, migrations: null)
    {
    }

    internal PostgreSqlRecordStore(NpgsqlDataSource source, PostgreSqlStoreOptions? options, IReadOnlyList<string>? migrations)
        : this(new StoreConnections(source), options, migrations)
    {
    }

    private PostgreSqlRecordStore(StoreConnections connections, PostgreSqlStoreOptions? options, IReadOnlyList<string>? migrations)
    {
        _connections = connections;
        _options = options ?? new PostgreSqlStoreOptions();
        _migrations = new SchemaMigrations(_options.Schema, migrations);
        _schema = _migrations.Quoted;
    }

    /// <summary>Makes the schema, or brings an older one up to this library's version; does nothing when it is. For the role that owns the
    /// schema, or may create it.</summary>
    /// <param name="cancellationToken">Ends the waiting; a step that was begun is undone.</param>
    /// <returns>Completes when the schema is there. Of several processes that come together one does the work and the others
    /// wait.</returns>
    /// <exception cref="NotSupportedException">The schema is of a newer version than this library.</exception>
    /// <exception cref="InvalidOperationException">The schema is of another kind of record another partition interval, or
    /// another number of join partitions.</exception>
    /// <exception cref="NpgsqlException">The server refuses or is not there.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken = default)
    {
        await _migrations.Run(_connections, Settle, cancellationToken).ConfigureAwait(false);
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await Execute(connection, $"SELECT {_schema}.make_partitions()", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes partitions ahead and drops what is older than its retention, counting what was not used yet. For the role that owns
    /// the schema; call it at least once an interval.</summary>
    /// <remarks>A partition that a claim or another transaction is reading is left to the next call.</remarks>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Number of partitions dropped.</returns>
    /// <exception cref="NpgsqlException">The server refuses or is not there.</exception>
    public async Task<int> MaintainAsync(CancellationToken cancellationToken = default)
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await Execute(connection, $"SELECT {_schema}.make_partitions()", cancellationToken).ConfigureAwait(false);
        DateTime now = (await Next(connection, "SELECT now()", cancellationToken).ConfigureAwait(false))!.Value;
        for (int partition = 0; partition < _options.JoinPartitions; partition++)
        {
            var sql = new JoinSql(_schema, TRecord.Kind, default, partition, _options.JoinPartitions);
            for (DateTime after = DateTime.UnixEpoch; await Next(connection, sql.NextLabels, cancellationToken, after,
                now - _options.LabelRetention).ConfigureAwait(false) is DateTime upTo; after = upTo)
            {
                // As a joiner does: the progress first and labels then, or the two would wait for each other.
                await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                await Execute(connection, sql.Take, cancellationToken).ConfigureAwait(false);
                await Execute(connection, JoinSql.Settings, cancellationToken).ConfigureAwait(false);
                await Execute(connection, sql.DropOrphans, cancellationToken, after, upTo).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        return (int)(await StoreCommand.Scalar(connection, $"SELECT {_schema}.drop_partitions($1, $2)", cancellationToken,
            now - _options.RecordRetention, now - _options.JoinedRetention).ConfigureAwait(false))!;
    }

    /// <summary>Lets a database role do one kind of work and no more. For the role that owns the schema.</summary>
    /// <param name="role">Name of a role that is there.</param>
    /// <param name="access">The work.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Completes when it is granted.</returns>
    /// <exception cref="ArgumentException"><paramref name="role"/> is empty.</exception>
    /// <exception cref="NpgsqlException">There is no such role, or the server refuses.</exception>
    public async Task GrantAsync(string role, StoreAccess access, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(role);
        Require.Defined(access, nameof(GrantAsync), nameof(access));
        (string Rights, string On)[] grants = access switch
        {
            StoreAccess.Writer => [($"INSERT ({CopyRow.Columns})", "records"), ("SELECT, INSERT, UPDATE", "writers")],
            StoreAccess.Labeller => [("INSERT (key, known, label)", "labels")],
            StoreAccess.Joiner => [("SELECT, DELETE", "records"), ("SELECT, DELETE", "labels"), ("SELECT, INSERT", "joined"),
                ("SELECT, INSERT", "windows"), ("SELECT, UPDATE", "progress")],
            _ => [("SELECT", "joined"), ("SELECT, UPDATE (completed, worker, keys, weights)", "windows")],
        };
        using var builder = new NpgsqlCommandBuilder();
        string to = builder.QuoteIdentifier(role);
        var sql = new System.Text.StringBuilder(
            $"GRANT USAGE ON SCHEMA {_schema} TO {to}; GRANT SELECT ON {_schema}.schema_version, {_schema}.settings TO {to};");
        foreach ((string rights, string on) in grants)
            sql.Append(CultureInfo.InvariantCulture, $"GRANT {rights} ON {_schema}.{on} TO {to};");
        if (access is StoreAccess.Writer or StoreAccess.Joiner)
            sql.Append(CultureInfo.InvariantCulture, $"GRANT EXECUTE ON FUNCTION {_schema}.make_partitions() TO {to};");
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await StoreCommand.ExecuteScript(connection, sql.ToString(), cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a writer of records: one for a process is enough. Access: <see cref="StoreAccess.Writer"/>.</summary>
    /// <param name="options">Left out, the defaults.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The writer; dispose of it to send what it holds.</returns>
    /// <exception cref="ArgumentException">Options do not agree with each other.</exception>
    /// <exception cref="InvalidOperationException">The schema is not there, is older than this library, or holds another kind of
    /// record.</exception>
    /// <exception cref="NotSupportedException">The schema is newer than this library.</exception>
    /// <exception cref="NpgsqlException">The server refuses or is not there.</exception>
    public async Task<PostgreSqlRecordWriter<TRecord>> OpenWriterAsync(PostgreSqlWriterOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        await using (await OpenAsync(cancellationToken).ConfigureAwait(false))
            return new PostgreSqlRecordWriter<TRecord>(_connections, _schema, _options.PartitionInterval,
                options ?? new PostgreSqlWriterOptions());
    }

    /// <summary>Opens a writer of labels, for those that come one by one and must not wait for the server. Access:
    /// <see cref="StoreAccess.Labeller"/>.</summary>
    /// <param name="options">Left out, the defaults.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The writer; dispose of it to send what it holds.</returns>
    /// <exception cref="ArgumentException">Options do not agree with each other, or ask for
    /// <see cref="RecordOverflow.DropAndRecord"/>.</exception>
    /// <exception cref="InvalidOperationException">The schema is not there, is older than this library, or holds another kind of
    /// record.</exception>
    /// <exception cref="NotSupportedException">The schema is newer than this library.</exception>
    /// <exception cref="NpgsqlException">The server refuses or is not there.</exception>
    public async Task<PostgreSqlLabelWriter> OpenLabelWriterAsync(PostgreSqlWriterOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        await using (await OpenAsync(cancellationToken).ConfigureAwait(false))
            return new PostgreSqlLabelWriter(_connections, _schema, options ?? new PostgreSqlWriterOptions());
    }

    /// <summary>Adds labels. A label that is there already (same key, time and value) stays one, so the call can be repeated after an
    /// error. Access: <see cref="StoreAccess.Labeller"/>.</summary>
    /// <param name="labels">In any order, any number. One without a time is stamped, and so is not recognised when it comes again.</param>
    /// <param name="cancellationToken">Ends the waiting; some of the labels may be there.</param>
    /// <returns>Number of labels that were new.</returns>
    /// <exception cref="NpgsqlException">The server refuses or is not there; some of the labels may be there.</exception>
    public async Task<long> AddLabelsAsync(ReadOnlyMemory<LabelEvent> labels, CancellationToken cancellationToken = default)
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        long added = 0;
        for (; !labels.IsEmpty; labels = labels[Math.Min(LabelsAtOnce, labels.Length)..])
        {
            LabelEvent[] part = labels[..Math.Min(LabelsAtOnce, labels.Length)].ToArray();
            DateTime now = TimeProvider.System.GetUtcNow().UtcDateTime;
            for (int i = 0; i < part.Length; i++)
                part[i] = part[i].Time.Ticks == 0 ? new LabelEvent(part[i].Key, part[i].Label, now) : part[i];
            await using NpgsqlBatch insert = LabelInsert.Command(connection, _schema, part);
            added += await insert.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        return added;
    }

    /// <summary>Joins all records that are ready when it begins, and makes windows of <see cref="PostgreSqlStoreOptions.WindowRows"/> rows.
    /// Call it again and again, from as many joiners as there are <see cref="PostgreSqlStoreOptions.JoinPartitions"/>: each takes the
    /// partitions that are free, and they take turns where none is. Access: <see cref="StoreAccess.Joiner"/>.</summary>
    /// <remarks>
    /// <para>A label belongs to the record of its key if their times differ by at most <see cref="LabelJoinOptions.Wait"/>. A record is
    /// ready when it has a label (<see cref="DuplicateLabels.First"/>; a label that was stored more than Lateness before it waits with it),
    /// or when Wait + <see cref="LabelJoinOptions.Lateness"/> have passed since it was stored, by the server's clock. Labels count as
    /// arriving in the order in which they were stored.</para>
    /// <para>Works in transactions of about 50,000 records of one partition: whenever it is stopped, each record is joined or waits.
    /// Records wait on disk, however many there are.</para>
    /// </remarks>
    /// <param name="options">The same for every joiner of the store.</param>
    /// <param name="closeShortWindow">Also make a window of the rows that are fewer than a whole one, one for each partition.</param>
    /// <param name="partition">Joins this one alone, [0, JoinPartitions), and waits for its turn there; left out, all of them.</param>
    /// <param name="cancellationToken">Ends the work between transactions or within one, which is then undone.</param>
    /// <returns>Number of rows joined by this call.</returns>
    /// <exception cref="ArgumentException">Sum or Mean of labels that are classes; or this store keeps records or labels for less than Wait
    /// + Lateness, so that maintenance would drop what still waits.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such partition.</exception>
    /// <exception cref="NpgsqlException">The server refuses or is not there.</exception>
    public async Task<long> JoinAsync(LabelJoinOptions options, bool closeShortWindow = false, int? partition = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Duplicates is DuplicateLabels.Sum or DuplicateLabels.Mean && TRecord.Kind != RecordKind.Regression)
            throw new ArgumentException($"{nameof(LabelJoinOptions)}.{nameof(LabelJoinOptions.Duplicates)} must be First or Last for "
                + $"labels that are classes. Got {options.Duplicates}.", nameof(options));
        RequireKept(nameof(PostgreSqlStoreOptions.RecordRetention), _options.RecordRetention, options);
        RequireKept(nameof(PostgreSqlStoreOptions.LabelRetention), _options.LabelRetention, options);
        if (partition is int p && (p < 0 || p >= _options.JoinPartitions))
            throw new ArgumentOutOfRangeException(nameof(partition), p,
                $"The store has partitions 0 to {_options.JoinPartitions - 1} ({nameof(PostgreSqlStoreOptions.JoinPartitions)}).");
        using Activity? span = StoreMeters.StartJoin(TRecord.Kind);
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        // What comes meanwhile is for the next call: else this one would not end while labels stream in.
        DateTime begun = (await Next(connection, "SELECT now()", cancellationToken).ConfigureAwait(false))!.Value;
        List<PartitionJoin> left = [.. (partition is int only ? [only] : Enumerable.Range(0, _options.JoinPartitions))
            .Select(n => new PartitionJoin(connection, _schema, TRecord.Kind, options, _options, n, begun, closeShortWindow))];
        long joined = 0;
        for (PartitionJoin last = left[0]; left.Count > 0;)
        {
            await Execute(connection, $"SELECT {_schema}.make_partitions()", cancellationToken).ConfigureAwait(false);
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            // The same one as long as nobody else has it, so that its index pages are at hand; one that is free before one that is not.
            int? free = left.Count == 1 ? null : await StoreCommand.Scalar(connection, last.Sql.TakeFree, cancellationToken,
                left.Select(j => j.Partition).ToArray(), last.Partition).ConfigureAwait(false) as int?;
            last = left.FirstOrDefault(j => j.Partition == free) ?? left[0];
            if (free is null)
                await Execute(connection, last.Sql.Take, cancellationToken).ConfigureAwait(false);
            long? rows = await last.JoinSlice(cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            joined += rows ?? 0;
            if (rows is null)
                left.Remove(last);
        }

        StoreMeters.Count(span, TRecord.Kind, joined);
        return joined;
    }

    /// <summary>Claims the first window that is open and that no other worker has. Access: <see cref="StoreAccess.Worker"/>.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The window with its rows, or null when none is open. Complete it or dispose of it.</returns>
    /// <exception cref="NpgsqlException">The server refuses or is not there.</exception>
    public async Task<ClaimedWindow?> ClaimWindowAsync(CancellationToken cancellationToken = default)
    {
        NpgsqlConnection connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        NpgsqlTransaction? transaction = null;
        try
        {
            transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            string silence = ((long)_options.ClaimTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
            await Execute(connection, "SELECT set_config('idle_in_transaction_session_timeout', $1, true)", cancellationToken, silence)
                .ConfigureAwait(false);
            long number, first;
            int rows;
            await using (NpgsqlBatch claim = StoreCommand.Make(connection,
                $"SELECT number, first, rows FROM {_schema}.windows WHERE completed IS NULL AND NOT dropped ORDER BY number LIMIT 1 FOR "
                + $"UPDATE SKIP LOCKED"))
            await using (NpgsqlDataReader reader = await StoreCommand.Read(claim, cancellationToken).ConfigureAwait(false))
            {
                if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    return null;
                (number, first, rows) = (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt32(2));
            }

            JoinedRecord[] records = await Read(connection, first, rows, cancellationToken).ConfigureAwait(false);
            var window = new ClaimedWindow(connection, transaction, _schema, number, records);
            (connection, transaction) = (null!, null);              // they are the window's now
            return window;
        }
        finally
        {
            if (transaction is not null)
                await transaction.DisposeAsync().ConfigureAwait(false);
            if (connection is not null)
                await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Reads what workers selected, window by window in order. It ends before the first window that is not completed yet: go on
    /// from that one later. Access: <see cref="StoreAccess.Worker"/>.</summary>
    /// <param name="firstWindow">Number of the window to begin with.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Completed windows; those that retention dropped are left out.</returns>
    /// <exception cref="NpgsqlException">The server refuses or is not there.</exception>
    public async IAsyncEnumerable<SelectedWindow> ReadSelectionsAsync(long firstWindow = 0,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken, writes: false).ConfigureAwait(false);
        await using NpgsqlBatch select = StoreCommand.Make(
            connection,
            $"SELECT number, keys, weights FROM {_schema}.windows WHERE number >= $1 AND completed IS NOT NULL AND number < (SELECT "
                + $"coalesce(min(number), 9223372036854775807) FROM {_schema}.windows WHERE number >= $1 AND completed IS NULL AND NOT "
                + $"dropped) ORDER BY number",
            firstWindow);
        await using NpgsqlDataReader reader = await StoreCommand.Read(select, cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            yield return new SelectedWindow(reader.GetInt64(0),
                [.. reader.GetFieldValue<long[]>(1).Zip(reader.GetFieldValue<float[]>(2),
                (key, weight) => new SelectedKey((ulong)key, weight))]);
    }

    /// <summary>Counts. It reads all waiting records and labels: minutes for thousands of millions. For the role that owns the
    /// schema.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The counts of one moment.</returns>
    /// <exception cref="NpgsqlException">The server refuses or is not there.</exception>
    public async Task<PostgreSqlStoreReport> ReportAsync(CancellationToken cancellationToken = default)
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken, writes: false).ConfigureAwait(false);
        await using NpgsqlBatch select = StoreCommand.Make(connection, $"""
            SELECT sum(joined - defaulted)::bigint, sum(defaulted)::bigint, sum(expired)::bigint, sum(voided)::bigint, sum(duplicate_records)::bigint, sum(late_labels)::bigint, sum(orphan_labels)::bigint,
                sum(dropped_records)::bigint, sum(dropped_rows)::bigint, sum(windows)::bigint,
                (SELECT count(*) FROM {_schema}.windows WHERE completed IS NULL AND NOT dropped), (SELECT count(*) FROM {_schema}.records), (SELECT count(*) FROM {_schema}.labels)
            FROM {_schema}.progress
            """);
        await using NpgsqlDataReader reader = await StoreCommand.Read(select, cancellationToken).ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new PostgreSqlStoreReport
        {
            Joined = reader.GetInt64(0),
            Defaulted = reader.GetInt64(1),
            Expired = reader.GetInt64(2),
            Voided = reader.GetInt64(3),
            DuplicateRecords = reader.GetInt64(4),
            LateLabels = reader.GetInt64(5),
            OrphanLabels = reader.GetInt64(6),
            DroppedRecords = reader.GetInt64(7),
            DroppedRows = reader.GetInt64(8),
            Windows = reader.GetInt64(9),
            OpenWindows = reader.GetInt64(10),
            PendingRecords = reader.GetInt64(11),
            PendingLabels = reader.GetInt64(12),
        };
    }

    /// <summary>Closes the connections, if the store was made from a connection string.</summary>
    /// <returns>Completes when they are closed.</returns>
    public ValueTask DisposeAsync() => _connections.DisposeAsync();

    private static void RequireKept(string retention, TimeSpan kept, LabelJoinOptions options)
    {
        if (kept < options.Wait + options.Lateness)
            throw new ArgumentException($"{nameof(PostgreSqlStoreOptions)}.{retention} must be at least {nameof(LabelJoinOptions.Wait)} "
                + $"+ {nameof(LabelJoinOptions.Lateness)}, {options.Wait + options.Lateness:c}: what waits would be dropped. Got "
                + $"{kept:c}.", nameof(options));
    }

    private static Task<int> Execute(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
        => StoreCommand.Execute(connection, sql, cancellationToken, values);

    private static async Task<DateTime?> Next(NpgsqlConnection connection, string sql, CancellationToken cancellationToken,
        params object[] values)
        => await StoreCommand.Scalar(connection, sql, cancellationToken, values).ConfigureAwait(false) as DateTime?;

    /// <summary>Under a migration: what the store is made for.</summary>
    private async Task Settle(NpgsqlConnection connection, int version)
    {
        if (version == 1)
            await Execute(connection, $"INSERT INTO {_schema}.settings VALUES ($1, $2, $3)", default, (short)TRecord.Kind,
                (long)_options.PartitionInterval.TotalSeconds, _options.PartitionsAhead).ConfigureAwait(false);
        // One that has been used stays as it is, whatever this store asks for, and is refused for that when it is opened.
        if (version == DividedVersion && _options.JoinPartitions > 1 && await StoreCommand.Scalar(connection,
            $"SELECT true WHERE EXISTS (SELECT FROM {_schema}.records) OR EXISTS (SELECT FROM {_schema}.labels) OR EXISTS (SELECT FROM "
            + $"{_schema}.progress WHERE joined + windows > 0)", default).ConfigureAwait(false) is null)
            await StoreCommand.ExecuteScript(connection, JoinSql.Divide(_schema, _options.JoinPartitions), default).ConfigureAwait(false);
    }

    /// <summary>Opens a connection; the first one also checks that the schema is what this store expects.</summary>
    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken, bool writes = true)
    {
        NpgsqlConnection connection = await _connections.OpenAsync(writes, cancellationToken).ConfigureAwait(false);
        if (Volatile.Read(ref _isChecked))
            return connection;
        try
        {
            await _migrations.Check(connection, cancellationToken).ConfigureAwait(false);
            await using NpgsqlBatch select = StoreCommand.Make(connection, $"SELECT * FROM {_schema}.settings");
            await using NpgsqlDataReader reader = await StoreCommand.Read(select, cancellationToken).ConfigureAwait(false);
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var kind = (RecordKind)reader.GetInt16(0);
            if (kind != TRecord.Kind)
                throw new InvalidOperationException(
                    $"The schema {_options.Schema} holds {kind} records, and this store is of {TRecord.Kind} records. Use another schema.");
            var interval = TimeSpan.FromSeconds(reader.GetInt64(1));
            if (interval != _options.PartitionInterval)
                throw new InvalidOperationException(
                    $"The schema {_options.Schema} was made with {nameof(PostgreSqlStoreOptions.PartitionInterval)} {interval:c}, and "
                    + $"this store asks for {_options.PartitionInterval:c}.");
            // Before version 4 there was one.
            int partitions = reader.FieldCount > 3 ? reader.GetInt32(3) : 1;
            if (partitions != _options.JoinPartitions)
                throw new InvalidOperationException(
                    $"The schema {_options.Schema} was made with {nameof(PostgreSqlStoreOptions.JoinPartitions)} {partitions}, and this "
                    + $"store asks for {_options.JoinPartitions}.");
            Volatile.Write(ref _isChecked, true);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Reads the joined rows from a number on.</summary>
    private async Task<JoinedRecord[]> Read(NpgsqlConnection connection, long first, int rows, CancellationToken cancellationToken)
    {
        await using NpgsqlBatch select = StoreCommand.Make(connection,
            $"SELECT key, scored, model_version, label, classes, keeping, is_default, body FROM {_schema}.joined WHERE number >= $1 AND "
            + $"number < $2 ORDER BY number", first, first + rows);
        await using NpgsqlDataReader reader = await StoreCommand.Read(select, cancellationToken).ConfigureAwait(false);
        var records = new JoinedRecord[rows];
        byte[] body = new byte[TRecord.BodyBytes];
        int n = 0;
        for (; await reader.ReadAsync(cancellationToken).ConfigureAwait(false); n++)
        {
            reader.GetBytes(7, 0, body, 0, body.Length);
            TRecord record = TRecord.Read((ulong)reader.GetInt64(0), (ulong)reader.GetInt64(2), reader.GetInt32(4), reader.GetDateTime(1),
                (ushort)reader.GetInt16(5), body);
            records[n] = record.Join(reader.GetFloat(3), reader.GetBoolean(6));
        }

        return n == rows ? records : throw new InvalidDataException(
            $"{_schema}.joined holds {n} rows from number {first} on where {rows} were joined: somebody else deleted rows.");
    }
}
