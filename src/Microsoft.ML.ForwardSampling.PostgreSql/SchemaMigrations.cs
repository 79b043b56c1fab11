using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>Makes the store's schema and brings an older one up to date: the embedded scripts 001.sql, 002.sql, …, each in a transaction of
/// its own.</summary>
internal sealed class SchemaMigrations
{
    private readonly string _name;
    private readonly IReadOnlyList<string> _scripts;

    public SchemaMigrations(string schemaName, IReadOnlyList<string>? scripts = null)
    {
        _name = schemaName;
        Quoted = $"\"{schemaName}\"";                       // the option allows nothing that would need more
        _scripts = scripts ?? Embedded;
    }

    /// <summary>The scripts of this version of the library, in order.</summary>
    public static IReadOnlyList<string> Embedded { get; } = [.. typeof(SchemaMigrations).Assembly.GetManifestResourceNames()
        .Where(n => n.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(Read)];

    public string Quoted { get; }

    private int Version => _scripts.Count;

    /// <summary>Runs what is missing, and after each step, in its transaction, what belongs to that version. Of several processes that come
    /// together one does, and the others wait.</summary>
    public async Task Run(StoreConnections connections,
        Func<NpgsqlConnection, int, Task> afterStep, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await connections.OpenAsync(writes: true, cancellationToken).ConfigureAwait(false);
        for (bool done = false; !done;)
        {
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            // Only table schema_version is shared by all versions of the library: it stays as it is.
            await Execute($"SELECT pg_advisory_xact_lock(hashtextextended('{_name}.migration', 0::bigint))").ConfigureAwait(false);
            if (await Found(connection, cancellationToken).ConfigureAwait(false) is null)
                await Execute($"CREATE SCHEMA IF NOT EXISTS {Quoted}; CREATE TABLE {Quoted}.schema_version (version integer PRIMARY KEY, "
                    + $"applied timestamptz NOT NULL DEFAULT now())").ConfigureAwait(false);
            int found = await Found(connection, cancellationToken).ConfigureAwait(false) ?? 0;
            ThrowIfNewer(found);
            if (found < Version)
            {
                await Execute(_scripts[found].Replace("{schema}", Quoted, StringComparison.Ordinal)).ConfigureAwait(false);
                await afterStep(connection, found + 1).ConfigureAwait(false);
                await Execute($"INSERT INTO {Quoted}.schema_version (version) VALUES ({found + 1})").ConfigureAwait(false);
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            done = found + 1 >= Version;

            Task Execute(string sql) => StoreCommand.ExecuteScript(connection, sql, cancellationToken);
        }
    }

    /// <summary>Requires the schema to be of this library's version.</summary>
    public async Task Check(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        int? found = await Found(connection, cancellationToken).ConfigureAwait(false);
        if (found is null || found < Version)
            throw new InvalidOperationException(
                $"The schema {_name} of database {connection.Database} {(found is null ? "is not there" : $"has version {found}")}, and "
                + $"this library needs version {Version}. Call MigrateAsync once, as the role that owns the schema.");
        ThrowIfNewer(found.Value);
    }

    private static string Read(string name)
    {
        using var reader = new StreamReader(typeof(SchemaMigrations).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    private void ThrowIfNewer(int found)
    {
        if (found > Version)
            throw new NotSupportedException(
                $"The schema {_name} has version {found}, and this library knows versions up to {Version}. Use a library at least as new "
                + $"as the one that migrated it.");
    }

    /// <summary>The version that the database holds; null when there is none.</summary>
    private async Task<int?> Found(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await StoreCommand.Scalar(connection,
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'schema_version')", cancellationToken,
            _name).ConfigureAwait(false) is not true)
            return null;
        return (int)(await StoreCommand.Scalar(connection, $"SELECT coalesce(max(version), 0) FROM {Quoted}.schema_version",
            cancellationToken).ConfigureAwait(false))!;
    }
}
