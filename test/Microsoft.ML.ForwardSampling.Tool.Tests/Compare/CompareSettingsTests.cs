using System.Text.Json;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

/// <summary>Batches of other sizes and compositions, and each training at its own best, through the command line.</summary>
public sealed class CompareSettingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Json => _folder.File("results.json");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("binary", "Bought", "Kind,Price")]
    [InlineData("multiclass", "Kind", "Bought,Price")]
    [InlineData("regression", "Price", "Bought,Kind")]
    public async Task Batch_SeveralSizesAndCompositions_TrainPoliciesAtEach(string task, string label, string ignore)
    {
        CompareResults results = await RunAsync(task, label, ignore, "--batch", "32,8", "--batches", "shuffled,stratified");

        CompareSummary[] table = [.. results.Table()];
        Assert.Equal(
            [
                "Uniform", "Uniform · stratified", "Uniform · batch 8", "Uniform · batch 8 · stratified", "BalancedGradientNorm",
                "BalancedGradientNorm · stratified", "BalancedGradientNorm · batch 8", "BalancedGradientNorm · batch 8 · stratified",
                "Early-stopped full training", "Full training",
            ], table.Select(row => row.Arm));
        Assert.All(results.Runs, run => Assert.Null(run.Failure));
        CompareRun usual = RunOf("BalancedGradientNorm"), other = RunOf("BalancedGradientNorm · batch 8 · stratified");
        Assert.Null(usual.Setting);
        Assert.Equal(new CompareSetting(8, 0.003, BatchComposition.Stratified), other.Setting);
        Assert.Equal(usual.Curve[^1].BackwardRows, other.Curve[^1].BackwardRows);
        Assert.InRange(other.Curve[^1].Steps, 3.5 * usual.Curve[^1].Steps, 4.5 * usual.Curve[^1].Steps);
        Assert.Equal(table.Length, table.Select(row => row.Values[^1].Mean).Distinct().Count());

        CompareRun RunOf(string arm) => results.Runs.First(run => run.Arm == arm);
    }

    [Fact]
    public async Task Batch_NothingSaid_ShowsTheTrainersOwnDefaultForSelectedRows()
    {
        CompareResults results = await RunAsync("binary", "Bought", "Kind,Price");

        Assert.Equal(["Uniform", "Uniform · batch 16 · stratified", "BalancedGradientNorm", "BalancedGradientNorm · batch 16 · stratified",
            "Early-stopped full training", "Full training"], results.Table().Select(row => row.Arm));
        CompareSetting shown = results.Runs.First(run => run.Setting is not null).Setting!;
        Assert.Equal((16, BatchComposition.Stratified), (shown.Batch, shown.Batches)); // as the trainer's own test has it
    }

    [Fact]
    public async Task Json_GapClosed_IsThatOfTheTable()
    {
        CompareResults results = await RunAsync("regression", "Price", "Bought,Kind", "--batch", "16", "--batches", "shuffled");

        using var json = JsonDocument.Parse(File.ReadAllText(Json));
        JsonElement[] rows = [.. json.RootElement.GetProperty("table").EnumerateArray()];
        Assert.Equal([0.0, 1.0], rows.Where(row => row.GetProperty("arm").GetString() is "Uniform" or "Full training")
            .Select(row => Math.Round(row.GetProperty("gapClosed").GetDouble(), 12)));
        Assert.Equal(results.Table().Select(row => row.GapClosed?.Mean), rows.Select(row => row.GetProperty("gapClosed").GetDouble()
            as double?));
    }

    [Fact]
    public async Task Json_FullTrainingLeftOut_HasNullForTheGap()
    {
        await RunAsync("regression", "Price", "Bought,Kind", "--full-seeds", "0");

        using var json = JsonDocument.Parse(File.ReadAllText(Json));
        Assert.All(json.RootElement.GetProperty("table").EnumerateArray(),
            row => Assert.Equal(JsonValueKind.Null, row.GetProperty("gapClosed").ValueKind));
    }

    [Fact]
    public async Task Tune_EveryTraining_IsAlsoShownAtItsBestTryOnHeldOutRows()
    {
        CompareResults results = await RunAsync("binary", "Bought", "Kind,Price", "--tune", "--batches", "shuffled");

        IReadOnlyList<CompareSetting> grid = CompareTuning.Grid(results.Experiment.Setting);
        string[] bases = ["Uniform", "BalancedGradientNorm", "Early-stopped full training", "Full training"];
        Assert.Equal(2 * 4 * 2, grid.Distinct().Count());
        Assert.Equal(bases.SelectMany(arm => grid.Select(setting => (arm, setting))), results.Tries.Select(t => (t.Arm, t.Setting)));
        Assert.Equal(120, results.Experiment.ValidationRows); // a tenth of the 1200 training rows
        Assert.Equal(bases.SelectMany(arm => new[] { arm, $"{arm} · own best" }), results.Table().Select(row => row.Arm));
        foreach (string arm in bases)
        {
            CompareTry best = results.Tries.Where(t => t.Arm == arm).MinBy(t => t.Value)!; // bits: lower is better
            Assert.All(results.Runs.Where(run => run.Arm == $"{arm} · own best"), run => Assert.Equal(best.Setting, run.Setting));
        }

        Assert.Contains("Own best is chosen on 120 held-out training rows", results.Protocol(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tune_GoesOnFromItsFile_TriesNothingAgain()
    {
        CompareResults first = await RunAsync("binary", "Bought", "Kind,Price", "--tune", "--batches", "shuffled");
        CompareResults again = await RunAsync("binary", "Bought", "Kind,Price", "--tune", "--batches", "shuffled", "--resume", Json,
            "--seeds", "3");

        Assert.Equal(first.Tries, again.Tries);
        Assert.Equal(first.Runs.Select(run => (run.Arm, run.Seed, run.Curve[^1].Values[0], run.Curve[^1].TrainSeconds)),
            again.Runs.Take(first.Runs.Count).Select(run => (run.Arm, run.Seed, run.Curve[^1].Values[0], run.Curve[^1].TrainSeconds)));
        Assert.All(again.Table(), row => Assert.Equal(CompareArm.BaseOf(row.Arm) == "Full training" ? 2 : 3, row.Seeds));
    }

    [Theory]
    [InlineData("--batch", "0")]
    [InlineData("--batch", "16,many")]
    [InlineData("--batches", "sorted")]
    public async Task Options_OutOfRange_AreRefusedByName(string option, string value)
    {
        (int exitCode, _, string error) = await Runner.RunAsync(["compare", option, value], TestContext.Current.CancellationToken);

        Assert.Equal(1, exitCode);
        Assert.Contains(option, error, StringComparison.Ordinal);
    }

    private async Task<CompareResults> RunAsync(string task, string label, string ignore, params string[] more)
    {
        string[] arguments = ["compare", "--data", TinyCsv.Write(_folder), "--task", task, "--label", label, "--ignore", ignore,
            "--policies", "balanced-gradient-norm", "--passes", "2", "--json", Json, "--html", _folder.File("results.html")];
        string[] seeds = more.Contains("--seeds") ? ["--full-seeds", "2"] : ["--seeds", "2"];
        (int exitCode, _, string error) = await Runner.RunAsync([.. arguments, .. seeds, .. more], TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), (exitCode, error));
        return CompareResults.FromFile(Json);
    }
}
