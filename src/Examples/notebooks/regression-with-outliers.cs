#:package Microsoft.ML.ForwardSampling@*-*
#:package TorchSharp-cpu@0.107.0
#:package ScottPlot@5.1.59
#:property PublishAot=false
#:property AllowOldLibstdcxx=true

// %% [markdown]
// # Regression with outliers
//
// Three rows in a hundred have a label that is simply wrong: a sensor that failed, a comma in the wrong place. A wrong label has a high
// loss under every model, so whoever selects rows by their loss selects the mistakes. This notebook shows how much that hurts, and the
// two things that help:
//
// - a policy whose weights make up for its choice, in place of one that takes the highest losses;
// - a loss that grows in a straight line for large errors, the **Huber loss**, in place of the square.
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
// ## The rows
//
// Friedman's first problem, a standard for regressions: ten features, five of which matter, and a target of standard deviation 1. The
// label is the target with a little noise; in 3 % of the rows it is off by 4 to 12. We made the rows ourselves, so we know which ones, and
// we know the true target: models are judged by that.

// %%
Measurement[] rows = Measurement.Make(20_000, wrong: 0.03, seed: 1);
IDataView old = mlContext.Data.LoadFromEnumerable(Measurement.Make(2_000, wrong: 0.03, seed: 2));
IDataView served = mlContext.Data.LoadFromEnumerable(rows);
IDataView test = mlContext.Data.LoadFromEnumerable(Measurement.Make(5_000, wrong: 0, seed: 3));

var trainer = new NetworkTrainerOptions
{
    HiddenLayers = [32, 32], Epochs = 60, LearningRateSchedule = new LinearSchedule(), RegressionLoss = RegressionLoss.Huber(), Seed = 1,
};
NetworkPredictionTransformer deployed = fs.Trainers.Regression(trainer).Fit(old);
double Rmse(ITransformer model) => mlContext.Regression.Evaluate(model.Transform(test), nameof(Measurement.Target)).RootMeanSquaredError;
Console.WriteLine($"The deployed network, trained on 2,000 rows: RMSE {Rmse(deployed):F3} against the true target.");

// %% [markdown]
// ## What the losses look like
//
// The deployed network scores what it serves, and is recorded. Sorted by loss, the wrong labels sit at one end.

// %%
IDataView recorded = mlContext.Data.Cache(fs.RecordForwardPass(deployed, PredictionTask.Regression).Fit(served).Transform(served));
float[] losses = [.. recorded.GetColumn<float>(ForwardColumns.Loss)];

double[] steps = [.. Enumerable.Range(-12, 36).Select(step => step / 4.0)]; // log10 of the loss, in quarters
double[] Histogram(bool wrong) => [.. steps.Select(step => (double)losses.Where((loss, i) =>
    rows[i].IsWrong == wrong && Math.Log10(loss) >= step && Math.Log10(loss) < step + 0.25).Count())];

var histogram = new Plot();
var right = histogram.Add.Bars(steps, Histogram(wrong: false));
right.LegendText = "right labels";
var bad = histogram.Add.Bars(steps, Histogram(wrong: true));
bad.LegendText = "wrong labels";
foreach (Bar bar in right.Bars.Concat(bad.Bars))
    bar.Size = 0.25;
histogram.Axes.SetLimits(-3, 2.5, 0, 2_700);
histogram.Title("Recorded losses");
histogram.XLabel("log10 of the loss");
histogram.YLabel("rows");
histogram.ShowLegend(Alignment.UpperLeft);
Show.Chart("outliers-losses", histogram);

// %% [markdown]
// ## Four ways to choose 2,000 of 20,000 rows
//
// Each policy chooses one row in ten, and a network is trained on its choice: once with the squared loss, once with the Huber loss.
// `TopLoss`, the rows of highest loss and nothing else, is here as a warning.

