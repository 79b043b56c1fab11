using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What the joins of this process count, as instruments, and their spans.</summary>
internal static class JoinMeters
{
    private static readonly Meter s_meter = new(ForwardSamplingDiagnostics.MeterName);
    private static readonly Counter<long> s_records = s_meter.CreateCounter<long>("forward_sampling.join.records", "{record}",
        "Records that a join has done with, by what became of them.");
    private static readonly Counter<long> s_labels = s_meter.CreateCounter<long>("forward_sampling.join.labels", "{label}",
        "Labels that found no row to give or were not the first of theirs, by what became of them.");
    private static readonly ActivitySource s_spans = new(ForwardSamplingDiagnostics.ActivitySourceName);

    /// <summary>Somebody listens: whoever counts need not look at its counts otherwise.</summary>
    public static bool IsListenedTo => s_records.Enabled || s_labels.Enabled;

    /// <summary>When a span that may be written later begins; null while nobody listens.</summary>
    public static DateTimeOffset? Begin() => s_spans.HasListeners() ? DateTimeOffset.UtcNow : null;

    public static void CountRecords(long count, string outcome, RecordKind kind) => Count(s_records, count, outcome, kind);

    public static void CountLabels(long count, string outcome, RecordKind kind) => Count(s_labels, count, outcome, kind);

    /// <summary>A span of a call that gave rows: most calls of a live join find nothing, and are none.</summary>
    public static void EndSpan(DateTimeOffset? began, int rows, RecordKind kind)
    {
        if (began is not { } start || rows == 0)
            return;
        using Activity? span = s_spans.StartActivity("forward_sampling.join", ActivityKind.Internal, default(ActivityContext),
            [new("forward_sampling.record.kind", Name(kind)), new("forward_sampling.join.rows", rows)], startTime: start);
    }

    private static void Count(Counter<long> counter, long count, string outcome, RecordKind kind)
    {
        if (count > 0)
            counter.Add(count, new("forward_sampling.join.outcome", outcome), new("forward_sampling.record.kind", Name(kind)));
    }

    private static string Name(RecordKind kind) => kind switch
    {
        RecordKind.Regression => "regression",
        RecordKind.Binary => "binary",
        RecordKind.Multiclass => "multiclass",
        _ => "label",
    };
}
