using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tool.Compare;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

public sealed class CompareEngineTests : IDisposable
{
    private static readonly IAnsiConsole Silent = Runner.CreateConsole(TextWriter.Null);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_RegressionWithHuber_LearnsAndKeepsTheLabelsUnit()
    {
        TabularData data = CsvData.Load(TinyCsv.Write(_folder),
            new CsvOptions { Label = "Price", Task = PredictionTask.Regression, Ignore = ["Kind", "Bought"] });

        CompareResults results = CompareRunner.Run(Options() with { Loss = CompareLoss.Huber, Passes = 30, FullSeeds = 1 }, data,
            Silent, Token);

        // Price has a standard deviation of about 50: without learning the error is 50, and its unit is the file's.
        Assert.InRange(data.LabelScale, 40, 60);
        Assert.InRange(results.Table()[^1].Values[0].Mean, 0.1, 10);
        Assert.All(results.Runs, run => Assert.Null(run.Failure));
        Assert.All(results.Runs.Where(run => run.Selection is not null), run => Assert.Empty(run.Selection!.ByClass));
    }

    [Fact]
    public void Run_RecordAges_RecordOrScoreAndDiffer()
    {
        TabularData data = Multiclass();
        Dictionary<int, ComparePoint> last = [];
        foreach (int age in (int[])[0, 1, 3])
        {
            CompareResults results = CompareRunner.Run(Options() with { RecordAge = age, Passes = 3, FullSeeds = 0 }, data, Silent, Token);
            last[age] = results.Runs.Single(run => run.Arm == "BalancedGradientNorm").Curve[^1];
            Assert.Equal(results.Runs.Single(run => run.Arm == "Uniform").Curve[^1].BackwardRows, last[age].BackwardRows);
        }

        long scored = 3L * data.Training.Count - 320;
        Assert.Equal((scored, 0), (last[0].ForwardRows, last[0].RecordedRows));
        Assert.Equal((0, scored), (last[1].ForwardRows, last[1].RecordedRows));
        Assert.Equal((0, scored), (last[3].ForwardRows, last[3].RecordedRows));
        Assert.Equal(3, last.Values.Select(point => point.Values[1]).Distinct().Count());
        Assert.All(last.Values, point => Assert.InRange(point.Values[0], 0.5, 1));
    }

    [Fact]
    public void Run_FashionMnist_ComesFromItsFiles()
    {
        TinyFashionMnist.Write(_folder.Path);
        TabularData data = BuiltInData.Fashion(_folder.Path);

        CompareResults results = CompareRunner.Run(Options() with { RareClass = "Sandal", Passes = 2, FullSeeds = 1 }, data, Silent, Token);

        Assert.Equal(["accuracy", "log-loss", "recall of Sandal"], results.Metrics.Select(metric => metric.Name));
        Assert.InRange(results.TrainingRows, TinyFashionMnist.TrainingRows * 0.88, TinyFashionMnist.TrainingRows * 0.94);
        Assert.InRange(results.Table()[^1].Values[0].Mean, 0.5, 1);
    }

