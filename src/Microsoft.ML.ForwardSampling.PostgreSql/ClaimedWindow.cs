using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>A window that this worker has, and no other: it stays claimed until it is completed, disposed of, or its worker ends or is
/// silent for <see cref="PostgreSqlStoreOptions.ClaimTimeout"/>.</summary>
/// <remarks>The claim is a transaction of the database, held open; completing commits it together with what was selected. So each window's
/// selection is stored exactly once. What a worker does elsewhere before it completes may happen again, with the same <see cref="Number"/>
/// and the same <see cref="Records"/>.</remarks>
public sealed class ClaimedWindow : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly string _schema;
    private readonly Lock _disposing = new();
    private Task? _disposed;

    internal ClaimedWindow(NpgsqlConnection connection, NpgsqlTransaction transaction, string schema, long number, JoinedRecord[] records)
        => (_connection, _transaction, _schema, Number, Records) = (connection, transaction, schema, number, records);

    /// <summary>Number of the window, from 0.</summary>
    public long Number { get; }

    /// <summary>Its rows, in order; the same whenever the window is claimed.</summary>
    public IReadOnlyList<JoinedRecord> Records { get; }

    /// <summary>Stores what was selected and ends the claim.</summary>
    /// <param name="selected">The selected rows and their weights; none is allowed. <c>fs.SelectedKeys(view)</c> reads them from a data
    /// view that SelectRows gave.</param>
    /// <param name="worker">A name for whoever looks at the table; left out, the machine and the process.</param>
    /// <param name="cancellationToken">Ends the waiting; whether the window is completed is then open.</param>
    /// <returns>Completes when the server has committed.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="selected"/> is null.</exception>
    /// <exception cref="ArgumentException">A key is not of this window.</exception>
    /// <exception cref="NpgsqlException">The claim was lost, or the server is gone. If that was while it committed, the window may be
    /// completed: a claim that finds it open again says that it is not.</exception>
    /// <example><code>
    /// IDataView rows = fs.LoadJoined(window.Records, new JoinedRowsOptions { Task = PredictionTask.Binary });
    /// await window.CompleteAsync(fs.SelectedKeys(fs.SelectRows(rows, new BalancedGradientNormPolicy())));
    /// </code></example>
    public async Task CompleteAsync(IReadOnlyList<SelectedKey> selected, string? worker = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(selected);
        HashSet<ulong> own = [.. Records.Select(r => r.Key)];
        foreach (SelectedKey row in selected)
        {
            if (!own.Contains(row.Key))
                throw new ArgumentException($"Window {Number} has no row of key {row.Key}: each key must be that of one of its records.",
                    nameof(selected));
        }

        await StoreCommand.Execute(
            _connection,
            $"UPDATE {_schema}.windows SET completed = now(), worker = $1, keys = $2, weights = $3 WHERE number = $4",
            cancellationToken,
            worker ?? $"{Environment.MachineName}:{Environment.ProcessId}",
            selected.Select(row => (long)row.Key).ToArray(),
            selected.Select(row => row.Weight).ToArray(),
            Number).ConfigureAwait(false);
        await _transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives the window back if it was not completed. A second call waits for the first.</summary>
    /// <returns>Completes when the claim is gone.</returns>
    public ValueTask DisposeAsync()
    {
        lock (_disposing)
            return new ValueTask(_disposed ??= GiveBack());
    }

    private async Task GiveBack()
    {
        await _transaction.DisposeAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>What a worker selected from one window.</summary>
/// <param name="Number">Number of the window, from 0.</param>
/// <param name="Rows">The selected rows and their weights.</param>
public sealed record SelectedWindow(long Number, IReadOnlyList<SelectedKey> Rows);
