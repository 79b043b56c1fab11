using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>How a <see cref="NatsRecordWriter{TRecord}"/> keeps and ships records. Each option is checked when it is set;
/// <see cref="Validate"/> checks them against each other and is called by the writer.</summary>
public sealed record NatsWriterOptions
{
    /// <summary>What an acknowledged record survives on the writer's disk. <see cref="RecordDurability.PowerLoss"/> costs an fsync a
    /// batch.</summary>
    /// <value>Default <see cref="RecordDurability.ProcessCrash"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public RecordDurability Durability { get; init => field = Require.Defined(value, nameof(NatsWriterOptions)); }

    /// <summary>What happens to records that come faster than the disk takes them, or when <see cref="DiskBytes"/> is reached.</summary>
    /// <value>Default <see cref="RecordOverflow.Block"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public RecordOverflow Overflow { get; init => field = Require.Defined(value, nameof(NatsWriterOptions)); }

    /// <summary>Most records in one batch, which becomes one block for each partition.</summary>
    /// <value>[1, 16384]; default 16384.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 16384].</exception>
    public int BatchRecords
    {
        get; init => field = Require.InRange(value, 1, BlockEncoding.MostRecords, nameof(NatsWriterOptions));
    } = BlockEncoding.MostRecords;

    /// <summary>Records that may wait for the disk, in memory: 24 bytes each (multiclass 40), allocated when the writer is
    /// opened.</summary>
    /// <value>[1, 16777216], at least 2 times <see cref="BatchRecords"/>; default 131072.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 16777216].</exception>
    public int MemoryRecords { get; init => field = Require.InRange(value, 1, 1 << 24, nameof(NatsWriterOptions)); } = 131072;

    /// <summary>Bytes that blocks may take on the disk until a joiner has saved them. An hour without a cluster at 1,000 records a second
    /// is 72 MB.</summary>
    /// <value>[1048576, 1099511627776], bytes, at least 2 times <see cref="FileBytes"/>; default 4294967296.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public long DiskBytes { get; init => field = Require.InRange(value, 1L << 20, 1L << 40, nameof(NatsWriterOptions)); } = 4L << 30;

    /// <summary>A file is left for a new one before it would grow beyond this. A file is deleted when a joiner has saved all of
    /// it.</summary>
    /// <value>[65536, 1073741824], bytes; default 16777216. One batch is written whole, whatever its size.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public long FileBytes { get; init => field = Require.InRange(value, 65536L, 1L << 30, nameof(NatsWriterOptions)); } = 16L << 20;

    /// <summary>A record is on the disk, and on its way, at the latest this long after it was appended, also when its batch is not full and
    /// nobody calls Flush.</summary>
    /// <value>[1 ms, 1 h]; default 200 ms.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 1 h].</exception>
    public TimeSpan FlushInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour, nameof(NatsWriterOptions));
    } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long the writer waits before it tries again after the disk or the cluster refused.</summary>
    /// <value>[1 ms, 1 h]; default 250 ms.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 1 h].</exception>
    public TimeSpan RetryInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour, nameof(NatsWriterOptions));
    } = TimeSpan.FromMilliseconds(250);

    /// <summary>Seed of the draws of <see cref="RecordOverflow.DropAndRecord"/>.</summary>
    /// <value>Any value; default null: unlike every other writer's.</value>
    public int? Seed { get; init; }

    /// <summary>Clock for the times of records that have none.</summary>
    /// <value>Default <see cref="TimeProvider.System"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public TimeProvider TimeProvider { get; init => field = Require.NotNull(value, nameof(NatsWriterOptions)); } = TimeProvider.System;

    /// <summary>Checks options against each other.</summary>
    /// <exception cref="ArgumentException">They do not agree; the message names both options and their values.</exception>
    internal void Validate()
    {
        if (MemoryRecords / 2 < BatchRecords)
            throw Disagree(nameof(MemoryRecords), MemoryRecords, $"{nameof(BatchRecords)}, which is {BatchRecords}");
        if (DiskBytes / 2 < FileBytes)
            throw Disagree(nameof(DiskBytes), DiskBytes, $"{nameof(FileBytes)}, which is {FileBytes}");
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
            LongestRetryInterval = RetryInterval,
            Seed = Seed,
            TimeProvider = TimeProvider,
        };
    }

    private static ArgumentException Disagree(string option, long value, string other)
        => new($"{nameof(NatsWriterOptions)}.{option} must be at least 2 times {other}. Got {value}.", option);
}
