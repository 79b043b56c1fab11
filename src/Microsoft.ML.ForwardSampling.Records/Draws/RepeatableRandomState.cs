namespace Microsoft.ML.ForwardSampling;

/// <summary>Saved state of a <see cref="RepeatableRandom"/>: the four words of xoshiro256**.</summary>
/// <param name="S0">First word.</param>
/// <param name="S1">Second word.</param>
/// <param name="S2">Third word.</param>
/// <param name="S3">Fourth word. All four 0 is the state of seed 0.</param>
public readonly record struct RepeatableRandomState(ulong S0, ulong S1, ulong S2, ulong S3);
