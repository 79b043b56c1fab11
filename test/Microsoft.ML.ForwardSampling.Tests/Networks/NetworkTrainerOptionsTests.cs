using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

public class NetworkTrainerOptionsTests
{
    [Fact]
    public void Defaults_AreAsDocumented()
    {
        var options = new NetworkTrainerOptions();
        Assert.Equal("Label", options.LabelColumnName);
        Assert.Equal("Features", options.FeatureColumnName);
        Assert.Null(options.ExampleWeightColumnName);
        Assert.Equal([128, 64], options.HiddenLayers);
        Assert.Equal(Activation.ReLU, options.Activation);
        Assert.Equal(Normalization.None, options.Normalization);
        Assert.Equal(0, options.Dropout);
        Assert.Equal(RegressionLoss.Squared, options.RegressionLoss);
        Assert.Equal(new AdamOptions { LearningRate = 0.001, Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8 }, options.Optimizer);
        Assert.Equal(LearningRateSchedule.Constant, options.LearningRateSchedule);
        Assert.Null(options.MaximumGradientNorm);
        Assert.Null(options.BatchSize);
        Assert.Null(options.Batches);
        Assert.Equal(10, options.Epochs);
        Assert.Null(options.MaximumSteps);
        Assert.Null(options.HeldOutShare);
        Assert.True(options.Shuffle);
        Assert.Equal(1024, options.MaximumRowMegabytes);
        Assert.Equal(1, options.Threads);
        Assert.Equal("cpu", options.Device);
        Assert.Equal(new SgdOptions { LearningRate = 0.01, Momentum = 0.9, WeightDecay = 0 }, new SgdOptions());
        Assert.Equal(0.01, new AdamWOptions().WeightDecay);
        Assert.Equal(3, new EarlyStopping().Patience);
        var selection = new InTrainingSelection();
        Assert.Equal(new BalancedGradientNormPolicy(), selection.Policy);
        Assert.Equal((640, SelectionBudget.Share(0.1), StatisticsSource.Fresh),
            (selection.WindowSize, selection.Budget, selection.Statistics));
    }

