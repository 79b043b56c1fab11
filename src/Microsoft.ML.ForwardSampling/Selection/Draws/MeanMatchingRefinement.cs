namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>How <see cref="MeanMatchingPolicy"/> brings the chosen rows' mean loss to the window's.</summary>
public enum MeanMatchingRefinement
{
    /// <summary>A stratified random start, then exchanges until the residual is a millionth of the losses' standard deviation.</summary>
    Exact,

    /// <summary>Evenly spaced ranks of the loss order from a random offset: cheaper, unbiased, a larger residual.</summary>
    Stride,
}
