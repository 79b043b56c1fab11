using Microsoft.ML.ForwardSampling.Tool.Compare;
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Recording;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Scoring;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Training;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool;

/// <summary>
/// A network is in service while its training data arrive: each chunk of rows is scored by the deployed network, one row in ten
/// is selected by what that forward pass said, the next network is trained on the selected rows, and takes over.
/// </summary>
/// <remarks>
/// Prints, with Microsoft.ML 5.0.1 and TorchSharp 0.107.0 (other versions differ in the last digits or the draw):
/// <code>
/// Policy                     accuracy  s.d.  n  backward rows  recorded rows
/// Uniform                     84.37 %  0.70  5         48,000              0
/// BalancedGradientNorm        86.50 %  0.51  5         48,000        477,440
/// Full training, 1 pass       85.11 %  0.92  5         60,000              0
/// Full training               88.39 %  0.34  5        480,000              0
/// </code>
/// </remarks>
internal static class QuickStart
{
    /// <summary>Runs the comparison and writes the table, the page and the results file.</summary>
    /// <returns>All figures, counted and timed.</returns>
    public static QuickStartResults Run(QuickStartOptions options, IAnsiConsole console, CancellationToken cancellation = default)
    {
        long started = Stopwatch.GetTimestamp();
        QuickStartConsole.WriteProtocol(console, options);
        FashionMnist data = FashionMnist.Load(options.Data);

        if (options.ValidationRows >= data.Training.Count)
            throw new InvalidDataException($"{options.ValidationRows} rows are to be held out for validation, and there are {data.Training.Count} training rows: give --validation a smaller number.");

        // The first call of anything is slow (native libraries, compilation): a short stream that is not counted.
        foreach (IRowSelectionPolicy policy in PoliciesOf(options))
            Stream([.. data.Training.Take(2 * options.Chunk + options.ValidationRows)], data.Test, policy, 0, options with { Passes = 1 }, new Unwatched(), cancellation);

        // Seeds run one after the other. At one seed every policy meets the same rows in the same order and starts from the same weights.
        var runs = new List<PolicyRun>();
        QuickStartConsole.Watch(console, options, progress =>
        {
            for (int seed = 1; seed <= Math.Max(options.Seeds, options.FullSeeds); seed++)
            {
                IReadOnlyList<FashionImage> training = WithNoise(data.Training, options.Noise, seed);
                if (seed <= options.Seeds)
                {
                    foreach (IRowSelectionPolicy policy in PoliciesOf(options))
                        runs.Add(Stream(training, data.Test, policy, seed, options, progress, cancellation));
                }

                if (seed <= options.FullSeeds)
                    runs.Add(Stream(training, data.Test, null, seed, options, progress, cancellation));
            }
        });

        var results = QuickStartResults.Of(options, data, runs, Stopwatch.GetElapsedTime(started).TotalSeconds);
        QuickStartConsole.WriteResults(console, results);
        if (options.Json is { } json)
            WriteFile(console, json, results.ToJson());
        WriteFile(console, options.Html, AccuracyPage.Of(results));
        return results;
    }

    private const RecordStatistics Recorded = RecordStatistics.Loss | RecordStatistics.GradientNorm | RecordStatistics.Margin | RecordStatistics.Entropy;

