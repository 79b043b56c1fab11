namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>A weight as plain values: what a model file holds.</summary>
/// <param name="Name">Its name in the network's state dictionary.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="Values">In row-major order.</param>
internal sealed record SavedWeight(string Name, long[] Shape, float[] Values);
