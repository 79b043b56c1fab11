#:package Microsoft.ML.ForwardSampling@*-*
#:package TorchSharp-cpu@0.107.0
#:package ScottPlot@5.1.59
#:property PublishAot=false
#:property AllowOldLibstdcxx=true

// %% [markdown]
// # Does it pay on my data?
//
// Give this notebook a file, as you would give it to Model Builder: choose the file, the label and the scenario, run all cells, and read
// the table at the end. It trains networks on one row in ten, chosen by each policy, and compares them with an even draw of just as many
// rows. Sometimes the even draw is as good; then the answer is no, and you know it after a minute.
//
// The tool `forward-sampling compare` asks the same more thoroughly: a stream of rows, more policies, a page with plots.

// %%
using System.Globalization;
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
// ## Choose
//
// | Scenario | `task` | The label column holds |
// | --- | --- | --- |
// | Value prediction | `PredictionTask.Regression` | numbers |
// | Data classification, two classes | `PredictionTask.Binary` | true and false, yes and no, or 1 and 0 |
// | Data classification, more classes | `PredictionTask.Multiclass` | any texts |
//
// The file is a CSV with column names in its first line. As it stands, the cell writes a made-up one, of bicycles hired by the hour: put
// your own path in its place.

// %%
string file = HiredBicycles.WriteCsv(Path.Combine(Path.GetTempPath(), "bicycles.csv"), rows: 8_000);
string label = "Hired";
string[] ignored = []; // columns that name rows, or that nobody knows yet when a row is scored
PredictionTask task = PredictionTask.Regression;

// %% [markdown]
// ## Read the file
//
// A column in which every field is a number, or empty, is a number; it will get mean 0 and standard deviation 1. Any other column is a
// text, and gets one feature for each of its values.

// %%
string[] names = [.. File.ReadLines(file).First().Split(',').Select(name => name.Trim('"'))];
IDataView Load(Func<string, DataKind> kindOf) => mlContext.Data.LoadFromTextFile(file, new TextLoader.Options
{
    HasHeader = true,
    Separators = [','],
    AllowQuoting = true,
    Columns = [.. names.Select((name, i) => new TextLoader.Column(name == label ? "Label" : name, kindOf(name), i))],
});

IDataView raw = Load(_ => DataKind.String);
bool IsNumber(string name) => raw.GetColumn<ReadOnlyMemory<char>>(name)
    .All(field => field.IsEmpty || float.TryParse(field.Span, NumberStyles.Float, CultureInfo.InvariantCulture, out _));
string[] features = [.. names.Where(name => name != label && !ignored.Contains(name))];
string[] numbers = [.. features.Where(IsNumber)], texts = [.. features.Except(numbers)];

IDataView data = Load(name => numbers.Contains(name) || (name == label && task == PredictionTask.Regression) ? DataKind.Single
    : name == label && task == PredictionTask.Binary ? DataKind.Boolean : DataKind.String);

// What is learnt about columns is learnt from training rows alone.
IEstimator<ITransformer> prepare = new EstimatorChain<ITransformer>();
if (numbers.Length > 0)
    prepare = prepare.Append(mlContext.Transforms.Concatenate("Numbers", numbers))
        .Append(mlContext.Transforms.ReplaceMissingValues("Numbers"))
        .Append(mlContext.Transforms.NormalizeMeanVariance("Numbers", fixZero: false));
if (texts.Length > 0)
    prepare = prepare.Append(mlContext.Transforms.Categorical.OneHotEncoding(
        [.. texts.Select(name => new InputOutputColumnPair(name))]));
if (task == PredictionTask.Multiclass)
    prepare = prepare.Append(mlContext.Transforms.Conversion.MapValueToKey("Label"));
