using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>Which model a <see cref="PredictionPool{TInput,TOutput}"/> serves and how it follows it. Each option is checked when it is
/// set.</summary>
public sealed record PredictionPoolOptions
{
    /// <summary>The model's file, or a symbolic link to it, or a file below a folder that is one. It need not be there yet.</summary>
    /// <value>A path; no default.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public required string ModelPath { get; init => field = Require.NotEmpty(value, nameof(PredictionPoolOptions)); }

    /// <summary>What the model is called in metrics, logs and the health check.</summary>
    /// <value>Default null: the file's name without its extension.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string? Name { get; init => field = Require.NullOrNotEmpty(value, nameof(PredictionPoolOptions)); }

    /// <summary>How often the file is looked at. A watcher tells of most changes sooner; on network shares and behind links it hears
    /// nothing, and this is how long a new model waits.</summary>
    /// <value>[10 ms, 1 h]; default 2 s. A look is one or two system calls.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public TimeSpan PollInterval
    {
        get; init => field = Require.InRange(value, TimeSpan.FromMilliseconds(10), Require.Hour,
        nameof(PredictionPoolOptions));
    } = TimeSpan.FromSeconds(2);

    /// <summary>Idle engines that are kept for each model; further ones are made when more threads predict at once, and thrown away
    /// after.</summary>
    /// <value>At least 1; default twice the number of processors.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int MaximumIdleEngines { get; init => field = Require.AtLeast(value, 1, nameof(PredictionPoolOptions)); }
        = 2 * Environment.ProcessorCount;

    /// <summary>Makes the module of a network that was trained on one of the user's own; see
    /// <c>fs.Load</c>.</summary>
    /// <value>Default null: the model holds none.</value>
    public NetworkFactory? Network { get; init; }

    /// <summary>Clock of the models' ages.</summary>
    /// <value>Default <see cref="TimeProvider.System"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public TimeProvider TimeProvider { get; init => field = Require.NotNull(value, nameof(PredictionPoolOptions)); } = TimeProvider.System;
}
