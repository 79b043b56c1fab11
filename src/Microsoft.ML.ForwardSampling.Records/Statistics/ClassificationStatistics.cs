namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What the forward pass of a binary or multiclass model leaves behind for one row.</summary>
/// <param name="Loss">Negative log-likelihood of the label in nats, ≥ 0; NaN without a label.</param>
/// <param name="GradientNorm">Euclidean norm of the loss gradient at the logits, in [0, √2] (binary: [0, 1]); NaN without a label.</param>
/// <param name="Margin">Lead of the likeliest class over the next, in [0, 1] as a difference of probabilities. Needs no label.</param>
/// <param name="Entropy">Entropy of the predicted distribution in nats, in [0, ln K]. Needs no label.</param>
public readonly record struct ClassificationStatistics(float Loss, float GradientNorm, float Margin, float Entropy)
{
    /// <summary>NaN in every field: the row cannot be judged.</summary>
    public static ClassificationStatistics Unknown { get; } = new(float.NaN, float.NaN, float.NaN, float.NaN);
}
