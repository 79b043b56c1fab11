namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Where training by Anderson mixing stood.</summary>
/// <param name="Engine">What trained the model, whose order of weights this is.</param>
/// <param name="Start">The weights at the beginning of the stretch, on the scale of training.</param>
/// <param name="Steps">Steps of the stretch so far.</param>
/// <param name="Stretches">Beginning and end of each stretch of the window, the oldest first.</param>
internal sealed record MixedTraining(Type Engine, float[][] Start, int Steps, (float[][] From, float[][] To)[] Stretches);
