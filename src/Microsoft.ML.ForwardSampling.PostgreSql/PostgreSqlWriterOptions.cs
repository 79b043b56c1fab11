using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>How a <see cref="PostgreSqlRecordWriter{TRecord}"/> or a <see cref="PostgreSqlLabelWriter"/> writes. Each option is checked
/// when it is set; <see cref="Validate"/> checks them against each other and is called by the writer.</summary>
public sealed record PostgreSqlWriterOptions
{
    /// <summary>What happens to records that come faster than the server takes them.</summary>
    /// <value>Default <see cref="RecordOverflow.Block"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public RecordOverflow Overflow { get; init => field = Require.Defined(value, nameof(PostgreSqlWriterOptions)); }

    /// <summary>Most records in one batch, which is one transaction.</summary>
    /// <value>[1, 1048576]; default 16384.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 1048576].</exception>
    public int BatchRecords { get; init => field = Require.InRange(value, 1, 1 << 20, nameof(PostgreSqlWriterOptions)); } = 16384;

    /// <summary>Records that may wait for the server, in memory: 24 bytes each (multiclass 40), allocated when the writer is
    /// opened.</summary>
    /// <value>[1, 16777216], at least 2 times <see cref="BatchRecords"/>; default 131072.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 16777216].</exception>
    public int MemoryRecords { get; init => field = Require.InRange(value, 1, 1 << 24, nameof(PostgreSqlWriterOptions)); } = 131072;

    /// <summary>A record is sent at the latest this long after it was appended, also when its batch is not full and nobody calls
    /// Flush.</summary>
    /// <value>[1 ms, 1 h]; default 200 ms.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 1 h].</exception>
    public TimeSpan FlushInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour,
        nameof(PostgreSqlWriterOptions));
    } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long the writer waits before it tries again after a failure; doubled with each further one, up to
    /// <see cref="LongestRetryInterval"/>.</summary>
    /// <value>[1 ms, 1 h]; default 100 ms.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 1 h].</exception>
    public TimeSpan RetryInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour,
        nameof(PostgreSqlWriterOptions));
    } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait between two tries.</summary>
    /// <value>[1 ms, 1 h], at least <see cref="RetryInterval"/>; default 10 s.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 1 h].</exception>
    public TimeSpan LongestRetryInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour,
        nameof(PostgreSqlWriterOptions));
    } = TimeSpan.FromSeconds(10);

    /// <summary>Seed of the draws of <see cref="RecordOverflow.DropAndRecord"/>.</summary>
    /// <value>Any value; default null: unlike every other writer's.</value>
    public int? Seed { get; init; }

    /// <summary>Clock for the times of records that have none.</summary>
    /// <value>Default <see cref="TimeProvider.System"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public TimeProvider TimeProvider { get; init => field = Require.NotNull(value, nameof(PostgreSqlWriterOptions)); } =
        TimeProvider.System;

    /// <summary>Checks options against each other.</summary>
    /// <exception cref="ArgumentException">They do not agree; the message names both options and their values.</exception>
    internal void Validate()
    {
        if (MemoryRecords / 2 < BatchRecords)
            throw new ArgumentException($"{nameof(PostgreSqlWriterOptions)}.{nameof(MemoryRecords)} must be at least 2 times "
                + $"{nameof(BatchRecords)}, which is {BatchRecords}. Got {MemoryRecords}.", nameof(MemoryRecords));
        if (LongestRetryInterval < RetryInterval)
            throw new ArgumentException($"{nameof(PostgreSqlWriterOptions)}.{nameof(LongestRetryInterval)} must be at least "
                + $"{nameof(RetryInterval)}, which is {RetryInterval:c}. Got {LongestRetryInterval:c}.", nameof(LongestRetryInterval));
    }

    internal RecordBufferOptions Buffer()
    {
        Validate();
        // Small blocks: memory is thinned, and counts as full, a block at a time.
        int blockRecords = Math.Clamp(MemoryRecords / 64, 1, BatchRecords), batchBlocks = BatchRecords / blockRecords;
        return new RecordBufferOptions
        {
            Overflow = Overflow,
            BlockRecords = blockRecords,
            Blocks = Math.Max(2, MemoryRecords / blockRecords),
            FewestBatchBlocks = batchBlocks,
            MostBatchBlocks = batchBlocks,
            FlushInterval = FlushInterval,
            RetryInterval = RetryInterval,
            LongestRetryInterval = LongestRetryInterval,
            AttemptsAtClosing = 3,
            Seed = Seed,
            TimeProvider = TimeProvider,
        };
    }
}
