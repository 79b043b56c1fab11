namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>How <see cref="CompactStatistics"/> stores a row.</summary>
/// <remarks>Each option is checked when it is set.</remarks>
public sealed record CompactStatisticsOptions
{
    /// <summary>Bits of one statistic. A row takes two of them and one byte: 3, 4 or 5 bytes.</summary>
    /// <value>8, 12 or 16; default 12. docs/recording.md shows what each costs in accuracy.</value>
    /// <exception cref="ArgumentOutOfRangeException">None of the three.</exception>
    public int Bits
    {
        get;
        init => field = value is 8 or 12 or 16
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Bits), value,
                $"{nameof(CompactStatisticsOptions)}.{nameof(Bits)} must be 8, 12 or 16.");
    }
    = 12;

    /// <summary>End of the losses' range: the grid has 2^<see cref="Bits"/> steps from 0 to here. Larger losses are clamped, and
    /// counted.</summary>
    /// <value>(0, 1e30], in the loss's unit; default 16, for losses in nats. For squared errors take some 16 times the label's
    /// variance.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside (0, 1e30], as a Single.</exception>
    public double LargestLoss
    {
        get; init => field = Require.SingleInRange(value, 0, 1e30f, nameof(CompactStatisticsOptions), minInclusive: false);
    } = 16;

    /// <summary>End of the gradient norms' range, as <see cref="LargestLoss"/>.</summary>
    /// <value>(0, 1e30]; default 2, for classification, where the bound is at most √2. For squared errors take some 8 times the
    /// label's standard deviation.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside (0, 1e30], as a Single.</exception>
    public double LargestGradientNorm
    {
        get; init => field = Require.SingleInRange(value, 0, 1e30f, nameof(CompactStatisticsOptions), minInclusive: false);
    } = 2;

    /// <summary>Seed of the rounding and of the counters.</summary>
    /// <value>Any value; default null: unlike every other's.</value>
    public int? Seed { get; init; }
}
