using System.Globalization;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>How chosen rows become steps.</summary>
/// <param name="Batch">Rows of a step.</param>
/// <param name="LearningRate">Adam's step size at the start.</param>
/// <param name="Batches">How rows are put together into batches.</param>
internal sealed record CompareSetting(int Batch, double LearningRate, BatchComposition Batches)
{
    /// <summary>Whether the rows' recorded losses, or residuals, are wanted.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsStratified => Batches == BatchComposition.Stratified;

    /// <summary>What the trainer does with selected rows where nothing is said.</summary>
    public static CompareSetting OfSelectedRows(CompareSetting usual)
        => usual with { Batch = 16, Batches = BatchComposition.Stratified }; // NetworkTrainerOptions.BatchSize

    /// <summary>As tables write it: what differs from the usual one.</summary>
    public string Beside(CompareSetting usual)
    {
        List<string> parts = [];
        if (Batch != usual.Batch)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"batch {Batch}"));
        if (LearningRate != usual.LearningRate)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"rate {LearningRate:0.######}"));
        if (Batches != usual.Batches)
            parts.Add(Batches.ToString().ToLowerInvariant());
        return string.Join(CompareArm.Separator, parts);
    }

    /// <summary>Everything of it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"batch {Batch}, rate {LearningRate:0.######}, {Batches.ToString().ToLowerInvariant()}");
}