    public static TheoryData<string, Func<object>> OutOfRange() => new()
    {
        { "NetworkTrainerOptions.Dropout must be in [0, 1). (Parameter 'Dropout')\nActual value was 1.",
            () => new NetworkTrainerOptions { Dropout = 1 } },
        { "NetworkTrainerOptions.Dropout must be in [0, 1). (Parameter 'Dropout')\nActual value was NaN.",
            () => new NetworkTrainerOptions { Dropout = float.NaN } },
        { "NetworkTrainerOptions.BatchSize must be in [1, 1048576]. (Parameter 'BatchSize')\nActual value was 0.",
            () => new NetworkTrainerOptions { BatchSize = 0 } },
        { "NetworkTrainerOptions.Epochs must be in [1, 1000000]. (Parameter 'Epochs')\nActual value was -1.",
            () => new NetworkTrainerOptions { Epochs = -1 } },
        { "NetworkTrainerOptions.HeldOutShare must be in [0, 0.5]. (Parameter 'HeldOutShare')\nActual value was 0.6.",
            () => new NetworkTrainerOptions { HeldOutShare = 0.6 } },
        { "NetworkTrainerOptions.MaximumSteps must be in [1, 2147483647]. (Parameter 'MaximumSteps')\nActual value was 0.",
            () => new NetworkTrainerOptions { MaximumSteps = 0 } },
        { "NetworkTrainerOptions.HiddenLayers[1] must be in [1, 1048576]. (Parameter 'HiddenLayers[1]')\nActual value was 0.",
            () => new NetworkTrainerOptions { HiddenLayers = [8, 0] } },
        { "NetworkTrainerOptions.Threads must be in [1, 1024]. (Parameter 'Threads')\nActual value was 0.",
            () => new NetworkTrainerOptions { Threads = 0 } },
        { "NetworkTrainerOptions.MaximumGradientNorm must be in (0, 1E+30]. (Parameter 'MaximumGradientNorm')\nActual value was 0.",
            () => new NetworkTrainerOptions { MaximumGradientNorm = 0 } },
        { "NetworkTrainerOptions.MaximumRowMegabytes must be in [1, 1048576]. (Parameter 'MaximumRowMegabytes')\nActual value was 0.",
            () => new NetworkTrainerOptions { MaximumRowMegabytes = 0 } },
        { "AdamOptions.LearningRate must be in (0, 10]. (Parameter 'LearningRate')\nActual value was 0.",
            () => new AdamOptions { LearningRate = 0 } },
        { "AdamOptions.Beta1 must be in [0, 1). (Parameter 'Beta1')\nActual value was 1.", () => new AdamOptions { Beta1 = 1 } },
        { "AdamWOptions.Epsilon must be in (0, 1]. (Parameter 'Epsilon')\nActual value was 0.", () => new AdamWOptions { Epsilon = 0 } },
        { "SgdOptions.Momentum must be in [0, 1). (Parameter 'Momentum')\nActual value was 1.", () => new SgdOptions { Momentum = 1 } },
        { "SgdOptions.WeightDecay must be in [0, 1]. (Parameter 'WeightDecay')\nActual value was -0.1.",
            () => new SgdOptions { WeightDecay = -0.1 } },
        { "EarlyStopping.Patience must be in [1, 1000000]. (Parameter 'Patience')\nActual value was 0.",
            () => new EarlyStopping { Patience = 0 } },
        { "HuberLoss.Delta must be in (0, 1E+30]. (Parameter 'Delta')\nActual value was 0.", () => RegressionLoss.Huber(0f) },
        { "StepSchedule.Drop must be in (0, 1]. (Parameter 'Drop')\nActual value was 0.", () => new StepSchedule { Drop = 0 } },
        { "InTrainingSelection.WindowSize must be in [1, 16777216]. (Parameter 'WindowSize')\nActual value was 0.",
            () => new InTrainingSelection { WindowSize = 0 } },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void Option_OutOfRange_NamesOptionRangeAndValue(string message, Func<object> create)
        => Assert.Equal(message, Assert.Throws<ArgumentOutOfRangeException>(create).Message.ReplaceLineEndings("\n"));

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("")]
    public void Device_Unknown_IsRefused(string device)
        => Assert.Equal(
            $"NetworkTrainerOptions.Device must be 'cpu', 'cuda' or 'cuda:N'. Got '{device}'. (Parameter 'Device')",
            Assert.Throws<ArgumentException>(() => new NetworkTrainerOptions { Device = device }).Message);

    [Fact]
    public void Trainer_HuberLossForBinary_IsRefused()
        => Assert.StartsWith(
            "NetworkTrainerOptions.RegressionLoss is for regression. Got HuberLoss for a binary trainer.",
            Assert.Throws<ArgumentException>(() => new MLContext(1).ForwardSampling()
                .Trainers.BinaryClassification(new NetworkTrainerOptions { RegressionLoss = RegressionLoss.Huber() })).Message);

    [Fact]
    public void Trainer_BatchNormalizationOfOneRow_IsRefused()
        => Assert.StartsWith(
            "NetworkTrainerOptions.BatchSize must be at least 2 with Normalization.Batch: one row has no variance. Got 1.",
            Assert.Throws<ArgumentException>(() => new MLContext(1).ForwardSampling()
                .Trainers.Regression(new NetworkTrainerOptions { BatchSize = 1, Normalization = Normalization.Batch })).Message);

    [Fact]
    public void HiddenLayers_ChangedAfterwards_OptionKeepsItsCopy()
    {
        int[] layers = [4, 4];
        var options = new NetworkTrainerOptions { HiddenLayers = layers };
        layers[0] = 0;
        Assert.Equal([4, 4], options.HiddenLayers);
    }
}
