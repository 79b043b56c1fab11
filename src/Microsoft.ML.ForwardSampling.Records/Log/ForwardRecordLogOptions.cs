namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>How a <see cref="ForwardRecordLog{TRecord}"/> writes: durability, memory, rotation and retention.</summary>
/// <remarks>Each option is checked when it is set; <see cref="Validate"/> checks options against each other and is called by the
/// log.</remarks>
public sealed record ForwardRecordLogOptions : RecordWriterOptions
{
    internal const int LargestBlockBytes = 1 << 20;

    /// <summary>The defaults: <see cref="RecordWriterOptions.FlushInterval"/> 100 ms, <see cref="RecordWriterOptions.RetryInterval"/>
    /// 1 s.</summary>
    public ForwardRecordLogOptions()
        : base(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1))
    {
    }

    /// <summary>What an acknowledged record survives. <see cref="RecordDurability.PowerLoss"/> costs an fsync a group, milliseconds on many
    /// disks.</summary>
    /// <value>Default <see cref="RecordDurability.ProcessCrash"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public RecordDurability Durability { get; init => field = Require.Defined(value, nameof(ForwardRecordLogOptions)); }

    /// <summary>Records' bytes in one block, the unit that is checksummed and written at once. A damaged block loses all its
    /// records.</summary>
    /// <value>[1024, 524288], bytes, a multiple of 32; default 65536.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1024, 524288], or no multiple of 32.</exception>
    public int BlockBytes
    {
        get;
        init
        {
            field = Require.InRange(value, 1024, LargestBlockBytes / 2, nameof(ForwardRecordLogOptions));
            if (value % 32 != 0)
                throw new ArgumentOutOfRangeException(nameof(BlockBytes), value,
                    $"{nameof(ForwardRecordLogOptions)}.{nameof(BlockBytes)} must be a multiple of 32.");
        }
    }
    = 65536;

    /// <summary>Bytes of records that may wait for the disk. The log allocates them when it is opened, and 8 bytes a record more for their
    /// times.</summary>
    /// <value>[4096, 1073741824], bytes, at least 4 times <see cref="BlockBytes"/>; default 8388608.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [4096, 1073741824].</exception>
    public int MemoryBytes { get; init => field = Require.InRange(value, 4096, 1 << 30, nameof(ForwardRecordLogOptions)); } = 8 << 20;

    /// <summary>A segment file is closed and a new one begun before it would grow beyond this.</summary>
    /// <value>[4096, 1099511627776], bytes, at least 2 times <see cref="BlockBytes"/>; default 268435456.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [4096, 1099511627776].</exception>
    public long SegmentBytes { get; init => field = Require.InRange(value, 4096, 1L << 40, nameof(ForwardRecordLogOptions)); } = 256 << 20;

    /// <summary>A segment file that holds records is closed this long after it was begun. Measured by the monotonic clock of
    /// <see cref="RecordWriterOptions.TimeProvider"/>: setting the clock back does not matter.</summary>
    /// <value>[1 s, 366 days]; default 1 hour.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 s, 366 days].</exception>
    public TimeSpan SegmentAge
    {
        get; init => field = Require.InRange(value, Require.Second, TimeSpan.FromDays(366),
        nameof(ForwardRecordLogOptions));
    } = TimeSpan.FromHours(1);

    /// <summary>When the files of the directory take more than this, the oldest finished ones are deleted. Checked when a log is opened and
    /// at each new segment.</summary>
    /// <value>At least <see cref="SegmentBytes"/>, bytes; default null: no limit.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 4096.</exception>
    public long? RetentionBytes
    {
        get; init => field = value is long bytes ? Require.AtLeast(bytes, 4096, nameof(ForwardRecordLogOptions))
        : null;
    }

    /// <summary>A finished file that was last written longer ago than this is deleted. Checked when a log is opened and at each new
    /// segment; a file from the future is kept.</summary>
    /// <remarks>A clock that jumps ahead must not delete everything. So a file is too old only by the clock, by the time that has really
    /// passed since the log was opened, and by the file system's clock; and the longest time in which nothing was written, when it is
    /// longer than this option, counts for no file. Where the log stood still that long, files are kept longer by it.</remarks>
    /// <value>At least 1 s; default null: no limit.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1 s, or above 36600 days.</exception>
    public TimeSpan? RetentionAge
    {
        get; init => field = value is TimeSpan age
        ? Require.InRange(age, Require.Second, TimeSpan.FromDays(36600), nameof(ForwardRecordLogOptions)) : null;
    }

    /// <summary>Readers whose unread files are never deleted, by the names under which they tell how far they are:
    /// <see cref="ForwardRecordReader{TRecord}.SavePositionAs"/> or <see cref="ForwardRecordJoin{TRecord}.ReaderName"/>.</summary>
    /// <remarks>Such a reader comes before <see cref="RetentionBytes"/> and <see cref="RetentionAge"/>: one that has never told anything
    /// has read nothing, and one that is gone for good fills the disk. <see cref="ForwardRecordLogReport.KeptSegments"/> counts what is
    /// left for readers. All logs of a directory must name the same readers: each deletes by its own options. What is deleted before a
    /// reader that is not named here has read it, that reader counts (<see cref="RecordReaderReport.DeletedRecords"/>,
    /// <see cref="RecordReaderReport.VanishedWriters"/>).</remarks>
    /// <value>Names of 1 to 100 of the characters a-z, 0-9, '-', '_' and '.', none of which begins with '.'; default none.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    /// <exception cref="ArgumentException">A name is empty, longer, or has other characters.</exception>
    public IReadOnlyList<string> KeepUnread
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(KeepUnread));
            field = [.. value.Select(name => ReaderPositions.Checked(name, nameof(KeepUnread)))];
        }
    } = [];

    /// <summary>Checks options against each other.</summary>
    /// <exception cref="ArgumentException">They do not agree; the message names both options and their values.</exception>
    internal void Validate()
    {
        if (MemoryBytes / 4 < BlockBytes)
            throw Disagree(nameof(MemoryBytes), MemoryBytes, $"at least 4 times {nameof(BlockBytes)}, which is {BlockBytes}");
        if (SegmentBytes / 2 < BlockBytes)
            throw Disagree(nameof(SegmentBytes), SegmentBytes, $"at least 2 times {nameof(BlockBytes)}, which is {BlockBytes}");
        if (RetentionBytes < SegmentBytes)
            throw Disagree(nameof(RetentionBytes), RetentionBytes.Value, $"at least {nameof(SegmentBytes)}, which is {SegmentBytes}");
    }

    internal RecordBufferOptions Buffer(int recordBytes)
    {
        Validate();
        return new RecordBufferOptions(this) { BlockRecords = BlockBytes / recordBytes, Blocks = MemoryBytes / BlockBytes };
    }

    private static ArgumentException Disagree(string option, long value, string allowed)
        => new($"{nameof(ForwardRecordLogOptions)}.{option} must be {allowed}. Got {value}.", option);
}