prepare = prepare.Append(mlContext.Transforms.Concatenate("Features", numbers.Length > 0 ? [.. texts, "Numbers"] : texts));
DataOperationsCatalog.TrainTestData split = mlContext.Data.TrainTestSplit(data, testFraction: 0.25, seed: 1);
ITransformer prepared = prepare.Fit(split.TrainSet);
IDataView train = mlContext.Data.Cache(prepared.Transform(split.TrainSet), "Features", "Label");
IDataView test = mlContext.Data.Cache(prepared.Transform(split.TestSet), "Features", "Label");
int width = ((VectorDataViewType)train.Schema["Features"].Type).Size, rowCount = raw.GetColumn<ReadOnlyMemory<char>>("Label").Count();
Console.WriteLine($"{rowCount} rows, {numbers.Length} columns of numbers and {texts.Length} of texts, {width} features.");

// %% [markdown]
// ## Train
//
// For each of five seeds: a network trained on a tenth of the training rows is the deployed one. It scores the other rows and is recorded;
// each policy chooses one row in ten of them; the next network goes on from the deployed one and is trained on the chosen rows. *Full
// training* takes all rows, and so ten times as many backward passes: what could be gained at most.
//
// The figure is the RMSE for numbers and the log-loss for classes: less is better.

// %%
NetworkTrainer NewTrainer(int seed)
{
    var options = new NetworkTrainerOptions
    {
        HiddenLayers = [32, 32], Epochs = 30, LearningRateSchedule = new LinearSchedule(), Seed = seed,
    };
    return task switch
    {
        PredictionTask.Regression => fs.Trainers.Regression(options),
        PredictionTask.Binary => fs.Trainers.BinaryClassification(options),
        _ => fs.Trainers.MulticlassClassification(options),
    };
}

double Figure(ITransformer model) => task switch
{
    PredictionTask.Regression => mlContext.Regression.Evaluate(model.Transform(test)).RootMeanSquaredError,
    PredictionTask.Binary => mlContext.BinaryClassification.Evaluate(model.Transform(test)).LogLoss,
    _ => mlContext.MulticlassClassification.Evaluate(model.Transform(test)).LogLoss,
};

(string Name, IRowSelectionPolicy Policy)[] policies =
[
    ("Uniform", new UniformPolicy()),
    ("LossStratified", new LossStratifiedPolicy()),
    ("BalancedGradientNorm", new BalancedGradientNormPolicy()),
    ("SelectiveBackprop", new SelectiveBackpropPolicy()),
];
const int Seeds = 5;
string[] arms = [.. policies.Select(policy => policy.Name), "Full training"];
var figures = arms.ToDictionary(arm => arm, _ => new double[Seeds]);
var backwardRows = new Dictionary<string, long>();
for (int seed = 0; seed < Seeds; seed++)
{
    DataOperationsCatalog.TrainTestData parts = mlContext.Data.TrainTestSplit(train, testFraction: 0.9, seed: seed);
    IDataView served = mlContext.Data.Cache(parts.TestSet);
    NetworkPredictionTransformer deployed = NewTrainer(seed).Fit(parts.TrainSet);
    IDataView recorded = mlContext.Data.Cache(fs.RecordForwardPass(deployed, task).Fit(served).Transform(served));
    foreach ((string name, IRowSelectionPolicy policy) in policies)
        Train(name, fs.SelectRows(recorded, policy, new SelectionOptions { WindowSize = 640, Budget = 0.1, Seed = seed }));
    Train("Full training", served);

    void Train(string arm, IDataView rows)
    {
        NetworkPredictionTransformer next = NewTrainer(seed).Fit(rows, null, deployed);
        figures[arm][seed] = Figure(next);
        backwardRows[arm] = next.Model.Report!.BackwardRows;
    }
}

// %% [markdown]
// ## The table and the plot
//
// Each mean comes with a 95 % interval over the seeds. The difference to Uniform is taken seed by seed: it pays where the whole interval
// is below 0.

// %%
const double StudentT = 2.776; // 97.5 % of Student's t with 4 degrees of freedom: five seeds
(double Mean, double Half) Interval(IReadOnlyList<double> values)
{
    double mean = values.Average();
    return (mean, StudentT * Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (Seeds - 1) / Seeds));
}

