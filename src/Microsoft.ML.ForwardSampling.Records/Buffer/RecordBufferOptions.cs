namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>How a <see cref="BufferedRecordWriter{TRecord}"/> keeps records in memory and tries again; for who writes a further one, which
/// has options of its own. Checked when it is made.</summary>
public sealed record RecordBufferOptions
{
    /// <summary>What happens to records that come faster than they are written.</summary>
    /// <value>Default <see cref="RecordOverflow.Block"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public RecordOverflow Overflow { get; init => field = Require.Defined(value, nameof(RecordBufferOptions)); }

    /// <summary>Records in one block: what is closed, written and acknowledged at once.</summary>
    /// <value>[1, 1048575]; default 4096.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int BlockRecords { get; init => field = Require.InRange(value, 1, (1 << 20) - 1, nameof(RecordBufferOptions)); } = 4096;

    /// <summary>Blocks that memory holds, allocated when the writer is made.</summary>
    /// <value>At least 2; default 128.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 2.</exception>
    public int Blocks { get; init => field = Require.AtLeast(value, 2, nameof(RecordBufferOptions)); } = 128;

    /// <summary>As soon as so many blocks are full they are written, before <see cref="FlushInterval"/> has passed.</summary>
    /// <value>At least 1; default 1.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int FewestBatchBlocks { get; init => field = Require.AtLeast(value, 1, nameof(RecordBufferOptions)); } = 1;

    /// <summary>Most blocks that are written at once.</summary>
    /// <value>At least 1; default 2147483647: all that are full.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int MostBatchBlocks { get; init => field = Require.AtLeast(value, 1, nameof(RecordBufferOptions)); } = int.MaxValue;

    /// <summary>A record is written at the latest this long after it was appended, also when its block is not full and nobody calls
    /// Flush.</summary>
    /// <value>[1 ms, 1 h]; default 100 ms.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public TimeSpan FlushInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour,
        nameof(RecordBufferOptions));
    } = TimeSpan.FromMilliseconds(100);

    /// <summary>The wait after a failure; doubled with each further one, up to <see cref="LongestRetryInterval"/>.</summary>
    /// <value>[1 ms, 1 h]; default 1 s.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public TimeSpan RetryInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour,
        nameof(RecordBufferOptions));
    } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait between two tries.</summary>
    /// <value>[1 ms, 1 h]; default 1 s. Below <see cref="RetryInterval"/> it counts as that.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public TimeSpan LongestRetryInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour,
        nameof(RecordBufferOptions));
    } = TimeSpan.FromSeconds(1);

    /// <summary>How often closing tries to write what is left.</summary>
    /// <value>At least 1; default 1.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int AttemptsAtClosing { get; init => field = Require.AtLeast(value, 1, nameof(RecordBufferOptions)); } = 1;

    /// <summary>Seed of the draws of <see cref="RecordOverflow.DropAndRecord"/>.</summary>
    /// <value>Any value; default null: unlike every other writer's.</value>
    public int? Seed { get; init; }

    /// <summary>Clock for the times of records that have none.</summary>
    /// <value>Default <see cref="TimeProvider.System"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public TimeProvider TimeProvider { get; init => field = Require.NotNull(value, nameof(RecordBufferOptions)); } = TimeProvider.System;
}
