using System.Globalization;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;
using Microsoft.ML.ForwardSampling.Hosting;
using Microsoft.ML.ForwardSampling.Records;
using OpenTelemetry.Metrics;

namespace Microsoft.ML.ForwardSampling.Examples.Service;

/// <summary>An order to score; its features are in the shop's database, under its number.</summary>
/// <param name="Order">Its number, which is also the key of its record.</param>
internal sealed record OrderRequest(ulong Order);

/// <summary>The answer.</summary>
/// <param name="Order">As asked.</param>
/// <param name="Probability">That the customer will be content.</param>
/// <param name="Model">The model's version.</param>
internal sealed record OrderAnswer(ulong Order, float Probability, string Model);

/// <summary>What a customer said.</summary>
/// <param name="Order">Number of the order.</param>
/// <param name="Content">Whether it was good.</param>
internal sealed record OrderLabel(ulong Order, bool Content);

/// <summary>What is read of a scored order.</summary>
internal sealed class OrderScore
{
    /// <summary>Log-odds.</summary>
    public float Score { get; set; }

    /// <summary>In [0, 1].</summary>
    public float Probability { get; set; }
}

/// <summary>The service: its parts and what it answers to.</summary>
internal static class OrderService
{
    /// <summary>Builds it; a first model is trained when there is none.</summary>
    public static WebApplication Build(WebApplicationBuilder builder, ServiceOptions options)
    {
        FirstModel.Ensure(options);

        // 1. The model, followed by its file, and the logs. Records may be thinned when the disk is slow, so that predictions never wait;
        // labels are few and carry no weight: their request waits.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning); // not a line for each request
        IServiceCollection services = builder.Services;
        TimeSpan flush = TimeSpan.FromSeconds(options.FlushSeconds);
        services.AddSingleton(options);
        services.AddForwardSampling<Order, OrderScore>(
            new PredictionPoolOptions { ModelPath = options.ModelPath, PollInterval = TimeSpan.FromMilliseconds(500) });
        services.AddForwardRecordLog<BinaryRecord>(options.RecordFolder,
            new ForwardRecordLogOptions { Overflow = RecordOverflow.DropAndRecord, FlushInterval = flush });
        services.AddForwardRecordLog<LabelEvent>(options.LabelFolder, new ForwardRecordLogOptions { FlushInterval = flush });
        if (options.Trains)
            services.AddHostedService<Retrainer>();

        // 2. Metrics as Prometheus reads them.
        services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(ForwardSamplingDiagnostics.MeterName)
            .AddMeter("Microsoft.AspNetCore.Hosting").AddPrometheusExporter());

        WebApplication app = builder.Build();
        if (options.Records)
            app.MapPost("/predict", Predict);
        else
            app.MapPost("/predict", PredictOnly);
        app.MapPost("/labels", TakeLabelsAsync);
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
        app.MapGet("/", () => Results.Stream(
            typeof(OrderService).Assembly.GetManifestResourceStream("dashboard.html")!, "text/html; charset=utf-8"));
        return app;
    }

    /// <summary>Scores and records. What is answered is in the log unless the process is killed within the flush interval.</summary>
    private static OrderAnswer Predict(OrderRequest request, PredictionPool<Order, OrderScore> pool, IRecordWriter<BinaryRecord> records,
        ServiceOptions options)
    {
        OrderScore score = pool.Predict(Orders.Of(request.Order, options.Seed), out ulong version);
        _ = records.Append(BinaryRecord.FromProbability(request.Order, score.Probability, score.Score, version));
        return Answer(request, score, version);
    }

    private static OrderAnswer PredictOnly(OrderRequest request, PredictionPool<Order, OrderScore> pool, ServiceOptions options)
    {
        OrderScore score = pool.Predict(Orders.Of(request.Order, options.Seed), out ulong version);
        return Answer(request, score, version);
    }

    /// <summary>Takes labels; answers when they are safe.</summary>
    private static async Task<IResult> TakeLabelsAsync(OrderLabel[] labels, IRecordWriter<LabelEvent> log, CancellationToken cancellation)
    {
        log.Append([.. labels.Select(label => new LabelEvent(label.Order, label.Content ? 1 : 0))], cancellation);
        await log.FlushAsync(cancellation);
        return Results.Accepted();
    }

    private static OrderAnswer Answer(OrderRequest request, OrderScore score, ulong version)
        => new(request.Order, score.Probability, version.ToString("X16", CultureInfo.InvariantCulture));
}
