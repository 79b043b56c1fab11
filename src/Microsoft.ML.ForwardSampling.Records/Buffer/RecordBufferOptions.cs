namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>How a <see cref="BufferedRecordWriter{TRecord}"/> keeps records in memory and tries again; for who writes a further one, which
/// has options of its own. Checked when it is made.</summary>
public sealed record RecordBufferOptions : RecordWriterOptions
{
    /// <summary>The defaults: <see cref="RecordWriterOptions.FlushInterval"/> 100 ms, <see cref="RecordWriterOptions.RetryInterval"/>
    /// 1 s.</summary>
    public RecordBufferOptions()
        : base(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1))
    {
    }

    /// <summary>Takes over what a writer's own options say.</summary>
    /// <param name="writer">The writer's options. <see cref="LongestRetryInterval"/> becomes their
    /// <see cref="RecordWriterOptions.RetryInterval"/>: no doubling.</param>
    /// <exception cref="ArgumentNullException"><paramref name="writer"/> is null.</exception>
    public RecordBufferOptions(RecordWriterOptions writer)
        : base(writer ?? throw new ArgumentNullException(nameof(writer)))
        => LongestRetryInterval = RetryInterval;

    /// <summary>A buffer that is written in batches.</summary>
    /// <param name="writer">The writer's options, as <see cref="RecordBufferOptions(RecordWriterOptions)"/> takes them over.</param>
    /// <param name="batchRecords">Most records in one batch, at least 1.</param>
    /// <param name="memoryRecords">Records that may wait in memory, at least 2 times <paramref name="batchRecords"/>.</param>
    /// <returns>Small blocks, for memory is thinned, and counts as full, a block at a time.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="writer"/> is null.</exception>
    /// <exception cref="ArgumentException">Memory is too small for the batch; the message names both by the words BatchRecords and
    /// MemoryRecords.</exception>
    public static RecordBufferOptions ForBatches(RecordWriterOptions writer, int batchRecords, int memoryRecords)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (memoryRecords / 2 < batchRecords)
            throw new ArgumentException($"{writer.GetType().Name}.MemoryRecords must be at least 2 times BatchRecords, which is "
                + $"{batchRecords}. Got {memoryRecords}.", "MemoryRecords");
        int blockRecords = Math.Clamp(memoryRecords / 64, 1, batchRecords), batchBlocks = batchRecords / blockRecords;
        return new RecordBufferOptions(writer)
        {
            BlockRecords = blockRecords,
            Blocks = Math.Max(2, memoryRecords / blockRecords),
            FewestBatchBlocks = batchBlocks,
            MostBatchBlocks = batchBlocks,
        };
    }

    /// <summary>Records in one block: what is closed, written and acknowledged at once.</summary>
    /// <value>[1, 1048575]; default 4096.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int BlockRecords { get; init => field = Require.InRange(value, 1, (1 << 20) - 1, nameof(RecordBufferOptions)); } = 4096;

    /// <summary>Blocks that memory holds, allocated when the writer is made.</summary>
    /// <value>At least 2; default 128.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 2.</exception>
    public int Blocks { get; init => field = Require.AtLeast(value, 2, nameof(RecordBufferOptions)); } = 128;

    /// <summary>As soon as so many blocks are full they are written, before <see cref="RecordWriterOptions.FlushInterval"/> has
    /// passed.</summary>
    /// <value>At least 1; default 1.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int FewestBatchBlocks { get; init => field = Require.AtLeast(value, 1, nameof(RecordBufferOptions)); } = 1;

    /// <summary>Most blocks that are written at once.</summary>
    /// <value>At least 1; default 2147483647: all that are full.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int MostBatchBlocks { get; init => field = Require.AtLeast(value, 1, nameof(RecordBufferOptions)); } = int.MaxValue;

    /// <summary>The longest wait between two tries.</summary>
    /// <value>[1 ms, 1 h]; default 1 s. Below <see cref="RecordWriterOptions.RetryInterval"/> it counts as that.</value>
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
}
