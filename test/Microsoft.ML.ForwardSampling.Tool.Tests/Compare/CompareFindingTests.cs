using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

public sealed class CompareFindingTests
{
    [Fact]
    public void Finding_NothingDiffers_SaysThatNoPolicyBeatsUniform()
        => Assert.Equal(
            "No policy beats Uniform here at 100 backward rows (10 %), over 5 seeds.",
            Finding(("Uniform", [.80, .81, .82, .83, .84]), ("Cube", [.81, .80, .83, .82, .84])));

    [Fact]
    public void Finding_APolicyIsClearlyBetter_NamesItWithDifferenceAndChance()
    {
        string finding = Finding(("Uniform", [.80, .81, .82, .83, .84]), ("Cube", [.83, .84, .851, .86, .87]),
            ("TopLoss", [.60, .61, .62, .63, .641]));

        Assert.StartsWith("Cube beats Uniform here at 100 backward rows (10 %): +3.02 [+2.96, +3.08] points of accuracy (p < 0.001, 5 "
            + "seeds)", finding, StringComparison.Ordinal);
        Assert.EndsWith("; TopLoss is worse than it.", finding, StringComparison.Ordinal);
    }

    [Fact]
    public void Finding_EarlyStoppingDoesAsWell_SaysSo()
        => Assert.EndsWith(
            "; early-stopped full training does as well or better.",
            Finding(("Uniform", [.80, .81, .82]), ("Cube", [.83, .84, .851]), ("Early-stopped full training", [.85, .86, .87])),
            StringComparison.Ordinal);

    [Fact]
    public void Finding_OnlyEarlyStoppingIsBetter_IsNoPolicysMerit()
        => Assert.Equal(
            "No policy beats Uniform here at 100 backward rows (10 %), over 3 seeds; early-stopped full training does.",
            Finding(("Uniform", [.80, .81, .82]), ("Cube", [.801, .809, .82]), ("Early-stopped full training", [.85, .86, .8701])));

    [Fact]
    public void Finding_OneSeed_SaysNothing()
        => Assert.Contains("from one seed a policy's effect cannot be told from chance", Finding(("Uniform", [.8]), ("Cube", [.9])),
            StringComparison.Ordinal);

    [Fact]
    public void Finding_NoPolicyFinished_SaysNothing()
        => Assert.Contains("no policy has a finished run", Finding(("Uniform", [.8, .9])), StringComparison.Ordinal);

    [Fact]
    public void Finding_LowerIsBetter_PrefersTheLower()
    {
        CompareResults results = Results(PredictionTask.Regression, ("Uniform", [.50, .51, .52]), ("Cube", [.40, .412, .42]),
            ("TopLoss", [.60, .61, .622]));

        Assert.StartsWith("Cube beats Uniform here at 100 backward rows (10 %): −0.0993", results.Finding(), StringComparison.Ordinal);
        Assert.Contains("; TopLoss is worse than it", results.Finding(), StringComparison.Ordinal);
    }

    [Fact]
    public void Table_ManyPolicies_AreAdjustedForTheirNumber()
    {
        (string, double[]) uniform = ("Uniform", [.80, .81, .82, .83]), cube = ("Cube", [.811, .813, .828, .842]);
        double alone = Results(PredictionTask.Multiclass, uniform, cube).Table().Single(row => row.Arm == "Cube").PValue;
        double among = Results(PredictionTask.Multiclass, uniform, cube, ("TopLoss", [.79, .83, .81, .82]),
            ("InfoBatch", [.82, .80, .81, .84])).Table().Single(row => row.Arm == "Cube").PValue;

        Assert.Equal(3 * alone, among, 1e-12);
        Assert.InRange(alone, 0.001, 0.05);
    }

    [Fact]
    public void Table_FullTraining_IsNoPartOfTheFamily()
    {
        CompareSummary full = Results(PredictionTask.Multiclass, ("Uniform", [.80, .81, .82]), ("Full training", [.90, .91, .92])).Table()
            .Single(row => row.Arm == "Full training");

        Assert.True(double.IsNaN(full.PValue));
        Assert.Equal(0.1, full.AgainstUniform!.Mean, 1e-12);
    }

    [Fact]
    public void Table_AFailedRun_IsCountedAndNotCompared()
    {
        CompareResults results = Results(PredictionTask.Multiclass, ("Uniform", [.80, .81, .82]), ("Cube", [.90, .91]));
        results = results with { Runs = [.. results.Runs, new CompareRun("Cube", 3, [], null, "the loss is no longer finite")] };

        CompareSummary cube = results.Table().Single(row => row.Arm == "Cube");

        Assert.Equal((2, 1), (cube.Seeds, cube.Failed));
        Assert.Null(cube.AgainstUniform);
        Assert.Contains("Cube, seed 3, failed: the loss is no longer finite", ComparePage.Of(results), StringComparison.Ordinal);
        Assert.StartsWith("Nothing can be said yet", results.Finding(), StringComparison.Ordinal);
    }

    private static string Finding(params (string Arm, double[] Values)[] arms) => Results(PredictionTask.Multiclass, arms).Finding();

    private static CompareResults Results(PredictionTask task, params (string Arm, double[] Values)[] arms)
    {
        CompareRun[] runs = [.. arms.SelectMany(arm => arm.Values.Select(
            (value, i) => new CompareRun(arm.Arm, i + 1, [new ComparePoint([value, 1], 100, 0, 0, 2, 0, 0, 1)], null, null)))];
        return new CompareResults
        {
            Experiment = new CompareExperiment
            {
                Data = "made",
                Fingerprint = "0",
                Task = task,
                Budget = 0.1,
                Noise = 0,
                RareClass = null,
                RareShare = 0,
                RecordAge = 1,
                Passes = 1,
                Chunk = 100,
                Window = 100,
                Batch = 64,
                Network = "8",
                LearningRate = 0.001,
                Schedule = CompareSchedule.Linear,
                Loss = CompareLoss.Squared,
            },
            TrainingRows = 1000,
            TestRows = 100,
            Features = 3,
            Classes = [],
            Notes = [],
            Planned = runs.Length,
            Runs = runs,
        };
    }
}
