#:package Microsoft.ML.ForwardSampling@*-*
#:package TorchSharp-cpu@0.107.0
#:package ScottPlot@5.1.59
#:property PublishAot=false
#:property AllowOldLibstdcxx=true

// %% [markdown]
// # First steps: record, select, train, evaluate
//
// A model in production scores every row that it serves. Later a new model is trained on those rows, and training on all of them costs
// too much: for each row a *forward pass* (the score) and a *backward pass* (the gradient), for many epochs. But the forward pass has
// been made already, when the row was served, and it left numbers that say how much there is to learn from the row.
//
// This notebook goes once around that circle:
//
// 1. a simple model is **deployed**;
// 2. while it scores, the loss and the gradient norm of each row are **recorded**;
// 3. one row in ten is **selected** by them;
// 4. a network is **trained** on the selected rows alone;
// 5. it is **evaluated** on rows that nobody has seen, beside one trained on just as many rows drawn evenly.

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
// Made-up taxi trips: three features, and a fare that depends on them in curves. Most trips are ordinary (the first feature is small);
// long ones are rare, and their fares are the hardest to get right. In your own program this is any `IDataView`, from a file or a
// database.

// %%
IDataView old = mlContext.Data.LoadFromEnumerable(Trip.Make(2_000, seed: 1));      // what the deployed model was trained on
IDataView served = mlContext.Data.LoadFromEnumerable(Trip.Make(20_000, seed: 2));  // what it has served since
IDataView test = mlContext.Data.LoadFromEnumerable(Trip.Make(5_000, seed: 3));     // to judge by

// %% [markdown]
// ## 1. Deploy
//
// Any ML.NET model will do. This one is a straight line, ML.NET's own trainer.

// %%
ITransformer deployed = mlContext.Regression.Trainers.Sdca(new() { NumberOfThreads = 1 }).Fit(mlContext.Data.Cache(old));

// %% [markdown]
// ## 2. Record
//
// `RecordForwardPass` wraps the deployed model. Scoring goes on as before; each row gets a few columns more. For a regression these are
// the loss (the squared error), the gradient norm (twice the error) and the residual. Here are the first five rows.

// %%
IDataView recorded = mlContext.Data.Cache(fs.RecordForwardPass(deployed, PredictionTask.Regression).Fit(served).Transform(served));

float[] fares = [.. recorded.GetColumn<float>("Label")], scores = [.. recorded.GetColumn<float>("Score")];
float[] losses = [.. recorded.GetColumn<float>(ForwardColumns.Loss)];
float[] norms = [.. recorded.GetColumn<float>(ForwardColumns.GradientNorm)];
Show.Table([["Fare", "Score", ForwardColumns.Loss, ForwardColumns.GradientNorm],
    .. Enumerable.Range(0, 5).Select(i => new[] { $"{fares[i]:F2}", $"{scores[i]:F2}", $"{losses[i]:F3}", $"{norms[i]:F2}" })]);

// %% [markdown]
// ## 3. Select
//
// A *window* of 640 rows is looked at together, and the policy keeps a *budget* of one in ten. `BalancedGradientNormPolicy`, the default,
// gives each row a chance that grows with its gradient norm, plus an even share, and each chosen row a *weight* that makes up for it:
// a row with a large chance gets a small weight, so that the weighted sums stay right on average.

// %%
var options = new SelectionOptions { WindowSize = 640, Budget = 0.1, Seed = 1 };
SelectedRows chosen = fs.SelectRows(recorded, new BalancedGradientNormPolicy(), options);
SelectedRows even = fs.SelectRows(recorded, new UniformPolicy(), options);

float[] chosenLosses = [.. chosen.GetColumn<float>(ForwardColumns.Loss)];
float[] weights = [.. chosen.GetColumn<float>(ForwardColumns.Weight)];
Show.Table(
    ["", "Rows", "Mean loss", "Weighted mean loss"],
    ["Served", $"{losses.Length}", $"{losses.Average():F3}", ""],
    ["Chosen", $"{chosenLosses.Length}", $"{chosenLosses.Average():F3}",
        $"{chosenLosses.Zip(weights, (loss, weight) => loss * weight).Sum() / weights.Sum():F3}"]);

