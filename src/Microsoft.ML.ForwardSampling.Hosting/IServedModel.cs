namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>A pool, whatever its rows are.</summary>
public interface IServedModel
{
    /// <summary>What the model is called in metrics, logs and the health check.</summary>
    string Name { get; }

    /// <summary>The model in service; null while there is none.</summary>
    ServedModel? Current { get; }

    /// <summary>Why the file as it is now is not in service; null when it is.</summary>
    Exception? Failure { get; }

    /// <summary>How long the model in service has been that; null while there is none.</summary>
    TimeSpan? Age { get; }
}
