using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tests.LowMemory;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>A network on rows of about 50 of many hashed slots, held sparse and dense: rows a second of a step and of scoring, the
/// process's largest memory so far, held-out log-loss; and torch's EmbeddingBag on the same batches.</summary>
internal static class WideNetworksBench
{
    private const int Units = 32;
    private const int Batch = 64;

    public static int Run(string[] args)
    {
        int rows = args is [var given, ..] ? int.Parse(given, CultureInfo.InvariantCulture) : 50_000;
        var table = new Table($"{rows:N0} rows of 50 values, {Units} units, batch {Batch}, Adam, one pass, one thread", "trained rows/s",
            "scored rows/s", "log-loss", "peak MiB");
        Measure(1 << 12, FeatureStorage.Sparse, rows / 10);     // compiled before they are timed
        Measure(1 << 12, FeatureStorage.Dense, rows / 10);
        // The narrow ones first, and sparse before dense: a process's peak only rises.
        foreach ((int slots, FeatureStorage storage, int some) in new[]
        {
            (1 << 12, FeatureStorage.Sparse, rows / 10), (1 << 12, FeatureStorage.Dense, rows / 10),
            (1 << 17, FeatureStorage.Sparse, rows), (1 << 20, FeatureStorage.Sparse, rows),
            (1 << 14, FeatureStorage.Sparse, rows / 10), (1 << 14, FeatureStorage.Dense, rows / 10),
        })
            table.Add(Measure(slots, storage, some));

        table.Add(EmbeddingBag(1 << 20, new ClickStream(rows / 50, 1 << 20, seed: 1)));
        table.Print();
        return 0;
    }

    private static string[] Measure(int slots, FeatureStorage storage, int rows)
    {
        ClickStream train = new(rows, slots, seed: 1), test = new(10_000, slots, seed: 2);
        var context = new MLContext(seed: 1);
        using NetworkPredictionTransformer model = context.ForwardSampling().Trainers.BinaryClassification(new NetworkTrainerOptions
        {
            HiddenLayers = [Units],
            BatchSize = Batch,
            Epochs = 1,
            FeatureStorage = storage,
            Seed = 1,
        }).Fit(train);
        double loss = 0, seconds = Turns.Seconds(() => loss = LossOf(model, test));
        TrainingReport report = model.Model.Report!;
        return Line($"{slots:N0} slots, {storage} ({train.Rows.Count:N0} rows)", report.BackwardRows / report.StepSeconds,
            test.Rows.Count / seconds, loss);
    }

    /// <summary>The same network as a torch module, whose gradient of the first layer is as large as the layer.</summary>
    private static string[] EmbeddingBag(int slots, ClickStream train)
    {
        using nn.Module<Tensor, Tensor> upper = nn.Sequential(nn.ReLU(), nn.Linear(Units, 1));
        using var bag = nn.EmbeddingBag(slots, Units, mode: EmbeddingBagMode.Sum);
        using var optimizer = optim.Adam([.. bag.parameters(), .. upper.parameters()]);
        long start = Stopwatch.GetTimestamp();
        for (int row = 0; row + Batch <= train.Rows.Count; row += Batch)
        {
            using var scope = NewDisposeScope();
            int[][] some = [.. train.Rows.Skip(row).Take(Batch)];
            long[] offsets = new long[Batch];
            for (int i = 1; i < Batch; i++)
                offsets[i] = offsets[i - 1] + some[i - 1].Length;
            Tensor scores = upper.call(bag.call(tensor(some.SelectMany(s => s).Select(s => (long)s).ToArray()), tensor(offsets), null));
            Tensor labels = tensor(train.Clicked.AsSpan(row, Batch).ToArray().Select(c => c ? 1f : 0f).ToArray());
            Tensor loss = nn.functional.binary_cross_entropy_with_logits(scores.squeeze(1), labels);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
        }

        return Line($"{slots:N0} slots, torch EmbeddingBag and Adam ({train.Rows.Count:N0} rows)",
            train.Rows.Count / Stopwatch.GetElapsedTime(start).TotalSeconds, null, null);
    }

    private static double LossOf(ITransformer model, ClickStream test)
    {
        double sum = 0;
        int row = 0;
        foreach (float probability in model.Transform(test).GetColumn<float>("Probability"))
            sum -= Math.Log(Math.Max(1e-15, test.Clicked[row++] ? probability : 1 - (double)probability));
        return sum / row;
    }

    private static string[] Line(string name, double trained, double? scored, double? loss)
    {
        using var process = Process.GetCurrentProcess();
        return [name, $"{trained:N0}", $"{scored:N0}", $"{loss:F4}", $"{process.PeakWorkingSet64 >> 20:N0}"];
    }
}
