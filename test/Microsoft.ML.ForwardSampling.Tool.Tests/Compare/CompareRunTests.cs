using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Tool.Pages;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

/// <summary>The comparison on a small file of its own, through the command line; run once, looked at from many sides.</summary>
public sealed class CompareRunTests(CompareRunTests.SmallRun run) : IClassFixture<CompareRunTests.SmallRun>
{
    [Fact]
    public void Run_Finished_SaysWhereTheFilesAre()
    {
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains($"Written: {run.Json}", run.Output, StringComparison.Ordinal);
        Assert.Contains($"Written: {run.Html}", run.Output, StringComparison.Ordinal);
        Assert.Contains("Cube, seed 2 of 2: ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Table_EveryArm_IsThereWithItsRowsCounted()
    {
        // 640 of a chunk give 64; the last chunk of a pass is short.
        CompareSummary[] table = [.. run.Results.Table()];
        int rows = run.Results.TrainingRows, rest = rows % 640;
        long budget = 3L * (rows / 640 * 64 + (int)Math.Round(0.1 * rest, MidpointRounding.AwayFromZero));

        Assert.Equal([.. PolicyTable.All.Select(policy => policy.Name), "Early-stopped full training", "Full training"],
            table.Select(row => row.Arm));
        foreach (CompareSummary row in table)
        {
            bool isRecorded = row.Arm is not ("Uniform" or "Assisted") && !row.Arm.EndsWith("training", StringComparison.Ordinal);
            Assert.Equal(row.Arm == "Full training" ? 3L * rows : budget, row.Last!.BackwardRows);
            Assert.Equal(isRecorded ? 3L * rows - 640 : 0, row.Last.RecordedRows);
            // Assisted is told the losses of what it chose, after the first chunk, which is drawn evenly; ReducibleLoss has each row scored
            // once by another network.
            Assert.Equal(row.Arm switch { "Assisted" => budget - 64, "ReducibleLoss" => rows, _ => 0 }, row.Last.ForwardRows);
            Assert.Equal((row.Arm == "Full training" ? 1 : 2, 0), (row.Seeds, row.Failed));
            Assert.True(row.Last.TrainSeconds > 0 && row.Last.RecordSeconds > 0 == isRecorded);
        }
    }

    [Fact]
    public void Table_FullTraining_HasLearnt()
        => Assert.InRange(run.Results.Table()[^1].Values[0].Mean, 0, 0.6); // bits; an even chance is 1

    [Fact]
    public void Table_PValues_AreThoseOfThePairedTestAdjusted()
    {
        CompareSummary[] table = [.. run.Results.Table()];
        double[] Logs(string arm) => [.. run.Results.Runs.Where(r => r.Arm == arm).OrderBy(r => r.Seed).Select(r => r.Curve[^1].Values[0])];
        string[] family = [.. table.Select(row => row.Arm).Where(arm => arm is not ("Uniform" or "Full training"))];

        double[] expected = Statistics.Holm([.. family.Select(arm => PairedDifference.Of(Logs(arm), Logs("Uniform")).PValue)]);

        Assert.Equal(expected, family.Select(arm => table.Single(row => row.Arm == arm).PValue));
    }

    [Fact]
    public void Selection_TopAndBottomLoss_ChooseTheEnds()
    {
        SelectionShape top = ShapeOf("TopLoss"), bottom = ShapeOf("BottomLoss"), uniform = ShapeOf("Uniform");

        Assert.Null(uniform.ByLoss);
        Assert.InRange(uniform.ByClass.Average(), 0.08, 0.12);
        Assert.InRange(top.ByLoss![^1], 0.9, 1);
        Assert.InRange(bottom.ByLoss![0], 0.9, 1);
        Assert.Equal(1, uniform.Weights[SelectionProfile.WeightBins.ToList().IndexOf("1")]);
        Assert.Equal(1, ShapeOf("GradientNorm").Weights.Sum(), 1e-9);
    }

    [Fact]
    public void Json_Table_HoldsTheSameFigures()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(run.Json));
        JsonElement root = json.RootElement;

        Assert.Equal(JsonValueKind.Null, root.GetProperty("partial").ValueKind);
        Assert.Equal(run.Results.Finding(), root.GetProperty("finding").GetString());
        foreach ((JsonElement row, CompareSummary expected) in root.GetProperty("table").EnumerateArray().Zip(run.Results.Table()))
        {
            Assert.Equal(expected.Arm, row.GetProperty("arm").GetString());
            Assert.Equal(expected.Values.Select(v => v.Mean),
                row.GetProperty("values").EnumerateArray().Select(v => v.GetProperty("mean").GetDouble()));
            Assert.Equal(expected.Last!.BackwardRows, row.GetProperty("backwardRows").GetInt64());
        }
    }

