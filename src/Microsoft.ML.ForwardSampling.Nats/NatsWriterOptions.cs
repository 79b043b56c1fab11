using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>How a <see cref="NatsRecordWriter{TRecord}"/> keeps and ships records. Each option is checked when it is set, and
/// against the others when a writer is opened.</summary>
public sealed record NatsWriterOptions : RecordWriterOptions
{
    /// <summary>The defaults: <see cref="RecordWriterOptions.FlushInterval"/> 200 ms, <see cref="RecordWriterOptions.RetryInterval"/> 250
    /// ms after the disk or the cluster refused. <see cref="RecordWriterOptions.Overflow"/> holds also when <see cref="DiskBytes"/> is
    /// reached.</summary>
    public NatsWriterOptions()
        : base(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(250))
    {
    }

    /// <summary>What an acknowledged record survives on the writer's disk. <see cref="RecordDurability.PowerLoss"/> costs an fsync a
    /// batch.</summary>
    /// <value>Default <see cref="RecordDurability.ProcessCrash"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public RecordDurability Durability { get; init => field = Require.Defined(value, nameof(NatsWriterOptions)); }

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

    /// <summary>The buffer of these options.</summary>
    /// <exception cref="ArgumentException">Options do not agree; the message names both and their values.</exception>
    internal RecordBufferOptions Buffer()
        => DiskBytes / 2 >= FileBytes
            ? RecordBufferOptions.ForBatches(this, BatchRecords, MemoryRecords)
            : throw new ArgumentException($"{nameof(NatsWriterOptions)}.{nameof(DiskBytes)} must be at least 2 times {nameof(FileBytes)}, "
                + $"which is {FileBytes}. Got {DiskBytes}.", nameof(DiskBytes));
}
