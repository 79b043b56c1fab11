using System.Xml.Linq;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Tool.QuickStart;
using Microsoft.ML.ForwardSampling.Tool.Tests.Compare;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.QuickStart;

/// <summary>The quick start on a small data set of its own; run once, looked at from many sides.</summary>
public sealed class QuickStartTests(QuickStartTests.SmallRun run) : IClassFixture<QuickStartTests.SmallRun>
{
    private const int Passes = 3;
    private const int Seeds = 2;

    // What the policies' rows become by themselves stands beside the usual setting, which is full training's.
    private static readonly string[] Arms = ["Uniform", "Uniform · batch 16 · stratified", "BalancedGradientNorm",
        "BalancedGradientNorm · batch 16 · stratified", "Early-stopped full training"];

    [Fact]
    public void Preset_IsTheReadmesExperiment()
    {
        CompareOptions preset = QuickStartCommand.Preset, taste = QuickStartCommand.Taste;
        CompareExperiment experiment = preset.On(BuiltInData.Fashion(run.Folder));

        Assert.Equal(["balanced-gradient-norm"], preset.Policies);
        Assert.Equal((5, 5, 8), (preset.Seeds, preset.FullSeeds, preset.Passes));
        Assert.Equal((3, 1, 5), (taste.Seeds, taste.FullSeeds, taste.Passes));
        Assert.Equal(("256-128", 0.001, CompareSchedule.Constant, 64),
            (experiment.Network, experiment.LearningRate, experiment.Schedule, experiment.Batch));
        Assert.Equal((0.1, 1, 0.0, null), (experiment.Budget, experiment.RecordAge, experiment.Noise, experiment.StatisticBits));
    }

