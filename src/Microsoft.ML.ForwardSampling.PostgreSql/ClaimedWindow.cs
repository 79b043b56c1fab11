using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>A window that this worker has, and no other: it stays claimed until it is completed, disposed of, or its worker ends or is silent for <see cref="PostgreSqlStoreOptions.ClaimTimeout"/>.</summary>
/// <remarks>The claim is a transaction of the database, held open; completing commits it together with what was selected. So each window's selection is stored exactly once.
/// What a worker does elsewhere before it completes may happen again, with the same <see cref="Number"/> and the same <see cref="Records"/>.</remarks>
public sealed class ClaimedWindow : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly string _schema;

    internal ClaimedWindow(NpgsqlConnection connection, NpgsqlTransaction transaction, string schema, long number, JoinedRecord[] records)
        => (_connection, _transaction, _schema, Number, Records) = (connection, transaction, schema, number, records);

    /// <summary>Number of the window, from 0.</summary>
    public long Number { get; }

    /// <summary>Its rows, in order; the same whenever the window is claimed.</summary>
    public IReadOnlyList<JoinedRecord> Records { get; }

    /// <summary>Stores what was selected and ends the claim.</summary>
    /// <param name="keys">Keys of the selected rows; none is allowed.</param>
    /// <param name="weights">Their weights, of the same length.</param>
    /// <param name="worker">A name for whoever looks at the table; left out, the machine and the process.</param>
    /// <param name="cancellationToken">Ends the waiting; whether the window is completed is then open.</param>
    /// <returns>Completes when the server has committed.</returns>
    /// <exception cref="ArgumentException">The lengths differ, or a key is not of this window.</exception>
    /// <exception cref="NpgsqlException">The claim was lost, or the server is gone. If that was while it committed, the window may be completed: a claim that finds it open again says that it is not.</exception>
    public async Task CompleteAsync(ReadOnlyMemory<ulong> keys, ReadOnlyMemory<float> weights, string? worker = null, CancellationToken cancellationToken = default)
    {
        if (keys.Length != weights.Length)
            throw new ArgumentException($"Each selected row has one weight. Got {keys.Length} keys and {weights.Length} weights.", nameof(weights));
        HashSet<ulong> own = [.. Records.Select(r => r.Key)];
        foreach (ulong key in keys.Span)
        {
            if (!own.Contains(key))
                throw new ArgumentException($"Window {Number} has no row of key {key}: each key must be that of one of its records.", nameof(keys));
        }

        await using var complete = new NpgsqlCommand($"UPDATE {_schema}.windows SET completed = now(), worker = $1, keys = $2, weights = $3 WHERE number = $4", _connection, _transaction)
        {
            Parameters =
            {
                new() { Value = worker ?? $"{Environment.MachineName}:{Environment.ProcessId}" },
                new() { Value = Array.ConvertAll(keys.ToArray(), k => (long)k) },
                new() { Value = weights.ToArray() },
                new() { Value = Number },
            },
        };
        await complete.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await _transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stores the rows of a data view, as SelectRows gives them, and ends the claim. It reads the view once, and only keys and weights.</summary>
    /// <param name="selected">Selected rows of this window.</param>
    /// <param name="keyColumn">Column of the rows' keys: any integer type (its 64 bits), Key, or text that <see cref="RecordKey.FromString"/> turns into one. Left out, that of LoadJoined.</param>
    /// <param name="weightColumn">Column of their weights, Single. Left out, that of SelectRows.</param>
    /// <param name="worker">A name for whoever looks at the table; left out, the machine and the process.</param>
    /// <param name="cancellationToken">Ends the waiting; whether the window is completed is then open.</param>
    /// <returns>Number of rows selected, when the server has committed.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="selected"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The key or weight column is missing or has a wrong type.</exception>
    /// <exception cref="ArgumentException">A key is not of this window.</exception>
    /// <exception cref="NpgsqlException">As <see cref="CompleteAsync"/>.</exception>
    /// <example><code>
    /// IDataView rows = fs.LoadJoined(window.Records, new JoinedRowsOptions { Task = PredictionTask.Binary });
    /// await window.CompleteSelectedAsync(fs.SelectRows(rows, new BalancedGradientNormPolicy()));
    /// </code></example>
    public async Task<int> CompleteSelectedAsync(IDataView selected, string keyColumn = ForwardColumns.Key, string weightColumn = ForwardColumns.Weight, string? worker = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(selected);
        DataViewSchema.Column key = RowKeyColumn.Check(selected.Schema, keyColumn, nameof(selected)), weight = CheckWeight(selected.Schema, weightColumn);
        var keys = new List<ulong>();
        var weights = new List<float>();
        using (DataViewRowCursor cursor = selected.GetRowCursor([key, weight]))
        {
            Func<ulong?> keyOf = RowKeyColumn.Open(cursor, key);
            ValueGetter<float> weightOf = cursor.GetGetter<float>(weight);
            float value = 0;
            while (cursor.MoveNext())
            {
                cancellationToken.ThrowIfCancellationRequested();
                keys.Add(keyOf() ?? RecordKey.FromString("")); // of no row: refused with those that are not of the window
                weightOf(ref value);
                weights.Add(value);
            }
        }

        await CompleteAsync(keys.ToArray(), weights.ToArray(), worker, cancellationToken).ConfigureAwait(false);
        return keys.Count;
    }

    /// <summary>Gives the window back if it was not completed.</summary>
    /// <returns>Completes when the claim is gone.</returns>
    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private static DataViewSchema.Column CheckWeight(DataViewSchema schema, string name)
    {
        const string Expected = "Single", Advice = "SelectRows adds this column.";
        if (ColumnFacts.Find(schema, name) is not { } found)
            throw SchemaErrors.Missing("weight", name, Expected, Advice, "selected");
        if (found.ItemRawType != typeof(float) || !found.IsScalar)
            throw SchemaErrors.Mismatch("weight", found, Expected, Advice, "selected");
        return schema[name];
    }
}

/// <summary>What a worker selected from one window.</summary>
/// <param name="Number">Number of the window, from 0.</param>
/// <param name="Keys">Keys of the selected rows.</param>
/// <param name="Weights">Their weights, of the same length.</param>
public sealed record SelectedWindow(long Number, IReadOnlyList<ulong> Keys, IReadOnlyList<float> Weights);
