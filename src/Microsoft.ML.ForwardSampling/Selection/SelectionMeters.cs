using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Numerics.Tensors;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>What the selections of this process do, as instruments, and their spans.</summary>
internal static class SelectionMeters
{
    private const string PolicyTag = "forward_sampling.selection.policy";
    private const string RowsTag = "forward_sampling.selection.rows";

    private static readonly Meter s_meter = new(ForwardSamplingDiagnostics.MeterName);
    private static readonly Counter<long> s_windows = s_meter.CreateCounter<long>("forward_sampling.selection.windows", "{window}",
        "Windows that rows were selected from.");
    private static readonly Counter<long> s_seen = s_meter.CreateCounter<long>("forward_sampling.selection.rows_seen", "{row}",
        "Rows that selection chose among.");
    private static readonly Counter<long> s_selected = s_meter.CreateCounter<long>("forward_sampling.selection.rows_selected", "{row}",
        "Rows that were chosen.");
    private static readonly Histogram<double> s_loss = s_meter.CreateHistogram<double>("forward_sampling.selection.loss", "1",
        "Mean recorded loss of a window's rows: of all, and of the chosen ones, unweighted.", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100] });
    private static readonly ActivitySource s_spans = new(ForwardSamplingDiagnostics.ActivitySourceName);

    /// <summary>Somebody listens.</summary>
    public static bool IsListenedTo => s_windows.Enabled || s_seen.Enabled || s_selected.Enabled || s_loss.Enabled;

    /// <summary>When a span that is written at its end begins; null while nobody listens.</summary>
    public static DateTimeOffset? Begin() => s_spans.HasListeners() ? DateTimeOffset.UtcNow : null;

    /// <summary>Counts what was selected.</summary>
    public static void Count(string policy, long windows, long seen, long selected)
    {
        var tag = new KeyValuePair<string, object?>(PolicyTag, policy);
        s_windows.Add(windows, tag);
        s_seen.Add(seen, tag);
        s_selected.Add(selected, tag);
    }

    /// <summary>Measures a window's losses; rows whose loss is NaN or infinite take no part.</summary>
    public static void Measure(string policy, ReadOnlySpan<float> losses, ReadOnlySpan<int> rows)
    {
        if (losses.IsEmpty || !s_loss.Enabled)
            return;
        var tag = new KeyValuePair<string, object?>(PolicyTag, policy);
        double sum = 0;
        int count = 0;
        foreach (int row in rows)
        {
            if (float.IsFinite(losses[row]))
                (sum, count) = (sum + losses[row], count + 1);
        }

        s_loss.Record(WindowSums.MeanOfFinite(losses), tag, new(RowsTag, "seen"));
        if (count > 0)
            s_loss.Record(sum / count, tag, new(RowsTag, "selected"));
    }

    /// <summary>A span of a pass over selected rows that reached its end.</summary>
    public static void EndSpan(DateTimeOffset? began, string policy, SelectionReport report, SelectionReport? before = null)
    {
        if (began is not { } start)
            return;
        using Activity? span = s_spans.StartActivity("forward_sampling.select", ActivityKind.Internal, default(ActivityContext),
            [
                new(PolicyTag, policy),
                new("forward_sampling.selection.windows", report.Windows - (before?.Windows ?? 0)),
                new("forward_sampling.selection.rows_seen", report.RowsSeen - (before?.RowsSeen ?? 0)),
                new("forward_sampling.selection.rows_selected", report.RowsSelected - (before?.RowsSelected ?? 0)),
            ],
            startTime: start);
    }
}
