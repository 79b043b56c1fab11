using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>What recording adds to scoring: the same model over the same rows, read with and without RecordTo, taking turns.</summary>
internal static class RecordingOverhead
{
    private const int Stretch = 1024;
    private const int NetworkRows = 4 * Stretch;
    private const int LinearRows = 500_000;

    /// <summary>Prints one table.</summary>
    public static void Run(string folder)
    {
        set_num_threads(1);
        var context = new MLContext(seed: 1);
        var table = new Table($"Scoring, one thread (each {Stretch:N0} rows with their best pass; linear models of 10 features)", "ns/row",
            "recorded", "added", "share");
        Network(context, folder, table);
        Linear(context, folder, table);
        Logistic(context, folder, table);
        table.Print();
    }

    private static void Network(MLContext context, string folder, Table table)
    {
        var random = new Random(1);
        IDataView data = context.Data.Cache(context.Data.LoadFromEnumerable(Enumerable.Range(0, NetworkRows).Select(i => new ImageRow
        {
            Key = (ulong)i,
            Features = [.. Enumerable.Range(0, 784).Select(_ => random.NextSingle())],
            Label = (uint)random.Next(10),
        }).ToArray()));
        using var model = context.ForwardSampling().Trainers.MulticlassClassification(
            new NetworkTrainerOptions { HiddenLayers = [256, 128], MaximumSteps = 1 }).Fit(data);
        IDataView scored = model.Transform(data);
        Measure<MulticlassRecord, VBuffer<float>>(table, context, "network 784-256-128-10", scored, NetworkRows, passes: 300, folder);
        Measure<MulticlassRecord, VBuffer<float>>(table, context, "its scores, from a cache", context.Data.Cache(scored, "Key", "Score"),
            NetworkRows, passes: 300, folder);
    }

    private static void Linear(MLContext context, string folder, Table table)
    {
        IDataView data = Rows(context);
        Measure<RegressionRecord, float>(table, context, "linear regression",
            context.Regression.Trainers.Sdca(maximumNumberOfIterations: 1).Fit(data).Transform(data), LinearRows, passes: 10, folder);
    }

    private static void Logistic(MLContext context, string folder, Table table)
    {
        IDataView data = Rows(context);
        IDataView scored = context.BinaryClassification.Trainers.SdcaLogisticRegression(labelColumnName: "Flag",
            maximumNumberOfIterations: 1).Fit(data).Transform(data);
        Measure<BinaryRecord, float>(table, context, "logistic, from its score", scored, LinearRows, passes: 10, folder,
            options: new RecordToOptions { ProbabilityColumnName = "None" });
        Measure<BinaryRecord, float>(table, context, "logistic, from its probability", scored, LinearRows, passes: 10, folder,
            "Probability");
    }

    private static IDataView Rows(MLContext context)
    {
        var random = new Random(1);
        return context.Data.Cache(context.Data.LoadFromEnumerable(Enumerable.Range(0, LinearRows).Select(i => new NumberRow
        {
            Key = (ulong)i,
            Features = [.. Enumerable.Range(0, 10).Select(_ => random.NextSingle())],
            Label = random.NextSingle(),
            Flag = random.Next(2) == 0,
        }).ToArray()));
    }

    private static void Measure<TRecord, TScore>(Table table, MLContext context, string name, IDataView scored, int rows, int passes,
        string folder, string column = "Score", RecordToOptions? options = null)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        double[] plain = Unmeasured(rows), recorded = Unmeasured(rows);
        string records = Path.Combine(folder, typeof(TRecord).Name);
        using (var log = new ForwardRecordLog<TRecord>(records))
        {
            IDataView recording = context.ForwardSampling().RecordTo(scored, log, options);
            for (int pass = 0; pass < passes; pass++)
            {
                Read<TScore>(scored, column, plain);
                Read<TScore>(recording, column, recorded);
                log.Flush();
            }

            if (log.Acknowledged != (long)rows * passes)
                throw new InvalidOperationException($"{log.Acknowledged} records for {passes} passes over {rows} rows.");
        }

        Directory.Delete(records, recursive: true);
        double without = plain.Sum(), with = recorded.Sum();
        table.Add(name, $"{1e9 * without / rows:N1}", $"{1e9 * with / rows:N1}", $"{1e9 * (with - without) / rows:N1}",
            $"{100 * (with - without) / without:N1} %");
    }

    private static double[] Unmeasured(int rows)
    {
        double[] best = new double[(rows + Stretch - 1) / Stretch];
        Array.Fill(best, double.MaxValue);
        return best;
    }

    /// <summary>Reads the score or probability of every row, in one thread: ML.NET's own cursor would compute ahead in others.</summary>
    /// <param name="scored">The rows.</param>
    /// <param name="name">The column.</param>
    /// <param name="best">In and out, seconds: the shortest time yet of each stretch, so that what else the machine does does not
    /// count.</param>
    private static void Read<TScore>(IDataView scored, string name, double[] best)
    {
        DataViewSchema.Column column = scored.Schema[name];
        using DataViewRowCursor cursor = scored.GetRowCursorSet([column], 1)[0];
        ValueGetter<TScore> score = cursor.GetGetter<TScore>(column);
        TScore value = default!;
        bool more = true;
        for (int stretch = 0; more; stretch++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int row = 0; row < Stretch && (more = cursor.MoveNext()); row++)
                score(ref value);
            if (stretch < best.Length)
                best[stretch] = Math.Min(best[stretch], Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }

    private sealed class ImageRow
    {
        public ulong Key { get; set; }

        [VectorType(784)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }

    private sealed class NumberRow
    {
        public ulong Key { get; set; }

        [VectorType(10)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }

        public bool Flag { get; set; }
    }
}
