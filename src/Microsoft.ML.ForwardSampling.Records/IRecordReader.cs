namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Gives records (or labels) out, each once, also while they are still being written; a position can be stored, from which another
/// reader goes on.</summary>
/// <remarks><see cref="ForwardRecordReader{TRecord}"/> reads files. Not thread-safe.</remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/>, <see cref="MulticlassRecord"/> or
/// <see cref="LabelEvent"/>.</typeparam>
public interface IRecordReader<TRecord> : IDisposable
    where TRecord : struct, ILogRecord<TRecord>
{
    /// <summary>What this reader counted so far; a snapshot.</summary>
    RecordReaderReport Report { get; }

    /// <summary>Reads what is there now. An error comes after the records that were read before it, and again until its cause is gone:
    /// nothing is lost by catching it.</summary>
    /// <param name="records">Out: filled from the start.</param>
    /// <returns>Number of records read, at most the length of <paramref name="records"/>. 0 when there is nothing new at the
    /// moment.</returns>
    /// <exception cref="IOException">What holds the records cannot be read.</exception>
    /// <exception cref="ObjectDisposedException">The reader is closed.</exception>
    int Read(Span<TRecord> records);

    /// <summary>Reads, and while there is nothing new waits for it.</summary>
    /// <param name="records">Out: filled from the start; at least one long.</param>
    /// <param name="poll">How often to look, at least 1 ms.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Number of records read, ≥ 1.</returns>
    /// <exception cref="ArgumentException"><paramref name="records"/> is empty, or <paramref name="poll"/> below 1 ms.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="IOException">What holds the records cannot be read.</exception>
    ValueTask<int> ReadAsync(Memory<TRecord> records, TimeSpan poll, CancellationToken cancellationToken = default);

    /// <summary>The place after the records that were given out: the same kind of reader, told this, gives what comes next.</summary>
    /// <returns>A few bytes, of the reader's own format, which loads for ever.</returns>
    byte[] SavePosition();
}
