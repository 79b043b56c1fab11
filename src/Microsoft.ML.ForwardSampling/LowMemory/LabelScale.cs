namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>What a label of 0 and of 1 in the learner's unit are in the user's.</summary>
/// <param name="Offset">Finite.</param>
/// <param name="Unit">A power of two, so that products with it are exact.</param>
internal readonly record struct LabelScale(double Offset, double Unit)
{
    public static LabelScale None { get; } = new(0, 1);

    public double ToLearner(double label) => (label - Offset) / Unit;
}
