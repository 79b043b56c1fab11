using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>Writes labels into a <see cref="PostgreSqlRecordStore{TRecord}"/> as they come, from any number of threads.</summary>
/// <remarks>
/// <para>Once the commit of a batch is answered, the labels numbered up to <see cref="BufferedRecordWriter{TRecord}.Acknowledged"/> are in
/// the database. A label with the same key, time and value is one label, so that a batch that is sent again, and a label that is appended
/// again by another process, changes nothing; a label without a time is stamped when it is appended.</para>
/// <para>While the server is gone labels wait in memory, as <see cref="PostgreSqlRecordWriter{TRecord}"/> says of records.</para>
/// </remarks>
public sealed class PostgreSqlLabelWriter : BufferedRecordWriter<LabelEvent>
{
    private readonly StoreConnections _connections;
    private readonly string _schema;
    private NpgsqlConnection? _connection;

    internal PostgreSqlLabelWriter(StoreConnections connections, string schema, PostgreSqlWriterOptions options)
        : base(options.Buffer())
    {
        (_connections, _schema) = (connections, schema);
        Start();
    }

    /// <inheritdoc/>
    public override RecordWriterReport Report => Count();

    /// <inheritdoc/>
    protected override string Name => $"The writer of labels to {_schema}";

    /// <inheritdoc/>
    protected override string Refusal => "the server refused or was gone";

    /// <summary>Commits the labels that are not there yet.</summary>
    /// <param name="batch">The labels.</param>
    protected override void WriteBatch(RecordBatch<LabelEvent> batch)
    {
        var labels = new LabelEvent[batch.Count];
        int count = 0;
        foreach (BufferedRecord label in batch)
            labels[count++] = label.As<LabelEvent>();
        try
        {
            using NpgsqlBatch insert = LabelInsert.Command(_connection ??= _connections.Open(), _schema, labels);
            insert.ExecuteNonQuery();
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }
}

/// <summary>The statement that adds labels.</summary>
internal static class LabelInsert
{
    /// <summary>Adds those that are not there yet.</summary>
    /// <param name="connection">Open.</param>
    /// <param name="schema">The schema's quoted name.</param>
    /// <param name="labels">Labels with times; sorted here into the order of the index, so that two who add the same labels cannot wait for
    /// each other.</param>
    public static NpgsqlBatch Command(NpgsqlConnection connection, string schema, LabelEvent[] labels)
    {
        Array.Sort(labels, (a, b) => (a.Key, a.Time, a.Label).CompareTo((b.Key, b.Time, b.Label)));
        return StoreCommand.Make(
            connection,
            $"INSERT INTO {schema}.labels (key, known, label) SELECT * FROM unnest($1, $2, $3) ON CONFLICT DO NOTHING",
            Array.ConvertAll(labels, l => (long)l.Key),
            Array.ConvertAll(labels, l => l.Time),
            Array.ConvertAll(labels, l => l.Label));
    }
}
