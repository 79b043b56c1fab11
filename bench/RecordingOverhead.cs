using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>What recording adds to scoring: the same model over the same rows, read with and without RecordTo, taking turns.</summary>
internal static class RecordingOverhead
{
    private const int Repeats = 9;

    /// <summary>Prints one table.</summary>
    public static void Run(string folder)
    {
        set_num_threads(1);
        var context = new MLContext(seed: 1);
        Console.WriteLine($"{"Scoring, one thread",-30}{"ns/row",12}{"recorded",12}{"added",9}{"share",9}   (best of {Repeats}; linear models of 10 features)");
        Network(context, folder);
        Linear(context, folder);
        Logistic(context, folder);
    }

    private static void Network(MLContext context, string folder)
    {
        var random = new Random(1);
        IDataView data = context.Data.Cache(context.Data.LoadFromEnumerable(Enumerable.Range(0, 20_000).Select(i => new ImageRow
        {
            Key = (ulong)i,
            Features = [.. Enumerable.Range(0, 784).Select(_ => random.NextSingle())],
            Label = (uint)random.Next(10),
        }).ToArray()));
        using var model = context.ForwardSampling().Trainers.Multiclass(new NetworkTrainerOptions { HiddenLayers = [256, 128], MaximumSteps = 1 }).Fit(data);
        Measure<MulticlassRecord, VBuffer<float>>(context, "network 784-256-128-10", model.Transform(data), 20_000, folder);
    }

    private static void Linear(MLContext context, string folder)
    {
        IDataView data = Rows(context);
        Measure<RegressionRecord, float>(context, "linear regression", context.Regression.Trainers.Sdca(maximumNumberOfIterations: 1).Fit(data).Transform(data), 500_000, folder);
    }

    private static void Logistic(MLContext context, string folder)
    {
        IDataView data = Rows(context);
        IDataView scored = context.BinaryClassification.Trainers.SdcaLogisticRegression(labelColumnName: "Flag", maximumNumberOfIterations: 1).Fit(data).Transform(data);
        Measure<BinaryRecord, float>(context, "logistic, from its score", scored, 500_000, folder, options: new RecordToOptions { ProbabilityColumnName = "None" });
        Measure<BinaryRecord, float>(context, "logistic, from its probability", scored, 500_000, folder, "Probability");
    }

    private static IDataView Rows(MLContext context)
    {
        var random = new Random(1);
        return context.Data.Cache(context.Data.LoadFromEnumerable(Enumerable.Range(0, 500_000).Select(i => new NumberRow
        {
            Key = (ulong)i,
            Features = [.. Enumerable.Range(0, 10).Select(_ => random.NextSingle())],
            Label = random.NextSingle(),
            Flag = random.Next(2) == 0,
        }).ToArray()));
    }

    private static void Measure<TRecord, TScore>(MLContext context, string name, IDataView scored, int rows, string folder, string column = "Score", RecordToOptions? options = null)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        double plain = double.MaxValue, recorded = double.MaxValue;
        string records = Path.Combine(folder, typeof(TRecord).Name);
        using (var log = new ForwardRecordLog<TRecord>(records))
        {
            IDataView recording = context.ForwardSampling().RecordTo(scored, log, options);
            for (int repeat = 0; repeat <= Repeats; repeat++)
            {
                double without = Seconds<TScore>(scored, column), with = Seconds<TScore>(recording, column);
                log.Flush();
                if (repeat > 0)
                    (plain, recorded) = (Math.Min(plain, without), Math.Min(recorded, with));
            }

            if (log.Acknowledged != (long)rows * (Repeats + 1))
                throw new InvalidOperationException($"{log.Acknowledged} records for {Repeats + 1} passes over {rows} rows.");
        }

        Directory.Delete(records, recursive: true);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-30}{1e9 * plain / rows,12:N1}{1e9 * recorded / rows,12:N1}{1e9 * (recorded - plain) / rows,9:N1}{100 * (recorded - plain) / plain,8:N1} %"));
    }

    /// <summary>Reads the score or probability of every row, in one thread: ML.NET's own cursor would compute ahead in others.</summary>
    private static double Seconds<TScore>(IDataView scored, string name)
    {
        long start = Stopwatch.GetTimestamp();
        DataViewSchema.Column column = scored.Schema[name];
        using DataViewRowCursor cursor = scored.GetRowCursorSet([column], 1)[0];
        ValueGetter<TScore> score = cursor.GetGetter<TScore>(column);
        TScore value = default!;
        while (cursor.MoveNext())
            score(ref value);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
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
