#:package Microsoft.ML.ForwardSampling@*-*
#:package TorchSharp-cpu@0.107.0
#:package ScottPlot@5.1.59
#:property PublishAot=false
#:property AllowOldLibstdcxx=true

// %% [markdown]
// # Late labels: log, join, select
//
// When a loan is granted, nobody knows whether it will be paid back; when a visit is served, nobody knows whether a purchase follows. The
// label comes hours or weeks after the score, and by then the score is long gone, unless somebody kept it.
//
// This library keeps 16 bytes a row in a **record log**: the row's key, the score, the time, the model's version. Labels go into a log of
// their own as they come. A **join** brings both together, and from there on it is as in *First steps*: select, train.

// %%
using System.IO;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;
using ScottPlot;

var mlContext = new MLContext(seed: 1);
var fs = mlContext.ForwardSampling();

// %% [markdown]
// ## 1. A day of loans is scored
//
// Each loan has a number, its *key*: by it the label will find the record. The deployed model is a logistic regression that was trained on
// 2,000 old loans. Today's 20,000 have no label yet, and the model does not need one to score.

// %%
IDataView old = mlContext.Data.LoadFromEnumerable(Loan.Make(2_000, seed: 1));
Loan[] today = Loan.Make(20_000, seed: 2);
IDataView test = mlContext.Data.LoadFromEnumerable(Loan.Make(10_000, seed: 3));
ITransformer deployed = mlContext.BinaryClassification.Trainers.SdcaLogisticRegression(new() { NumberOfThreads = 1 })
    .Fit(mlContext.Data.Cache(old));

string folder = Directory.CreateTempSubdirectory("late-labels-").FullName;
string records = Path.Combine(folder, "records"), labels = Path.Combine(folder, "labels");
IDataView served = mlContext.Data.LoadFromEnumerable(today);
using (var log = new ForwardRecordLog<BinaryRecord>(records))
{
    fs.AppendRecords(deployed.Transform(served), log, new RecordToOptions { KeyColumnName = nameof(Loan.Number), ModelVersion = 12 });
    Console.WriteLine($"{log.Report.Acknowledged:N0} records in {log.Report.Bytes / 1024:N0} KiB, safe on disk.");
}

// %% [markdown]
// In a service that scores loan by loan the same is one line after the prediction:
// `log.Append(BinaryRecord.FromScore(key, prediction.Score, modelVersion: 12))`.
//
// ## 2. Labels come late
//
// They come in another order, over four weeks, some never, and a few for loans that were scored somewhere else. The chart shows how many
// have come by each day.

// %%
var random = new Random(4);
(Loan Loan, double Days)[] arrivals = [.. today.Where(_ => random.NextDouble() < 0.9)
    .Select(loan => (loan, Days: Math.Min(28, -7 * Math.Log(1 - random.NextDouble())))).OrderBy(arrival => arrival.Days)];
DateTime scored = DateTime.UtcNow;
using (var log = new ForwardRecordLog<LabelEvent>(labels))
{
    foreach ((Loan loan, double days) in arrivals)
        log.Append(new LabelEvent((ulong)loan.Number, loan.Label ? 1 : 0, scored.AddDays(days)));
    for (ulong stranger = 1_000_000; stranger < 1_000_100; stranger++)
        log.Append(new LabelEvent(stranger, 0, scored.AddDays(28)));
}

var waiting = new Plot();
double[] axis = [.. Enumerable.Range(0, 29).Select(day => (double)day)];
waiting.Add.Scatter(axis, axis.Select(day => 100.0 * arrivals.Count(arrival => arrival.Days <= day) / today.Length).ToArray());
waiting.Axes.SetLimits(0, 28, 0, 100);
waiting.Title("Labels that have come");
waiting.XLabel("days after the score");
waiting.YLabel("% of the loans");
Show.Chart("late-labels-waiting", waiting);

// %% [markdown]
// ## 3. Join
//
// The join reads both logs and gives out each record with its label, its loss and its gradient norm. `Wait` says how long a record waits
// for its label; nothing is lost without a count. The state file lets it go on where it was, also after a crash.