    [Fact]
    public void Output_AnswerAndTable_AreThoseOfTheResults()
    {
        string output = string.Join(' ', run.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

        Assert.Contains(run.Results.Finding(), output, StringComparison.Ordinal);
        foreach (CompareSummary row in run.Results.Table())
            Assert.Contains($"{row.Arm} {CompareText.Mean(run.Results.Metrics[0], row.Values[0])} ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_IsWellFormedLoadsNothingAndKnowsLightAndDark()
    {
        string page = File.ReadAllText(run.Html);

        XElement html = Parse(page);
        Assert.Equal(5, html.Descendants("svg").Count());
        Assert.All(html.Descendants("svg"), svg => Assert.InRange(svg.Elements("polyline").Count(), 2, PolicyTable.All.Count + 2));
        foreach (string forbidden in (string[])["http:", "https:", "url(", "src=", "@import", "<script", "<link", "NaN", "Infinity"])
            Assert.DoesNotContain(forbidden, page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
        Assert.Contains(HtmlPage.Encode(run.Results.Finding()), page, StringComparison.Ordinal);
        Assert.DoesNotContain("partial:", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Table_OfAResultsFile_IsWrittenInMarkdown()
    {
        (int exitCode, string output, string error) = await Runner.RunAsync(["compare", "--table", run.Json],
            TestContext.Current.CancellationToken);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("### results", output, StringComparison.Ordinal);
        Assert.Contains("| Training | log-loss, bits | AUC | accuracy | to Uniform |", output, StringComparison.Ordinal);
        Assert.Equal(PolicyTable.All.Count + 4, output.Split('\n').Count(line => line.StartsWith('|')));
    }

    [Fact]
    public async Task Across_ResultsFiles_StandSideBySideWithWhatDiffersMarked()
    {
        string other = Path.Combine(run.Folder, "other.json");
        File.Copy(run.Json, other, overwrite: true);

        (int exitCode, string output, string error) = await Runner.RunAsync(["compare", "--across", run.Json, other],
            TestContext.Current.CancellationToken);

        Assert.Equal((0, ""), (exitCode, error));
        string[] lines = [.. output.Split('\n').Where(line => line.StartsWith('|'))];
        Assert.Equal("| Training | results | other |", lines[0].TrimEnd());
        Assert.Equal(PolicyTable.All.Count + 4, lines.Length);
        foreach ((CompareSummary row, string line) in run.Results.Table().Zip(lines[2..]))
        {
            string mark = row.PValue < 0.05 ? (row.AgainstUniform!.Mean < 0 ? " ▲" : " ▼") : "";
            string cell = CompareText.Mean(run.Results.Metrics[0], row.Values[0]) + mark;
            Assert.Equal($"| {row.Arm} | {cell} | {cell} |", line.TrimEnd());
        }
    }

    [Fact]
    public async Task Resume_MoreSeedsAndFewerPolicies_RunsOnlyWhatIsMissing()
    {
        string json = Path.Combine(run.Folder, "more.json");
        File.Copy(run.Json, json);

        (int exitCode, string output, string error) = await Runner.RunAsync(
            [.. SmallRun.Arguments(run.Csv), "--policies", "cube", "--seeds", "3", "--full-seeds", "1", "--resume", json],
            TestContext.Current.CancellationToken);

        Assert.Equal((0, ""), (exitCode, error));
        var more = CompareResults.FromFile(json);
        string[] added = [.. more.Runs.Skip(run.Results.Runs.Count).Select(r => $"{r.Arm} {r.Seed}")];
        Assert.Equal(["Uniform 3", "Cube 3", "Early-stopped full training 3"], added);
        Assert.Contains($"{json}: {run.Results.Runs.Count} runs are finished, 3 are missing.", output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.ChangeExtension(json, ".html")));
    }

    [Fact]
    public async Task Run_SameSeedAgain_GivesTheSameFigures()
    {
        string json = Path.Combine(run.Folder, "again.json");

        await Runner.RunAsync([.. SmallRun.Arguments(run.Csv), "--policies", "balanced-gradient-norm", "--seeds", "1", "--full-seeds", "0",
            "--json", json], TestContext.Current.CancellationToken);

        foreach (CompareRun again in CompareResults.FromFile(json).Runs)
        {
            CompareRun before = run.Results.Runs.Single(r => r.Arm == again.Arm && r.Seed == 1);
            Assert.Equal(before.Curve.SelectMany(point => point.Values), again.Curve.SelectMany(point => point.Values));
        }
    }

    [Theory]
    [InlineData("--budget 0.2", "holds runs with budget 0.1, and this comparison has 0.2: give the same options, or leave out --resume.")]
    [InlineData("--record-age 3", "holds runs with recordAge 1, and this comparison has 3")]
    [InlineData("--test-share 0.3", "holds runs with fingerprint ")]
    public async Task Resume_OtherOptions_AreRefused(string options, string expected)
    {
        (int exitCode, _, string error) = await Runner.RunAsync(
            [.. SmallRun.Arguments(run.Csv), .. options.Split(' '), "--resume", run.Json], TestContext.Current.CancellationToken);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal(run.Results.Runs.Count, CompareResults.FromFile(run.Json).Runs.Count);
    }

    private SelectionShape ShapeOf(string arm) => run.Results.Runs.First(r => r.Arm == arm).Selection!;

    private static XElement Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XElement.Load(reader);
    }

    /// <summary>All policies on a small file.</summary>
    public sealed class SmallRun : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();
        private CompareResults? _results;

        public string Folder => _folder.Path;

        public string Csv => _folder.File("rows.csv");

        public string Json => _folder.File("out/results.json");

        public string Html => _folder.File("page.html");

        public int ExitCode { get; private set; }

        public string Output { get; private set; } = "";

        public string Error { get; private set; } = "";

        internal CompareResults Results => _results ??= CompareResults.FromFile(Json);

        public static string[] Arguments(string csv) => ["compare", "--data", csv, "--label", "Bought", "--task", "binary", "--ignore",
            "Kind,Price", "--passes", "3", "--hidden", "16", "--learning-rate", "0.01", "--batches", "shuffled"];

        public async ValueTask InitializeAsync()
        {
            TinyCsv.Write(_folder);
            (ExitCode, Output, Error) = await Runner.RunAsync(
                [.. Arguments(Csv), "--policies", "all", "--seeds", "2", "--full-seeds", "1", "--json", Json, "--html", Html]);
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
