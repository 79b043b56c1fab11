using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Tool.Pages;
using Microsoft.ML.ForwardSampling.Tool.Tests.Compare;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Tests;

/// <summary>The quick start on a small data set of its own; run once, looked at from many sides.</summary>
public sealed partial class QuickStartTests(QuickStartTests.SmallRun run) : IClassFixture<QuickStartTests.SmallRun>
{
    private const int Passes = 3;
    private const int Seeds = 2;
    private const int Validation = 320;

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
        // 1,280 rows, 320 of them held out, in chunks of 320, windows of 160, one in ten: 96 rows a pass. The first chunk of the first pass is not recorded.
        Dictionary<string, JsonElement> table = run.Table;

        Assert.Equal(["Uniform", "MeanMatching", "LossStratified", "SelectiveBackprop", "GradientNorm", "BalancedGradientNorm", "SelectiveBackprop, history", "AdaptivePercentile", "Assisted", "Full training, 1 pass", "Full training"], table.Keys);
        foreach ((string policy, JsonElement row) in table)
        {
            bool isFull = policy.StartsWith("Full training", StringComparison.Ordinal);
            long passes = policy == "Full training, 1 pass" ? 1 : Passes;
            Assert.Equal(passes * (isFull ? 960 : 96), row.GetProperty("backwardRows").GetInt64());
            Assert.Equal(isFull || policy is "Uniform" or "Assisted" ? 0 : Passes * 960 - 320, row.GetProperty("recordedRows").GetInt64());
            // AdaptivePercentile is told the loss on the rows held out after each chunk but the first, which is drawn evenly.
            Assert.Equal(policy == "AdaptivePercentile" ? (Passes * 3 - 1) * Validation : 0, row.GetProperty("forwardRows").GetInt64());
            Assert.Equal(isFull ? 1 : Seeds, row.GetProperty("seeds").GetInt32());
            Assert.InRange(row.GetProperty("accuracy").GetDouble(), 0.05, 1);
        }
    }

    [Fact]
    public void Table_FullTraining_LearnsMoreThanOnePassOfIt()
        => Assert.True(run.Table["Full training"].GetProperty("accuracy").GetDouble() > 0.9);

    [Fact]
    public void Json_Figures_AreThoseOfThePrintedTable()
    {
        foreach ((string policy, JsonElement row) in run.Table)
        {
            string line = Assert.Single(run.Output.Split('\n'), l => l.StartsWith($"  {policy}  ", StringComparison.Ordinal) && !l.Contains("seed", StringComparison.Ordinal));
            string[] cells = [.. ColumnGap().Split(line.Trim())];
            Assert.Equal(row.GetProperty("accuracy").GetDouble().ToString("P2", CultureInfo.InvariantCulture), cells[1]);
            Assert.Equal(row.GetProperty("backwardRows").GetInt64().ToString("N0", CultureInfo.InvariantCulture), cells[4]);
            Assert.Equal(row.GetProperty("recordedRows").GetInt64().ToString("N0", CultureInfo.InvariantCulture), cells[5]);
            Assert.Equal(row.GetProperty("trainSeconds").GetDouble().ToString("0.0", CultureInfo.InvariantCulture), cells[9]);
        }
    }

    [Fact]
    public void Json_Runs_GiveTheTablesMeans()
    {
        foreach (IGrouping<string, JsonElement> runs in run.Results.GetProperty("runs").EnumerateArray().GroupBy(r => r.GetProperty("policy").GetString()!))
        {
            double mean = runs.Average(r => r.GetProperty("last").GetProperty("accuracy").GetDouble());
            Assert.Equal(run.Table[runs.Key].GetProperty("accuracy").GetDouble(), mean, 1e-12);
            Assert.Equal(runs.Select((_, i) => i + 1), runs.Select(r => r.GetProperty("seed").GetInt32()));
        }
    }

    [Fact]
    public void Json_AgainstUniform_IsTheDifferenceOfTheMeans()
    {
        foreach (JsonElement difference in run.Results.GetProperty("againstUniform").EnumerateArray())
        {
            double policy = run.Table[difference.GetProperty("policy").GetString()!].GetProperty("accuracy").GetDouble();
            double uniform = run.Table["Uniform"].GetProperty("accuracy").GetDouble();
            Assert.Equal(100 * (policy - uniform), difference.GetProperty("points").GetDouble(), 1e-9);
        }
    }

    [Fact]
    public void Output_Findings_StandInPageAndJsonAsWell()
    {
        string[] findings = [.. run.Results.GetProperty("findings").EnumerateArray().Select(f => f.GetString()!)];

        Assert.Equal(8, findings.Length);
        string output = Space().Replace(run.Output, " ");
        Assert.All(findings, finding => Assert.Contains(finding, output, StringComparison.Ordinal));
        Assert.All(findings, finding => Assert.Contains(HtmlPage.Encode(finding), run.Page, StringComparison.Ordinal));
        Assert.Contains(QuickStartResults.CostNote, output, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_LoadsNothingAndKnowsLightAndDark()
    {
        Assert.DoesNotContain("http", run.Page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<script", run.Page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("url(", run.Page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("src=", run.Page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("prefers-color-scheme: dark", run.Page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_Plot_HasOneCurveForEachPolicyWithinTheFrame()
    {
        XElement svg = Svg(run.Page);
        double[] frame = [.. svg.Attribute("viewBox")!.Value.Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];

        XElement[] curves = [.. svg.Elements("polyline")];

        Assert.Equal(10, curves.Length);
        Assert.Equal(10, curves.Select(curve => curve.Attribute("class")!.Value).Distinct().Count());
        Assert.Equal(9, svg.Elements("polygon").Count()); // one seed has no band
        foreach (XElement curve in curves.Concat(svg.Elements("polygon")))
        {
            foreach (string point in curve.Attribute("points")!.Value.Split(' '))
            {
                double[] xy = [.. point.Split(',').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];
                Assert.InRange(xy[0], 0, frame[2]);
                Assert.InRange(xy[1], 0, frame[3]);
            }
        }
    }

    [Fact]
    public void Page_Table_ShowsTheSameFigures()
    {
        foreach ((string policy, JsonElement row) in run.Table)
        {
            string accuracy = row.GetProperty("accuracy").GetDouble().ToString("P2", CultureInfo.InvariantCulture);
            Assert.Contains($"<tr><th>{policy}</th><td>{HtmlPage.Encode(accuracy)}</td>", run.Page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Run_SameSeedsAgain_GivesTheSameAccuracies()
    {
        var again = new SmallRun();
        await again.InitializeAsync();

        Assert.Equal(run.Table.Select(row => (row.Key, row.Value.GetProperty("accuracy").GetDouble())), again.Table.Select(row => (row.Key, row.Value.GetProperty("accuracy").GetDouble())));
        await again.DisposeAsync();
    }

    [Fact]
    public void Run_OneSeedOnePassInATerminal_ShowsBarsAndClaimsNothing()
    {
        var output = new StringWriter();
        var options = new QuickStartOptions { Data = run.Folder, Seeds = 1, FullSeeds = 0, Passes = 1, Chunk = 320, Window = 160, Quick = true, Html = Path.Combine(run.Folder, "terminal.html") };

        QuickStartResults results = QuickStart.Run(options, Runner.CreateConsole(output, isTerminal: true), TestContext.Current.CancellationToken);

        Assert.Equal(["Uniform", "BalancedGradientNorm"], results.Table.Select(row => row.Name));
        Assert.Contains("from one seed: that says nothing yet", Assert.Single(results.Findings()), StringComparison.Ordinal);
        Assert.Contains("100%", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("This is a taste", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NoisyLabels_LearnsLess()
    {
        var options = new QuickStartOptions { Data = run.Folder, Seeds = 1, FullSeeds = 1, Passes = 3, Chunk = 320, Window = 160, Html = Path.Combine(run.Folder, "noise.html") };
        IAnsiConsole console = Runner.CreateConsole(TextWriter.Null);

        double clean = QuickStart.Run(options, console, TestContext.Current.CancellationToken).Table[^1].Accuracy;
        double noisy = QuickStart.Run(options with { Noise = 1 }, console, TestContext.Current.CancellationToken).Table[^1].Accuracy;

        Assert.True(clean > 0.9 && noisy < 0.5, $"{clean} and {noisy}");
    }

    [Fact]
    public void Run_StatisticsInEightBits_SaysSoAndStillRecordsEveryRow()
    {
        var options = new QuickStartOptions { Data = run.Folder, Seeds = 1, FullSeeds = 0, Passes = 1, Chunk = 320, Window = 160, StatisticBits = 8, Html = Path.Combine(run.Folder, "bits.html") };

        QuickStartResults results = QuickStart.Run(options, Runner.CreateConsole(TextWriter.Null), TestContext.Current.CancellationToken);

        Assert.Contains("records its statistics, loss and gradient norm in 8 bits each.", results.Protocol(), StringComparison.Ordinal);
        Assert.Equal((128, 1280 - 320), (results.Table[1].BackwardRows, results.Table[1].RecordedRows));
    }

    [Fact]
    public void Findings_IntervalHoldsZero_SaysNoDifference()
    {
        QuickStartResults results = Results([0.80, 0.82], [0.81, 0.81]);

        Assert.StartsWith("No difference between BalancedGradientNorm and Uniform at the same 100 backward rows is shown: +0.00 points", Assert.Single(results.Findings()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.03, "BalancedGradientNorm ends 3.00 points above Uniform")]
    [InlineData(-0.03, "BalancedGradientNorm ends 3.00 points below Uniform")]
    public void Findings_ClearDifference_NamesItsSide(double difference, string expected)
    {
        QuickStartResults results = Results([0.80 + difference, 0.8001 + difference], [0.80, 0.80]);

        Assert.StartsWith(expected, Assert.Single(results.Findings()).Replace("3.01", "3.00", StringComparison.Ordinal).Replace("2.99", "3.00", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_RealData_ReachesThePlausible()
    {
        Assert.SkipUnless(Directory.Exists(FashionMnist.DebianFolder), "The Debian package dataset-fashion-mnist is not installed.");
        using var folder = new TemporaryFolder();
        var options = new QuickStartOptions { Seeds = 1, FullSeeds = 0, Passes = 1, Html = folder.File("page.html") };

        QuickStartResults results = QuickStart.Run(options, Runner.CreateConsole(TextWriter.Null), TestContext.Current.CancellationToken);

        Assert.All(results.Table, row => Assert.Equal(6000, row.BackwardRows));
        Assert.All(results.Table, row => Assert.InRange(row.Accuracy, 0.70, 0.86));
        Assert.Equal(60_000 - 2560, results.Table[1].RecordedRows);
    }

    private static QuickStartResults Results(double[] balanced, double[] uniform)
    {
        List<PolicyRun> runs = [];
        for (int i = 0; i < uniform.Length; i++)
        {
            runs.Add(Run("Uniform", uniform[i], i + 1));
            runs.Add(Run("BalancedGradientNorm", balanced[i], i + 1));
        }

        return QuickStartResults.Of(new QuickStartOptions(), new FashionMnist([], []), runs, 1);

        static PolicyRun Run(string policy, double accuracy, int seed) => new(policy, seed, [new CurvePoint(8, accuracy, 100, 0, 0, 0, 0, 0)]);
    }

    private static XElement Svg(string page)
        => XElement.Parse(page[page.IndexOf("<svg", StringComparison.Ordinal)..(page.IndexOf("</svg>", StringComparison.Ordinal) + "</svg>".Length)]);

    [GeneratedRegex(@"\s{2,}")]
    private static partial Regex ColumnGap();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    /// <summary>All policies on the small data set, through the command line.</summary>
    public sealed class SmallRun : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();

        public string Folder => _folder.Path;

        public string Html => _folder.File("page.html");

        public string Json => _folder.File("deeper/results.json");

        public int ExitCode { get; private set; }

        public string Output { get; private set; } = "";

        public string Error { get; private set; } = "";

        public string Page { get; private set; } = "";

        public JsonElement Results { get; private set; }

        public Dictionary<string, JsonElement> Table => Results.GetProperty("table").EnumerateArray().ToDictionary(row => row.GetProperty("policy").GetString()!);

        public async ValueTask InitializeAsync()
        {
            TinyFashionMnist.Write(_folder.Path);
            string[] args = ["quick-start", "--data", _folder.Path, "--policies", "all", "--seeds", $"{Seeds}", "--full-seeds", "1", "--passes", $"{Passes}", "--chunk", "320", "--window", "160", "--validation", $"{Validation}", "--html", Html, "--json", Json];
            (ExitCode, Output, Error) = await Runner.RunAsync(args);
            if (ExitCode != 0)
                return;
            Page = await File.ReadAllTextAsync(Html);
            Results = JsonDocument.Parse(await File.ReadAllTextAsync(Json)).RootElement;
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
