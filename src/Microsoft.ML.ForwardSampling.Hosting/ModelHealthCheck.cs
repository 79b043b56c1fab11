using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>Unhealthy without a model; degraded while the file holds none and the former model serves on.</summary>
internal sealed class ModelHealthCheck(IServedModel pool) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        => Task.FromResult(Check(context.Registration.FailureStatus));

    private HealthCheckResult Check(HealthStatus failureStatus)
    {
        Exception? failure = pool.Failure;
        if (pool.Current is not { } model)
            return new HealthCheckResult(failureStatus, failure?.Message ?? "No model has been loaded yet.", failure);
        var data = new Dictionary<string, object>
        {
            ["version"] = model.Version.ToString("X16", System.Globalization.CultureInfo.InvariantCulture),
            ["loadedAt"] = model.LoadedAt,
            ["number"] = model.Number,
        };
        return failure is null ? HealthCheckResult.Healthy($"{pool.Name} is in service.", data)
            : HealthCheckResult.Degraded(failure.Message, failure, data);
    }
}
