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

    /// <summary>The step size that goes with another batch: a step's noise falls with the root of its rows.</summary>
    /// <param name="usual">Setting whose step size is known.</param>
    /// <param name="batch">Rows of a step.</param>
    public static double RateFor(CompareSetting usual, int batch) => usual.LearningRate * Math.Sqrt((double)batch / usual.Batch);

    /// <summary>As tables write it: what differs from the usual one.</summary>
    public string Beside(CompareSetting usual)
    {
        List<string> parts = [];
        if (Batch != usual.Batch)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"batch {Batch}"));
        if (Math.Abs(LearningRate / RateFor(usual, Batch) - 1) > 1e-6)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"rate {LearningRate:0.######}"));
        if (Batches != usual.Batches)
            parts.Add(Batches.ToString().ToLowerInvariant());
        return string.Join(CompareArm.Separator, parts);
    }

    /// <summary>Everything of it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"batch {Batch}, rate {LearningRate:0.######}, {Batches.ToString().ToLowerInvariant()}");
}
