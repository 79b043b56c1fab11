using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>Degraded while what the records go to refuses: predictions go on, and records wait in memory.</summary>
internal sealed class WriterHealthCheck<TRecord>(IRecordWriter<TRecord> writer) : IHealthCheck
    where TRecord : struct, ILogRecord<TRecord>
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        RecordWriterReport report = writer.Report;
        var data = new Dictionary<string, object>
        {
            ["appended"] = report.Appended,
            ["acknowledged"] = report.Acknowledged,
            ["dropped"] = report.Dropped,
        };
        return Task.FromResult(report.Failure is null ? HealthCheckResult.Healthy(data: data)
            : HealthCheckResult.Degraded($"{report.Appended - report.Acknowledged} records wait in memory: {report.Failure}", data: data));
    }
}
