using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Seconds per 1,000 steps on 784-256-128-10, batch 128, Adam 1e-3: the network trainer against the loop that a user of TorchSharp
/// would write, on one thread and on two.</summary>
/// <remarks>
/// Both in one process, with the same libtorch, taking turns; the median of each counts. Of the trainer, whole calls of Fit are timed, less
/// reading the rows: shuffling, filling batches, progress and counting are in its figure. The loop has one batch, filled beforehand: its
/// figure is the steps alone.
/// </remarks>
internal static class TrainingSteps
{
    private const int Rows = 12_800;
    private const int Batch = 128;
    private const int WarmUpSteps = 100;
    private const int Rounds = 5;

    public static int Run(string[] args)
    {
        int steps = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 500;
        var context = new MLContext(seed: 1);
        var random = new Random(1);
        IDataView data = context.Data.LoadFromEnumerable(Enumerable.Range(0, Rows).Select(_ => new ImageRow
        {
            Features = [.. Enumerable.Range(0, 784).Select(_ => 2f * random.NextSingle() - 1f)],
            Label = (uint)random.Next(10),
        }).ToArray());
        var table = new Table($"784-256-128-10, batch {Batch}, Adam, {steps} steps a round, median of {Rounds}", "s per 1,000 steps",
            "smallest", "ratio");
        var trainer = new List<double>();
        foreach (int threads in (int[])[1, 2])
        {
            Loop(WarmUpSteps, threads);
            Fit(context, data, WarmUpSteps, threads);
            Taken[] taken = Turns.Run(Rounds,
            [
                new Way($"plain TorchSharp loop, {threads} thread(s)", () => 1000 * Loop(steps, threads) / steps),
                new Way($"NetworkTrainer.Fit, {threads} thread(s)", () => 1000 * Fit(context, data, steps, threads) / steps),
            ], warmUps: 0);
            foreach (Taken way in taken)
                table.Add(way.Name, $"{way.Median:F3}", $"{way.Best:F3}", $"{way.Median / taken[0].Median:F2}");
            trainer.Add(taken[1].Median);
        }

        table.Print();
        Console.WriteLine($"NetworkTrainer.Fit: two threads are {trainer[0] / trainer[1]:F2} times as fast as one");
        TrainingParts.Print();
        return 0;
    }

    private static double Loop(int steps, int threads)
    {
        set_num_threads(threads);
        using DisposeScope all = NewDisposeScope();
        using var network = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10));
        using optim.Optimizer adam = optim.Adam(network.parameters(), lr: 1e-3);
        using var crossEntropy = nn.CrossEntropyLoss();
        Tensor features = rand(Batch, 784).mul_(2).sub_(1), labels = randint(10, Batch, dtype: ScalarType.Int64);
        long start = Stopwatch.GetTimestamp();
        for (int step = 0; step < steps; step++)
        {
            using DisposeScope scope = NewDisposeScope();
            adam.zero_grad();
            Tensor loss = crossEntropy.call(network.call(features), labels);
            loss.backward();
            adam.step();
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Fit(MLContext context, IDataView data, int steps, int threads)
    {
        var options = new NetworkTrainerOptions
        {
            HiddenLayers = [256, 128],
            BatchSize = Batch,
            Epochs = 1_000_000,
            MaximumSteps = steps,
            Seed = 1,
            Threads = threads
        };
        long start = Stopwatch.GetTimestamp();
        using var model = context.ForwardSampling().Trainers.MulticlassClassification(options).Fit(data);
        return Stopwatch.GetElapsedTime(start).TotalSeconds - model.Model.Report!.ReadSeconds;
    }

    private sealed class ImageRow
    {
        [VectorType(784)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }
}
