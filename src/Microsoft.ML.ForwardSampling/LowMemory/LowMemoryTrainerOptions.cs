namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>What a low-memory trainer needs to know; every value has a default and is checked when it is set.</summary>
public sealed record LowMemoryTrainerOptions
{
    /// <summary>The label column: Single for regression, Boolean for binary.</summary>
    /// <value>Default "Label".</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string LabelColumnName { get; init => field = Require.NotEmpty(value, nameof(LowMemoryTrainerOptions)); } = "Label";

    /// <summary>The feature column: a vector of Single of known size, sparse where that is short.</summary>
    /// <value>Default "Features". At most 67,108,864 (2²⁶) features.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string FeatureColumnName { get; init => field = Require.NotEmpty(value, nameof(LowMemoryTrainerOptions)); } = "Features";

    /// <summary>The weight column (Single): a row of weight 3 is learned from as three such rows in a line are.</summary>
    /// <value>Null (the default): <c>Forward.Weight</c>, which <c>SelectRows</c> adds, where the data has it; else
    /// <c>Forward.RecordWeight</c> of thinned records; else every row weighs 1.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string? ExampleWeightColumnName { get; init => field = Require.NullOrNotEmpty(value, nameof(LowMemoryTrainerOptions)); }

    /// <summary>Learning rate α: a coefficient's rate is α / √τ at the τ-th row that has its feature, in rows by weight.</summary>
    /// <value>(0, 1000]; default 0.1, for features that are 0 or about 1.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double LearningRate
    {
        get; init => field = Require.InRange(value, 0.0, 1000.0, nameof(LowMemoryTrainerOptions), minInclusive: false);
    } = 0.1;

    /// <summary>Integer bits n of a coefficient in Qn.m: it stays in [−2ⁿ, 2ⁿ).</summary>
    /// <value>[0, 14] bits, with <see cref="FractionBits"/> at most 15; default 2.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int IntegerBits { get; init => field = Require.InRange(value, 0, 14, nameof(LowMemoryTrainerOptions)); } = 2;

    /// <summary>Fraction bits m of a coefficient in Qn.m: it is a multiple of 2⁻ᵐ. Fewer take no less memory while learning.</summary>
    /// <value>[1, 15] bits, with <see cref="IntegerBits"/> at most 15; default 13.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int FractionBits { get; init => field = Require.InRange(value, 1, 15, nameof(LowMemoryTrainerOptions)); } = 13;

    /// <summary>Which multiples of its step a coefficient is rounded to.</summary>
    /// <value>Default <see cref="RoundingGrid.Fixed"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not one of the named values.</exception>
    public RoundingGrid Grid { get; init => field = Require.Defined(value, nameof(LowMemoryTrainerOptions)); }

    /// <summary>Passes over the data, each in the order in which rows come.</summary>
    /// <value>[1, 1000000]; default 1.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int Epochs { get; init => field = Require.InRange(value, 1, 1_000_000, nameof(LowMemoryTrainerOptions)); } = 1;

    /// <summary>Whether a regression learns labels less their mean, divided by their standard deviation (of the first 4,096 rows;
    /// rounded to a power of two). The model scores in the label's own unit.</summary>
    /// <remarks>The range of <see cref="IntegerBits"/> is in that unit. Those rows' labels are read once more, without their features. Not
    /// used for binary.</remarks>
    /// <value>Default true.</value>
    public bool NormalizeLabel { get; init; } = true;

    /// <summary>Seed of rounding and counting.</summary>
    /// <value>Null (the default): from the MLContext. Not used when going on from an earlier model, whose generator goes on.</value>
    public int? Seed { get; init; }

    /// <summary>Ends a fit early, by an <see cref="OperationCanceledException"/>.</summary>
    /// <value>Default none.</value>
    public CancellationToken CancellationToken { get; init; }

    internal FixedPointFormat Format => new(IntegerBits, FractionBits);

    /// <summary>Checks what no single option can.</summary>
    /// <exception cref="ArgumentException">A coefficient would take more than 16 bits.</exception>
    internal void Validate()
    {
        if (IntegerBits + FractionBits > FixedPointFormat.MostBits)
            throw new ArgumentException($"{nameof(LowMemoryTrainerOptions)}: {nameof(IntegerBits)} + {nameof(FractionBits)} must be at "
                + $"most {FixedPointFormat.MostBits}, beside the sign in 16 bits. "
                + $"Got {IntegerBits} + {FractionBits}.", nameof(FractionBits));
    }
}
