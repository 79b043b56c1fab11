using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.Networks;
using Microsoft.ML.ForwardSampling.Tests.Selection;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.SavedFormats;

/// <summary>Writes a file of every format, and says what is in one: the writer runs at a release, the reader for ever after.</summary>
internal static class SavedFiles
{
    private const int RecordCount = 120;
    private static readonly DateTime s_start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly LabelJoinOptions s_join = new()
    {
        Wait = TimeSpan.FromSeconds(60),
        Lateness = TimeSpan.FromSeconds(10),
        DefaultLabel = 0
    };

    public static string[] Models => ["regression", "binary", "multiclass", "own-module", "recorder", "embeddings"];

    /// <summary>The first version that wrote a model of that name.</summary>
    public static string Since(string model) => model == "embeddings" ? "1.0.0-preview.2" : "1.0.0-preview.1";

    /// <summary>Policies whose selectors remember something, and one that does not.</summary>
    public static string[] Policies => ["Uniform", "Assisted", "AdaptivePercentile", "SelectiveBackprop history"];

    /// <summary>Writes the files and, beside each, a text of what is in it.</summary>
    public static void Write(string folder)
    {
        var context = new MLContext(seed: 1);
        Directory.CreateDirectory(folder);
        foreach (string model in Models)
        {
            string path = Path.Combine(folder, model + ".zip");
            IDataView data = Rows(context);
            context.ForwardSampling().Save(Train(context, model, data), data.Schema, path);
            File.WriteAllLines(path + ".txt", DescribeModel(path));
        }

        foreach (string policy in Policies)
        {
            string path = Path.Combine(folder, policy.Replace(' ', '-') + ".selector");
            var selector = new RowSelector(Policy(policy), 7);
            for (int window = 0; window < 4; window++)
                Step(selector, window);
            File.WriteAllBytes(path, selector.State.Saved());
            File.WriteAllLines(path + ".txt", DescribeSelector(policy, path));
        }

        WriteLog(Path.Combine(folder, "log-regression"), n =>
            new RegressionRecord((ulong)n, n / 4f, (uint)n % 3, Time(n), n % 2 == 0 ? 1f : 0.5f));
        WriteLog(Path.Combine(folder, "log-binary"), n => BinaryRecord.FromScore((ulong)n, n / 10f - 6, (uint)n % 3, Time(n)));
        WriteLog(Path.Combine(folder, "log-multiclass"), n =>
            MulticlassRecord.FromLogits((ulong)n, [n % 5, n % 7, n % 3, 0.5f, n % 2, 1, 2], (uint)n % 3, Time(n)));
        WriteLog(Path.Combine(folder, "log-labels"), n => new LabelEvent((ulong)n, n % 3 == 0 ? 1 : 0, Time(n + 5)), count: 80);
        string state = Path.Combine(folder, "join.state");
        using (var join = new ForwardRecordJoin<BinaryRecord>(Path.Combine(folder, "log-binary"), Path.Combine(folder, "log-labels"),
            state, s_join))
        {
            join.Read(new JoinedRecord[25]);
            join.Save();
        }

        File.WriteAllLines(Path.Combine(folder, "logs.txt"), DescribeLogs(folder));
    }

    /// <summary>Every added column of twenty rows, by ML.NET's own loader and by ours.</summary>
    public static string[] DescribeModel(string path)
    {
        var context = new MLContext(seed: 1);
        NetworkFactory factory = OwnModule;
        IDataView data = Rows(context);
        ITransformer plain = context.Model.Load(path, out _);
        ITransformer ours = context.ForwardSampling().Load(path, out _,
            path.Contains("own-module", StringComparison.Ordinal) ? factory : null);
        return [.. path.Contains("own-module", StringComparison.Ordinal) ? [] : Texts("ML.NET", plain.Transform(data)),
            .. Texts("library", ours.Transform(data))];
    }

    /// <summary>What a resumed selector chooses from the next windows.</summary>
    public static string[] DescribeSelector(string policy, string path)
    {
        var selector = new RowSelector(Policy(policy), SavedStates.Load(File.ReadAllBytes(path)));
        return [.. Enumerable.Range(4, 3).Select(window => string.Join(' ', Step(selector, window)))];
    }

    /// <summary>The records of each log, and what a join goes on with; the state is written to, so the folder must be a copy.</summary>
    public static string[] DescribeLogs(string folder)
    {
        var lines = new List<string>();
        lines.AddRange(ReadLog<RegressionRecord>(Path.Combine(folder, "log-regression"),
            r => $"regression {r.Key} {r.Score:R} {r.ModelVersion} {r.Time:O} {r.KeepingProbability:R}"));
        lines.AddRange(ReadLog<BinaryRecord>(Path.Combine(folder, "log-binary"),
            r => $"binary {r.Key} {r.LogOdds:R} {r.ModelVersion} {r.Time:O}"));
        lines.AddRange(ReadLog<MulticlassRecord>(Path.Combine(folder, "log-multiclass"),
            r => $"multiclass {r.Key} {r.ModelVersion} {r.Time:O} {r.Class1} {r.Probability1:R} {r.SumOfSquares:R}"));
        lines.AddRange(ReadLog<LabelEvent>(Path.Combine(folder, "log-labels"), r => $"label {r.Key} {r.Label:R} {r.Time:O}"));
        using var join = new ForwardRecordJoin<BinaryRecord>(Path.Combine(folder, "log-binary"), Path.Combine(folder, "log-labels"),
            Path.Combine(folder, "join.state"), s_join);
        lines.Add($"join resumes after {join.Rows} rows");
        join.AdvanceTo(s_start.AddDays(1));
        var some = new JoinedRecord[16];
        for (int n; (n = join.Read(some)) > 0;)
            lines.AddRange(some.AsSpan(0, n).ToArray().Select(r => string.Create(CultureInfo.InvariantCulture, $"joined {r}")));
        return [.. lines];
    }

