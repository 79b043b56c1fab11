using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>Where records and labels are kept.</summary>
internal enum StoreKind
{
    /// <summary>Logs in the run's folder.</summary>
    Files,

    /// <summary>Tables of a PostgreSQL database.</summary>
    Postgres,

    /// <summary>A NATS cluster.</summary>
    Nats,
}

/// <summary>What all processes of one run must agree on: kept in the run's folder, written by whichever comes first.</summary>
internal sealed record ServeAndTrainOptions
{
    public StoreKind Store { get; init; }

    /// <summary>Orders to serve.</summary>
    public int Rows { get; init; } = 100_000;

    /// <summary>Orders a second.</summary>
    public int Rate { get; init; } = 5_000;

    /// <summary>Joined rows from which the next model is trained.</summary>
    public int WindowRows { get; init; } = 2_560;

    /// <summary>A label that comes longer than this after the score is too late.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a process may be away without making anything late.</summary>
    public TimeSpan Outage { get; init; } = TimeSpan.FromSeconds(10);

    public int Seed { get; init; } = 1;

    /// <summary>Tells runs in one database or cluster apart.</summary>
    public string Schema { get; init; } = $"serve_and_train_{Guid.NewGuid():N}";

    /// <summary>The join's rules.</summary>
    public LabelJoinOptions Join() => new() { Wait = Wait, Lateness = Outage };
}
