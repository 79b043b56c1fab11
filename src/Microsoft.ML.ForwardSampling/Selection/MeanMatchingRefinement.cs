namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>How <see cref="MeanMatchingPolicy"/> brings the chosen rows' mean loss to the window's.</summary>
public enum MeanMatchingRefinement
{
    /// <summary>A stratified random start, then swaps within strata until none of those allowed lowers the residual.</summary>
    Exact,

    /// <summary>Evenly spaced ranks of the loss order from a random offset: cheaper, unbiased, a larger residual.</summary>
    Stride,
}
