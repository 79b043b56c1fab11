using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>How far one call of Join is with one partition of the keys. Each slice is a transaction of the caller's, who has taken the
/// partition in it: another joiner may have worked on it since the last one.</summary>
internal sealed class PartitionJoin
{
    /// <summary>How long a transaction that adds labels may run without being missed by the join that ends meanwhile.</summary>
    private static readonly TimeSpan s_longestTransaction = TimeSpan.FromSeconds(10);

    /// <summary>How far the clocks of machines and server may differ for a repeated record or label to be recognised.</summary>
    private static readonly TimeSpan s_clockDifference = TimeSpan.FromHours(1);

    private readonly NpgsqlConnection _connection;
    private readonly LabelJoinOptions _options;
    private readonly DateTime _begun;
    private readonly long _windowRows;
    private readonly bool _closeShortWindow;
    private DateTime? _after;                               // labels stored up to this were looked at; null before the first slice
    private bool _areLabelsSeen;

    public PartitionJoin(NpgsqlConnection connection, string schema, RecordKind kind, LabelJoinOptions options,
        PostgreSqlStoreOptions store, int partition, DateTime begun, bool closeShortWindow)
    {
        Sql = new JoinSql(schema, kind, options.Duplicates, partition, store.JoinPartitions);
        (_connection, _options, Partition, _begun, _closeShortWindow) = (connection, options, partition, begun, closeShortWindow);
        _windowRows = store.WindowRows;
        _areLabelsSeen = options.Duplicates != DuplicateLabels.First;
    }

    public JoinSql Sql { get; }

    public int Partition { get; }

    private TimeSpan Waiting => _options.Wait + _options.Lateness;

    private TimeSpan Remembered => Waiting + s_clockDifference;

    /// <summary>Joins the next slice of what was ready when the call began.</summary>
    /// <returns>Number of rows joined; null when nothing was left to do.</returns>
    public async Task<long?> JoinSlice(CancellationToken cancellationToken)
    {
        await Execute(JoinSql.Settings, cancellationToken).ConfigureAwait(false);
        if (!_areLabelsSeen)
        {
            _after ??= await FirstLabels(cancellationToken).ConfigureAwait(false);
            if (await Next(Sql.NextLabels, cancellationToken, _after, _begun).ConfigureAwait(false) is DateTime last)
            {
                long labelled = await Join(cancellationToken, (Sql.JoinLabelled, [_after, last, _options.Wait, Waiting, Remembered]),
                    (Sql.DropLate, [_after, last, Remembered])).ConfigureAwait(false);
                _after = last;
                return labelled;
            }

            await Execute(Sql.SeeLabels, cancellationToken, _begun).ConfigureAwait(false);
            _areLabelsSeen = true;
        }

        if (await Next(Sql.NextWaited, cancellationToken, _begun - Waiting).ConfigureAwait(false) is DateTime upTo)
        {
            object defaultLabel = _options.DefaultLabel is float label ? label : DBNull.Value;
            return await Join(cancellationToken, (Sql.JoinWaited, [upTo, _options.Wait, defaultLabel, Remembered])).ConfigureAwait(false);
        }

        if (_closeShortWindow)
            await MakeWindows(_closeShortWindow, cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <summary>Labels that an earlier call has seen are looked at again only while their record may still come late; or when the server's
    /// clock was set back, so that new ones may seem seen.</summary>
    private async Task<DateTime> FirstLabels(CancellationToken cancellationToken)
    {
        DateTime seen = (await Next(Sql.LabelsSeen, cancellationToken).ConfigureAwait(false))!.Value;
        return seen <= _begun ? seen - (_options.Lateness + s_longestTransaction) : DateTime.UnixEpoch;
    }

    private async Task<long> Join(CancellationToken cancellationToken, params (string Sql, object[] Values)[] statements)
    {
        long before = await Numbered().ConfigureAwait(false);
        foreach ((string statement, object[] values) in statements)
            await Execute(statement, cancellationToken, values).ConfigureAwait(false);
        long after = await Numbered().ConfigureAwait(false);
        await MakeWindows(closeShort: false, cancellationToken).ConfigureAwait(false);
        return after - before;

        async Task<long> Numbered()
            => (long)(await StoreCommand.Scalar(_connection, Sql.Numbered, cancellationToken).ConfigureAwait(false))!;
    }

    private async Task MakeWindows(bool closeShort, CancellationToken cancellationToken)
    {
        await Execute(Sql.TakeWindows, cancellationToken).ConfigureAwait(false);
        await Execute(Sql.MakeWindows, cancellationToken, _windowRows, closeShort).ConfigureAwait(false);
    }

    private Task Execute(string sql, CancellationToken cancellationToken, params object[] values)
        => StoreCommand.Execute(_connection, sql, cancellationToken, values);

    private async Task<DateTime?> Next(string sql, CancellationToken cancellationToken, params object[] values)
        => await StoreCommand.Scalar(_connection, sql, cancellationToken, values).ConfigureAwait(false) as DateTime?;
}