// %%
(string Name, IRowSelectionPolicy Policy)[] policies =
[
    ("Uniform", new UniformPolicy()),
    ("LossStratified", new LossStratifiedPolicy()),
    ("BalancedGradientNorm", new BalancedGradientNormPolicy()),
    ("TopLoss", new TopLossPolicy()),
];
var results = new List<(string Name, double Wrong, double Squared, double Huber)>();
foreach ((string name, IRowSelectionPolicy policy) in policies)
{
    SelectedRows chosen = fs.SelectRows(recorded, policy, new SelectionOptions { WindowSize = 640, Budget = 0.1, Seed = 1 });
    bool[] wrong = [.. chosen.GetColumn<bool>(nameof(Measurement.IsWrong))];
    double squared = Rmse(fs.Trainers.Regression(trainer with { RegressionLoss = RegressionLoss.Squared }).Fit(chosen));
    double huber = Rmse(fs.Trainers.Regression(trainer).Fit(chosen));
    results.Add((name, 100.0 * wrong.Count(isWrong => isWrong) / wrong.Length, squared, huber));
}

Show.Table([["Policy", "Wrong labels among the chosen", "RMSE, squared loss", "RMSE, Huber loss"],
    .. results.Select(result => new[] { result.Name, $"{result.Wrong:F1} %", $"{result.Squared:F3}", $"{result.Huber:F3}" })]);

var errors = new Plot();
var ofSquared = errors.Add.Bars(results.Select((_, i) => i - 0.2), results.Select(result => result.Squared));
ofSquared.LegendText = "squared loss";
var ofHuber = errors.Add.Bars(results.Select((_, i) => i + 0.2), results.Select(result => result.Huber));
ofHuber.LegendText = "Huber loss";
foreach (Bar bar in ofSquared.Bars.Concat(ofHuber.Bars))
    bar.Size = 0.4;
errors.Axes.Bottom.SetTicks([0, 1, 2, 3], [.. results.Select(result => result.Name)]);
errors.Axes.Margins(bottom: 0);
errors.Title("Error against the true target");
errors.YLabel("RMSE");
errors.ShowLegend(Alignment.UpperLeft);
Show.Chart("outliers-errors", errors);

// %% [markdown]
// ## What to take home
//
// - `TopLoss` and `BalancedGradientNorm` choose about as many wrong labels. `TopLoss` gives them full weight, and its network is worse
//   than the deployed one. `BalancedGradientNorm` gives a row that it was likely to choose a small weight, and so the mistakes count as
//   much as in the data, no more; the rest of its choice are right rows from which there is something to learn.
// - With labels that may be wrong, the Huber loss costs one line: `RegressionLoss = RegressionLoss.Huber()`. Its delta, 1 by default, is
//   in standard deviations of the label. It does not save `TopLoss`, whose rows are mistakes in the first place.
// - One seed shows how it goes. Before you rely on it: *Does it pay on my data?*

// %% [declarations]
// A row, and how to make some: the same seed gives the same rows.
public sealed class Measurement
{
    [VectorType(10)]
    public float[] Features { get; set; } = [];

    public float Label { get; set; }

    public float Target { get; set; }

    public bool IsWrong { get; set; }

    // Friedman, Ann. Statist. 19, 1991; brought to mean 0 and standard deviation 1.
    public static Measurement[] Make(int count, double wrong, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            float[] x = [.. Enumerable.Range(0, 10).Select(_ => random.NextSingle())];
            double curve = 10 * Math.Sin(Math.PI * x[0] * x[1]) + 20 * (x[2] - 0.5) * (x[2] - 0.5) + 10 * x[3] + 5 * x[4];
            double target = (curve - 14.41) / 4.88;
            bool isWrong = random.NextDouble() < wrong;
            double noise = isWrong ? (random.Next(2) == 0 ? -1 : 1) * (4 + 8 * random.NextDouble()) : 0.4 * (random.NextDouble() - 0.5);
            return new Measurement { Features = x, Target = (float)target, Label = (float)(target + noise), IsWrong = isWrong };
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
