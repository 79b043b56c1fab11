using Microsoft.ML.ForwardSampling.Records;
using Npgsql;
using NpgsqlTypes;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>Keeps the states of a fleet's joiners in a PostgreSQL database, so that a joiner is followed on any machine that reaches
/// it.</summary>
/// <remarks>
/// <para>A save is one transaction: what it survives is what the server's commits survive. The join's state is written whole each time, in
/// pieces of a megabyte; windows once. While the server is away a call tries again for half a minute.</para>
/// <para>Thread-safe. Guide: docs/fleet.md.</para>
/// </remarks>
public sealed class PostgreSqlJoinStates : IJoinStateStore, IAsyncDisposable
{
    private const int PieceBytes = 1 << 20;

    /// <summary>A script a version, each a format for ever once released.</summary>
    private static readonly string[] s_scripts =
    [
        """
        CREATE TABLE {schema}.join_epochs (
            name text NOT NULL,
            epoch bigint NOT NULL CHECK (epoch > 0),
            saved timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (name, epoch));
        CREATE TABLE {schema}.join_files (
            name text NOT NULL,
            epoch bigint NOT NULL,
            file text NOT NULL,
            piece integer NOT NULL CHECK (piece >= 0),
            bytes bytea NOT NULL,
            PRIMARY KEY (name, epoch, file, piece),
            FOREIGN KEY (name, epoch) REFERENCES {schema}.join_epochs ON DELETE CASCADE);
        ALTER TABLE {schema}.join_files ALTER COLUMN bytes SET STORAGE EXTERNAL;
        """,
    ];

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(250);

    private readonly StoreConnections _connections;
    private readonly SchemaMigrations _migrations;
    private readonly string _schema;
    private bool _isChecked;

    /// <summary>States in the database of a data source, which the caller keeps and disposes of.</summary>
    /// <param name="source">Where the database is.</param>
    /// <param name="schema">Name of the schema that holds them and nothing else: 1 to 63 of the characters a–z, 0–9 and _, not beginning
    /// with a digit.</param>
    /// <exception cref="ArgumentNullException"><paramref name="source"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="schema"/> is not such a name.</exception>
    public PostgreSqlJoinStates(NpgsqlDataSource source, string schema = "forward_sampling_joins")
        : this(new StoreConnections(source ?? throw new ArgumentNullException(nameof(source))), schema)
    {
    }

    /// <summary>States in the database of a connection string.</summary>
    /// <param name="connectionString">As Npgsql takes it.</param>
    /// <param name="schema">As above.</param>
    /// <exception cref="ArgumentException">The string is empty or has a keyword that Npgsql does not know, or <paramref name="schema"/> is
    /// not such a name.</exception>
    public PostgreSqlJoinStates(string connectionString, string schema = "forward_sampling_joins")
        : this(new StoreConnections(connectionString), schema)
    {
    }

    private PostgreSqlJoinStates(StoreConnections connections, string schema)
    {
        _connections = connections;
        _migrations = new SchemaMigrations(new PostgreSqlStoreOptions { Schema = schema }.Schema, s_scripts);
        _schema = _migrations.Quoted;
    }

