namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>Which multiples of its step a coefficient is rounded to while it is learned.</summary>
public enum RoundingGrid
{
    /// <summary>All of them: the finest the format has.</summary>
    Fixed,

    /// <summary>Those of the largest power of two not above the coefficient's learning rate, and so finer as it is seen more often. A
    /// coefficient that few rows have then takes few different values, and a saved model is smaller in a compressed file.</summary>
    Adaptive,
}
