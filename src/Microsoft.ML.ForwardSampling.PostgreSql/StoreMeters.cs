using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>What this process's joins in a database do, as an instrument, and their spans. What became of each record and label is counted
/// in the database, where several processes join: <see cref="PostgreSqlStoreReport"/>.</summary>
internal static class StoreMeters
{
    private const string Kind = "forward_sampling.record.kind";

    private static readonly Meter s_meter = new(ForwardSamplingDiagnostics.MeterName);
    private static readonly Counter<long> s_joined = s_meter.CreateCounter<long>("forward_sampling.store.joined", "{record}",
        "Records joined in a database by this process.");
    private static readonly ActivitySource s_spans = new(ForwardSamplingDiagnostics.ActivitySourceName);

    /// <summary>Begins the span of one call of Join; null while nobody listens.</summary>
    public static Activity? StartJoin(RecordKind kind)
        => s_spans.StartActivity("forward_sampling.join", ActivityKind.Client)?.SetTag("db.system.name", "postgresql")
            .SetTag(Kind, Name(kind));

    /// <summary>Counts what a call joined.</summary>
    public static void Count(Activity? span, RecordKind kind, long joined)
    {
        span?.SetTag("forward_sampling.join.rows", joined);
        if (joined > 0 && s_joined.Enabled)
            s_joined.Add(joined, new KeyValuePair<string, object?>(Kind, Name(kind)));
    }

    private static string Name(RecordKind kind) => kind.ToString().ToLowerInvariant();
}