// %% [markdown]
// The chosen rows have a higher loss than the served ones; with their weights the two agree nearly. The chart shows which rows were
// chosen: the share of rows in each tenth of the losses, from the lowest to the highest. An even draw would be at 10 % everywhere.

// %%
float[] limits = [.. losses.Order().Where((_, i) => i % (losses.Length / 10) == 0)];
double[] shares = [.. Enumerable.Range(0, 10).Select(tenth =>
    100.0 * chosenLosses.Count(loss => loss >= limits[tenth] && (tenth == 9 || loss < limits[tenth + 1])) / (losses.Length / 10))];

var which = new Plot();
which.Add.Bars(Enumerable.Range(1, 10).Select(tenth => (double)tenth), shares);
which.Add.HorizontalLine(10).LegendText = "an even draw";
which.Axes.Margins(bottom: 0);
which.Title("Which rows are chosen");
which.XLabel("tenth of the rows by loss, lowest first");
which.YLabel("chosen, %");
which.ShowLegend(Alignment.UpperLeft);
Show.Chart("first-steps-chosen", which);

// %% [markdown]
// ## 4. Train
//
// Two networks with the same options and the same number of rows: one learns from the chosen rows (it takes their weights by itself),
// one from the even draw.

// %%
NetworkPredictionTransformer Train(IDataView rows) => fs.Trainers.Regression(
    new NetworkTrainerOptions { HiddenLayers = [32, 32], Epochs = 60, LearningRateSchedule = new LinearSchedule(), Seed = 1 })
    .Fit(rows);

NetworkPredictionTransformer next = Train(chosen);
NetworkPredictionTransformer nextOfEven = Train(even);

// %% [markdown]
// ## 5. Evaluate
//
// A trained network is an ordinary ML.NET transformer, so ML.NET's own evaluator judges it.

// %%
double Rmse(ITransformer model) => mlContext.Regression.Evaluate(model.Transform(test)).RootMeanSquaredError;
double[] errors = [Rmse(deployed), Rmse(nextOfEven), Rmse(next)];
Show.Table(
    ["Model", "RMSE", "Rows with a backward pass"],
    ["Deployed: a straight line", $"{errors[0]:F3}", "-"],
    ["Network, even draw", $"{errors[1]:F3}", $"{nextOfEven.Model.Report!.BackwardRows}"],
    ["Network, BalancedGradientNorm", $"{errors[2]:F3}", $"{next.Model.Report!.BackwardRows}"]);

var result = new Plot();
result.Add.Bars(errors);
result.Axes.Bottom.SetTicks([0, 1, 2], ["deployed", "even draw", "BalancedGradientNorm"]);
result.Axes.Margins(bottom: 0);
result.Title("Error on the test rows");
result.YLabel("RMSE");
Show.Chart("first-steps-errors", result);

// %% [markdown]
// One seed shows how it goes, not how much it saves: for that take several seeds, as the notebook *Does it pay on my data?* does.
//
// ## Keep it
//
// `Save` writes a file that `fs.Load`, and ML.NET's own `mlContext.Model.Load`, read.

// %%
string file = Path.Combine(Path.GetTempPath(), "trips.zip");
fs.Save(next, served.Schema, file);
ITransformer loaded = fs.Load(file, out _);
Console.WriteLine($"Loaded, it errs by the same {Rmse(loaded):F3}.");

// %% [declarations]
// A row, and how to make some: the same seed gives the same rows.
public sealed record Trip([property: VectorType(3)] float[] Features, float Label)
{
    public static IEnumerable<Trip> Make(int count, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            float length = MathF.Pow(random.NextSingle(), 4), hour = random.NextSingle(), rain = random.NextSingle();
            float fare = 20 * length * (1 + hour * rain) + 2 * MathF.Sin(6 * hour) + 0.3f * random.NextSingle();
            yield return new Trip([length, hour, rain], fare);
        }
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
