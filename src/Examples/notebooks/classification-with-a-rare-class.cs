#:package Microsoft.ML.ForwardSampling@*-*
#:package TorchSharp-cpu@0.107.0
#:package ScottPlot@5.1.59
#:property PublishAot=false
#:property AllowOldLibstdcxx=true

// %% [markdown]
// # Classification with a rare class
//
// About one visit in twenty ends in a click. An even draw of one row in ten therefore brings few clicks, and most of what it brings
// are visits that any model gets right. Selection by what the deployed model recorded brings more of the rare class without being told
// which class is rare, and its weights keep the predicted probabilities honest.
//
// If you are new here, begin with *First steps*.

// %%
using System.IO;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using ScottPlot;

var mlContext = new MLContext(seed: 1);
var fs = mlContext.ForwardSampling();

// %% [markdown]
// ## The rows, and the deployed model
//
// Made-up visits with ten features; no straight line describes the chance of a click. The deployed model is ML.NET's logistic regression.

// %%
IDataView old = mlContext.Data.LoadFromEnumerable(Visit.Make(5_000, seed: 1));
IDataView served = mlContext.Data.LoadFromEnumerable(Visit.Make(80_000, seed: 2));
IDataView test = mlContext.Data.LoadFromEnumerable(Visit.Make(20_000, seed: 3));

ITransformer deployed = mlContext.BinaryClassification.Trainers.SdcaLogisticRegression(new() { NumberOfThreads = 1 })
    .Fit(mlContext.Data.Cache(old));
IDataView recorded = mlContext.Data.Cache(fs.RecordForwardPass(deployed, PredictionTask.Binary).Fit(served).Transform(served));

bool[] clicks = [.. recorded.GetColumn<bool>("Label")];
float[] losses = [.. recorded.GetColumn<float>(ForwardColumns.Loss)];
Show.Table([["Class", "Rows", "Share", "Mean loss"],
    .. new[] { false, true }.Select(click => new[] { click ? "click" : "no click", $"{clicks.Count(c => c == click)}",
        $"{100.0 * clicks.Count(c => c == click) / clicks.Length:F1} %", $"{losses.Where((_, i) => clicks[i] == click).Average():F3}" })]);

// %% [markdown]
// The rare class has by far the higher loss: that is how selection finds it.
//
// ## Select and train
//
// Three policies choose 8,000 rows each. The chart counts the clicks among them, plain and weighted: with weights the share is that of the
// data again. A network is trained on each choice, with the same options and the same number of rows.

// %%
(string Name, IRowSelectionPolicy Policy)[] policies =
[
    ("Uniform", new UniformPolicy()),
    ("LossStratified", new LossStratifiedPolicy()),
    ("BalancedGradientNorm", new BalancedGradientNormPolicy()),
];
var results = new List<(string Name, double Clicks, double Weighted, NetworkPredictionTransformer Network)>();
foreach ((string name, IRowSelectionPolicy policy) in policies)
{
    SelectedRows chosen = fs.SelectRows(recorded, policy, new SelectionOptions { WindowSize = 2560, Budget = 0.1, Seed = 1 });
    bool[] labels = [.. chosen.GetColumn<bool>("Label")];
    float[] weights = [.. chosen.GetColumn<float>(ForwardColumns.Weight)];
    results.Add((name, 100.0 * labels.Count(click => click) / labels.Length,
        100.0 * weights.Where((_, i) => labels[i]).Sum() / weights.Sum(),
        fs.Trainers.BinaryClassification(new NetworkTrainerOptions
        {
            HiddenLayers = [32, 32], Epochs = 20, LearningRateSchedule = new LinearSchedule(), Seed = 1,
        }).Fit(chosen)));
}

var shares = new Plot();
var plain = shares.Add.Bars(results.Select((_, i) => i - 0.2), results.Select(result => result.Clicks));
plain.LegendText = "rows";
var weighted = shares.Add.Bars(results.Select((_, i) => i + 0.2), results.Select(result => result.Weighted));
weighted.LegendText = "rows times weight";
foreach (Bar bar in plain.Bars.Concat(weighted.Bars))
    bar.Size = 0.4;