var table = new List<string[]> { new[] { "Training", "Figure", "To Uniform", "95 % interval", "Backward rows", "Pays" } };
foreach (string arm in arms)
{
    (double mean, double half) = Interval(figures[arm]);
    (double gain, double around) = Interval([.. figures[arm].Zip(figures["Uniform"], (figure, uniform) => figure - uniform)]);
    string pays = arm == "Full training" ? "" : gain + around < 0 ? "yes" : gain - around > 0 ? "no, it is worse" : "not shown";
    table.Add(arm == "Uniform"
        ? [arm, $"{mean:F3} ± {half:F3}", "", "", $"{backwardRows[arm]}", ""]
        : [arm, $"{mean:F3} ± {half:F3}", $"{gain:+0.000;-0.000}", $"{gain - around:+0.000;-0.000} to {gain + around:+0.000;-0.000}",
            $"{backwardRows[arm]}", pays]);
}

Show.Table([.. table]);

var plot = new Plot();
for (int i = 0; i < arms.Length; i++)
{
    (double mean, double half) = Interval(figures[arms[i]]);
    var dots = plot.Add.ScatterPoints(Enumerable.Repeat((double)i, Seeds).ToArray(), figures[arms[i]]);
    dots.Color = Colors.Gray;
    plot.Add.ErrorBar([i + 0.15], [mean], [half]).Color = Colors.Navy;
    plot.Add.ScatterPoints(new[] { i + 0.15 }, new[] { mean }).Color = Colors.Navy;
}

plot.Axes.Bottom.SetTicks([.. arms.Select((_, i) => (double)i)], [.. arms.Select(arm => arm.Replace("Gradient", "\nGradient"))]);
plot.Axes.Margins(0.15, 0.15);
plot.Title("Each seed, and the mean with its 95 % interval");
plot.YLabel(task == PredictionTask.Regression ? "RMSE" : "log-loss");
Show.Chart("does-it-pay", plot);

// %% [markdown]
// ## Reading it
//
// - *Pays: yes*: at equal backward rows the policy is better than an even draw. Try it on the real stream.
// - *No, it is worse*: `SelectiveBackprop` takes the highest losses, has no weights to make up for it, and so predicts wrong
//   probabilities: try `label = "Weekend"` with `PredictionTask.Binary`.
// - *Not shown*: five seeds cannot tell. More seeds may; or the even draw is as good, which costs nothing.
// - Uniform near Full training: a tenth of the rows teaches all there is to learn here, and no policy can gain much.
// - The gain counts backward rows. The scores come from serving; if you score only in order to select, add that to the bill.

// %% [declarations]
// The example file, a row an hour: the hires depend on hour, weather and temperature, and are many on few summer evenings.
public static class HiredBicycles
{
    public static string WriteCsv(string path, int rows)
    {
        var random = new Random(1);
        string[] weathers = ["clear", "cloudy", "rain", "snow"];
        double[] effects = [1, 0.8, 0.35, 0.15];
        using var writer = new StreamWriter(path);
        writer.WriteLine("Month,Hour,Weekend,Weather,Temperature,Wind,Hired");
        for (int i = 0; i < rows; i++)
        {
            int month = random.Next(1, 13), hour = random.Next(24);
            bool weekend = random.Next(7) < 2;
            double temperature = 12 - 12 * Math.Cos(2 * Math.PI * (month - 1) / 12.0) + 8 * (random.NextDouble() - 0.5);
            int weather = temperature < 2 && random.Next(3) == 0 ? 3 : random.Next(3);
            double wind = 30 * random.NextDouble() * random.NextDouble();
            double peak = weekend ? Math.Exp(-(hour - 14) * (hour - 14) / 18.0)
                : Math.Exp(-(hour - 8) * (hour - 8) / 2.0) + 1.2 * Math.Exp(-(hour - 18) * (hour - 18) / 4.0);
            double mean = 5 + 400 * peak * effects[weather] / (1 + Math.Exp((14 - temperature) / 3)) / (1 + wind / 20);
            double hired = Math.Max(0, Math.Round(mean + Math.Sqrt(mean) * 2 * (random.NextDouble() + random.NextDouble() - 1)));
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{month},{hour},{(weekend ? "yes" : "no")},{weathers[weather]},{temperature:F1},{wind:F1},{hired}"));
        }

        return path;
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