    /// <summary>One policy at one seed: the stream of chunks, from the first network to the last.</summary>
    /// <param name="policy">Null: every row gets a backward pass.</param>
    private static PolicyRun Stream(
        IReadOnlyList<FashionImage> training, IReadOnlyList<FashionImage> test, IRowSelectionPolicy? policy, int seed,
        QuickStartOptions options, IProgress<RunProgress> progress, CancellationToken cancellation)
    {
        var mlContext = new MLContext(seed);
        ForwardSamplingCatalog fs = mlContext.ForwardSampling();
        IDataView testRows = mlContext.Data.LoadFromEnumerable(test);
        var network = new NetworkTrainerOptions
        {
            HiddenLayers = [256, 128],
            Optimizer = new AdamOptions { LearningRate = 1e-3f },
            BatchSize = 64,
            Epochs = 1,
            Threads = 1,
            CancellationToken = cancellation,
        };
        var selection = new SelectionOptions { WindowSize = options.Window, Budget = options.Budget };

        var random = new Random(seed);
        FashionImage[] stream = [.. training.SkipLast(options.ValidationRows)];
        IDataView validation = mlContext.Data.LoadFromEnumerable(training.TakeLast(options.ValidationRows));
        int chunksOfAPass = (stream.Length + options.Chunk - 1) / options.Chunk;
        var counts = new StreamCounts();
        var curve = new List<CurvePoint>();
        NetworkPredictionTransformer? deployed = null;
        RowSelectorState? selector = null;
        try
        {
            for (int pass = 1; pass <= options.Passes; pass++)
            {
                random.Shuffle(stream);
                for (int chunk = 1; chunk <= chunksOfAPass; chunk++)
                {
                    FashionImage[] arrived = stream[((chunk - 1) * options.Chunk)..Math.Min(chunk * options.Chunk, stream.Length)];
                    int chunkSeed = random.Next();

                    // 1. Record: the deployed network serves the chunk, and leaves a few numbers for each row. Uniform needs none.
                    //    The first chunk has no deployed network yet: there, every policy draws evenly.
                    IRowSelectionPolicy? rule = deployed is null && policy is not null ? new UniformPolicy() : policy;
                    IDataView recorded = deployed is not null && ((rule?.Needs ?? 0) & Recorded) != 0
                        ? Record(mlContext, deployed, arrived, options, chunkSeed, counts)
                        : mlContext.Data.LoadFromEnumerable(arrived);

                    // 2. Select: another seed for each chunk, or every chunk would be drawn alike. A policy that remembers goes on where it stopped.
                    //    A policy that looks at features selects inside the trainer, where they are.
                    bool insideTrainer = ((rule?.Needs ?? 0) & RecordStatistics.Features) != 0;
                    IDataView chosen = rule is null || insideTrainer
                        ? recorded
                        : fs.SelectRows(recorded, rule, selector is null ? selection with { Seed = chunkSeed } : selection with { StartState = selector });

                    // 3. Train the next network from the deployed one; Adam goes on with its moments.
                    NetworkTrainerOptions trainer = network with
                    {
                        Seed = chunkSeed,
                        Selection = insideTrainer ? new InTrainingSelection { Policy = rule!, WindowSize = options.Window, Budget = options.Budget } : null,
                    };
                    NetworkPredictionTransformer next = Train(fs, trainer, chosen, deployed, counts);

                    // 4. Deploy it, and tell the policy how it does, if the policy wants to know.
                    deployed?.Dispose();
                    deployed = next;
                    if (chosen is SelectedRows { State: { PolicyState.IsEmpty: false } state })
                        selector = Tell(mlContext, new RowSelector(rule!, state), deployed, validation, options.ValidationRows, counts);

                    double? accuracy = null;
                    if (chunk == chunksOfAPass || (pass == 1 && chunk is 8 or 16))
                    {
                        accuracy = mlContext.MulticlassClassification.Evaluate(deployed.Transform(testRows)).MicroAccuracy;
                        curve.Add(counts.At(chunk == chunksOfAPass ? pass : 0, accuracy.Value));
                    }

                    double share = (double)((pass - 1) * chunksOfAPass + chunk) / (options.Passes * chunksOfAPass);
                    progress.Report(new RunProgress(NameOf(policy), seed, share, accuracy?.ToString("P2", CultureInfo.InvariantCulture)));
                }
            }
        }
        finally
        {
            deployed?.Dispose();
        }

        return new PolicyRun(NameOf(policy), seed, curve);
    }

