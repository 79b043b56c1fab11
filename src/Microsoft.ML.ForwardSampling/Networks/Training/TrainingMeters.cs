using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>What the trainings of this process do, as instruments, and their spans.</summary>
internal static class TrainingMeters
{
    private static readonly Meter s_meter = new(ForwardSamplingDiagnostics.MeterName);
    private static readonly Counter<long> s_steps = s_meter.CreateCounter<long>("forward_sampling.training.steps", "{step}",
        "Optimizer steps of network trainers.");
    private static readonly Counter<long> s_rows = s_meter.CreateCounter<long>("forward_sampling.training.backward_rows", "{row}",
        "Rows that got a backward pass.");
    private static readonly ActivitySource s_spans = new(ForwardSamplingDiagnostics.ActivitySourceName);

    /// <summary>Begins the span of one call of Fit; null while nobody listens.</summary>
    public static Activity? StartFit(PredictionTask task)
    {
        if (!s_spans.HasListeners())
            return null;
        return s_spans.StartActivity("forward_sampling.train", ActivityKind.Internal)
            ?.SetTag("forward_sampling.task", Name(task));
    }

    /// <summary>What the span of a Fit that came to its end tells.</summary>
    public static void Complete(Activity? span, TrainingReport report)
        => span?.SetTag("forward_sampling.training.steps", report.Steps)
            .SetTag("forward_sampling.training.backward_rows", report.BackwardRows);

    /// <summary>What the span of a Fit that failed tells.</summary>
    public static void Fail(Activity? span, Exception failure)
        => span?.SetTag("error.type", failure.GetType().FullName).SetStatus(ActivityStatusCode.Error, failure.Message);

    /// <summary>Counts a step.</summary>
    public static void Count(PredictionTask task, int rows)
    {
        if (!s_steps.Enabled && !s_rows.Enabled)
            return;
        var tag = new KeyValuePair<string, object?>("forward_sampling.task", Name(task));
        s_steps.Add(1, tag);
        s_rows.Add(rows, tag);
    }

    private static string Name(PredictionTask task) => task switch
    {
        PredictionTask.Regression => "regression",
        PredictionTask.Binary => "binary",
        _ => "multiclass",
    };
}
