namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>What a fit of a low-memory model did, counted.</summary>
public sealed record LowMemoryReport
{
    /// <summary>Passes over the data.</summary>
    public int Epochs { get; init; }

    /// <summary>Rows read, over all passes.</summary>
    public long RowsRead { get; init; }

    /// <summary>Rows left out because a feature, the label or the weight was missing (NaN or infinite), or the weight negative, over all
    /// passes.</summary>
    public long RowsSkipped { get; init; }

    /// <summary>Features that were not 0 in the rows learned from, over all passes.</summary>
    public long NonZeros { get; init; }

    /// <summary>Steps of a coefficient that its range cut short. Where they are many, the format needs more integer bits, or the features
    /// a larger scale.</summary>
    public long Clamped { get; init; }

    /// <summary>Weighted mean loss of the rows, each scored before it was learned from: an estimate on rows not seen, for one pass.
    /// Squared error in the label's unit squared, or logistic loss in nats.</summary>
    public double ProgressiveLoss { get; init; }

    /// <summary>Seconds of the fit, reading included.</summary>
    public double Seconds { get; init; }
}