    /// <summary>The selector's state after it was told the deployed network's loss on rows that are never trained on.</summary>
    private static RowSelectorState Tell(
        MLContext mlContext, RowSelector selector, NetworkPredictionTransformer deployed, IDataView validation, int rows, StreamCounts counts)
    {
        if ((selector.Feedback & SelectionFeedback.ValidationLoss) != 0)
        {
            long started = Stopwatch.GetTimestamp();
            selector.ReportValidation(mlContext.MulticlassClassification.Evaluate(deployed.Transform(validation)).LogLoss);
            counts.ForwardRows += rows;
            counts.TrainSeconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        return selector.State;
    }

    /// <summary>Scores a chunk with the deployed network and keeps four numbers beside each row, as a service would.</summary>
    private static IDataView Record(MLContext mlContext, NetworkPredictionTransformer deployed, FashionImage[] arrived, QuickStartOptions options, int seed, StreamCounts counts)
    {
        long started = Stopwatch.GetTimestamp();
        IDataView rows = mlContext.Data.LoadFromEnumerable(arrived);
        ForwardRecordingTransformer recorder = mlContext.ForwardSampling().RecordForwardPass(deployed, PredictionTask.Multiclass).Fit(rows);
        IEnumerable<ForwardNumbers> numbers = mlContext.Data.CreateEnumerable<ForwardNumbers>(recorder.Transform(rows), reuseRowObject: false);
        if (options.StatisticBits is { } bits)
            numbers = Compact(numbers, arrived.Length, bits, seed);
        RecordedImage[] recorded = [.. arrived.Zip(numbers, (image, forward) => new RecordedImage(image, forward))];
        counts.RecordSeconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        counts.RecordedRows += recorder.Report.RowsRecorded;
        return mlContext.Data.LoadFromEnumerable(recorded);
    }

    /// <summary>Keeps loss and gradient norm in a few bits instead, as a store of millions of rows would.</summary>
    private static IEnumerable<ForwardNumbers> Compact(IEnumerable<ForwardNumbers> numbers, int rows, int bits, int seed)
    {
        var store = new CompactStatistics(rows, new CompactStatisticsOptions { Bits = bits, Seed = seed });
        int row = 0;
        foreach (ForwardNumbers full in numbers)
        {
            store.Set(row, full.Loss, full.GradientNorm);
            yield return new ForwardNumbers { Loss = store.Loss(row), GradientNorm = store.GradientNorm(row), Margin = full.Margin, Entropy = full.Entropy };
            row++;
        }
    }

    /// <summary>One Fit. Reading the selected rows is what runs the selection, so its time is the report's reading time.</summary>
    private static NetworkPredictionTransformer Train(
        ForwardSamplingCatalog fs, NetworkTrainerOptions network, IDataView chosen, NetworkPredictionTransformer? deployed, StreamCounts counts)
    {
        long started = Stopwatch.GetTimestamp();
        NetworkPredictionTransformer next = fs.Trainers.Multiclass(network).Fit(chosen, null, deployed);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        TrainingReport report = next.Model.Report!;
        if (report.RowsSkipped > 0 || (deployed is not null && !report.OptimizerContinued))
        {
            next.Dispose();
            throw new InvalidOperationException(report.RowsSkipped > 0
                ? $"{report.RowsSkipped} of {report.RowsRead} rows were skipped: the figures would be of fewer rows than they say."
                : "The optimizer did not go on with the deployed network's state: this would be another experiment.");
        }

        counts.BackwardRows += report.BackwardRows;
        counts.ForwardRows += report.ForwardRows;
        counts.ReadSeconds += report.ReadSeconds;
        counts.TrainSeconds += seconds - report.ReadSeconds;
        return next;
    }

    /// <summary>Uniform first, then the asked-for ones, each once.</summary>
    internal static IEnumerable<IRowSelectionPolicy> PoliciesOf(QuickStartOptions options)
        => options.Policies.Prepend("uniform").Distinct().Select(name => QuickStartOptions.KnownPolicies[name]);

    internal static string NameOf(IRowSelectionPolicy? policy)
        => policy is SelectiveBackpropPolicy { History: > 0 } ? $"{policy.Name}, history" : policy?.Name ?? QuickStartResults.FullTraining;

    private static IReadOnlyList<FashionImage> WithNoise(IReadOnlyList<FashionImage> rows, double share, int seed)
    {
        if (share == 0)
            return rows;
        var random = new Random(-seed);
        return [.. rows.Select(row => random.NextDouble() < share ? new FashionImage { Features = row.Features, Label = (uint)random.Next(FashionMnist.Classes) } : row)];
    }

    private static void WriteFile(IAnsiConsole console, string path, string content)
    {
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
        console.WriteLine($"Written: {full}");
    }

    /// <summary>The columns that a recorder adds, as members: CreateEnumerable reads these and no others.</summary>
    private sealed class ForwardNumbers
    {
        [ColumnName(ForwardColumns.Loss)]
        public float Loss { get; set; }

        [ColumnName(ForwardColumns.GradientNorm)]
        public float GradientNorm { get; set; }

        [ColumnName(ForwardColumns.Margin)]
        public float Margin { get; set; }

        [ColumnName(ForwardColumns.Entropy)]
        public float Entropy { get; set; }
    }

    /// <summary>An image with what its forward pass left behind: 16 bytes beside 3,136.</summary>
    private sealed class RecordedImage(FashionImage image, ForwardNumbers forward)
    {
        [VectorType(FashionMnist.Pixels)]
        public float[] Features { get; set; } = image.Features;

        [KeyType(FashionMnist.Classes)]
        public uint Label { get; set; } = image.Label;

        [ColumnName(ForwardColumns.Loss)]
        public float Loss { get; set; } = forward.Loss;

        [ColumnName(ForwardColumns.GradientNorm)]
        public float GradientNorm { get; set; } = forward.GradientNorm;

        [ColumnName(ForwardColumns.Margin)]
        public float Margin { get; set; } = forward.Margin;

        [ColumnName(ForwardColumns.Entropy)]
        public float Entropy { get; set; } = forward.Entropy;
    }

    private sealed class Unwatched : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
        }
    }

    /// <summary>What a stream has counted so far.</summary>
    private sealed class StreamCounts
    {
        public long BackwardRows { get; set; }

        public long RecordedRows { get; set; }

        public long ForwardRows { get; set; }

        public double RecordSeconds { get; set; }

        public double ReadSeconds { get; set; }

        public double TrainSeconds { get; set; }

        public CurvePoint At(int pass, double accuracy) => new(pass, accuracy, BackwardRows, RecordedRows, ForwardRows, RecordSeconds, ReadSeconds, TrainSeconds);
    }
}
