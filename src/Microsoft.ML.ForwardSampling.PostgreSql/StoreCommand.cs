using Npgsql;
using NpgsqlTypes;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>The store's statements: without a time limit, and with names that mean what the server's own catalogue says.</summary>
/// <remarks>Whoever may create functions in a schema on the search path can offer one that fits a call better than the built-in one, and
/// have it run by a joiner or by the owner. So each statement follows a setting of the path, in the same transaction: one of its own, or
/// the one that is open. Nothing is left behind in the session.</remarks>
internal static class StoreCommand
{
    /// <summary>Pins the search path until the transaction's end.</summary>
    public const string PinPath = "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)";

    /// <summary>A statement after the pin, without a time limit: how long one takes depends on the disk and on whose turn it is, and one
    /// that is given up would only begin again.</summary>
    public static NpgsqlBatch Make(NpgsqlConnection connection, string sql, params object[] values)
    {
        var statement = new NpgsqlBatchCommand(sql);
        foreach (object value in values)
        {
            statement.Parameters.Add(value switch
            {
                DBNull => new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Real },
                // All of it as microseconds: the server takes a day for 23 to 25 hours, as the session's time zone has it.
                TimeSpan span => new NpgsqlParameter
                { Value = new NpgsqlInterval(months: 0, days: 0, time: span.Ticks / TimeSpan.TicksPerMicrosecond) },
                _ => new NpgsqlParameter { Value = value },
            });
        }

        return new NpgsqlBatch(connection) { Timeout = 0, BatchCommands = { new NpgsqlBatchCommand(PinPath), statement } };
    }

    /// <summary>Runs a statement; gives the number of rows that it changed.</summary>
    public static int Execute(NpgsqlConnection connection, string sql, params object[] values)
    {
        using NpgsqlBatch batch = Make(connection, sql, values);
        return batch.ExecuteNonQuery();
    }

    /// <summary>Runs a statement; gives the number of rows that it changed.</summary>
    public static async Task<int> Execute(NpgsqlConnection connection, string sql, CancellationToken cancellationToken,
        params object[] values)
    {
        await using NpgsqlBatch batch = Make(connection, sql, values);
        return await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs statements without values, several in one text, in the transaction that is open.</summary>
    public static async Task ExecuteScript(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var script = new NpgsqlCommand($"{PinPath}; {sql}", connection) { CommandTimeout = 0 };
        await script.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The first value of a statement's first row; null when there is no row.</summary>
    public static async Task<object?> Scalar(NpgsqlConnection connection, string sql, CancellationToken cancellationToken,
        params object[] values)
    {
        await using NpgsqlBatch batch = Make(connection, sql, values);
        await using NpgsqlDataReader reader = await Read(batch, cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? reader.GetValue(0) : null;
    }

    /// <summary>Begins to read a statement's rows.</summary>
    public static async Task<NpgsqlDataReader> Read(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        NpgsqlDataReader reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);      // past the pin's
            return reader;
        }
        catch
        {
            await reader.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
