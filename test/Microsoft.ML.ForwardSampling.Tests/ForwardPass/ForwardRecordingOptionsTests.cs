using Microsoft.ML.ForwardSampling.ForwardPass;

namespace Microsoft.ML.ForwardSampling.Tests.ForwardPass;

public class ForwardRecordingOptionsTests
{
    [Fact]
    public void Defaults_AreMLNetsNamesAndOurs()
        => Assert.Equal(
            new ForwardRecordingOptions
            {
                Task = PredictionTask.Regression,
                MulticlassScores = MulticlassScores.Probabilities,
                LabelColumnName = "Label",
                ScoreColumnName = "Score",
                ProbabilityColumnName = "Probability",
                LossColumnName = "Forward.Loss",
                GradientNormColumnName = "Forward.GradientNorm",
                MarginColumnName = "Forward.Margin",
                EntropyColumnName = "Forward.Entropy",
                ResidualColumnName = "Forward.Residual",
            },
            new ForwardRecordingOptions());

    [Fact]
    public void Task_NotDeclared_NamesTheTasks()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new ForwardRecordingOptions { Task = (PredictionTask)9 });
        Assert.StartsWith("ForwardRecordingOptions.Task must be one of Regression, Binary, Multiclass. (Parameter 'Task')", error.Message);
    }

    [Fact]
    public void MulticlassScores_NotDeclared_IsRefused()
        => Assert.Throws<ArgumentOutOfRangeException>(() => new ForwardRecordingOptions { MulticlassScores = (MulticlassScores)9 });

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void ColumnNames_Empty_AreRefused(string? name)
    {
        Assert.ThrowsAny<ArgumentException>(() => new ForwardRecordingOptions { LabelColumnName = name! });
        Assert.ThrowsAny<ArgumentException>(() => new ForwardRecordingOptions { ScoreColumnName = name! });
        Assert.ThrowsAny<ArgumentException>(() => new ForwardRecordingOptions { ProbabilityColumnName = name! });
        Assert.ThrowsAny<ArgumentException>(() => new ForwardRecordingOptions { LossColumnName = name! });
        Assert.ThrowsAny<ArgumentException>(() => new ForwardRecordingOptions { GradientNormColumnName = name! });
        Assert.ThrowsAny<ArgumentException>(() => new ForwardRecordingOptions { MarginColumnName = name! });
        Assert.ThrowsAny<ArgumentException>(() => new ForwardRecordingOptions { EntropyColumnName = name! });
        Assert.ThrowsAny<ArgumentException>(() => new ForwardRecordingOptions { ResidualColumnName = name! });
    }

    [Fact]
    public void Validate_TwoOptionsWithOneColumn_NamesBothAndTheColumn()
    {
        var options = new ForwardRecordingOptions { MarginColumnName = "Label" };
        var error = Assert.Throws<ArgumentException>(options.Validate);
        Assert.Equal(
            "ForwardRecordingOptions.LabelColumnName and ForwardRecordingOptions.MarginColumnName are both 'Label': each needs a column "
                + "of its own. (Parameter 'MarginColumnName')",
            error.Message);
    }

    [Fact]
    public void RecordForwardPass_OptionsThatContradictEachOther_FailsAtOnce()
    {
        var ml = new MLContext(seed: 1);
        Assert.Throws<ArgumentException>(() => ml.ForwardSampling()
            .RecordForwardPass(ml.Regression.Trainers.Sdca(), new ForwardRecordingOptions { MarginColumnName = "Score" }));
    }
}
