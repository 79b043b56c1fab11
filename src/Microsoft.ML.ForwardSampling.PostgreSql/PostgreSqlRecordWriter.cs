using System.Security.Cryptography;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>Writes the records of one process into a <see cref="PostgreSqlRecordStore{TRecord}"/>, from any number of threads; any number
/// of processes write side by side.</summary>
/// <remarks>
/// <para><b>Acknowledged.</b> A thread of the writer sends batches, each in one transaction by binary COPY; once its commit is answered,
/// the records numbered up to <see cref="BufferedRecordWriter{TRecord}.Acknowledged"/> are in the database, each once, and survive what the
/// server's commits survive.</para>
/// <para><b>Retries never duplicate.</b> A batch keeps its number and its records until it is acknowledged, and its transaction also notes
/// the number under this writer's own identity: sent again after its commit was done but the answer lost, it is recognised and not
/// written.</para>
/// <para><b>When the server is gone</b>, records wait in memory and the batch is tried again, at first after
/// <see cref="RecordWriterOptions.RetryInterval"/>, then ever more rarely up to
/// <see cref="PostgreSqlWriterOptions.LongestRetryInterval"/>, and at each Flush. Closing tries three times.</para>
/// <para>The database keeps times in microseconds. What else <see cref="BufferedRecordWriter{TRecord}"/> says holds.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>.</typeparam>
public sealed class PostgreSqlRecordWriter<TRecord> : BufferedRecordWriter<TRecord>
    where TRecord : struct, IForwardRecord<TRecord>
{
    private readonly StoreConnections _connections;
    private readonly string _schema;
    private readonly string _noteBatch;
    private readonly string _copy;
    private readonly TimeSpan _partitionCheck;
    private readonly long _writer = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
    private readonly byte[] _bytes = new byte[1 << 16];
    private NpgsqlConnection? _connection;
    private long _partitionsDue;
    private long _batches;
    private long _repeated;

    internal PostgreSqlRecordWriter(StoreConnections connections, string schema, TimeSpan partitionInterval,
        PostgreSqlWriterOptions options)
        : base(options.Buffer())
    {
        (_connections, _schema) = (connections, schema);
        _noteBatch = $"INSERT INTO {schema}.writers AS w (writer, batch, records) VALUES ($1, $2, $3) ON CONFLICT (writer) DO UPDATE SET "
            + $"batch = $2, records = w.records + $3, seen = now() WHERE w.batch < $2";
        _copy = $"COPY {schema}.records ({CopyRow.Columns}) FROM STDIN (FORMAT BINARY)";
        _partitionCheck = partitionInterval / 4;
        Start();
    }

    /// <inheritdoc/>
    public override PostgreSqlWriterReport Report => new(Count())
    {
        Batches = Interlocked.Read(ref _batches),
        RepeatedBatches = Interlocked.Read(ref _repeated),
    };

    /// <inheritdoc/>
    protected override string Name => $"The writer to {_schema}";

    /// <inheritdoc/>
    protected override string Refusal => "the server refused or was gone";

    /// <summary>Commits the records, or finds that they are committed already.</summary>
    /// <param name="batch">The records.</param>
    protected override void WriteBatch(RecordBatch<TRecord> batch)
    {
        bool isNew;
        try
        {
            isNew = Send(_batches + 1, batch);
        }
        catch
        {
            Close();
            _partitionsDue = 0;                             // a missing partition is a possible reason
            throw;
        }

        Interlocked.Increment(ref _batches);
        if (!isNew)
            Interlocked.Increment(ref _repeated);
    }

    /// <inheritdoc/>
    protected override void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private bool Send(long number, RecordBatch<TRecord> batch)
    {
        NpgsqlConnection connection = _connection ??= _connections.Open();
        if (Environment.TickCount64 >= _partitionsDue)
        {
            StoreCommand.Execute(connection, $"SELECT {_schema}.make_partitions()");
            _partitionsDue = Environment.TickCount64 + (long)_partitionCheck.TotalMilliseconds;
        }

        using NpgsqlTransaction transaction = connection.BeginTransaction();

        // When the first try's transaction is still running at the server, this waits for its end.
        bool isNew = StoreCommand.Execute(connection, _noteBatch, _writer, number, (long)batch.Count) == 1;
        if (isNew)
            Copy(connection, batch);
        transaction.Commit();
        return isNew;
    }

    private void Copy(NpgsqlConnection connection, RecordBatch<TRecord> batch)
    {
        using NpgsqlRawCopyStream stream = connection.BeginRawBinaryCopy(_copy);
        CopyRow.Header.CopyTo(_bytes);
        int length = CopyRow.Header.Length;
        foreach (BufferedRecord record in batch)
        {
            length += CopyRow.Write(record, _bytes.AsSpan(length));
            if (_bytes.Length - length < CopyRow.MostBytes(TRecord.BodyBytes) + CopyRow.Trailer.Length)
            {
                stream.Write(_bytes, 0, length);
                length = 0;
            }
        }

        CopyRow.Trailer.CopyTo(_bytes.AsSpan(length));
        stream.Write(_bytes, 0, length + CopyRow.Trailer.Length);
    }
}
