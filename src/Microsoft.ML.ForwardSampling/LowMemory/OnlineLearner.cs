namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>A linear model that learns from one row at a time: what it counts, and its intercept.</summary>
internal abstract class OnlineLearner
{
    /// <summary>The coefficient of a feature that is always 1, kept in full.</summary>
    public double Intercept { get; set; }

    /// <summary>Weight of the rows learned from so far, by earlier fits too.</summary>
    public double WeightSeen { get; set; }

    public RepeatableRandom Random { get; set; }

    /// <summary>Rows of this fit.</summary>
    public long Rows { get; protected set; }

    /// <summary>Non-zero features of those rows.</summary>
    public long NonZeros { get; protected set; }

    /// <summary>Steps that the range cut short.</summary>
    public long Clamped { get; protected set; }

    /// <summary>Sum over rows of weight x loss, each before it was learned from.</summary>
    public double LossSum { get; protected set; }

    /// <summary>Sum of the weights of this fit.</summary>
    public double WeightSum { get; protected set; }

    /// <summary>Scores a row, counts its loss, and learns from it.</summary>
    /// <param name="indices">Features that are not 0, ascending; empty: all of them, in order.</param>
    /// <param name="values">Their values.</param>
    /// <param name="label">Finite; 0 or 1 for the logistic loss.</param>
    /// <param name="weight">≥ 0, finite; with 0 the row is only counted.</param>
    /// <returns>False, and nothing is changed, when a value is NaN or infinite.</returns>
    public abstract bool TryLearn(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, double label, double weight);
}

/// <summary>The learner for one way to keep coefficients, one to count and one loss.</summary>
/// <remarks>
/// For each feature j that is not 0: rate η[j] = α / √(count[j] + 1); coefficient[j] is rounded after a step of η[j]·x[j]·d / Σ η·x², where
/// d is how far the loss moves the score (<see cref="ILinearLoss.Move"/>). Source: Golovin, Sculley, McMahan and Young, "Large-scale
/// learning with less RAM via randomization", ICML 2013, algorithm 1. No allocation; one draw of 64 bits a non-zero: 24 round, 40 count.
/// </remarks>
internal sealed class OnlineLearner<TCoefficients, TCounts, TLoss>(TCoefficients coefficients, TCounts counts, double learningRate)
    : OnlineLearner
    where TCoefficients : struct, ICoefficients
    where TCounts : struct, ICounts
    where TLoss : struct, ILinearLoss
{
    private readonly TCoefficients _coefficients = coefficients;
    private readonly TCounts _counts = counts;

    public override bool TryLearn(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, double label, double weight)
    {
        TCoefficients coefficients = _coefficients;
        TCounts counts = _counts;
        bool dense = indices.IsEmpty;
        double sum = 0, reach = 0;
        for (int i = 0; i < values.Length; i++)
        {
            int j = dense ? i : indices[i];
            double x = values[i];
            sum += x * coefficients.Read(j);
            reach += x * x * counts.Rate(j);
        }

        if (!double.IsFinite(reach))
            return false;
        double score = Intercept + sum * coefficients.Unit;
        Rows++;
        WeightSum += weight;
        LossSum += weight * TLoss.Of(score, label);
        if (weight == 0)
            return true;
        double interceptRate = learningRate / Math.Sqrt(WeightSeen + 1);
        reach += interceptRate;
        WeightSeen += weight;
        double factor = TLoss.Move(score, label, weight * reach) / reach;
        if (factor == 0)
            return true;                                    // no gradient: nothing is rounded, nothing counted
        Intercept += factor * interceptRate;
        Learn(indices, values, factor, weight);
        return true;
    }

    private void Learn(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, double factor, double weight)
    {
        TCoefficients coefficients = _coefficients;
        TCounts counts = _counts;
        RepeatableRandom random = Random;
        bool dense = indices.IsEmpty;
        double perUnit = 1 / coefficients.Unit;
        int clamped = 0, nonZeros = 0;
        for (int i = 0; i < values.Length; i++)
        {
            double x = values[i];
            if (x == 0)
                continue;
            int j = dense ? i : indices[i];
            double rate = counts.Rate(j) * perUnit;
            ulong draw = random.NextUInt64();
            if (coefficients.Move(j, factor * x * rate, rate, (draw >> RandomizedCounts.RandomBits) * (1.0 / (1 << 24))))
                clamped++;
            counts.Count(j, weight, draw & ((1UL << RandomizedCounts.RandomBits) - 1));
            nonZeros++;
        }

        Random = random;
        Clamped += clamped;
        NonZeros += nonZeros;
    }
}
