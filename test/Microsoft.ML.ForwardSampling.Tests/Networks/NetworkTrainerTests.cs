using System.Collections.Concurrent;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

[Collection(TorchCollection.Name)]
public class NetworkTrainerTests
{
    private static readonly NetworkTrainerOptions _small = new()
    {
        HiddenLayers = [32, 32],
        Epochs = 15,
        BatchSize = 32,
        Optimizer = new AdamOptions { LearningRate = 5e-3 },
        Seed = 7,
    };

    private readonly MLContext _context = new(seed: 1);

    private NetworkTrainers Trainers => _context.ForwardSampling().Trainers;

    [Fact]
    public void Regression_SmoothProblem_IsLearned()
    {
        using NetworkPredictionTransformer model = Trainers.Regression(_small).Fit(TrainingData.View(_context, 2000));
        double rSquared = _context.Regression.Evaluate(model.Transform(TrainingData.View(_context, 1000, seed: 2))).RSquared;
        Assert.InRange(rSquared, 0.95, 1);
    }

    [Fact]
    public void Regression_HuberUnderOutliers_BeatsSquared()
    {
        TrainingRow[] rows = TrainingData.Rows(2000);
        for (int i = 0; i < rows.Length; i += 20)
            rows[i].Label += 200f;
        IDataView train = _context.Data.LoadFromEnumerable(rows), test = TrainingData.View(_context, 1000, seed: 2);
        using NetworkPredictionTransformer squared = Trainers.Regression(_small).Fit(train);
        using NetworkPredictionTransformer huber = Trainers.Regression(_small with { RegressionLoss = RegressionLoss.Huber(1f) })
            .Fit(train);
        double squaredError = _context.Regression.Evaluate(squared.Transform(test)).RootMeanSquaredError;
        double huberError = _context.Regression.Evaluate(huber.Transform(test)).RootMeanSquaredError;
        Assert.True(huberError < 0.5 * squaredError, $"Huber {huberError}, squared {squaredError}");
    }

    [Fact]
    public void Binary_SmoothProblem_IsLearned()
    {
        using NetworkPredictionTransformer model = Trainers.BinaryClassification(_small with { LabelColumnName = "IsHigh" })
            .Fit(TrainingData.View(_context, 2000));
        CalibratedBinaryClassificationMetrics metrics = _context.BinaryClassification.Evaluate(
            model.Transform(TrainingData.View(_context, 1000, seed: 2)), "IsHigh");
        Assert.InRange(metrics.AreaUnderRocCurve, 0.98, 1);
        Assert.InRange(metrics.LogLoss, 0, 0.3);
    }

    [Fact]
    public void Multiclass_SmoothProblem_IsLearned()
    {
        IDataView train = TrainingData.WithKey(_context, TrainingData.View(_context, 2000));
        using NetworkPredictionTransformer model = Trainers.MulticlassClassification(
            _small with { LabelColumnName = "BandKey", Epochs = 40 }).Fit(train);
        Assert.InRange(_context.MulticlassClassification.Evaluate(model.Transform(train), "BandKey").MicroAccuracy, 0.92, 1);
    }

    [Theory]
    [InlineData(PredictionTask.Regression)]
    [InlineData(PredictionTask.Binary)]
    [InlineData(PredictionTask.Multiclass)]
    public void Fit_AnyTask_KeepsTheEstimatorContract(PredictionTask task)
    {
        IDataView data = TrainingData.WithKey(_context, TrainingData.View(_context, 150));
        NetworkTrainer trainer = ForTask(task, _small with { Epochs = 1 });
        EstimatorContract.Check(trainer, data);
    }

