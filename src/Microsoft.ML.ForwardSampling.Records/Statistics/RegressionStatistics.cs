namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What the forward pass of a regression model leaves behind for one row.</summary>
/// <param name="Loss">Squared error (s − y)², in squared units of the label, ≥ 0; NaN without a label.</param>
/// <param name="GradientNorm">Size of the loss gradient at the output, 2·|s − y|, in units of the label, ≥ 0; NaN without a label.</param>
/// <param name="Residual">Score less label, s − y, in units of the label; NaN without a label.</param>
public readonly record struct RegressionStatistics(float Loss, float GradientNorm, float Residual)
{
    /// <summary>NaN in every field: the row cannot be judged.</summary>
    public static RegressionStatistics Unknown { get; } = new(float.NaN, float.NaN, float.NaN);
}
