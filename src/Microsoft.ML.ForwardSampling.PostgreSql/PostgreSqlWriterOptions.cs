using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>How a <see cref="PostgreSqlRecordWriter{TRecord}"/> or a <see cref="PostgreSqlLabelWriter"/> writes. Each option is checked
/// when it is set, and against the others when a writer is opened.</summary>
public sealed record PostgreSqlWriterOptions : RecordWriterOptions
{
    /// <summary>The defaults: <see cref="RecordWriterOptions.FlushInterval"/> 200 ms, <see cref="RecordWriterOptions.RetryInterval"/> 100
    /// ms, doubled with each further failure up to <see cref="LongestRetryInterval"/>.</summary>
    public PostgreSqlWriterOptions()
        : base(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(100))
    {
    }

    /// <summary>Most records in one batch, which is one transaction.</summary>
    /// <value>[1, 1048576]; default 16384.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 1048576].</exception>
    public int BatchRecords { get; init => field = Require.InRange(value, 1, 1 << 20, nameof(PostgreSqlWriterOptions)); } = 16384;

    /// <summary>Records that may wait for the server, in memory: 24 bytes each (multiclass 40), allocated when the writer is
    /// opened.</summary>
    /// <value>[1, 16777216], at least 2 times <see cref="BatchRecords"/>; default 131072.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 16777216].</exception>
    public int MemoryRecords { get; init => field = Require.InRange(value, 1, 1 << 24, nameof(PostgreSqlWriterOptions)); } = 131072;

    /// <summary>The longest wait between two tries.</summary>
    /// <value>[1 ms, 1 h], at least <see cref="RecordWriterOptions.RetryInterval"/>; default 10 s.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 1 h].</exception>
    public TimeSpan LongestRetryInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour,
        nameof(PostgreSqlWriterOptions));
    } = TimeSpan.FromSeconds(10);

    /// <summary>The buffer of these options.</summary>
    /// <exception cref="ArgumentException">Options do not agree; the message names both and their values.</exception>
    internal RecordBufferOptions Buffer()
        => LongestRetryInterval >= RetryInterval
            ? RecordBufferOptions.ForBatches(this, BatchRecords, MemoryRecords) with
            {
                LongestRetryInterval = LongestRetryInterval,
                AttemptsAtClosing = 3,
            }
            : throw new ArgumentException($"{nameof(PostgreSqlWriterOptions)}.{nameof(LongestRetryInterval)} must be at least "
                + $"{nameof(RetryInterval)}, which is {RetryInterval:c}. Got {LongestRetryInterval:c}.", nameof(LongestRetryInterval));
}
