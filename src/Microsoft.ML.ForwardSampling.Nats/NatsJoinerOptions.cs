using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>How a <see cref="NatsJoiner{TRecord}"/> works. Each option is checked when it is set.</summary>
public sealed record NatsJoinerOptions
{
    /// <summary>How much may wait in memory.</summary>
    /// <value>Default: that of <see cref="PendingLimit"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public PendingLimit Limit { get; init => field = Require.NotNull(value, nameof(NatsJoinerOptions)); } = new();

    /// <summary>The state is saved, writers are told and windows are sent at most this often; ever more rarely, so that a tenth of the time
    /// goes into it, when much is waiting.</summary>
    /// <value>[1 ms, 1 h]; default 500 ms.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 ms, 1 h].</exception>
    public TimeSpan SaveInterval
    {
        get; init => field = Require.InRange(value, Require.Millisecond, Require.Hour, nameof(NatsJoinerOptions));
    } = TimeSpan.FromMilliseconds(500);

    /// <summary>While records and labels pause, the watermark follows the clock at this distance, so that windows end. Give more than
    /// writers may be cut off for.</summary>
    /// <value>[1 s, 30 days]; default null: it stays where the events are.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 s, 30 days].</exception>
    public TimeSpan? IdleDistance
    {
        get; init => field = value is TimeSpan distance
        ? Require.InRange(distance, Require.Second, TimeSpan.FromDays(30), nameof(NatsJoinerOptions)) : null;
    }

    /// <summary>Windows saved and not yet taken by the cluster before joining waits.</summary>
    /// <value>[1, 100000]; default 64.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 100000].</exception>
    public int MostUnsentWindows { get; init => field = Require.InRange(value, 1, 100_000, nameof(NatsJoinerOptions)); } = 64;

    /// <summary>Keeps the state instead of the joiner's folder, so that joiners on machines without a common disk take over from each
    /// other; the folder is then a workplace, and may be lost. All joiners of a partition need the same.</summary>
    /// <value>Default null: the folder is the memory. <c>PostgreSqlJoinStates</c> of the PostgreSQL package is one. The caller disposes of
    /// it.</value>
    public IJoinStateStore? StateStore { get; init; }

    /// <summary>A selection that was seen in the cluster is kept this long, for should the cluster lose it. nats-server forces what it
    /// takes to its disk every two minutes, unless told otherwise.</summary>
    /// <value>Default 5 minutes.</value>
    internal TimeSpan SettledAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Clock for <see cref="IdleDistance"/>.</summary>
    /// <value>Default <see cref="TimeProvider.System"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public TimeProvider TimeProvider { get; init => field = Require.NotNull(value, nameof(NatsJoinerOptions)); } = TimeProvider.System;
}
