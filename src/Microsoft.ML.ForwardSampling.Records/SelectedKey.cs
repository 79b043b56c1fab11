namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>A row that was selected for a backward pass.</summary>
/// <param name="Key">Key of the row, as in its record.</param>
/// <param name="Weight">Its weight, > 0: what it counts in an average over all rows.</param>
public readonly record struct SelectedKey(ulong Key, float Weight);