// %%
var joined = new List<JoinedRecord>();
using (var join = new ForwardRecordJoin<BinaryRecord>(records, labels, Path.Combine(folder, "join.state"),
    new LabelJoinOptions { Wait = TimeSpan.FromDays(30) }))
{
    join.Complete(); // nothing more will come: what still waits has no label
    var block = new JoinedRecord[1024];
    for (int n; (n = join.Read(block)) > 0;)
        joined.AddRange(block[..n]);
    join.Save();

    LabelJoinReport report = join.Report;
    Show.Table(
        ["", "Count"],
        ["Records", $"{report.Records}"],
        ["Labels", $"{report.Labels}"],
        ["Joined", $"{report.Joined}"],
        ["Records whose label never came", $"{report.Expired}"],
        ["Labels without a record", $"{report.OrphanLabels}"]);
}

// %% [markdown]
// ## 4. Select and train
//
// The joined records have keys and statistics but no features: those stay where they were, in a file or a database. `AttachForwardRecords`
// adds the statistics to the rows by key and leaves out rows without a record. Only chosen rows have their features read.

// %%
IDataView rows = fs.AttachForwardRecords(served, nameof(Loan.Number), joined, new AttachRecordsOptions { Task = PredictionTask.Binary });
var options = new SelectionOptions { WindowSize = 2560, Budget = 0.1, Seed = 1 };
NetworkPredictionTransformer Train(IRowSelectionPolicy policy) => fs.Trainers.BinaryClassification(
    new NetworkTrainerOptions { HiddenLayers = [32, 32], Epochs = 20, LearningRateSchedule = new LinearSchedule(), Seed = 1 })
    .Fit(fs.SelectRows(rows, policy, options));

(string Name, ITransformer Model)[] models =
[
    ("Deployed", deployed),
    ("Network, even draw", Train(new UniformPolicy())),
    ("Network, BalancedGradientNorm", Train(new BalancedGradientNormPolicy())),
];
double[] logLosses = [.. models.Select(model => mlContext.BinaryClassification.Evaluate(model.Model.Transform(test)).LogLoss)];
Show.Table([["Model", "Log-loss, bits"], .. models.Select((model, i) => new[] { model.Name, $"{logLosses[i]:F4}" })]);

var result = new Plot();
result.Add.Bars(logLosses);
result.Axes.Bottom.SetTicks([0, 1, 2], ["deployed", "even draw", "BalancedGradientNorm"]);
result.Axes.Margins(bottom: 0);
result.Title("Log-loss on the test loans");
result.YLabel("bits");
Show.Chart("late-labels-result", result);
Directory.Delete(folder, recursive: true);

// %% [markdown]
// ## What to take home
//
// - Log the score when the row is served. It costs 16 bytes and no wait.
// - Give every row a key that its label will know. For personal names: `RecordKey.FromString(name, secret)`.
// - Loans whose label comes fast may be unlike those whose label comes late. Wait long enough, and watch `Expired`.
// - `src/Examples/ServeAndTrain` in the repository is this circle in three processes that survive being killed.

// %% [declarations]
// A row, and how to make some: the same seed gives the same rows.
public sealed class Loan
{
    public long Number { get; set; }

    [VectorType(6)]
    public float[] Features { get; set; } = [];

    public bool Label { get; set; }

    public static Loan[] Make(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            float[] x = [.. Enumerable.Range(0, 6).Select(_ => 2 * random.NextSingle() - 1)];
            double logOdds = -3 + 2 * x[0] + 3 * x[1] * x[2] + 2 * Math.Sin(4 * x[3]);
            return new Loan { Number = i, Features = x, Label = random.NextDouble() < 1 / (1 + Math.Exp(-logOdds)) };
        })];
    }
}

/// <summary>Shows tables and charts: below the cell in a notebook, where NET is not defined; as text and files by a program.</summary>
public static class Show
{
    public static void Table(params string[][] rows)
    {
#if NET
        foreach (string[] row in rows)
            Console.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(rows.Max(other => other[i].Length)))).TrimEnd());
        Console.WriteLine();
#else
        string Row(string tag, string[] cells)
            => $"<tr>{string.Concat(cells.Select(cell => $"<{tag}>{System.Net.WebUtility.HtmlEncode(cell)}</{tag}>"))}</tr>";
        display(HTML($"<table>{Row("th", rows[0])}{string.Concat(rows.Skip(1).Select(row => Row("td", row)))}</table>"));
#endif
    }

    public static void Chart(string name, Plot plot)
    {
#if NET
        Console.WriteLine($"Chart: {plot.SavePng(Path.Combine(Path.GetTempPath(), $"{name}.png"), 640, 360).Path}\n");
#else
        Convert.ToBase64String(plot.GetImageBytes(640, 360, ImageFormat.Png)).DisplayAs("image/png");
#endif
    }
}
