using Microsoft.ML.ForwardSampling;

namespace Microsoft.ML;

/// <summary>Hangs this library on <see cref="MLContext"/>.</summary>
public static class ForwardSamplingExtensions
{
    /// <summary>Recording, selection and training from forward passes: the entry to this library.</summary>
    /// <param name="mlContext">Gives the log and, where an option leaves it open, the seeds.</param>
    /// <returns>The catalog of operations.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="mlContext"/> is null.</exception>
    public static ForwardSamplingCatalog ForwardSampling(this MLContext mlContext)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        return new ForwardSamplingCatalog(mlContext);
    }
}
