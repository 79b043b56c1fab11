using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>Rare events on a wide stream, all parts together: a linear model of 3 bytes a slot serves and records, group testing screens,
/// selection picks a tenth, and a network trains on it.</summary>
internal static class RareWideEvents
{
    private const int Units = 16;
    private const int Window = 2560;
    private const int Epochs = 2;
    private const string Served = "ServedScore";

    /// <summary>Prints what each part costs and finds, and compares the network with one on an even draw of equally many rows.</summary>
    public static Comparison Run(TextWriter output, int rows, int seed, CancellationToken cancellation = default)
    {
        var mlContext = new MLContext(seed);
        ForwardSamplingCatalog fs = mlContext.ForwardSampling();
        WideEvent[] oldRows = WideEvents.Rows(rows, seed), servedRows = WideEvents.Rows(rows, seed + 1),
            testRows = WideEvents.Rows(rows, seed + 2);
        IDataView old = WideEvents.View(mlContext, oldRows), served = WideEvents.View(mlContext, servedRows),
            test = WideEvents.View(mlContext, testRows);
        double values = servedRows.Average(row => row.Features.GetValues().Length);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{rows:N0} rows of {values:F1} values in {WideEvents.Slots:N0} slots, "
            + $"{servedRows.Average(row => row.Label ? 1.0 : 0.0):P2} events"));
        output.WriteLine("| Stage | Rows | Multiply-adds a row | Bytes | Seconds | AUC |\n| --- | ---: | ---: | ---: | ---: | ---: |");

        // 1. The deployed model learns in one pass over old rows: a score and a step, a value each.
        long start = Stopwatch.GetTimestamp();
        LowMemoryPredictionTransformer deployed = fs.Trainers.LowMemoryBinaryClassification(new LowMemoryTrainerOptions
        { Seed = seed, CancellationToken = cancellation }).Fit(old);
        Tell("low-memory model learns", rows, 2 * values, deployed.Model.Bytes, start, Auc(deployed, test));

        // 2. It serves, and leaves four Singles beside each row: loss, gradient norm, margin and entropy.
        start = Stopwatch.GetTimestamp();
        ITransformer keepScore = mlContext.Transforms.CopyColumns(Served, "Score").Fit(deployed.Transform(served));
        IDataView recorded = mlContext.Data.Cache(
            keepScore.Transform(fs.RecordForwardPass(deployed, PredictionTask.Binary).Fit(served).Transform(served)),
            ForwardColumns.Loss, ForwardColumns.GradientNorm, ForwardColumns.Margin, ForwardColumns.Entropy, "Label", "Features", Served);
        _ = recorded.GetColumn<float>(ForwardColumns.Loss).Sum(loss => (double)loss);
        Tell("it serves and records", rows, values, 4L * sizeof(float) * rows, start, null);

        // 3. Groups of eight rows are screened on the few fields that say most; only members of positive groups are tested alone.
        var screening = new GroupTestingOptions
        {
            FeatureColumnName = nameof(WideEvent.Screen),
            StemLayers = [32],
            BodyLayers = [128, 128],
            Schedule = GroupSchedule.TwoRounds(8),
            Steps = 1000,
            Seed = seed,
            CancellationToken = cancellation,
        };
        start = Stopwatch.GetTimestamp();
        using GroupTestingTransformer screen = fs.GroupTesting(screening).Fit(old);
        double trainSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        start = Stopwatch.GetTimestamp();
        bool[] suspected = [.. screen.Transform(test).GetColumn<bool>("PredictedLabel")];
        GroupTestingReport tests = screen.Report;
        const long Weights = (WideEvents.ScreenSlots * 32L) + 32 + (32 * 128) + 128 + (128 * 128) + 128 + 128 + 1;
        Tell("one test a row would", rows, (double)tests.IndividualMultiplyAdds / rows, sizeof(float) * Weights, null, null);
        Tell("group testing screens", rows, (double)tests.MultiplyAdds / rows, sizeof(float) * Weights, start, null);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| (it names {suspected.Count(s => s):N0} rows, {suspected.Zip(testRows).Count(r => r.First && r.Second.Label):N0} of "
            + $"{testRows.Count(r => r.Label):N0} events among them; {trainSeconds:F1} s to train) | | | | | |"));

        // 4. A tenth of the served rows gets backward passes. The network takes the served score beside the slots, and so begins where the
        // linear model ends. Its first layer's cost is by values: forward, and back to its weights.
        double step = (2 * (values + 1) * Units) + (3 * Units);
        IDataView servedTest = keepScore.Transform(deployed.Transform(test));
        (double uniform, long uniformRows) = Train("network, a tenth by an even draw", new UniformPolicy());
        (double selected, long selectedRows) = Train("network, a tenth by BalancedGradientNorm", new BalancedGradientNormPolicy());
        return new Comparison("1 - AUC of rare events", 1 - uniform, 1 - selected, uniformRows, selectedRows);

        (double Auc, long BackwardRows) Train(string stage, IRowSelectionPolicy policy)
        {
            long began = Stopwatch.GetTimestamp();
            SelectedRows chosen = fs.SelectRows(recorded, policy, new SelectionOptions { WindowSize = Window, Budget = 0.1, Seed = seed });
            using NetworkPredictionTransformer network = fs.Trainers.BinaryClassification(new NetworkTrainerOptions
            {
                HiddenLayers = [Units],
                MoreFeatureColumns = [Served],
                Epochs = Epochs,
                HeldOutShare = 0,                          // the number of passes is chosen
                Optimizer = new AdamOptions { LearningRate = 0.002 },
                Seed = seed,
                CancellationToken = cancellation,
            }).Fit(chosen);
            double auc = Auc(network, servedTest);
            TrainingReport report = network.Model.Report!;
            Tell(stage, report.BackwardRows, step, sizeof(float) * network.Model.ParameterCount, began, auc);
            return (auc, report.BackwardRows);
        }

        double Auc(ITransformer model, IDataView scored)
            => mlContext.BinaryClassification.EvaluateNonCalibrated(model.Transform(scored)).AreaUnderRocCurve;

        void Tell(string stage, long n, double multiplyAdds, long bytes, long? began, double? auc)
            => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {stage} | {n:N0} | {multiplyAdds:N0} | {bytes:N0} | "
                + $"{(began is { } from ? Stopwatch.GetElapsedTime(from).TotalSeconds : null):F2} | {auc:F4} |"));
    }
}

