namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>What scoring cost so far, counted as it was done, over all views and cursors of a transformer.</summary>
public sealed record GroupTestingReport
{
    /// <summary>Rows that got a score.</summary>
    public long RowsScored { get; init; }

    /// <summary>Rows without one: a feature is missing or infinite, so that the row was left out of its group, or the network gave no
    /// number.</summary>
    public long RowsWithoutScore { get; init; }

    /// <summary>Tests of each round, each one pass of the body over a group or a row.</summary>
    public IReadOnlyList<long> TestsByRound { get; init; } = [];

    /// <summary>How many of them were positive.</summary>
    public IReadOnlyList<long> PositivesByRound { get; init; } = [];

    /// <summary>Rows, or means of rows, that went through the stem.</summary>
    public long StemPasses { get; init; }

    /// <summary>Pairs that went through the pair layers.</summary>
    public long PairPasses { get; init; }

    /// <summary>Multiply-adds of the layers that were really computed. A stem's output that a later round used again counts once.</summary>
    public long MultiplyAdds { get; init; }

    /// <summary>Values that were averaged or compared in order to merge; not among the multiply-adds.</summary>
    public long MergedValues { get; init; }

    /// <summary>Multiply-adds that one test a row would have taken with the same network.</summary>
    public long IndividualMultiplyAdds { get; init; }

    /// <summary>Tests in all.</summary>
    public long Tests => TestsByRound.Sum();

    /// <summary>Tests a row; NaN before the first row.</summary>
    public double TestsPerRow => (double)Tests / RowsScored;

    /// <summary>Share of the individual multiply-adds that was computed; NaN before the first row.</summary>
    public double Cost => (double)MultiplyAdds / IndividualMultiplyAdds;
}

/// <summary>What the training of a group network did.</summary>
public sealed record GroupTrainingReport
{
    /// <summary>Rows of the data view.</summary>
    public long RowsRead { get; init; }

    /// <summary>Of them, rows left out because a feature is missing or infinite.</summary>
    public long RowsSkipped { get; init; }

    /// <summary>Rows of the rare class that were used.</summary>
    public long PositiveRows { get; init; }

    /// <summary>Share of the rare class among the rows that were used.</summary>
    public double Prevalence => (double)PositiveRows / (RowsRead - RowsSkipped);

    /// <summary>Steps made.</summary>
    public long Steps { get; init; }

    /// <summary>Groups in these steps.</summary>
    public long Groups { get; init; }

    /// <summary>Of them, groups with a positive member.</summary>
    public long PositiveGroups { get; init; }

    /// <summary>Mean loss of the last 100 steps, in nats.</summary>
    public float FinalLoss { get; init; }

    /// <summary>Recall on the validation data with the chosen thresholds; null where none were chosen.</summary>
    public double? ValidationRecall { get; init; }

    /// <summary>Seconds spent on steps.</summary>
    public double StepSeconds { get; init; }
}