    [Fact]
    public void Run_MadeProblems_LearnWithinTheirBounds()
    {
        CompareOptions options = Options() with { FullSeeds = 1, Chunk = 640, Window = 640, Passes = 4 };

        CompareResults friedman = CompareRunner.Run(options,
            BuiltInData.FriedmanWith(6400, 500, Friedman1Noise.Outliers, "friedman1", "made"), Silent, Token);
        CompareResults visits = CompareRunner.Run(options, BuiltInData.VisitsOf(6400, 2000), Silent, Token);

        Assert.InRange(friedman.Table()[^1].Values[0].Mean, 0.05, 0.8);
        Assert.InRange(visits.Table()[^1].Values[0].Mean, 0.15, 0.35);
        Assert.Contains(visits.Notes, note => note.Contains("no model can do better", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_EveryRowInTheBudget_UniformIsFullTraining()
    {
        // At a budget of all rows an even draw takes each with weight 1: the same rows, steps and rates.
        CompareResults results = CompareRunner.Run(Options() with { Budget = 1, Policies = [], FullSeeds = 1, Passes = 2 }, Multiclass(),
            Silent, Token);

        double[] losses = [.. results.Runs.Select(run => run.Curve[^1].Values[1])];
        Assert.Equal(["Uniform", "Early-stopped full training", "Full training"], results.Runs.Select(run => run.Arm));
        Assert.All(losses, loss => Assert.Equal(losses[0], loss, 1e-6));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Run_ReducibleLoss_TellsWhatItsReferencesCost(int recordAge)
    {
        TabularData data = Multiclass();
        CompareResults results = CompareRunner.Run(
            Options() with { Policies = ["reducible-loss"], RecordAge = recordAge, FullSeeds = 0, Passes = 2 }, data, Silent, Token);

        ComparePoint uniform = results.Runs.Single(run => run.Arm == "Uniform").Curve[^1],
            reducible = results.Runs.Single(run => run.Arm == "ReducibleLoss").Curve[^1];
        Assert.Equal(uniform.BackwardRows, reducible.BackwardRows);
        Assert.Equal(data.Training.Count + (recordAge == 0 ? (2 * data.Training.Count) - 320 : 0), reducible.ForwardRows);
        Assert.NotEqual(uniform.Values[1], reducible.Values[1]);
        Assert.Contains($"its backward rows are {uniform.BackwardRows} more than the table says", results.Protocol(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void ReferenceLosses_WrongLabels_LoseMoreAndNothingElseChanges()
    {
        // A reference that had learnt from the row itself would forgive its wrong label.
        TabularData data = Multiclass();
        CompareExperiment experiment = (Options() with { Noise = 0.3 }).On(data);
        TabularData noisy = CompareRunner.Prepare(data, experiment, seed: 1);
        var networks = new CompareNetworks(new MLContext(1), experiment, noisy, Token);
        TabularRow[] once = [.. noisy.Training], again = [.. noisy.Training];

        ReferenceLosses.AddTo(once, networks, backwardRows: 8L * once.Length, seed: 1);
        ReferenceLosses.AddTo(again, networks, backwardRows: 8L * once.Length, seed: 1);

        ILookup<bool, float> byTruth = once.Zip(data.Training)
            .ToLookup(pair => pair.First.Class == pair.Second.Class, pair => pair.First.ReferenceLoss);
        Assert.True(byTruth[false].Average() > 1.5 * byTruth[true].Average(),
            $"wrong {byTruth[false].Average()}, right {byTruth[true].Average()}");
        Assert.Equal(noisy.Training.Select(row => (row.Features, row.Class)), once.Select(row => (row.Features, row.Class)));
        Assert.Equal(once.Select(row => row.ReferenceLoss), again.Select(row => row.ReferenceLoss));
    }

    [Fact]
    public void Run_ReducibleLossWithOneBackwardRow_HasItsReferences()
    {
        TabularData data = Multiclass();

        CompareResults results = CompareRunner.Run(
            Options() with { Policies = ["reducible-loss"], Budget = 0.003, Window = 320, FullSeeds = 0, Passes = 1 },
                data with { Training = [.. data.Training.Take(320)] }, Silent, Token);

        Assert.All(results.Runs, run => Assert.Equal((null, 1), (run.Failure, run.Curve[^1].BackwardRows)));
    }

    [Fact]
    public void ReferenceLosses_AnOddNumberOfBackwardRows_TrainsOnAllOfThem()
    {
        TabularData data = Multiclass();
        var networks = new CompareNetworks(new MLContext(1), Options().On(data), data, Token);
        TabularRow[] two = [.. data.Training], three = [.. data.Training];

        ReferenceLosses.AddTo(two, networks, backwardRows: 2, seed: 1);
        ReferenceLosses.AddTo(three, networks, backwardRows: 3, seed: 1);

        Assert.NotEqual(two.Select(row => row.ReferenceLoss), three.Select(row => row.ReferenceLoss));
    }

    [Fact]
    public void Fingerprint_AnotherUnitOfTheLabel_IsAnotherNumber()
    {
        TabularData data = Regression();

        Assert.NotEqual(data.Fingerprint(), (data with { LabelScale = 2 * data.LabelScale }).Fingerprint());
    }

    [Fact]
    public void Run_ConstantSchedule_IsAnotherExperiment()
    {
        TabularData data = Multiclass();
        CompareOptions options = Options() with { Policies = [], FullSeeds = 0, Passes = 2 };

        double falling = CompareRunner.Run(options, data, Silent, Token).Runs[0].Curve[^1].Values[1];
        double constant = CompareRunner.Run(options with { Schedule = CompareSchedule.Constant }, data, Silent, Token)
            .Runs[0].Curve[^1].Values[1];

        Assert.NotEqual(falling, constant);
    }

    [Fact]
    public void Run_ADivergedTraining_IsToldAndTheOthersGoOn()
    {
        // A learning rate of 1 and labels beyond the squares of a Single: no finite loss.
        TabularData data = Regression();
        TabularRow[] wild = [.. data.Training.Select(row => new TabularRow { Features = row.Features, Number = 1e25f })];

        CompareResults results = CompareRunner.Run(Options() with { FullSeeds = 0, Passes = 1, LearningRate = 1 },
            data with { Training = wild }, Silent, Token);

        Assert.All(results.Runs, run => Assert.NotNull(run.Failure));
        Assert.Equal(3, results.Runs.Count);
        Assert.Contains("(1 failed)", File.ReadAllText(PagePath), StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_CertainAndWrong_IsAFiniteLogLoss()
    {
        var mlContext = new MLContext(1);
        TabularData data = CsvData.Load(TinyCsv.Write(_folder), new CsvOptions { Label = "Bought", Task = PredictionTask.Binary });
        IDataView scored = mlContext.Data.LoadFromEnumerable<Scored>(
            [new(true, 1, 1, true), new(false, -1, 0.5f, false), new(false, 1, 1, true), new(true, -1, 0, false)]);

        double[] values = CompareMetrics.Evaluate(mlContext, new TransformerChain<ITransformer>(), scored, data, Options().On(data));

        // Of four rows one is certain and right, one even, and two are certain and wrong: 0, 1 and twice -log2 of 1e-15.
        Assert.Equal((1 - 2 * Math.Log2(1e-15)) / 4, values[0], 1e-6);
        Assert.Equal(0.5, values[2]);
    }

    [Fact]
    public void Prepare_Noise_ReplacesTheShareAndKeepsFeatures()
    {
        TabularData data = Multiclass();
        TabularData noisy = CompareRunner.Prepare(data, (Options() with { Noise = 0.3 }).On(data), seed: 1);
        double changed = data.Training.Zip(noisy.Training, (a, b) => a.Class != b.Class ? 1.0 : 0).Average();

        Assert.InRange(changed, 0.15, 0.25); // a third of the random classes is the old one
        Assert.Equal(data.Training.Select(row => row.Features), noisy.Training.Select(row => row.Features));
        Assert.Equal(noisy.Fingerprint(), CompareRunner.Prepare(data, (Options() with { Noise = 0.3 }).On(data), seed: 1).Fingerprint());
        Assert.NotEqual(noisy.Fingerprint(), CompareRunner.Prepare(data, (Options() with { Noise = 0.3 }).On(data), seed: 2).Fingerprint());
    }

    [Fact]
    public void Prepare_RareClass_HasItsShare()
    {
        TabularData data = Multiclass();
        TabularData rare = CompareRunner.Prepare(data, (Options() with { RareClass = "a", RareShare = 0.05 }).On(data), seed: 1);

        Assert.Equal(0.05, rare.Training.Average(row => row.Class == 0 ? 1.0 : 0), 1e-3);
        Assert.Equal(data.Training.Count(row => row.Class != 0), rare.Training.Count(row => row.Class != 0));
    }

    [Fact]
    public async Task Run_Stopped_LeavesAValidPartialReportThatGoesOn()
    {
        string csv = TinyCsv.Write(_folder), json = _folder.File("part.json");
        string[] arguments = ["compare", "--data", csv, "--label", "Kind", "--task", "multiclass", "--ignore", "Bought,Price", "--hidden",
            "8", "--passes", "2", "--policies", "cube", "--seeds", "3", "--full-seeds", "0", "--batches", "shuffled"];
        using var stop = new CancellationTokenSource();
        var output = new StoppingWriter(stop, afterRuns: 4);

        int exitCode = await Program.RunAsync([.. arguments, "--json", json], Runner.CreateConsole(output), TextWriter.Null, output.Error,
            stop.Token);

        Assert.Equal(130, exitCode);
        Assert.Contains("partial: 4 of 9 runs", output.Error.ToString(), StringComparison.Ordinal);
        Assert.Contains($"--resume {json}", output.Error.ToString(), StringComparison.Ordinal);
        var part = CompareResults.FromFile(json);
        Assert.Equal((4, 9, true), (part.Runs.Count, part.Planned, part.IsPartial));
        Assert.Contains("\"partial\": \"partial: 4 of 9 runs\"", await File.ReadAllTextAsync(json, Token), StringComparison.Ordinal);
        Assert.Contains("These results are partial: 4 of 9 runs.", await File.ReadAllTextAsync(_folder.File("part.html"), Token),
            StringComparison.Ordinal);

        (int resumed, _, string error) = await Runner.RunAsync([.. arguments, "--resume", json], Token);
        (int straight, _, _) = await Runner.RunAsync([.. arguments, "--json", _folder.File("whole.json")], Token);

        Assert.Equal((0, 0, ""), (resumed, straight, error));
        CompareResults whole = CompareResults.FromFile(_folder.File("whole.json")), continued = CompareResults.FromFile(json);
        Assert.False(continued.IsPartial);
        Assert.Equal(
            whole.Runs.Select(run => (run.Arm, run.Seed, run.Curve[^1].Values[1])),
            continued.Runs.Select(run => (run.Arm, run.Seed, run.Curve[^1].Values[1])));
    }

    [Theory]
    [InlineData("", "needs --label, the column to predict, and --task regression, binary or multiclass")]
    [InlineData("--label y --task guess", "--task must be one of regression, binary, multiclass. Got 'guess'.")]
    [InlineData("--label y --task binary --separator abc",
        "--separator must be tab, space, or one character that is no letter, digit, quote, point or end of line. Got 'abc'.")]
    [InlineData("--label y --task binary --policies cube,best", "Got 'best'.")]
    [InlineData("--label y --task binary --hidden 8,none", "--hidden must be a comma list of numbers between 1 and 65536. Got 'none'.")]
    [InlineData("--label y --task binary --budget 0", "--budget must be a number between 0.001 and 1. Got '0'.")]
    [InlineData("--label y --task binary",
        "no-such-file.csv is missing: --data takes a file, - for standard input, or one of fashion-mnist, ")]
    [InlineData("--label y --task binary --resume no-such-results.json", "is missing")]
    public async Task Run_BadArguments_FailsAndNamesThem(string arguments, string expected)
    {
        (int exitCode, _, string error) = await Runner.RunAsync(
            ["compare", "--data", "no-such-file.csv", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)], Token);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ColumnOptionsForABuiltInSet_AreRefused()
    {
        (int exitCode, _, string error) = await Runner.RunAsync(["compare", "--data", "visits", "--label", "y"], Token);

        Assert.Equal(1, exitCode);
        Assert.Contains("--label is for a file of yours, and --data is visits.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"example\": \"quick-start\"}", "is no results file of compare.")]
    [InlineData("{\"example\": \"compare\", \"formatVersion\": 9}", "has format version 9; this program reads 1.")]
    [InlineData("{\"example\": \"compare\", \"formatVersion\": 1, \"results\": {}}", "is no whole results file of compare")]
    [InlineData("{\"exam", "is no whole results file of compare")]
    public void FromFile_AnotherFile_IsRefusedByName(string content, string expected)
    {
        string path = _folder.File("other.json");
        File.WriteAllText(path, content);

        var error = Assert.Throws<InvalidDataException>(() => CompareResults.FromFile(path));

        Assert.StartsWith($"{path} {expected}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FromFile_WrittenByAnEarlierVersion_IsShownAndContinued()
    {
        // Written by the example program compare, before it was a tool: `compare --data rows.csv --label Kind --task multiclass --ignore
        // Bought,Price --hidden 4 --passes 1 --policies cube --seeds 2 --full-seeds 0`.
        string earlier = Path.Combine(AppContext.BaseDirectory, "Compare", "earlier.json"), json = _folder.File("earlier.json"),
            csv = TinyCsv.Write(_folder);
        File.Copy(earlier, json);

        (int shown, string table, _) = await Runner.RunAsync(["compare", "--across", json], Token);
        (int continued, _, string error) = await Runner.RunAsync(
            ["compare", "--data", csv, "--label", "Kind", "--task", "multiclass", "--ignore", "Bought,Price", "--hidden", "4", "--passes",
                "1", "--policies", "cube", "--seeds", "3", "--full-seeds", "0", "--batches", "shuffled", "--resume", json], Token);

        Assert.Equal((0, 0, ""), (shown, continued, error));
        Assert.Contains("| Cube | ", table, StringComparison.Ordinal);
        Assert.Equal(9, CompareResults.FromFile(json).Runs.Count);
    }

    [Fact]
    public void On_OptionsThatDoNotSuitTheData_AreRefused()
    {
        TabularData data = Multiclass();

        Assert.Equal("--rare-class must be a class of rows.csv: a, b, c. Got 'd'.",
            Assert.Throws<InvalidDataException>(() => (Options() with { RareClass = "d" }).On(data)).Message);
        Assert.Contains("--loss huber is for regression", Assert.Throws<InvalidDataException>(
            () => (Options() with { Loss = CompareLoss.Huber }).On(data)).Message, StringComparison.Ordinal);
        Assert.Contains("--statistic-bits is for recorded statistics, and --record-age 0 records none.",
            Assert.Throws<InvalidDataException>(() => (Options() with { StatisticBits = 8, RecordAge = 0 }).On(data)).Message,
            StringComparison.Ordinal);
        Assert.Contains("--statistic-bits is for classification, and rows.csv is a regression",
            Assert.Throws<InvalidDataException>(() => (Options() with { StatisticBits = 8 }).On(Regression())).Message,
            StringComparison.Ordinal);
        Assert.Contains("--validation 1500 leaves nothing to train on",
            Assert.Throws<InvalidDataException>(() => (Options() with { ValidationRows = 1500 }).On(data)).Message,
            StringComparison.Ordinal);
        Assert.Contains("--window must be at most --chunk, 320",
            Assert.Throws<InvalidDataException>(() => (Options() with { Window = 640 }).On(data)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_RecordAgeZero_RefusesPoliciesThatTheTrainerCannotRun()
    {
        var error = Assert.Throws<InvalidDataException>(() => CompareRunner.Run(
            Options() with { RecordAge = 0, Policies = ["top-loss", "adaptive-percentile", "group-budget"] }, Regression(), Silent, Token));
        Assert.Equal("--record-age 0 lets the trainer select as it trains, and adaptive-percentile, group-budget would lack validation "
            + "losses or groups there: leave out those policies, or give --record-age 1.", error.Message);
    }

    private string PagePath => _folder.File("results.html");

    private CompareOptions Options() => new()
    {
        Policies = ["balanced-gradient-norm"],
        Seeds = 1,
        FullSeeds = 1,
        Chunk = 320,
        Window = 160,
        HiddenLayers = [16],
        LearningRate = 0.01,
        Batches = [BatchComposition.Shuffled],
        Json = _folder.File("results.json"),
        Html = PagePath,
    };

    private TabularData Multiclass() => CsvData.Load(TinyCsv.Write(_folder),
        new CsvOptions { Label = "Kind", Task = PredictionTask.Multiclass, Ignore = ["Bought", "Price"] });

    private TabularData Regression() => CsvData.Load(TinyCsv.Write(_folder),
        new CsvOptions { Label = "Price", Task = PredictionTask.Regression, Ignore = ["Bought", "Kind"] });

    private sealed record Scored(bool Label, float Score, float Probability, bool PredictedLabel);

    /// <summary>Presses Ctrl-C when so many runs have been told.</summary>
    private sealed class StoppingWriter(CancellationTokenSource stop, int afterRuns) : StringWriter
    {
        private int _runs;

        public StringWriter Error { get; } = new();

        public override void Write(string? value)
        {
            base.Write(value);
            if (value?.Contains(", seed ", StringComparison.Ordinal) == true && ++_runs == afterRuns)
                stop.Cancel();
        }
    }
}
