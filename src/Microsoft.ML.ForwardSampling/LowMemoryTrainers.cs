using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling;

/// <summary>Hangs the trainers of wide sparse linear models on <c>mlContext.ForwardSampling().Trainers</c>.</summary>
public static class LowMemoryTrainers
{
    /// <summary>A trainer of a linear model that predicts a number, in 3 bytes a feature.</summary>
    /// <param name="trainers">From <see cref="ForwardSamplingCatalog.Trainers"/>.</param>
    /// <param name="options">Format, learning rate and columns; null: all defaults.</param>
    /// <returns>An estimator whose transformer adds Score.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="trainers"/> is null.</exception>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public static LowMemoryTrainer LowMemoryRegression(this NetworkTrainers trainers, LowMemoryTrainerOptions? options = null)
        => Create(trainers, PredictionTask.Regression, options);

    /// <summary>A trainer of a linear model that predicts one of two classes, in 3 bytes a feature.</summary>
    /// <param name="trainers">From <see cref="ForwardSamplingCatalog.Trainers"/>.</param>
    /// <param name="options">Format, learning rate and columns; null: all defaults.</param>
    /// <returns>An estimator whose transformer adds Score (the log-odds), Probability and PredictedLabel.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="trainers"/> is null.</exception>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <example><code>
    /// var fs = mlContext.ForwardSampling();
    /// var model = fs.Trainers.LowMemoryBinaryClassification(new LowMemoryTrainerOptions { Seed = 1 }).Fit(clicks);
    /// </code></example>
    public static LowMemoryTrainer LowMemoryBinaryClassification(this NetworkTrainers trainers, LowMemoryTrainerOptions? options = null)
        => Create(trainers, PredictionTask.Binary, options);

    private static LowMemoryTrainer Create(NetworkTrainers trainers, PredictionTask task, LowMemoryTrainerOptions? options)
    {
        ArgumentNullException.ThrowIfNull(trainers);
        return new LowMemoryTrainer(trainers.Environment, task, options ?? new());
    }
}