    [Fact]
    public void Run_Finished_ReturnsZeroAndSaysWhereTheFilesAre()
    {
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains($"Written: {run.Html}", run.Output, StringComparison.Ordinal);
        Assert.Contains($"Written: {run.Json}", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NoTerminal_PrintsOneLineForEachFinishedStream()
    {
        Assert.Contains("BalancedGradientNorm, seed 2 of 2: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("Full training, seed 1 of 1: ", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\e", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Table_Rows_AreCountedExactly()
    {
        // 1,280 rows in chunks of 320, windows of 160, one in ten: 128 rows a pass. The first chunk of the first pass is not recorded.
        Assert.Equal([.. Arms, "Full training"], run.Table.Keys);
        foreach ((string arm, CompareSummary row) in run.Table)
        {
            bool isFull = arm == "Full training", isRecorded = arm.Contains(CompareArm.Separator) || arm == "BalancedGradientNorm";
            Assert.Equal(Passes * (isFull ? TinyFashionMnist.TrainingRows : 128), row.Last!.BackwardRows);
            Assert.Equal(isRecorded ? (Passes * TinyFashionMnist.TrainingRows) - 320 : 0, row.Last.RecordedRows);
            Assert.Equal((0, isFull ? 1 : Seeds, 0), (row.Last.ForwardRows, row.Seeds, row.Failed));
        }
    }

    [Fact]
    public void Table_FullTraining_LearnsMoreThanOneStoppedEarly()
    {
        Assert.True(run.Table["Full training"].Values[0].Mean > 0.9);
        Assert.True(run.Table["Early-stopped full training"].Values[0].Mean < 0.9);
    }

    [Fact]
    public void Output_AnswerAndTable_AreThoseOfTheResults()
    {
        string output = string.Join(' ', run.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

        Assert.Contains(run.Results.Finding(), output, StringComparison.Ordinal);
        Assert.Contains(CompareResults.CostNote, output, StringComparison.Ordinal);
        foreach (CompareSummary row in run.Table.Values.Where(row => !row.Arm.Contains(CompareArm.Separator))) // those are folded
            Assert.Contains($"{row.Arm} {CompareText.Mean(run.Results.Metrics[0], row.Values[0])} ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_Plots_HaveOneCurveForEachTraining()
    {
        string page = File.ReadAllText(run.Html);
        int start = page.IndexOf("<svg", StringComparison.Ordinal);
        XElement svg = XElement.Parse(page[start..(page.IndexOf("</svg>", start, StringComparison.Ordinal) + "</svg>".Length)]);

        Assert.InRange(svg.Elements("polyline").Count(), 3, 6); // one that ends worse than Uniform begins is left out, and named
        Assert.Contains("Accuracy against backward rows", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_AreThoseOfCompare()
    {
        (int exitCode, string output, string error) = await Runner.RunAsync(["compare", "--across", run.Json],
            TestContext.Current.CancellationToken);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("| Training | results |", output, StringComparison.Ordinal);
        Assert.Contains("| BalancedGradientNorm | ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SameSeedsAgain_GivesTheSameFigures()
    {
        var again = new SmallRun();
        await again.InitializeAsync();

        Assert.Equal(run.Results.Runs.SelectMany(r => r.Curve[^1].Values), again.Results.Runs.SelectMany(r => r.Curve[^1].Values));
        await again.DisposeAsync();
    }

    [Fact]
    public void Run_OneSeedOnePassInATerminal_ShowsBarsAndClaimsNothing()
    {
        var output = new StringWriter();

        CompareResults results = Run(QuickStartCommand.Taste with { Seeds = 1, FullSeeds = 0, Passes = 1 },
            Runner.CreateConsole(output, isTerminal: true));

        Assert.Equal(Arms, results.Table().Select(row => row.Arm));
        Assert.StartsWith("Nothing can be said yet: from one seed", results.Finding(), StringComparison.Ordinal);
        Assert.Contains("100%", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("This is a taste (--quick)", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NoisyLabels_LearnsLess()
    {
        CompareOptions options = QuickStartCommand.Preset with { Seeds = 1, FullSeeds = 1, Passes = 3 };

        double clean = Run(options).Table()[^1].Values[0].Mean;
        double noisy = Run(options with { Noise = 1 }).Table()[^1].Values[0].Mean;

        Assert.True(clean > 0.9 && noisy < 0.5, $"{clean} and {noisy}");
    }

    [Fact]
    public void Run_StatisticsInEightBits_SaysSoAndStillRecordsEveryRow()
    {
        CompareOptions options = QuickStartCommand.Preset with
        { Seeds = 1, FullSeeds = 0, Passes = 2, Batches = [BatchComposition.Shuffled] };

        CompareResults whole = Run(options), few = Run(options with { StatisticBits = 8 });

        Assert.Contains("records its statistics, loss and gradient norm in 8 bits each;", few.Protocol(), StringComparison.Ordinal);
        Assert.Equal((256, 2560 - 320), (few.Table()[1].Last!.BackwardRows, few.Table()[1].Last!.RecordedRows));
        Assert.Equal(whole.Table()[0].Values[1].Mean, few.Table()[0].Values[1].Mean); // Uniform reads no statistic
        Assert.NotEqual(whole.Table()[1].Values[1].Mean, few.Table()[1].Values[1].Mean);
    }

    [Fact]
    public void Run_HeldOutRows_AreTrainedOnByNobodyAndScoredForWhomTheyAre()
    {
        CompareResults results = Run(QuickStartCommand.Preset with
        {
            Policies = ["adaptive-percentile"],
            Seeds = 1,
            FullSeeds = 1,
            Passes = 2,
            ValidationRows = 320,
            Batches = [BatchComposition.Shuffled]
        });

        // 960 rows are left: 96 a pass in windows of 160. Told after each chunk but the first, which is drawn evenly.
        Assert.Equal([192, 192, 192, 1920], results.Table().Select(row => row.Last!.BackwardRows));
        Assert.Equal([0, ((2 * 3) - 1) * 320, 0, 0], results.Table().Select(row => row.Last!.ForwardRows));
        Assert.Contains("The last 320 training rows are held out of the stream", results.Protocol(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_RealData_ReachesThePlausible()
    {
        Assert.SkipUnless(Directory.Exists(FashionMnist.DebianFolder), "The Debian package dataset-fashion-mnist is not installed.");

        CompareResults results = Run(QuickStartCommand.Preset with { Seeds = 1, FullSeeds = 0, Passes = 1, Chunk = null, Window = null },
            folder: FashionMnist.DebianFolder);

        Assert.All(results.Table(), row => Assert.Equal(6000, row.Last!.BackwardRows));
        Assert.All(results.Table(), row => Assert.InRange(row.Values[0].Mean, 0.70, 0.86));
        Assert.Equal(60_000 - 2560, results.Table()[2].Last!.RecordedRows);
    }

    private CompareResults Run(CompareOptions options, IAnsiConsole? console = null, string? folder = null)
    {
        CompareOptions here = options with { Json = Path.Combine(run.Folder, "again.json"), Html = Path.Combine(run.Folder, "again.html") };
        if (folder is null)
            here = here with { Chunk = 320, Window = 160 };
        return CompareRunner.Run(here, BuiltInData.Fashion(folder ?? run.Folder), console ?? Runner.CreateConsole(TextWriter.Null),
            TestContext.Current.CancellationToken);
    }

    /// <summary>The preset on the small data set, through the command line.</summary>
    public sealed class SmallRun : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();

        public string Folder => _folder.Path;

        public string Html => _folder.File("page.html");

        public string Json => _folder.File("deeper/results.json");

        public int ExitCode { get; private set; }

        public string Output { get; private set; } = "";

        public string Error { get; private set; } = "";

        internal CompareResults Results => field ??= CompareResults.FromFile(Json);

        internal Dictionary<string, CompareSummary> Table => Results.Table().ToDictionary(row => row.Arm);

        public async ValueTask InitializeAsync()
        {
            TinyFashionMnist.Write(_folder.Path);
            string[] args = ["quick-start", "--data", _folder.Path, "--seeds", $"{Seeds}", "--full-seeds", "1", "--passes", $"{Passes}",
                "--chunk", "320", "--window", "160", "--html", Html, "--json", Json];
            (ExitCode, Output, Error) = await Runner.RunAsync(args);
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
