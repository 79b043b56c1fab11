using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Training;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Seconds per 1,000 steps of the network trainer on 784-256-128-10, batch 128, Adam 1e-3: the twin of pytorch_peer/train_mlp.py.</summary>
/// <remarks>Whole calls of Fit are timed, less reading the rows: shuffling, filling batches, progress and counting are in the figure.</remarks>
internal static class TrainingSteps
{
    private const int Rows = 12_800;
    private const int WarmUpSteps = 100;

    public static int Run(string[] args)
    {
        int steps = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1000;
        var context = new MLContext(seed: 1);
        var random = new Random(1);
        IDataView data = context.Data.LoadFromEnumerable(Enumerable.Range(0, Rows).Select(_ => new ImageRow
        {
            Features = [.. Enumerable.Range(0, 784).Select(_ => 2f * random.NextSingle() - 1f)],
            Label = (uint)random.Next(10),
        }).ToArray());
        Fit(context, data, WarmUpSteps);
        double seconds = Fit(context, data, steps);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"NetworkTrainer: {1000 * seconds / steps:F3} s per 1,000 steps (batch 128, 1 thread(s), {steps} steps)"));
        return 0;
    }

    private static double Fit(MLContext context, IDataView data, int steps)
    {
        var options = new NetworkTrainerOptions { HiddenLayers = [256, 128], BatchSize = 128, Epochs = 1_000_000, MaximumSteps = steps, Seed = 1, Threads = 1 };
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        using var model = context.ForwardSampling().Trainers.Multiclass(options).Fit(data);
        return System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds - model.Model.Report!.ReadSeconds;
    }

    private sealed class ImageRow
    {
        [VectorType(784)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }
}
