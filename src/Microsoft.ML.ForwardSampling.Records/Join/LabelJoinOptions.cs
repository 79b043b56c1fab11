namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>How a <see cref="LabelJoiner{TRecord}"/> brings records and labels together. docs/recording.md, "The join", is the contract.
/// The same rules hold wherever the join is done; how much of it memory holds is <see cref="PendingLimit"/>'s.</summary>
public sealed record LabelJoinOptions
{
    /// <summary>A label belongs to the record of its key if their times differ by at most this; a record without one by then has none. In
    /// whole milliseconds.</summary>
    /// <value>[1 ms, 30 days]; default 1 day.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 30 days].</exception>
    public TimeSpan Wait { get; init => field = InRange(value, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(30), nameof(Wait)); } =
        TimeSpan.FromDays(1);

    /// <summary>How far an event may come behind a later one, of its own stream or of the other, without being missed: each window is held
    /// open for this long more. In whole milliseconds.</summary>
    /// <value>[0, 7 days]; default 1 minute.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 7 days].</exception>
    public TimeSpan Lateness { get; init => field = InRange(value, TimeSpan.Zero, TimeSpan.FromDays(7), nameof(Lateness)); } =
        TimeSpan.FromMinutes(1);

    /// <summary>Which label a row gets when several came. All but <see cref="DuplicateLabels.First"/> wait until the record's window has
    /// ended.</summary>
    /// <value>Default <see cref="DuplicateLabels.First"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public DuplicateLabels Duplicates { get; init => field = Require.Defined(value, nameof(LabelJoinOptions)); }

    /// <summary>Label of a record for which none came, for example 0 for an advertisement that nobody clicked.</summary>
    /// <value>Finite; default null: such a record is dropped and counted.</value>
    /// <exception cref="ArgumentOutOfRangeException">NaN or infinite.</exception>
    public float? DefaultLabel
    {
        get;
        init
        {
            if (value is float label && !float.IsFinite(label))
                throw new ArgumentOutOfRangeException(nameof(DefaultLabel), value,
                    $"{nameof(LabelJoinOptions)}.{nameof(DefaultLabel)} must be finite, or null for none.");
            field = value;
        }
    }

    private static TimeSpan InRange(TimeSpan value, TimeSpan least, TimeSpan most, string option)
        => value >= least && value <= most && value.Ticks % TimeSpan.TicksPerMillisecond == 0
            ? value
            : throw new ArgumentOutOfRangeException(option, value,
                $"{nameof(LabelJoinOptions)}.{option} must be whole milliseconds in [{least:c}, {most:c}].");
}