    /// <summary>How long a call tries again while the server is away.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Makes the schema, or brings an older one up to this library's version; does nothing when it is. For the role that owns the
    /// schema, or may create it.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Completes when the schema is there. Several processes may do it at once.</returns>
    /// <exception cref="NotSupportedException">The schema is of a newer version than this library.</exception>
    /// <exception cref="NpgsqlException">The server refuses or is not there.</exception>
    public Task MigrateAsync(CancellationToken cancellationToken = default)
        => _migrations.Run(_connections, (_, _) => Task.CompletedTask, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The schema is not there, or older: MigrateAsync makes it.</exception>
    /// <exception cref="NotSupportedException">The schema is of a newer version than this library.</exception>
    public Task<long> FindLatestAsync(string join, CancellationToken cancellationToken = default)
        => Patiently(async connection => (long)(await StoreCommand.Scalar(connection,
            $"SELECT coalesce(max(epoch), 0) FROM {_schema}.join_epochs WHERE name = $1", cancellationToken, join).ConfigureAwait(false))!,
            cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The schema is not there, or older: MigrateAsync makes it.</exception>
    /// <exception cref="NotSupportedException">The schema is of a newer version than this library.</exception>
    public Task FetchAsync(string join, long epoch, string directory, CancellationToken cancellationToken = default)
        => Patiently(async connection =>
        {
            foreach (string former in Directory.GetFiles(directory))
                File.Delete(former);                        // of an attempt before
            // One statement, so as of one moment.
            await using NpgsqlBatch batch = StoreCommand.Make(connection,
                $"SELECT file, piece, bytes FROM {_schema}.join_files WHERE name = $1 AND epoch = $2 ORDER BY file, piece", join, epoch);
            await using NpgsqlDataReader reader = await StoreCommand.Read(batch, cancellationToken).ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                string file = reader.GetString(0);
                if (file.Length == 0 || Path.GetFileName(file) != file)
                    throw new InvalidDataException(
                        $"The state of {join}, epoch {epoch}, has a file named '{file}', which leads elsewhere.");
                await using var stream = new FileStream(Path.Combine(directory, file),
                    reader.GetInt32(1) == 0 ? FileMode.Create : FileMode.Append, FileAccess.Write);
                await stream.WriteAsync(reader.GetFieldValue<byte[]>(2), cancellationToken).ConfigureAwait(false);
            }

            return true;
        }, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The schema is not there, or older: MigrateAsync makes it.</exception>
    /// <exception cref="NotSupportedException">The schema is of a newer version than this library.</exception>
    public Task SaveAsync(string join, long epoch, string directory, IReadOnlyCollection<string> files,
        IReadOnlyCollection<string> changed, CancellationToken cancellationToken = default)
        => Patiently(async connection =>
        {
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await StoreCommand.Execute(connection, $"INSERT INTO {_schema}.join_epochs (name, epoch) VALUES ($1, $2) ON CONFLICT "
                + "(name, epoch) DO UPDATE SET saved = now()", cancellationToken, join, epoch).ConfigureAwait(false);
            await StoreCommand.Execute(connection, $"DELETE FROM {_schema}.join_files WHERE name = $1 AND epoch = $2 AND (file = ANY ($3) "
                + "OR NOT file = ANY ($4))", cancellationToken, join, epoch, changed.ToArray(), files.ToArray()).ConfigureAwait(false);
            await using (NpgsqlBinaryImporter import = await connection.BeginBinaryImportAsync(
                $"COPY {_schema}.join_files (name, epoch, file, piece, bytes) FROM STDIN (FORMAT BINARY)", cancellationToken)
                .ConfigureAwait(false))
            {
                import.Timeout = TimeSpan.Zero;             // none
                foreach (string file in changed)
                    await Import(import, join, epoch, directory, file, cancellationToken).ConfigureAwait(false);
                await import.CompleteAsync(cancellationToken).ConfigureAwait(false);
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The schema is not there, or older: MigrateAsync makes it.</exception>
    /// <exception cref="NotSupportedException">The schema is of a newer version than this library.</exception>
    public Task ForgetBeforeAsync(string join, long epoch, CancellationToken cancellationToken = default)
        => Patiently(connection => StoreCommand.Execute(connection,
            $"DELETE FROM {_schema}.join_epochs WHERE name = $1 AND epoch < $2", cancellationToken, join, epoch), cancellationToken);

    /// <summary>Closes the connections, if they are of a connection string.</summary>
    /// <returns>Completes when they are closed.</returns>
    public ValueTask DisposeAsync() => _connections.DisposeAsync();

    private static async Task Import(NpgsqlBinaryImporter import, string join, long epoch, string directory, string file,
        CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(Path.Combine(directory, file), FileMode.Open, FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete, 1);
        byte[] bytes = new byte[(int)Math.Min(PieceBytes, Math.Max(1, stream.Length))];
        for (int piece = 0, read; (read = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken)
            .ConfigureAwait(false)) > 0 || piece == 0; piece++)
        {
            await import.StartRowAsync(cancellationToken).ConfigureAwait(false);
            await import.WriteAsync(join, NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
            await import.WriteAsync(epoch, NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
            await import.WriteAsync(file, NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
            await import.WriteAsync(piece, NpgsqlDbType.Integer, cancellationToken).ConfigureAwait(false);
            await import.WriteAsync(bytes.AsMemory(0, read), NpgsqlDbType.Bytea, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a connection and does something that may be done again.</summary>
    private async Task<T> Patiently<T>(Func<NpgsqlConnection, Task<T>> act, CancellationToken cancellationToken)
    {
        for (long until = Environment.TickCount64 + (long)Patience.TotalMilliseconds; ;)
        {
            try
            {
                await using NpgsqlConnection connection = await _connections.OpenAsync(writes: true, cancellationToken)
                    .ConfigureAwait(false);
                if (!Volatile.Read(ref _isChecked))
                    await _migrations.Check(connection, cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _isChecked, true);
                return await act(connection).ConfigureAwait(false);
            }
            catch (NpgsqlException e)
            {
                if ((e is PostgresException && !e.IsTransient) || Environment.TickCount64 >= until)
                    throw new IOException($"The states of joins in schema {_schema} cannot be read or written: {e.Message}", e);
                await Task.Delay(s_pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
