using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>A linear model whose coefficients are fixed-point numbers of at most 16 bits.</summary>
/// <remarks>Immutable and thread-safe. Score = <see cref="Intercept"/> + Σ x[j]·<see cref="GetCoefficient"/>(j), summed in double precision
/// over the features that are not 0, in order: the same bits for a row alone, in a view and after loading.</remarks>
public sealed class LowMemoryModel
{
    private readonly LearnerState? _learner;
    private readonly PackedCodes? _packed;

    /// <summary>A model that can go on learning.</summary>
    internal LowMemoryModel(PredictionTask task, FixedPointFormat format, LabelScale scale, double intercept, LearnerState learner)
        : this(task, format, scale, intercept, learner.Codes.Length) => _learner = learner;

    /// <summary>A model that only scores.</summary>
    internal LowMemoryModel(PredictionTask task, FixedPointFormat format, LabelScale scale, double intercept, PackedCodes packed)
        : this(task, format, scale, intercept, packed.Count) => _packed = packed;

    private LowMemoryModel(PredictionTask task, FixedPointFormat format, LabelScale scale, double intercept, int featureCount)
    {
        Task = task;
        Format = format;
        Scale = scale;
        LearnerIntercept = intercept;
        FeatureCount = featureCount;
        Intercept = scale.Offset + scale.Unit * intercept;
        Step = scale.Unit * format.Step;
    }

    /// <summary>Regression or binary.</summary>
    public PredictionTask Task { get; }

    /// <summary>Features of a row, and coefficients.</summary>
    public int FeatureCount { get; }

    /// <summary>Integer bits n of Qn.m.</summary>
    public int IntegerBits => Format.IntegerBits;

    /// <summary>Fraction bits m of Qn.m.</summary>
    public int FractionBits => Format.FractionBits;

    /// <summary>Score of a row without features, in the score's unit.</summary>
    public double Intercept { get; }

    /// <summary>Whether a trainer can go on from this model: it has its counters.</summary>
    public bool CanContinue => _learner is not null;

    /// <summary>Bytes of the arrays that grow with the features: 3 a feature while the model can go on learning, else (1 + n + m) / 8 and
    /// 3 more in all.</summary>
    public long Bytes => _learner is { } learner ? (long)sizeof(short) * learner.Codes.Length + learner.Counts.Length
        : _packed!.Bytes.Length;

    /// <summary>What the fit that made this model did; null for a loaded one.</summary>
    public LowMemoryReport? Report { get; internal init; }

    internal FixedPointFormat Format { get; }

    internal LabelScale Scale { get; }

    internal double LearnerIntercept { get; }

    internal LearnerState? Learner => _learner;

    internal PackedCodes? Packed => _packed;

    /// <summary>Coefficient of code 1, in the score's unit.</summary>
    internal double Step { get; }

    /// <summary>A feature's coefficient.</summary>
    /// <param name="index">[0, <see cref="FeatureCount"/>).</param>
    /// <returns>In the score's unit a unit of the feature.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public double GetCoefficient(int index)
    {
        Require.InRange(index, 0, FeatureCount - 1, nameof(GetCoefficient), nameof(index));
        return Code(index) * Step;
    }

    /// <summary>Scores a row.</summary>
    /// <param name="features">Of length <see cref="FeatureCount"/>.</param>
    /// <returns>A number in the label's unit, or the log-odds of the positive class; NaN when a feature is NaN.</returns>
    /// <exception cref="ArgumentException">Another length.</exception>
    public float Score(in VBuffer<float> features)
    {
        if (features.Length != FeatureCount)
            throw new ArgumentException($"The row has {features.Length} features; the model was trained on {FeatureCount}.",
                nameof(features));
        ReadOnlySpan<float> values = features.GetValues();
        ReadOnlySpan<int> indices = features.IsDense ? default : features.GetIndices();
        double sum = _learner is { } learner ? Sum(learner.Codes, indices, values) : Sum(_packed!, indices, values);
        return (float)(Intercept + sum * Step);
    }

    /// <summary>The same model with fewer fraction bits and without counters.</summary>
    /// <param name="fractionBits">[1, <see cref="FractionBits"/>].</param>
    /// <param name="seed">Of the rounding.</param>
    internal LowMemoryModel ForPrediction(int fractionBits, int seed)
    {
        Require.InRange(fractionBits, 1, FractionBits, nameof(ForPrediction), nameof(fractionBits));
        FixedPointFormat format = Format with { FractionBits = fractionBits };
        var rounding = new RandomizedRounding(IntegerBits, fractionBits, seed);
        var packed = new PackedCodes(FeatureCount, format.Bits);
        for (int i = 0; i < FeatureCount; i++)
            packed[i] = rounding.Encode(Code(i) * Format.Step);
        return new LowMemoryModel(Task, format, Scale, LearnerIntercept, packed) { Report = Report };
    }

    /// <summary>A copy of all codes, in the features' order.</summary>
    internal short[] Codes()
    {
        var codes = new short[FeatureCount];
        for (int i = 0; i < codes.Length; i++)
            codes[i] = (short)Code(i);
        return codes;
    }

    private int Code(int index) => _learner is { } learner ? learner.Codes[index] : _packed![index];

    private static double Sum(short[] codes, ReadOnlySpan<int> indices, ReadOnlySpan<float> values)
    {
        double sum = 0;
        for (int i = 0; i < values.Length; i++)
            sum += (double)values[i] * codes[indices.IsEmpty ? i : indices[i]];
        return sum;
    }

    private static double Sum(PackedCodes codes, ReadOnlySpan<int> indices, ReadOnlySpan<float> values)
    {
        double sum = 0;
        for (int i = 0; i < values.Length; i++)
            sum += (double)values[i] * codes[indices.IsEmpty ? i : indices[i]];
        return sum;
    }
}

/// <summary>What it takes to go on learning.</summary>
/// <param name="Codes">Coefficients.</param>
/// <param name="Counts">Codes of their counters.</param>
/// <param name="WeightSeen">Weight of all rows learned from.</param>
/// <param name="Random">The generator's state.</param>
internal sealed record LearnerState(short[] Codes, byte[] Counts, double WeightSeen, RepeatableRandomState Random);