/// <summary>An event that may be of the rare kind.</summary>
internal sealed class WideEvent
{
    /// <summary>All fields, hashed.</summary>
    public VBuffer<float> Features { get; set; }

    /// <summary>The fields of ten values, as indicators.</summary>
    [VectorType(WideEvents.ScreenSlots)]
    public float[] Screen { get; set; } = [];

    public bool Label { get; set; }
}

/// <summary>Generated events; the same for the same seed.</summary>
internal static class WideEvents
{
    public const int Slots = 1 << 18;
    public const int ScreenSlots = NarrowFields * NarrowValues;
    private const int NarrowFields = 12;
    private const int NarrowValues = 10;
    private const int WideFields = 24;
    private const double Intercept = -11.5;

    /// <summary>Twelve fields of ten values, six pairs of which matter together, and 24 of up to a million, each of which matters a
    /// little.</summary>
    public static WideEvent[] Rows(int count, int seed)
    {
        var random = new Random(seed);
        var rows = new WideEvent[count];
        int[] narrow = new int[NarrowFields];
        for (int row = 0; row < count; row++)
        {
            double logOdds = Intercept;
            float[] screen = new float[ScreenSlots];
            var slots = new SortedSet<int>();
            for (int field = 0; field < NarrowFields; field++)
            {
                narrow[field] = random.Next(NarrowValues);
                screen[(field * NarrowValues) + narrow[field]] = 1f;
                slots.Add((int)(Mix(field, narrow[field]) % Slots));
                logOdds += 0.6 * Effect(field, narrow[field]);
                if (field % 2 == 1)
                    logOdds += 1.4 * Effect(100 + field, (narrow[field - 1] * NarrowValues) + narrow[field]);
            }

            for (int field = 0; field < WideFields; field++)
            {
                int value = (int)Math.Exp(random.NextDouble() * Math.Log(Math.Pow(10, 1 + (field % 6))));
                slots.Add((int)(Mix(200 + field, value) % Slots));
                logOdds += 0.25 * Effect(200 + field, value);
            }

            rows[row] = new WideEvent
            {
                Features = new VBuffer<float>(Slots, slots.Count, [.. Enumerable.Repeat(1f, slots.Count)], [.. slots]),
                Screen = screen,
                Label = random.NextDouble() < 1 / (1 + Math.Exp(-logOdds)),
            };
        }

        return rows;
    }

    public static IDataView View(MLContext context, WideEvent[] rows)
    {
        SchemaDefinition schema = SchemaDefinition.Create(typeof(WideEvent));
        schema[nameof(WideEvent.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Slots);
        return context.Data.LoadFromEnumerable(rows, schema);
    }

    /// <summary>A number of mean 0 and s.d. 1 that belongs to a value.</summary>
    private static double Effect(int field, int value) => (((Mix(field + 1000, value) >> 40) / (double)(1 << 24)) - 0.5) * Math.Sqrt(12);

    private static ulong Mix(int field, int value)
    {
        ulong bits = ((ulong)field << 40) ^ (ulong)value ^ 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