shares.Axes.Bottom.SetTicks([0, 1, 2], [.. results.Select(result => result.Name)]);
shares.Axes.Margins(bottom: 0);
shares.Title("Clicks among the chosen rows");
shares.YLabel("%");
shares.ShowLegend(Alignment.UpperLeft);
Show.Chart("rare-class-shares", shares);

// %% [markdown]
// ## Evaluate
//
// Accuracy says nothing here: "never a click" is right 19 times in 20. The *log-loss* asks whether the probabilities are right; the *area
// under the precision-recall curve* whether clicks come before the rest. The last column compares the mean predicted probability with
// the share of clicks: equal means honest.

// %%
var evaluations = new List<(string Name, CalibratedBinaryClassificationMetrics Metrics, float[] Probabilities)>();
(string, ITransformer)[] models = [("Deployed", deployed), .. results.Select(result => (result.Name, (ITransformer)result.Network))];
foreach ((string name, ITransformer model) in models)
{
    IDataView scored = model.Transform(test);
    evaluations.Add((name, mlContext.BinaryClassification.Evaluate(scored), [.. scored.GetColumn<float>("Probability")]));
}

bool[] truth = [.. test.GetColumn<bool>("Label")];
Show.Table([["Model", "Log-loss, bits", "Area under precision-recall", "Mean probability", "Clicks"],
    .. evaluations.Select(evaluation => new[] { evaluation.Name, $"{evaluation.Metrics.LogLoss:F4}",
        $"{evaluation.Metrics.AreaUnderPrecisionRecallCurve:F3}", $"{100 * evaluation.Probabilities.Average():F1} %",
        $"{100.0 * truth.Count(click => click) / truth.Length:F1} %" })]);

var curves = new Plot();
foreach ((string name, _, float[] probabilities) in evaluations)
{
    int[] order = [.. Enumerable.Range(0, truth.Length).OrderByDescending(i => probabilities[i])];
    int all = truth.Count(click => click), found = 0;
    var recall = new List<double>();
    var precision = new List<double>();
    for (int i = 0; i < order.Length; i++)
    {
        found += truth[order[i]] ? 1 : 0;
        if (i % 100 == 99)
        {
            recall.Add((double)found / all);
            precision.Add((double)found / (i + 1));
        }
    }

    curves.Add.ScatterLine(recall.ToArray(), precision.ToArray()).LegendText = name;
}

curves.Axes.SetLimits(0, 1, 0, 1);
curves.Title("Precision and recall of clicks");
curves.XLabel("recall: share of all clicks found");
curves.YLabel("precision");
curves.ShowLegend(Alignment.UpperRight);
Show.Chart("rare-class-curves", curves);

// %% [markdown]
// ## What to take home
//
// - Do not thin the common class by hand: the policy does it, and its weights undo it in the probabilities.
// - With an ML.NET trainer in place of a network, name the weights: `exampleWeightColumnName: ForwardColumns.Weight`.
// - A class so rare that a window may hold none of it: widen the window, or put `GroupBudgetPolicy` around the policy.

// %% [declarations]
// A row, and how to make some: the same seed gives the same rows.
public sealed class Visit
{
    [VectorType(10)]
    public float[] Features { get; set; } = [];

    public bool Label { get; set; }

    public static Visit[] Make(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            float[] x = [.. Enumerable.Range(0, 10).Select(_ => 2 * random.NextSingle() - 1)];
            double logOdds = -6 + 2 * x[0] + 3 * x[1] * x[2] + 3 * Math.Abs(x[3]) + 2 * Math.Sin(4 * x[4]);
            return new Visit { Features = x, Label = random.NextDouble() < 1 / (1 + Math.Exp(-logOdds)) };
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
