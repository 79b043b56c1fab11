using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Selection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.ML.ForwardSampling.Hosting.Tests;

public sealed class TrainingMetersTests
{
    private const int Rows = 2000;

    [Fact]
    public void Select_OneWindow_CountsRowsAndMeansOfLosses()
    {
        using var measured = new Measured();
        var selector = new RowSelector(new TopLossPolicy(), seed: 1);
        float[] losses = [1, 2, 3, 4, float.NaN, 10];
        int[] rows = new int[2];
        selector.Select(losses.Length, rows, new float[2], losses);

        Assert.Equal(1, measured.Sum("forward_sampling.selection.windows{policy=TopLoss}"));
        Assert.Equal(6, measured.Sum("forward_sampling.selection.rows_seen{policy=TopLoss}"));
        Assert.Equal(2, measured.Sum("forward_sampling.selection.rows_selected{policy=TopLoss}"));
        Assert.Equal([4.0], measured.Values("forward_sampling.selection.loss{policy=TopLoss,rows=seen}"));
        float[] chosen = [.. rows.Select(row => losses[row]).Where(float.IsFinite)];
        Assert.Contains(10f, chosen);
        Assert.Equal([chosen.Average()], measured.Values("forward_sampling.selection.loss{policy=TopLoss,rows=selected}"));
    }

    [Fact]
    public void SelectStreamed_APassToTheEnd_CountsOneWindow()
    {
        var ml = new MLContext(1);
        StreamedRows chosen = ml.ForwardSampling().SelectRowsStreamed(ml.Data.LoadFromEnumerable(Points(300)), new UniformPolicy(),
            new StreamedSelectionOptions { Budget = 0.1 });
        using var measured = new Measured();

        Assert.Equal(30, chosen.GetColumn<bool>("Label").Count());

        Assert.Equal(1, measured.Sum("forward_sampling.selection.windows{policy=Uniform}"));
        Assert.Equal(300, measured.Sum("forward_sampling.selection.rows_seen{policy=Uniform}"));
        Assert.Equal(30, measured.Sum("forward_sampling.selection.rows_selected{policy=Uniform}"));
    }

    [Fact]
    public void Select_SomebodyListens_AllocatesNothing()
    {
        using var listener = new System.Diagnostics.Metrics.MeterListener();
        long heard = 0;
        listener.InstrumentPublished = (instrument, of) =>
        {
            if (instrument.Meter.Name == ForwardSamplingDiagnostics.MeterName)
                of.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => heard++);
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => heard++);
        listener.Start();
        var selector = new RowSelector(new BalancedGradientNormPolicy(), seed: 1);
        float[] values = [.. Enumerable.Range(1, 640).Select(i => (float)i)], weights = new float[64];
        int[] rows = new int[64], labels = new int[640];
        Select(2);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Select(20);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(22 * 5, heard);

