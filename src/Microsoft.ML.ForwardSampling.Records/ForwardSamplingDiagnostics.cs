namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Names under which this library's packages measure themselves; docs/metrics.md lists the instruments and the spans.</summary>
/// <remarks>The same for all packages: <c>metrics.AddMeter(ForwardSamplingDiagnostics.MeterName)</c> and
/// <c>tracing.AddSource(ForwardSamplingDiagnostics.ActivitySourceName)</c> are all that OpenTelemetry needs. While nobody listens, nothing
/// is measured.</remarks>
public static class ForwardSamplingDiagnostics
{
    /// <summary>Name of the meters.</summary>
    public const string MeterName = "Microsoft.ML.ForwardSampling";

    /// <summary>Name of the sources of spans.</summary>
    public const string ActivitySourceName = "Microsoft.ML.ForwardSampling";
}
