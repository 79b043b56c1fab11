using System.Diagnostics.Metrics;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>What the pools of this process serve, as instruments.</summary>
internal static class ModelMeters
{
    private const string ModelName = "forward_sampling.model.name";

    private static readonly Lock s_gate = new();
    private static readonly List<IServedModel> s_open = [];
    private static readonly Meter s_meter = new(ForwardSamplingDiagnostics.MeterName);
    private static readonly Counter<long> s_loads = s_meter.CreateCounter<long>("forward_sampling.model.loads", "{load}",
        "Model files that were read because they had changed.");

    static ModelMeters() => s_meter.CreateObservableGauge("forward_sampling.model.age", ObserveAge, "s",
        "How long the model in service has been that.");

    public static void Add(IServedModel pool)
    {
        lock (s_gate)
            s_open.Add(pool);
    }

    public static void Remove(IServedModel pool)
    {
        lock (s_gate)
            s_open.Remove(pool);
    }

    public static void CountLoad(string name, bool hasSucceeded)
        => s_loads.Add(1, new(ModelName, name), new("forward_sampling.model.outcome", hasSucceeded ? "loaded" : "failed"));

    private static List<Measurement<double>> ObserveAge()
    {
        IServedModel[] pools;
        lock (s_gate)
            pools = [.. s_open];
        var ages = new List<Measurement<double>>(pools.Length);
        foreach (IServedModel pool in pools)
        {
            if (pool.Age is { } age)
                ages.Add(new Measurement<double>(age.TotalSeconds, new KeyValuePair<string, object?>(ModelName, pool.Name)));
        }

        return ages;
    }
}