        void Select(int times)
        {
            for (int i = 0; i < times; i++)
                selector.Select(640, rows, weights, values, values, label: labels);
        }
    }

    [Fact]
    public void Fit_StepsAndRows_AreThoseOfItsReport_AndSpansTellWhatWasDone()
    {
        var spans = new List<Activity>();
        var metrics = new List<Metric>();
        using TracerProvider tracing = Sdk.CreateTracerProviderBuilder().AddSource(ForwardSamplingDiagnostics.ActivitySourceName)
            .AddInMemoryExporter(spans).Build();
        using MeterProvider metering = Sdk.CreateMeterProviderBuilder().AddMeter(ForwardSamplingDiagnostics.MeterName)
            .AddInMemoryExporter(metrics).Build();
        using var measured = new Measured();
        var ml = new MLContext(1);
        ForwardSamplingCatalog fs = ml.ForwardSampling();
        IDataView data = ml.Data.LoadFromEnumerable(Points(Rows));
        using NetworkPredictionTransformer deployed = fs.Trainers.BinaryClassification(Options()).Fit(data);
        IDataView recorded = fs.RecordForwardPass(deployed, PredictionTask.Binary).Fit(data).Transform(data);

        SelectedRows chosen = fs.SelectRows(recorded, new BalancedGradientNormPolicy(), new SelectionOptions { WindowSize = 500 });
        using NetworkPredictionTransformer next = fs.Trainers.BinaryClassification(Options()).Fit(chosen);

        TrainingReport first = deployed.Model.Report!, second = next.Model.Report!;
        Assert.Equal(first.Steps + second.Steps, measured.Sum("forward_sampling.training.steps{task=binary}"));
        Assert.Equal(first.BackwardRows + second.BackwardRows, measured.Sum("forward_sampling.training.backward_rows{task=binary}"));
        double passes = measured.Sum("forward_sampling.selection.windows{policy=BalancedGradientNorm}") / (Rows / 500);
        Assert.Equal(Rows * passes, measured.Sum("forward_sampling.selection.rows_seen{policy=BalancedGradientNorm}"));

        metering.ForceFlush();
        tracing.ForceFlush();
        Activity[] trained = [.. spans.Where(span => span.OperationName == "forward_sampling.train")];
        Assert.Equal([first.Steps, second.Steps], trained.Select(span => (long)span.GetTagItem("forward_sampling.training.steps")!));
        Activity[] selected = [.. spans.Where(span => span.OperationName == "forward_sampling.select")];
        Assert.Equal(passes, selected.Length);
        Assert.All(selected, span =>
        {
            Assert.Equal((4L, (long)Rows, chosen.Report!.RowsSelected), ((long)span.GetTagItem("forward_sampling.selection.windows")!,
                (long)span.GetTagItem("forward_sampling.selection.rows_seen")!,
                (long)span.GetTagItem("forward_sampling.selection.rows_selected")!));
            Assert.Equal(trained[1].SpanId, span.ParentSpanId);
            Assert.True(span.Duration > TimeSpan.Zero);
        });
        Metric steps = Assert.Single(metrics, metric => metric.Name == "forward_sampling.training.steps");
        long sum = 0;
        foreach (ref readonly MetricPoint point in steps.GetMetricPoints())
            sum += point.GetSumLong();
        Assert.Equal(first.Steps + second.Steps, sum);
    }

    [Fact]
    public void Fit_Fails_ItsSpanSaysWhy()
    {
        var spans = new List<Activity>();
        using TracerProvider tracing = Sdk.CreateTracerProviderBuilder().AddSource(ForwardSamplingDiagnostics.ActivitySourceName)
            .AddInMemoryExporter(spans).Build();
        var ml = new MLContext(1);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => ml.ForwardSampling().Trainers
            .BinaryClassification(Options() with { CancellationToken = cancelled.Token }).Fit(ml.Data.LoadFromEnumerable(Points(100))));

        tracing.ForceFlush();
        Activity span = Assert.Single(spans);
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        Assert.Contains("Canceled", (string)span.GetTagItem("error.type")!, StringComparison.Ordinal);
    }

    [Fact]
    public void Join_CallsThatGiveRows_AreSpans()
    {
        using var folder = new TemporaryFolder();
        var spans = new List<Activity>();
        using TracerProvider tracing = Sdk.CreateTracerProviderBuilder().AddSource(ForwardSamplingDiagnostics.ActivitySourceName)
            .AddInMemoryExporter(spans).Build();
        string records = folder.File("records"), labels = folder.File("labels");
        DateTime time = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        using (var log = new ForwardRecordLog<BinaryRecord>(records))
            log.Append([.. Enumerable.Range(0, 10).Select(i => BinaryRecord.FromScore((ulong)i, 0.5f, 1, time))]);
        using (var log = new ForwardRecordLog<LabelEvent>(labels))
            log.Append([.. Enumerable.Range(0, 7).Select(i => new LabelEvent((ulong)i, 1, time))]);

        using var join = new ForwardRecordJoin<BinaryRecord>(records, labels);
        Assert.Equal(7, join.Read(new JoinedRecord[100]));
        Assert.Equal(0, join.Read(new JoinedRecord[100]));

        tracing.ForceFlush();
        Activity span = Assert.Single(spans);
        Assert.Equal(("forward_sampling.join", 7), (span.OperationName, (int)span.GetTagItem("forward_sampling.join.rows")!));
    }

    private static NetworkTrainerOptions Options() => new() { HiddenLayers = [8], Epochs = 1, BatchSize = 64, Seed = 1, Threads = 1 };

    private static IEnumerable<Point> Points(int count)
    {
        var random = new Random(1);
        for (int i = 0; i < count; i++)
        {
            float[] x = [random.NextSingle(), random.NextSingle()];
            yield return new Point { Features = x, Label = x[0] + x[1] > 1 };
        }
    }

    private sealed class Point
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }
}
