namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>What a run of kills came to.</summary>
/// <param name="Kills">Number of them.</param>
/// <param name="Counts">What became of the records.</param>
/// <param name="IsGood">Nothing acknowledged was lost or doubled, and nothing else was found to be wrong.</param>
internal readonly record struct CrashOutcome(int Kills, CrashCounts Counts, bool IsGood);