    private static DateTime Time(int n) => s_start.AddSeconds(n);

    private static void WriteLog<T>(string folder, Func<int, T> record, int count = RecordCount)
        where T : struct, ILogRecord<T>
    {
        using var log = new ForwardRecordLog<T>(folder,
            new ForwardRecordLogOptions { BlockBytes = 1024, MemoryBytes = 64 << 10, SegmentBytes = 1 << 20 });
        for (int n = 0; n < count; n++)
            log.Append(record(n));
    }

    private static List<string> ReadLog<T>(string folder, Func<T, FormattableString> describe)
        where T : struct, ILogRecord<T>
    {
        using var reader = new ForwardRecordReader<T>(folder);
        var lines = new List<string>();
        var some = new T[16];
        for (int n; (n = reader.Read(some)) > 0;)
            lines.AddRange(some.AsSpan(0, n).ToArray().Select(r => FormattableString.Invariant(describe(r))));
        return lines;
    }

    private static IDataView Rows(MLContext context) => context.Data.LoadFromEnumerable(TrainingData.Rows(20, seed: 5));

    private static nn.Module<Tensor, Tensor> OwnModule(int inputs, int outputs, Device device)
        => nn.Sequential(nn.Linear(inputs, 6, device: device), nn.Tanh(), nn.Linear(6, outputs, device: device));

    private static ITransformer Train(MLContext context, string model, IDataView rows)
    {
        var options = new NetworkTrainerOptions { HiddenLayers = [8, 4], Epochs = 2, Seed = 3, BatchSize = 8 };
        NetworkTrainers trainers = context.ForwardSampling().Trainers;
        return model switch
        {
            "regression" => trainers.Regression(options).Fit(rows),
            "binary" => trainers.BinaryClassification(
                options with { LabelColumnName = nameof(TrainingRow.IsHigh), Activation = Activation.Tanh })
                .Fit(rows),
            "multiclass" => context.Transforms.Conversion.MapValueToKey("BandKey", nameof(TrainingRow.Band))
                .Append(trainers.MulticlassClassification(
                    options with { LabelColumnName = "BandKey", Normalization = Normalization.Layer })).Fit(rows),
            "embeddings" => context.Transforms.Conversion.MapValueToKey("BandKey", nameof(TrainingRow.Band))
                .Append(trainers.Regression(options with
                {
                    MoreFeatureColumns = [nameof(TrainingRow.Weight)],
                    EmbeddingColumns = new Dictionary<string, int> { ["BandKey"] = 3 },
                })).Fit(rows),
            "own-module" => trainers.Regression(options with { Network = OwnModule }).Fit(rows),
            _ => context.ForwardSampling().RecordForwardPass(
                context.Regression.Trainers.Sdca(new Microsoft.ML.Trainers.SdcaRegressionTrainer.Options { NumberOfThreads = 1 }),
                PredictionTask.Regression).Fit(rows),
        };
    }

    private static List<string> Texts(string loader, IDataView scored)
    {
        var lines = new List<string>();
        foreach (DataDebuggerPreview.RowInfo row in scored.Preview(20).RowView)
        {
            lines.Add(loader + " " + string.Join(' ', row.Values.Where(v => v.Key is "Score" or "Probability" or "PredictedLabel"
                || v.Key.StartsWith("Forward.", StringComparison.Ordinal)).Select(v => v.Value is VBuffer<float> vector
                ? $"{v.Key}={string.Join(',', vector.DenseValues().Select(x => x.ToString("G5", CultureInfo.InvariantCulture)))}"
                : v.Value is float number ? $"{v.Key}={number.ToString("G5", CultureInfo.InvariantCulture)}"
                    : string.Create(CultureInfo.InvariantCulture, $"{v.Key}={v.Value}"))));
        }

        return lines;
    }

    private static IRowSelectionPolicy Policy(string name) => name == "SelectiveBackprop history"
        ? new SelectiveBackpropPolicy { History = 64 }
        : (IRowSelectionPolicy)Activator.CreateInstance(typeof(IRowSelectionPolicy)
            .Assembly.GetType($"Microsoft.ML.ForwardSampling.Selection.{name}Policy", throwOnError: true)!)!;

    private static int[] Step(RowSelector selector, int window)
    {
        WindowData data = WindowData.Classes(96, 40 + window);
        Choice choice = Choice.Of(selector, data, 10);
        if ((selector.Feedback & SelectionFeedback.TrainingLoss) != 0)
            selector.ReportTraining([.. choice.Rows.Select(row => data.Loss[row])],
                [.. choice.Rows.SelectMany(row => data.Features[(3 * row)..(3 * row + 3)])],
                [.. choice.Rows.Select(row => data.Label[row])]);
        if ((selector.Feedback & SelectionFeedback.ValidationLoss) != 0)
            selector.ReportValidation(2f / (1 + window));
        return choice.Rows;
    }
}
