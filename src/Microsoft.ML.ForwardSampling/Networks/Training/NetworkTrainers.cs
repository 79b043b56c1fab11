using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Makes network trainers; reached by <c>mlContext.ForwardSampling().Trainers</c>.</summary>
public sealed class NetworkTrainers
{
    internal NetworkTrainers(IHostEnvironment environment) => Environment = environment;

    internal IHostEnvironment Environment { get; }

    /// <summary>A trainer that predicts a number.</summary>
    /// <param name="options">Network, optimizer and columns; null: all defaults.</param>
    /// <returns>An estimator whose transformer adds Score.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <example><code>
    /// var model = mlContext.ForwardSampling().Trainers.Regression(new NetworkTrainerOptions { HiddenLayers = [64, 64] }).Fit(train);
    /// </code></example>
    public NetworkTrainer Regression(NetworkTrainerOptions? options = null) =>
        new(Environment, PredictionTask.Regression, options ?? new());

    /// <summary>A trainer that predicts one of two classes.</summary>
    /// <param name="options">Network, optimizer and columns; null: all defaults.</param>
    /// <returns>An estimator whose transformer adds Score (the logit), Probability and PredictedLabel.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public NetworkTrainer BinaryClassification(NetworkTrainerOptions? options = null) =>
        new(Environment, PredictionTask.Binary, options ?? new());

    /// <summary>A trainer that predicts one of several classes.</summary>
    /// <param name="options">Network, optimizer and columns; null: all defaults.</param>
    /// <returns>An estimator whose transformer adds Score (the class probabilities) and PredictedLabel.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public NetworkTrainer MulticlassClassification(NetworkTrainerOptions? options = null) =>
        new(Environment, PredictionTask.Multiclass, options ?? new());
}
