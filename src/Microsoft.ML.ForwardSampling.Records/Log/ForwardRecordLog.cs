namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Writes the records of one process into a directory of segment files, from any number of threads; other processes may write into
/// the same directory, and <see cref="ForwardRecordReader{TRecord}"/> reads along.</summary>
/// <remarks>
/// <para><b>Acknowledged.</b> A thread of the log writes full blocks at once and others after
/// <see cref="RecordWriterOptions.FlushInterval"/>; then the records numbered up to
/// <see cref="BufferedRecordWriter{TRecord}.Acknowledged"/> have the promised <see cref="ForwardRecordLogOptions.Durability"/>. Flushes at
/// the same time share one write and, for <see cref="RecordDurability.PowerLoss"/>, one fsync.</para>
/// <para><b>When the disk refuses</b> (full, read-only, an error), nothing acknowledged is touched and what is in memory is tried again
/// every <see cref="RecordWriterOptions.RetryInterval"/>, and at each Flush. When the directory or the segment in use is deleted, the
/// log makes a new one and writes again what was not yet acknowledged; what was acknowledged went with the files.</para>
/// <para><b>Clock.</b> Record times are written as they come, also when the clock goes backwards; a block's times are exact to 1/8190 of
/// the time it spans, and a block that spans more than an hour is cut unless that takes more than eight parts. Segment age runs on the
/// monotonic clock.</para>
/// <para>What else <see cref="BufferedRecordWriter{TRecord}"/> says holds.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>, or
/// <see cref="LabelEvent"/> for labels; one directory holds one of them.</typeparam>
public sealed class ForwardRecordLog<TRecord> : BufferedRecordWriter<TRecord>
    where TRecord : struct, ILogRecord<TRecord>
{
    private readonly SegmentWriter _segments;
    private readonly int _recoveredSegments;
    private readonly long _truncatedBytes;
    private byte[]? _scratch;

    /// <summary>Opens a log: creates the directory if need be, begins a segment, finishes those of crashed writers, deletes old
    /// ones.</summary>
    /// <param name="directory">Folder of the segment files, for records of this kind only.</param>
    /// <param name="options">How to write; left out, the defaults.</param>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty, or options do not agree with each other, or labels would
    /// be dropped under <see cref="RecordOverflow.DropAndRecord"/>.</exception>
    /// <exception cref="IOException">The directory cannot be created or written to, or file locks do not lock there.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory is not writable for this user.</exception>
    public ForwardRecordLog(string directory, ForwardRecordLogOptions? options = null)
        : this(directory, options, DiskStorage.Instance)
    {
    }

    internal ForwardRecordLog(string directory, ForwardRecordLogOptions? options, ISegmentStorage storage)
        : base((options ??= new ForwardRecordLogOptions()).Buffer(TRecord.EncodedBytes))
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        Directory = Path.GetFullPath(directory);
        storage.CreateDirectory(Directory, options.Durability == RecordDurability.PowerLoss);
        _segments = new SegmentWriter(Directory, options, storage, TRecord.Kind, TRecord.EncodedBytes);
        _segments.Open();
        try
        {
            _segments.RequireLock();                        // before the files of others are judged by theirs
            (_recoveredSegments, _truncatedBytes) = SegmentDirectory.Recover(Directory);
            _segments.Retain();
        }
        catch
        {
            _segments.Finish();                             // empty, so that it is deleted
            throw;
        }

        Start();
    }

    /// <summary>Full path of the folder.</summary>
    public string Directory { get; }

    /// <inheritdoc/>
    public override ForwardRecordLogReport Report => new(Count())
    {
        Blocks = _segments.Blocks,
        Bytes = _segments.Bytes,
        Segments = _segments.Segments,
        AbandonedSegments = _segments.Abandoned,
        DeletedSegments = _segments.Deleted,
        KeptSegments = _segments.Kept,
        RecoveredSegments = _recoveredSegments,
        TruncatedBytes = _truncatedBytes,
    };

    /// <inheritdoc/>
    protected override string Name => $"The log in {Directory}";

    /// <inheritdoc/>
    protected override string Refusal => "the disk refused";

    /// <inheritdoc/>
    protected override void Rest() => _segments.FinishIfOld();

    /// <inheritdoc/>
    protected override void Finish() => _segments.Finish();

    /// <inheritdoc/>
    protected override void Close() => _segments.Close();

    /// <summary>Writes sealed blocks and makes them durable. After a failure writing goes on where it stopped, or from the first one if
    /// their segment was lost: readers know by its number what they have already seen.</summary>
    /// <param name="batch">The blocks.</param>
    protected override void WriteBatch(RecordBatch<TRecord> batch)
    {
        const int Attempts = 2;                             // a deleted file costs one; a refusing disk fails at both
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                foreach (BlockBuffer<TRecord> block in batch.Blocks)
                {
                    for (int part = 0; part < block.Parts; part++)
                    {
                        long next = block.SequenceAfter(part);
                        if (next > _segments.Written)
                            _segments.Write(block.Seal(part, _segments.Id, ref _scratch), next);
                    }
                }

                _segments.Commit();
                return;
            }
            catch (IOException) when (attempt < Attempts)
            {
            }
        }
    }
}