    [Theory]
    [InlineData(PredictionTask.Regression)]
    [InlineData(PredictionTask.Binary)]
    [InlineData(PredictionTask.Multiclass)]
    public void Fit_MissingFeatures_IsRefusedByName(PredictionTask task)
    {
        IDataView data = TrainingData.WithKey(_context, TrainingData.View(_context, 10));
        IDataView without = _context.Transforms.DropColumns("Features").Fit(data).Transform(data);
        Assert.Contains("'Features'", EstimatorContract.CheckRefused(ForTask(task, _small), without), StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_OneStepOfGradientDescent_MatchesTheFormula()
    {
        // A linear model, one batch of all rows: w' = w - lr * mean(weight * 2 (s - y) x).
        TrainingRow[] rows = TrainingData.Rows(16);
        for (int i = 0; i < rows.Length; i++)
            rows[i].Weight = i % 3;
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        NetworkTrainerOptions options = _small with
        {
            HiddenLayers = [],
            NormalizeLabel = false,
            BatchSize = 16,
            MaximumSteps = 1,
            ExampleWeightColumnName = "Weight",
            Optimizer = new SgdOptions { LearningRate = 0.1, Momentum = 0 },
        };
        using NetworkPredictionTransformer after = Trainers.Regression(options).Fit(data);
        using var start = new MultilayerPerceptron(new NetworkArchitecture(4, [], 1, Activation.ReLU, Normalization.None, 0f), CPU,
            seed: 7);
        Dictionary<string, Tensor> before = start.state_dict();
        float[] w = [.. before["layer0.weight"].data<float>().ToArray(), before["layer0.bias"].data<float>().ToArray()[0]];
        double[] gradient = new double[5];
        foreach (TrainingRow row in rows)
        {
            double score = w[4] + Enumerable.Range(0, 4).Sum(k => (double)w[k] * row.Features[k]);
            for (int k = 0; k < 5; k++)
                gradient[k] += row.Weight * 2 * (score - row.Label) * (k < 4 ? row.Features[k] : 1) / rows.Length;
        }

        Dictionary<string, Tensor> weights = after.Model.Network.state_dict();
        float[] trained = [.. weights["layer0.weight"].data<float>().ToArray(), weights["layer0.bias"].data<float>().ToArray()[0]];
        for (int k = 0; k < 5; k++)
            Assert.Equal(w[k] - 0.1 * gradient[k], trained[k], 1e-5);
    }

    [Fact]
    public void Fit_ForwardWeightColumn_IsUsedWithoutBeingNamed()
    {
        IDataView data = TrainingData.View(_context, 200);
        IDataView weighted = _context.Transforms.CopyColumns(ForwardColumns.Weight, "Label").Fit(data).Transform(data);
        using NetworkPredictionTransformer plain = Trainers.Regression(_small with { Epochs = 1 }).Fit(data);
        using NetworkPredictionTransformer byWeight = Trainers.Regression(_small with { Epochs = 1 }).Fit(weighted);
        Assert.NotEqual(TrainingData.Scores(plain.Transform(data)), TrainingData.Scores(byWeight.Transform(data)));
        // Labels below zero are no weights: those rows are skipped and counted.
        Assert.Equal(data.GetColumn<float>("Label").Count(y => y < 0), byWeight.Model.Report!.RowsSkipped);
    }

    [Fact]
    public void Fit_SameSeed_SameModel()
    {
        IDataView data = TrainingData.View(_context, 500);
        NetworkTrainerOptions options = _small with
        {
            Epochs = 2,
            Dropout = 0.2,
            Selection = new InTrainingSelection { WindowSize = 100, Budget = 0.5 }
        };
        using NetworkPredictionTransformer first = Trainers.Regression(options).Fit(data), second = Trainers.Regression(options).Fit(data),
            other = Trainers.Regression(options with { Seed = 8 }).Fit(data);
        Assert.Equal(TrainingData.Scores(first.Transform(data)), TrainingData.Scores(second.Transform(data)));
        Assert.NotEqual(TrainingData.Scores(first.Transform(data)), TrainingData.Scores(other.Transform(data)));
    }

    [Fact]
    public void Fit_SeededContext_SameModelInAnotherContext()
    {
        float[] Train() => TrainWith(new MLContext(seed: 5));
        Assert.Equal(Train(), Train());

        static float[] TrainWith(MLContext context)
        {
            IDataView data = TrainingData.View(context, 300);
            using NetworkPredictionTransformer model = context.ForwardSampling()
                .Trainers.Regression(_small with { Epochs = 1, Seed = null }).Fit(data);
            return TrainingData.Scores(model.Transform(data));
        }
    }

    [Fact]
    public void Fit_TorchGlobalSeed_IsNeitherReadNorMoved()
    {
        IDataView data = TrainingData.View(_context, 200);
        NetworkTrainerOptions options = _small with { Epochs = 1, Dropout = 0.3 };
        manual_seed(1);
        float expected = rand(1).item<float>();
        manual_seed(1);
        using NetworkPredictionTransformer first = Trainers.Regression(options).Fit(data);
        Assert.Equal(expected, rand(1).item<float>());
        manual_seed(2);
        using NetworkPredictionTransformer second = Trainers.Regression(options).Fit(data);
        Assert.Equal(TrainingData.Scores(first.Transform(data)), TrainingData.Scores(second.Transform(data)));
    }

    [Fact]
    public void Fit_RowsBeyondMemory_SameModelAsInMemory()
    {
        // 60,000 rows of 24 bytes are more than a megabyte: read in parts, again at each pass.
        IDataView data = TrainingData.View(_context, 60_000);
        NetworkTrainerOptions options = _small with { HiddenLayers = [4], Epochs = 2, BatchSize = 256, Shuffle = false };
        using NetworkPredictionTransformer inMemory = Trainers.Regression(options).Fit(data),
            inParts = Trainers.Regression(options with { MaximumRowMegabytes = 1 }).Fit(data);
        Assert.Equal(60_000, inMemory.Model.Report!.RowsRead);
        Assert.True(inParts.Model.Report!.RowsRead > 120_000, $"{inParts.Model.Report.RowsRead} rows read");
        Assert.Equal((inMemory.Model.Report.Steps, inMemory.Model.Report.BackwardRows),
            (inParts.Model.Report.Steps, inParts.Model.Report.BackwardRows));
        IDataView test = TrainingData.View(_context, 100, seed: 2);
        Assert.Equal(TrainingData.Scores(inMemory.Transform(test)), TrainingData.Scores(inParts.Transform(test)));
    }

    [Fact]
    public void Fit_MissingValues_AreSkippedCountedAndLogged()
    {
        TrainingRow[] rows = TrainingData.Rows(100);
        rows[3].Label = float.NaN;
        rows[5].Features[2] = float.PositiveInfinity;
        rows[8].Features[0] = float.NaN;
        var messages = new ConcurrentQueue<string>();
        _context.Log += (_, e) => messages.Enqueue(e.RawMessage);
        using NetworkPredictionTransformer model = Trainers.Regression(_small with { Epochs = 2 })
            .Fit(_context.Data.LoadFromEnumerable(rows));
        Assert.Equal((100L, 3L, 2L * 97), (model.Model.Report!.RowsRead, model.Model.Report.RowsSkipped, model.Model.Report.BackwardRows));
        Assert.Contains("3 of 100 rows were skipped: a feature, the label or the weight was missing.", messages);
    }

    [Fact]
    public void Fit_NoUsableRow_SaysHowManyWereSkipped()
    {
        TrainingRow[] rows = TrainingData.Rows(5);
        Array.ForEach(rows, row => row.Label = float.NaN);
        var error = Assert.Throws<InvalidOperationException>(() => Trainers.Regression(_small).Fit(_context.Data.LoadFromEnumerable(rows)));
        Assert.Equal("There is no row to train on: 5 rows were read, 5 skipped because a feature, the label or the weight was missing, "
            + "and 0 left out because their record is too old.", error.Message);
    }

    [Fact]
    public void Fit_LossBecomesInfinite_SaysWhatToDo()
    {
        var error = Assert.Throws<InvalidOperationException>(() =>
            Trainers.Regression(_small with { Optimizer = new SgdOptions { LearningRate = 10 } }).Fit(TrainingData.View(_context, 500)));
        Assert.StartsWith("Training diverged: the loss or a weight is no longer finite at step", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_MaximumGradientNorm_KeepsALargeLearningRateFinite()
    {
        using NetworkPredictionTransformer model = Trainers.Regression(
            _small with { Epochs = 1, Optimizer = new SgdOptions { LearningRate = 0.5, Momentum = 0 }, MaximumGradientNorm = 0.01 })
            .Fit(TrainingData.View(_context, 500));
        Assert.All(TrainingData.Scores(model.Transform(TrainingData.View(_context, 10))), score => Assert.True(float.IsFinite(score)));
    }

    [Fact]
    public void Fit_Cancelled_ThrowsAndLeavesNoTensor()
    {
        using var cancellation = new CancellationTokenSource();
        var progress = new Watch(p => cancellation.Cancel());
        NetworkTrainer trainer = Trainers.Regression(
            _small with { Epochs = 1000, Progress = progress, CancellationToken = cancellation.Token });
        IDataView data = TrainingData.View(_context, 100);
        long left = LiveTensors.LeftBy(() => Assert.Throws<OperationCanceledException>(() => trainer.Fit(data)));
        Assert.Equal(LiveTensors.LeftBy(NewNetwork), left);
    }

    [Fact]
    public void Fit_SourceCancelledOnAWorkerThread_ThrowsTheCancellationBare()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        IDataView data = TrainingData.View(_context, 100);
        IDataView cancelled = _context.Transforms.CustomMapping<TrainingRow, TrainingRow>(
            (_, _) => cancellation.Token.ThrowIfCancellationRequested(), null).Fit(data).Transform(data);
        Assert.Throws<OperationCanceledException>(() => Trainers.Regression(_small).Fit(cancelled));
    }

    [Fact]
    public void Progress_EachEpoch_CountsRowsAndSteps()
    {
        var reports = new List<TrainingProgress>();
        using NetworkPredictionTransformer model = Trainers.Regression(
            _small with { Epochs = 3, BatchSize = 64, Progress = new Watch(reports.Add) }).Fit(TrainingData.View(_context, 100));
        Assert.Equal([(1, 2L, 6L, 100L), (2, 4L, 6L, 200L), (3, 6L, 6L, 300L)],
            reports.Select(p => (p.Epoch, p.Step, p.TotalSteps, p.BackwardRows)));
        Assert.All(reports, p => Assert.True(float.IsFinite(p.MeanLoss)));
        Assert.Equal((6L, 3), (model.Model.Report!.Steps, model.Model.Report.Epochs));
    }

    [Fact]
    public void EarlyStopping_ValidationLossRises_StopsAndRestoresTheBest()
    {
        // Random labels: the network learns them by heart and the validation loss rises.
        TrainingRow[] noise = TrainingData.Rows(60);
        var random = new Random(3);
        Array.ForEach(noise, row => row.Label = random.NextSingle());
        IDataView validation = TrainingData.View(_context, 300, seed: 9);
        var losses = new List<float>();
        NetworkTrainerOptions options = _small with
        {
            Epochs = 200,
            BatchSize = 16,
            EarlyStopping = new EarlyStopping { Patience = 2 },
            Progress = new Watch(p => { if (p.ValidationLoss is { } loss) losses.Add(loss); })
        };
        using NetworkPredictionTransformer model = Trainers.Regression(options).Fit(_context.Data.LoadFromEnumerable(noise), validation);
        Assert.True(model.Model.Report!.StoppedEarly);
        Assert.Equal(losses.Min(), model.Model.Report.BestValidationLoss);
        Assert.Equal(losses.Min(), _context.Regression.Evaluate(model.Transform(validation)).MeanSquaredError, 1e-3 * losses.Min());
        Assert.True(losses[^1] > losses.Min());
    }

    [Fact]
    public void EarlyStopping_LastStepsBetweenEvaluations_AreEvaluatedToo()
    {
        IDataView data = TrainingData.View(_context, 320);
        var losses = new List<float>();
        NetworkTrainerOptions options = _small with
        {
            Epochs = 1,
            EarlyStopping = new EarlyStopping { EveryNSteps = 4 },
            Progress = new Watch(p => { if (p.ValidationLoss is { } loss) losses.Add(loss); })
        };
        using NetworkPredictionTransformer model = Trainers.Regression(options).Fit(data, data);
        // Ten steps: evaluated after 4, 8 and at the end.
        Assert.Equal(3, losses.Count);
        Assert.Equal(losses.Min(), _context.Regression.Evaluate(model.Transform(data)).MeanSquaredError, 1e-3 * losses.Min());
    }

    [Fact]
    public void EarlyStopping_MinimumImprovement_StillKeepsTheLowestLoss()
    {
        IDataView data = TrainingData.View(_context, 500);
        var losses = new List<float>();
        NetworkTrainerOptions options = _small with
        {
            Epochs = 30,
            EarlyStopping = new EarlyStopping { MinimumImprovement = 1000, Patience = 5 },
            Progress = new Watch(p => { if (p.ValidationLoss is { } loss) losses.Add(loss); })
        };
        using NetworkPredictionTransformer model = Trainers.Regression(options).Fit(data, data);
        Assert.Equal((6, 6), (losses.Count, model.Model.Report!.Epochs));
        Assert.Equal(losses.Min(), model.Model.Report.BestValidationLoss);
        Assert.Equal(losses.Min(), _context.Regression.Evaluate(model.Transform(data)).MeanSquaredError, 1e-3 * losses.Min());
    }

    [Fact]
    public void EarlyStopping_LossBecomesInfinite_BestWeightsAreKept()
    {
        IDataView data = TrainingData.View(_context, 320);
        NetworkTrainerOptions options = _small with
        {
            Epochs = 60,
            Optimizer = new SgdOptions { LearningRate = 10, Momentum = 0 },
            LearningRateSchedule = new Explosion(),
            EarlyStopping = new EarlyStopping { Patience = 1000 }
        };
        using NetworkPredictionTransformer model = Trainers.Regression(options).Fit(data, data);
        Assert.True(model.Model.Report!.StoppedEarly);
        Assert.False(float.IsFinite(model.Model.Report.FinalLoss));
        Assert.Equal(model.Model.Report.BestValidationLoss!.Value,
            _context.Regression.Evaluate(model.Transform(data)).MeanSquaredError, 1e-2);
    }

    [Fact]
    public void Fit_LastStepOverflows_IsDivergence()
    {
        TrainingRow[] rows = TrainingData.Rows(32);
        Array.ForEach(rows, row => row.Label = 1e18f);
        NetworkTrainer trainer = Trainers.Regression(_small with
        {
            MaximumSteps = 1,
            NormalizeLabel = false,
            NormalizeFeatures = FeatureNormalization.None,
            Optimizer = new SgdOptions { LearningRate = 10 }
        });
        TrainingRow[] wide = [.. rows.Select(
            row => new TrainingRow { Features = [.. row.Features.Select(x => x * 1e20f)], Label = row.Label })];
        Assert.StartsWith("Training diverged", Assert.Throws<InvalidOperationException>(
            () => trainer.Fit(_context.Data.LoadFromEnumerable(wide))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_ValidationDataOfAnotherSize_NamesBothTypes()
    {
        IDataView data = TrainingData.View(_context, 50);
        IDataView wide = _context.Transforms.Concatenate("Features", "Features", "Label").Fit(data).Transform(data);
        Assert.Equal(
            "Feature column 'Features' of the validation data is Vector<Single, 5>, that of the training data Vector<Single, 4>. "
                + "(Parameter 'validationData')",
            Assert.Throws<ArgumentException>(() => Trainers.Regression(_small).Fit(data, wide)).Message);
    }

    [Fact]
    public void Fit_KeysOfAnotherOrder_AreRefusedEverywhere()
    {
        TrainingRow[] rows = TrainingData.Rows(200);
        IDataView data = TrainingData.WithKey(_context, _context.Data.LoadFromEnumerable(rows));
        IDataView reversed = TrainingData.WithKey(_context,
            _context.Data.LoadFromEnumerable(rows.Reverse().SkipWhile(row => row.Band == rows[0].Band).ToArray()));
        NetworkTrainer trainer = Trainers.MulticlassClassification(_small with { LabelColumnName = "BandKey", Epochs = 1 });
        using NetworkPredictionTransformer model = trainer.Fit(data);
        const string Advice = "Fit MapValueToKey once and use that transformer for all data, or give it the values (keyData).";
        Assert.Contains(Advice, Assert.Throws<ArgumentException>(() => trainer.Fit(data, reversed)).Message, StringComparison.Ordinal);
        Assert.Contains(Advice, Assert.Throws<ArgumentException>(() => trainer.Fit(reversed, model)).Message, StringComparison.Ordinal);
        var recorder = _context.ForwardSampling().RecordForwardPass(model,
            new Microsoft.ML.ForwardSampling.ForwardPass.ForwardRecordingOptions
            { Task = PredictionTask.Multiclass, LabelColumnName = "BandKey" });
        Assert.Contains(Advice, Assert.Throws<ArgumentException>(() => recorder.Fit(reversed)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_PreviousModelOfAnotherActivationOrNormalization_IsRefused()
    {
        IDataView data = TrainingData.View(_context, 50);
        using NetworkPredictionTransformer previous = Trainers.Regression(_small with { Epochs = 1, Normalization = Normalization.Layer })
            .Fit(data);
        Assert.Throws<ArgumentException>(() => Trainers.Regression(_small).Fit(data, previous));
        Assert.Throws<ArgumentException>(() => Trainers.Regression(
            _small with { Normalization = Normalization.Layer, Activation = Activation.Tanh }).Fit(data, previous));
    }

    [Fact]
    public void Fit_OneRowUnderBatchNormalization_SaysThatNoStepWasMade()
        => Assert.StartsWith("Training made no step",
            Assert.Throws<InvalidOperationException>(
            () => Trainers.Regression(_small with { Epochs = 1, Normalization = Normalization.Batch }).Fit(TrainingData.View(_context, 1)))
            .Message, StringComparison.Ordinal);

    [Fact]
    public void Selection_BudgetAboveTheWindow_IsRefused()
        => Assert.StartsWith("InTrainingSelection.Budget keeps 64 rows of each window, and WindowSize is 10",
            Assert.Throws<ArgumentException>(
            () => Trainers.Regression(_small with
            {
                Selection = new InTrainingSelection
                { WindowSize = 10, Budget = SelectionBudget.Rows(64) }
            })).Message, StringComparison.Ordinal);

    [Fact]
    public void TotalSteps_RowsBeyondMemoryAndSkippedRows_IsWhatIsMade()
    {
        TrainingRow[] rows = TrainingData.Rows(60_000);
        for (int i = 0; i < rows.Length; i += 10)
            rows[i].Label = float.NaN;
        var reports = new List<TrainingProgress>();
        NetworkTrainerOptions options = _small with
        {
            HiddenLayers = [2],
            Epochs = 1,
            BatchSize = 64,
            MaximumRowMegabytes = 1,
            Selection = new InTrainingSelection { Policy = new UniformPolicy() },
            Progress = new Watch(reports.Add)
        };
        using NetworkPredictionTransformer model = Trainers.Regression(options).Fit(_context.Data.LoadFromEnumerable(rows));
        Assert.Equal(reports[^1].TotalSteps, model.Model.Report!.Steps);
    }

    [Fact]
    public void Fit_BatchBeyondATensor_IsRefusedUpFront()
        => Assert.StartsWith(
            "NetworkTrainerOptions: the weights of a layer must be at most 536870912 elements. Got 1048576 x 600 = 629145600.",
            Assert.Throws<ArgumentException>(() => Trainers.Regression(_small with { HiddenLayers = [1 << 20, 600] })
                .Fit(TrainingData.View(_context, 10))).Message, StringComparison.Ordinal);

    [Fact]
    public void EarlyStopping_NoValidationData_IsRefused()
        => Assert.Contains("needs validation data",
            Assert.Throws<ArgumentException>(() => Trainers.Regression(_small with { EarlyStopping = new() })
            .Fit(TrainingData.View(_context, 10))).Message, StringComparison.Ordinal);

    [Fact]
    public void Fit_PreviousModel_GoesOnAndLeavesItAlone()
    {
        IDataView data = TrainingData.View(_context, 1000);
        using NetworkPredictionTransformer first = Trainers.Regression(_small with { Epochs = 2 }).Fit(data);
        float[] before = TrainingData.Scores(first.Transform(data));
        using NetworkPredictionTransformer second = Trainers.Regression(_small with { Epochs = 2 }).Fit(data, first);
        Assert.True(second.Model.Report!.OptimizerContinued);
        Assert.Equal(before, TrainingData.Scores(first.Transform(data)));
        Assert.True(Error(second) < Error(first));

        double Error(NetworkPredictionTransformer model) => _context.Regression.Evaluate(model.Transform(data)).RootMeanSquaredError;
    }

    [Fact]
    public void Fit_InTwoCallsOfOneEpoch_EqualsOneCallOfTwo()
    {
        // Without shuffling the second call sees what the second epoch would: weights, Adam's moments and step count must carry over.
        IDataView data = TrainingData.View(_context, 320);
        NetworkTrainerOptions options = _small with { Epochs = 1, Shuffle = false };
        using NetworkPredictionTransformer first = Trainers.Regression(options).Fit(data),
            second = Trainers.Regression(options).Fit(data, first);
        using NetworkPredictionTransformer whole = Trainers.Regression(options with { Epochs = 2 }).Fit(data);
        Assert.Equal(TrainingData.Scores(whole.Transform(data)), TrainingData.Scores(second.Transform(data)));
    }

    [Fact]
    public void Fit_PreviousModelOfAnotherShape_NamesBoth()
    {
        IDataView data = TrainingData.View(_context, 50);
        using NetworkPredictionTransformer previous = Trainers.Regression(_small with { Epochs = 1 }).Fit(data);
        var error = Assert.Throws<ArgumentException>(() => Trainers.Regression(_small with { HiddenLayers = [8] }).Fit(data, previous));
        Assert.StartsWith("The previous model is 4-32-32-1 ReLU; the trainer's options and data ask for 4-8-1 ReLU.", error.Message,
            StringComparison.Ordinal);
    }

    public static TheoryData<Activation, Normalization, float> Networks()
    {
        var data = new TheoryData<Activation, Normalization, float>();
        foreach (Activation activation in Enum.GetValues<Activation>())
            data.Add(activation, Normalization.None, 0f);
        data.Add(Activation.ReLU, Normalization.Batch, 0f);
        data.Add(Activation.Tanh, Normalization.Layer, 0f);
        data.Add(Activation.GELU, Normalization.Layer, 0.1f);
        return data;
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Score_AnyNetwork_EqualsTorch(Activation activation, Normalization normalization, float dropout)
    {
        IDataView data = TrainingData.View(_context, 403);
        using NetworkPredictionTransformer model = Trainers.Regression(
            _small with { HiddenLayers = [19, 40], Epochs = 3, Activation = activation, Normalization = normalization, Dropout = dropout })
            .Fit(data);
        float[] scores = TrainingData.Scores(model.Transform(data));
        Assert.True(scores.Max() > scores.Min());
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor features = tensor([.. data.GetColumn<float[]>("Features").SelectMany(x => x)]).reshape(403, 4);
        float[] byTorch = model.Model.Network.call(features).reshape(-1).data<float>().ToArray();
        Assert.Equal(byTorch, scores, (a, b) => MathF.Abs(a - b) <= 2e-5f * (1 + MathF.Abs(a)));
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 130)]
    public void Fit_BatchNormalizationAndALastBatchOfOneRow_RowWaitsForTheNextPass(int epochs, long backwardRows)
    {
        // 65 rows are two batches of 32 and one row, which has no variance.
        using NetworkPredictionTransformer model = Trainers.Regression(_small with { Epochs = epochs, Normalization = Normalization.Batch })
            .Fit(TrainingData.View(_context, 65));
        Assert.Equal(backwardRows, model.Model.Report!.BackwardRows);
    }

    [Theory]
    [InlineData(StatisticsSource.Recorded)]
    [InlineData(StatisticsSource.Fresh)]
    public void Selection_TenPercent_ExactBudgetAndCounts(StatisticsSource source)
    {
        IDataView data = TrainingData.View(_context, 1500);
        using NetworkPredictionTransformer deployed = Trainers.Regression(_small with { Epochs = 1 }).Fit(data);
        IDataView recorded = _context.ForwardSampling().RecordForwardPass(deployed, PredictionTask.Regression).Fit(data).Transform(data);
        NetworkTrainerOptions options = _small with
        {
            Epochs = 2,
            Selection = new InTrainingSelection { WindowSize = 640, Budget = 0.1, Statistics = source }
        };
        using NetworkPredictionTransformer model = Trainers.Regression(options).Fit(recorded);
        TrainingReport report = model.Model.Report!;
        // Windows of 640, 640 and 220 rows: 64 + 64 + 22.
        Assert.Equal((2L * 150, source == StatisticsSource.Fresh ? 3000L : 0L), (report.BackwardRows, report.ForwardRows));
        Assert.Equal((6L, 3000L, 300L), (report.Selection!.Windows, report.Selection.RowsSeen, report.Selection.RowsSelected));
        Assert.Equal(10, report.Steps);
    }

    [Fact]
    public void Selection_PolicyThatNeedsNoStatistic_CostsNoForwardPass()
    {
        NetworkTrainerOptions options = _small with
        {
            Epochs = 1,
            Selection = new InTrainingSelection { Policy = new UniformPolicy(), Statistics = StatisticsSource.Fresh }
        };
        using NetworkPredictionTransformer model = Trainers.Regression(options).Fit(TrainingData.View(_context, 640));
        Assert.Equal((64L, 0L), (model.Model.Report!.BackwardRows, model.Model.Report.ForwardRows));
    }

    [Theory]
    [InlineData(PredictionTask.Regression)]
    [InlineData(PredictionTask.Binary)]
    [InlineData(PredictionTask.Multiclass)]
    public void Selection_PolicyWithMemory_IsToldTrainedLossesAndValidationLosses(PredictionTask task)
    {
        TrainingRow[] rows = TrainingData.Rows(200);
        IDataView data = TrainingData.WithKey(_context, _context.Data.LoadFromEnumerable(rows));
        var reports = new List<TrainingProgress>();
        var policy = new TellingPolicy();
        NetworkTrainerOptions options = _small with
        {
            HiddenLayers = [],
            Epochs = 2,
            Optimizer = new SgdOptions { LearningRate = 1e-12 },
            Selection = new InTrainingSelection { Policy = policy, WindowSize = 100, Budget = SelectionBudget.Rows(20) },
            Progress = new Watch(reports.Add),
        };
        using NetworkPredictionTransformer model = ForTask(task, options).Fit(data, data);

        Assert.Equal(reports.Where(report => report.ValidationLoss is not null).Select(report => (double)report.ValidationLoss!.Value),
            policy.Told.OfType<double>());
        // 20 of each 100 rows, in batches of 32 and, at the end of a pass, 8.
        TellingPolicy.Trained[] batches = [.. policy.Told.OfType<TellingPolicy.Trained>()];
        Assert.Equal([32, 8, 32, 8], batches.Select(batch => batch.Losses.Length));
        TellingPolicy.Row[] chosen = [.. policy.Told.OfType<TellingPolicy.Row>()];
        Assert.Equal(80, chosen.Length);
        foreach ((TellingPolicy.Row row, int i) in chosen.Select((row, i) => (row, i)))
        {
            (TellingPolicy.Trained batch, int at) = i % 40 < 32 ? (batches[i / 40 * 2], i % 40) : (batches[i / 40 * 2 + 1], i % 40 - 32);
            Assert.Equal(row.Features, batch.Features[(at * row.Features.Length)..((at + 1) * row.Features.Length)]);
            // The weights hardly move, so the loss in the window is the loss at the step.
            Assert.Equal(row.Loss, batch.Losses[at], 1e-4f * (1 + row.Loss));
            if (task == PredictionTask.Regression)
                Assert.Empty(batch.Labels);
            else
                Assert.Equal(row.Label, batch.Labels[at]);
        }
    }

    [Fact]
    public void Selection_PreviousModelOfAnEqualPolicy_GoesOnWithItsMemory()
    {
        IDataView data = TrainingData.View(_context, 640);
        NetworkTrainerOptions options = _small with
        {
            Epochs = 1,
            Selection = new InTrainingSelection { Policy = new SelectiveBackpropPolicy { History = 1000 } }
        };
        using NetworkPredictionTransformer first = Trainers.Regression(options).Fit(data);
        using NetworkPredictionTransformer second = Trainers.Regression(options).Fit(data, first);
        using NetworkPredictionTransformer other = Trainers.Regression(
            options with { Selection = new InTrainingSelection { Policy = new SelectiveBackpropPolicy { History = 999 } } })
            .Fit(data, first);
        using NetworkPredictionTransformer without = Trainers.Regression(options with { Selection = null }).Fit(data, first);

        Assert.Equal([false, true, false, false],
            new[] { first, second, other, without }.Select(model => model.Model.Report!.SelectionContinued));
        Assert.Equal(640, second.Model.Report!.Selection!.RowsSeen);
    }

    [Fact]
    public void Selection_PolicyLearnsFromValidation_NoValidationData_IsRefused()
    {
        NetworkTrainer trainer = Trainers.Regression(_small with { Selection = new InTrainingSelection { Policy = new TellingPolicy() } });
        Assert.Equal(
            "Policy Telling learns from the loss on validation data: call Fit(data, validationData). (Parameter 'validationData')",
            Assert.Throws<ArgumentException>(() => trainer.Fit(TrainingData.View(_context, 10))).Message);
    }

    [Fact]
    public void Selection_RecordedColumnsMissing_NamesTheColumnAndTheWayOut()
    {
        NetworkTrainer trainer = Trainers.Regression(
            _small with { Selection = new InTrainingSelection { Statistics = StatisticsSource.Recorded } });
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Fit(TrainingData.View(_context, 10)));
        Assert.StartsWith("Schema mismatch for statistics column 'Forward.Loss': expected Single, got no such column.", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Network_UsersOwn_TrainsAndScores()
    {
        IDataView data = TrainingData.View(_context, 1000);
        manual_seed(1);
        using NetworkPredictionTransformer model = Trainers.Regression(
            _small with
            {
                Epochs = 40,
                Network = (inputs, outputs, device) =>
            nn.Sequential(nn.Linear(inputs, 32, device: device), nn.ReLU(), nn.Linear(32, outputs, device: device))
            }).Fit(data);
        Assert.InRange(_context.Regression.Evaluate(model.Transform(data)).RSquared, 0.8, 1);
    }

    [Fact]
    public void Network_WrongOutputs_SaysShapes()
    {
        NetworkTrainer trainer = Trainers.Regression(_small with { Network = (inputs, _, device) => nn.Linear(inputs, 3, device: device) });
        Assert.Equal(
            "NetworkTrainerOptions.Network must give outputs of shape [32, 1] for 32 rows. Got [32, 3].",
            Assert.Throws<InvalidOperationException>(() => trainer.Fit(TrainingData.View(_context, 100))).Message);
    }

    [Fact]
    public void Network_WithoutParameters_SaysSo()
    {
        NetworkTrainer trainer = Trainers.Regression(_small with { Network = (_, _, _) => new FirstFeature() });
        Assert.StartsWith(
            "NetworkTrainerOptions.Network gave outputs that depend on no trainable parameter",
            Assert.Throws<InvalidOperationException>(() => trainer.Fit(TrainingData.View(_context, 100))).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Device_NoCuda_SaysWhatToDo()
    {
        Assert.SkipWhen(cuda.is_available(), "This machine has a CUDA device.");
        var error = Assert.Throws<InvalidOperationException>(
            () => Trainers.Regression(_small with { Device = "cuda" }).Fit(TrainingData.View(_context, 10)));
        Assert.StartsWith("Device 'cuda' was asked for, but torch finds no CUDA device.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_InsideTheUsersDisposeScope_ModelSurvivesIt()
    {
        IDataView data = TrainingData.View(_context, 100);
        NetworkPredictionTransformer model;
        using (NewDisposeScope())
            model = Trainers.Regression(_small with { Epochs = 1 }).Fit(data);
        using (model)
        using (NetworkPredictionTransformer next = Trainers.Regression(_small with { Epochs = 1 }).Fit(data, model))
            Assert.True(next.Model.Report!.OptimizerContinued);
    }

    [Fact]
    public void Dispose_AfterFit_NoTensorIsLeft()
    {
        IDataView data = TrainingData.View(_context, 300);
        NetworkTrainerOptions options = _small with
        {
            Epochs = 2,
            Selection = new InTrainingSelection(),
            EarlyStopping = new EarlyStopping()
        };
        Trainers.Regression(options).Fit(data, data).Dispose();
        long left = LiveTensors.LeftBy(() =>
        {
            using NetworkPredictionTransformer model = Trainers.Regression(options).Fit(data, data);
            TrainingData.Scores(model.Transform(data));
        });
        Assert.Equal(LiveTensors.LeftBy(NewNetwork), left);
    }

    // The real TorchSharp never uncounts the tensor that a Parameter was made of: compare with a network that is only made and disposed.
    private static void NewNetwork()
    {
        using DisposeScope scope = NewDisposeScope();
        new MultilayerPerceptron(new NetworkArchitecture(4, [32, 32], 1, Activation.ReLU, Normalization.None, 0f), CPU, 1).Dispose();
    }

    [Fact]
    public void CrossValidate_Pipeline_ScoresEveryFold()
    {
        IDataView data = TrainingData.View(_context, 600);
        var results = _context.Regression.CrossValidate(data, Trainers.Regression(_small), numberOfFolds: 3);
        Assert.Equal(3, results.Count);
        Assert.All(results, fold => Assert.InRange(fold.Metrics.RSquared, 0.7, 1));
    }

    private NetworkTrainer ForTask(PredictionTask task, NetworkTrainerOptions options) => task switch
    {
        PredictionTask.Regression => Trainers.Regression(options),
        PredictionTask.Binary => Trainers.BinaryClassification(options with { LabelColumnName = "IsHigh" }),
        _ => Trainers.MulticlassClassification(options with { LabelColumnName = "BandKey" }),
    };

    /// <summary>A sensible rate for 20 steps, then one that no network survives.</summary>
    private sealed record Explosion : LearningRateSchedule
    {
        protected override float AfterWarmUp(long step, long totalSteps) => step < 20 ? 1e-4f : 1e9f;
    }

    private sealed class Watch(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    private sealed class FirstFeature() : nn.Module<Tensor, Tensor>(nameof(FirstFeature))
    {
        public override Tensor forward(Tensor input) => input.narrow(1, 0, 1);
    }
}
