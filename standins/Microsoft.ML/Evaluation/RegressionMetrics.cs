namespace Microsoft.ML.Data;

/// <summary>How far regression scores are from their labels.</summary>
public sealed class RegressionMetrics
{
    internal RegressionMetrics(double meanAbsoluteError, double meanSquaredError, double loss, double rSquared)
    {
        MeanAbsoluteError = meanAbsoluteError;
        MeanSquaredError = meanSquaredError;
        RootMeanSquaredError = Math.Sqrt(meanSquaredError);
        LossFunction = loss;
        RSquared = rSquared;
    }

    /// <summary>Mean of |score − label|.</summary>
    public double MeanAbsoluteError { get; }

    /// <summary>Mean of (score − label)².</summary>
    public double MeanSquaredError { get; }

    /// <summary>Square root of <see cref="MeanSquaredError"/>.</summary>
    public double RootMeanSquaredError { get; }

    /// <summary>Mean loss, here the squared loss computed in single precision.</summary>
    public double LossFunction { get; }

    /// <summary>Share of the label's variance that the scores explain; NaN when the label has none.</summary>
    public double RSquared { get; }
}
