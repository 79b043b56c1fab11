namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Takes the records (or the labels) of one process, from any number of threads, and says from when on they are safe.</summary>
/// <remarks><see cref="ForwardRecordLog{TRecord}"/> writes files. <see cref="BufferedRecordWriter{TRecord}"/> is the way to write a further
/// one.</remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/>, <see cref="MulticlassRecord"/> or
/// <see cref="LabelEvent"/>.</typeparam>
public interface IRecordWriter<TRecord> : IDisposable, IAsyncDisposable
    where TRecord : struct, ILogRecord<TRecord>
{
    /// <summary>Records 1 to this are as safe as the writer promises.</summary>
    long Acknowledged { get; }

    /// <summary>What was counted so far; a snapshot.</summary>
    RecordWriterReport Report { get; }

    /// <summary>Takes one record into memory; it is written soon.</summary>
    /// <param name="record">The record; one without a time is stamped.</param>
    /// <param name="cancellationToken">Ends waiting for room.</param>
    /// <returns>The record's number, from 1: it is safe once <see cref="Acknowledged"/> has reached it. 0 when the record was not kept,
    /// under <see cref="RecordOverflow.DropAndRecord"/>.</returns>
    /// <exception cref="IOException">Memory is full and what the records go to refuses. The record was not taken.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting. The record was not taken.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    long Append(in TRecord record, CancellationToken cancellationToken = default);

    /// <summary>Takes records into memory, in order; cheaper than one by one.</summary>
    /// <param name="records">The records.</param>
    /// <param name="cancellationToken">Ends waiting for room.</param>
    /// <returns>The number of the last record taken so far by this writer; once <see cref="Acknowledged"/> has reached it, all that were
    /// kept of these are safe.</returns>
    /// <exception cref="IOException">Memory is full and what the records go to refuses. Some of the records may have been taken: compare
    /// <see cref="RecordWriterReport.Appended"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting. Some of the records may have been taken.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    long Append(ReadOnlySpan<TRecord> records, CancellationToken cancellationToken = default);

    /// <summary>Waits until all records appended so far are safe.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="IOException">What the records go to refuses; they stay in memory and are tried again.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    void Flush(CancellationToken cancellationToken = default);

    /// <summary>Completes when all records appended so far are safe.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>A task that fails as <see cref="Flush"/> does.</returns>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    Task FlushAsync(CancellationToken cancellationToken = default);
}
