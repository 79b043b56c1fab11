namespace Microsoft.ML.Data;

/// <summary>How far regression scores are from their labels.</summary>
public sealed class RegressionMetrics
{
    internal RegressionMetrics() { }

    public double MeanAbsoluteError { get; internal init; }
    public double MeanSquaredError { get; internal init; }
    public double RootMeanSquaredError => Math.Sqrt(MeanSquaredError);
    public double LossFunction { get; internal init; }
    public double RSquared { get; internal init; }
}
