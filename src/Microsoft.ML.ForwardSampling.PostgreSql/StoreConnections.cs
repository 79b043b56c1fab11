using System.Transactions;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>Opens the store's own connections: none takes part in a transaction of the caller, none that is dead or on a server that takes
/// no writes is handed out.</summary>
/// <remarks>A pool holds what was good once. After a failover that is a connection to a server that is gone, or that has become read-only
/// and says so only to who writes. So each connection is tried, and a pool with a bad one is emptied.</remarks>
internal sealed class StoreConnections : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource? _owned;
    private readonly Lock _disposing = new();
    private Task? _disposed;

    /// <summary>Connections of the caller's data source, which stays the caller's.</summary>
    public StoreConnections(NpgsqlDataSource source) => _source = source;

    /// <summary>Connections of a connection string; where it names several hosts and does not say which, those of the one that takes
    /// writes.</summary>
    public StoreConnections(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.ConnectionStringBuilder.Enlist = false;
        if (builder.ConnectionStringBuilder.Host?.Contains(',', StringComparison.Ordinal) != true)
        {
            _source = _owned = builder.Build();
            return;
        }

        // Npgsql takes the attribute of several hosts from the data source, not from the string.
        string? wanted = builder.ConnectionStringBuilder.TargetSessionAttributes;
        builder.ConnectionStringBuilder.TargetSessionAttributes = null;
        NpgsqlMultiHostDataSource hosts = builder.BuildMultiHost();
        _owned = hosts;
        _source = hosts.WithTargetSession(wanted is null ? TargetSessionAttributes.ReadWrite
            : Enum.Parse<TargetSessionAttributes>(wanted.Replace("-", "", StringComparison.Ordinal), ignoreCase: true));
    }

    /// <summary>Opens a connection that takes writes.</summary>
    /// <exception cref="NpgsqlException">The server is not there, or its sessions are read-only.</exception>
    public NpgsqlConnection Open()
    {
        for (bool isLast = false; ; isLast = true)
        {
            NpgsqlConnection connection;
            using (Outside())
                connection = _source.OpenConnection();
            try
            {
                using NpgsqlCommand ask = Ask(connection);
                if (!IsReadOnly(ask.ExecuteScalar()))
                    return connection;
                if (isLast)
                    throw ReadOnly(connection);
                connection.Dispose();
            }
            catch (Exception e)
            {
                connection.Dispose();
                _source.Clear();
                if (isLast || e is not NpgsqlException)
                    throw;
            }

            _source.Clear();
        }
    }

    /// <summary>Opens a connection.</summary>
    /// <param name="writes">It must take writes.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="NpgsqlException">The server is not there, or its sessions are read-only.</exception>
    public async Task<NpgsqlConnection> OpenAsync(bool writes, CancellationToken cancellationToken)
    {
        for (bool isLast = false; ; isLast = true)
        {
            NpgsqlConnection connection;
            using (Outside())
                connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await using NpgsqlCommand ask = Ask(connection);
                if (!IsReadOnly(await ask.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false)) || !writes)
                    return connection;
                if (isLast)
                    throw ReadOnly(connection);
                await connection.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                _source.Clear();
                if (isLast || e is not NpgsqlException)
                    throw;
            }

            _source.Clear();
        }
    }

    /// <summary>Closes the connections of a connection string; the second call waits for the first.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_disposing)
            return new ValueTask(_disposed ??= _owned?.DisposeAsync().AsTask() ?? Task.CompletedTask);
    }

    /// <summary>Npgsql enlists a connection in the ambient transaction when it is opened, unless told otherwise by a connection string that
    /// is not ours to change.</summary>
    private static TransactionScope Outside() => new(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);

    /// <summary>Names nothing that a search path could turn into something else.</summary>
    private static NpgsqlCommand Ask(NpgsqlConnection connection) => new("SHOW transaction_read_only", connection);

    private static bool IsReadOnly(object? answer) => answer is "on";

    private static NpgsqlException ReadOnly(NpgsqlConnection connection)
        => new($"The server {connection.Host}:{connection.Port} takes no writes: a new session there is read-only (transaction_read_only "
            + $"is on), as on a standby. After a failover, let the host name lead to the new primary, or name all hosts: Host=one,two.");
}
