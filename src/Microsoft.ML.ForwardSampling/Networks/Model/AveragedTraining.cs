namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Where training stood whose model has averaged weights.</summary>
/// <param name="Engine">What trained it, whose order of weights this is.</param>
/// <param name="Weights">Those of the last step, on the scale of training.</param>
/// <param name="Steps">Steps in the mean.</param>
internal sealed record AveragedTraining(Type Engine, float[][] Weights, long Steps);
