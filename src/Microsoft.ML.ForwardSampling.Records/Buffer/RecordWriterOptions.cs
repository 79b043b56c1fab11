namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What every writer of records or labels can be told, wherever it writes. Each option is checked when it is set.</summary>
public abstract record RecordWriterOptions
{
    /// <summary>Options with a writer's own defaults.</summary>
    /// <param name="flushInterval">Default of <see cref="FlushInterval"/>.</param>
    /// <param name="retryInterval">Default of <see cref="RetryInterval"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of them is outside [1 ms, 1 h].</exception>
    protected RecordWriterOptions(TimeSpan flushInterval, TimeSpan retryInterval)
    {
        FlushInterval = flushInterval;
        RetryInterval = retryInterval;
    }

    /// <summary>What happens to records that come faster than they can be written.</summary>
    /// <value>Default <see cref="RecordOverflow.Block"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public RecordOverflow Overflow { get; init => field = Require.Defined(value, GetType().Name); }

    /// <summary>A record is written at the latest this long after it was appended, also when its block or batch is not full and nobody
    /// calls Flush.</summary>
    /// <value>[1 ms, 1 h]; the default stands at the options' constructor.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 1 h].</exception>
    public TimeSpan FlushInterval { get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour, GetType().Name); }

    /// <summary>How long the writer waits before it tries again after a failure.</summary>
    /// <value>[1 ms, 1 h]; the default stands at the options' constructor.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 1 h].</exception>
    public TimeSpan RetryInterval { get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour, GetType().Name); }

    /// <summary>Seed of the draws of <see cref="RecordOverflow.DropAndRecord"/>.</summary>
    /// <value>Any value; default null: unlike every other writer's.</value>
    public int? Seed { get; init; }

    /// <summary>Clock for the times of records that have none. Flush and retry intervals run on the machine's own clock.</summary>
    /// <value>Default <see cref="TimeProvider.System"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public TimeProvider TimeProvider { get; init => field = Require.NotNull(value, GetType().Name); } = TimeProvider.System;
}
