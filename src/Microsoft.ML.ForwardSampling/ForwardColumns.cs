namespace Microsoft.ML.ForwardSampling;

/// <summary>Default names of the columns that this library adds to a data view. Every one can be renamed through the options of the
/// operation that writes or reads it.</summary>
public static class ForwardColumns
{
    /// <summary>Loss of the row under the recording model: scalar <see cref="float"/>, in the loss's own unit (nats for
    /// classification).</summary>
    public const string Loss = "Forward.Loss";

    /// <summary>Norm of the loss's gradient at the network's output, a bound on the row's gradient norm up to a factor common to all rows:
    /// scalar <see cref="float"/>, ≥ 0.</summary>
    public const string GradientNorm = "Forward.GradientNorm";

    /// <summary>Largest minus second largest class probability: scalar <see cref="float"/> in [0, 1].</summary>
    public const string Margin = "Forward.Margin";

    /// <summary>Entropy of the predicted class distribution: scalar <see cref="float"/>, nats, in [0, ln K] for K classes.</summary>
    public const string Entropy = "Forward.Entropy";

    /// <summary>Score minus label of a regression: scalar <see cref="float"/>, in the label's unit.</summary>
    public const string Residual = "Forward.Residual";

    /// <summary>Key of the row's record: scalar <see cref="ulong"/>.</summary>
    public const string Key = "Forward.Key";

    /// <summary>How many rows a record stands for, 1 / its keeping probability: scalar <see cref="float"/>, ≥ 1, dimensionless.</summary>
    public const string RecordWeight = "Forward.RecordWeight";

    /// <summary>Age of the row's record when it was read, since the row was scored: scalar <see cref="float"/>, seconds.</summary>
    public const string Age = "Forward.Age";

    /// <summary>Version of the model that scored the row: scalar <see cref="ulong"/>.</summary>
    public const string ModelVersion = "Forward.ModelVersion";

    /// <summary>Loss of the row under a reference model, against which the recorded loss is compared: scalar <see cref="float"/>, in the
    /// loss's own unit.</summary>
    public const string ReferenceLoss = "Forward.ReferenceLoss";

    /// <summary>
    /// Euclidean norm ‖h‖ of the last hidden layer's activations in the network that scored the row, as they enter its last layer
    /// (normalised and activated, without dropout); without a hidden layer, of its features as the feature column has them: scalar
    /// <see cref="float"/>, ≥ 0, in the unit of the activations.
    /// </summary>
    /// <remarks>
    /// <see cref="GradientNorm"/> times this is the exact norm of the row's gradient by the last layer's weights, ‖δhᵀ‖ = ‖δ‖·‖h‖, for
    /// squared error, logistic loss and cross-entropy; with its biases, ‖δ‖·√(‖h‖² + 1). Source: arXiv 1803.00942, section 3.2.
    /// </remarks>
    public const string ActivationNorm = "Forward.ActivationNorm";

    /// <summary>Factor for the loss of a selected row: scalar <see cref="float"/>, > 0, dimensionless.</summary>
    public const string Weight = "Forward.Weight";

    /// <summary>What a group-tested row cost: scalar <see cref="float"/>, in tests, ≥ 0. A test of m rows counts 1/m for each of them, so
    /// that the sum over all rows is the number of tests.</summary>
    public const string Tests = "Forward.Tests";
}
