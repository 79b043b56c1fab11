using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Rows per second of scoring with 784-256-128-10: the look-ahead cursor and the prediction engine against calls of
/// torch.</summary>
internal static class ScoringRate
{
    private const int Rows = 20_000;
    private const int Repeats = 5;

    public static int Run(string[] _)
    {
        set_num_threads(1);
        var context = new MLContext(seed: 1);
        var random = new Random(1);
        ImageRow[] rows = [.. Enumerable.Range(0, Rows).Select(_ => new ImageRow
        {
            Features = [.. Enumerable.Range(0, 784).Select(_ => random.NextSingle())],
            Label = (uint)random.Next(10),
        })];
        IDataView data = context.Data.Cache(context.Data.LoadFromEnumerable(rows));
        using NetworkPredictionTransformer model = context.ForwardSampling()
            .Trainers.MulticlassClassification(new NetworkTrainerOptions { HiddenLayers = [256, 128], MaximumSteps = 1 }).Fit(data);
        using PredictionEngine<ImageRow, Scored> engine = context.Model.CreatePredictionEngine<ImageRow, Scored>(model,
            new PredictionEngineOptions { OwnsTransformer = false });
        var output = new Scored();

        Taken[] taken = Turns.Run(Repeats,
        [
            Way.Timed("look-ahead cursor", () => ReadScores(model.Transform(data))),
            Way.Timed("reading the features only", () => ReadFeatures(data)),
            Way.Timed("torch, one call a row", () => CallTorch(model, rows, 1)),
            Way.Timed("torch, 1,024 rows a call", () => CallTorch(model, rows, 1024)),
            Way.Timed("prediction engine", () => Array.ForEach(rows, row => engine.Predict(row, ref output))),
        ]);
        var table = new Table($"Way (best of {Repeats}, {Rows:N0} rows, one thread)", "rows/s", "us/row", "ratio");
        foreach (Taken way in taken)
            table.Add(way.Name, $"{Rows / way.Best:N0}", $"{1e6 * way.Best / Rows:F2}", $"{way.Best / taken[0].Best:F2}");
        table.Print();
        return 0;
    }

    private static void ReadScores(IDataView scored)
    {
        using DataViewRowCursor cursor = scored.GetRowCursor([scored.Schema["Score"]]);
        ValueGetter<VBuffer<float>> score = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
        VBuffer<float> value = default;
        while (cursor.MoveNext())
            score(ref value);
    }

    private static void ReadFeatures(IDataView data)
    {
        using DataViewRowCursor cursor = data.GetRowCursor([data.Schema["Features"]]);
        ValueGetter<VBuffer<float>> features = cursor.GetGetter<VBuffer<float>>(data.Schema["Features"]);
        VBuffer<float> value = default;
        while (cursor.MoveNext())
            features(ref value);
    }

    private static void CallTorch(NetworkPredictionTransformer model, ImageRow[] rows, int batch)
    {
        using Tensor features = empty(batch, 784);
        float[] scores = new float[batch * 10];
        for (int start = 0; start + batch <= rows.Length; start += batch)
        {
            Span<float> memory = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(features.bytes);
            for (int i = 0; i < batch; i++)
                rows[start + i].Features.CopyTo(memory[(i * 784)..]);
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(model.Model.Network.call(features).softmax(1).bytes)
                .CopyTo(scores);
        }
    }

    private sealed class ImageRow
    {
        [VectorType(784)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];

        public uint PredictedLabel { get; set; }
    }
}
