namespace Microsoft.ML.ForwardSampling;

/// <summary>Default names of the columns that this library adds to a data view. Every one can be renamed through the options of the operation that writes or reads it.</summary>
public static class ForwardColumns
{
    /// <summary>Loss of the row under the recording model: scalar <see cref="float"/>, in the loss's own unit (nats for classification).</summary>
    public const string Loss = "Forward.Loss";

    /// <summary>Norm of the loss's gradient at the network's output, a bound on the row's gradient norm up to a factor common to all rows: scalar <see cref="float"/>, ≥ 0.</summary>
    public const string GradientNorm = "Forward.GradientNorm";

    /// <summary>Largest minus second largest class probability: scalar <see cref="float"/> in [0, 1].</summary>
    public const string Margin = "Forward.Margin";

    /// <summary>Entropy of the predicted class distribution: scalar <see cref="float"/>, nats, in [0, ln K] for K classes.</summary>
    public const string Entropy = "Forward.Entropy";

    /// <summary>Score minus label of a regression: scalar <see cref="float"/>, in the label's unit.</summary>
    public const string Residual = "Forward.Residual";

    /// <summary>Factor for the loss of a selected row: scalar <see cref="float"/>, > 0, dimensionless.</summary>
    public const string Weight = "Forward.Weight";
}
