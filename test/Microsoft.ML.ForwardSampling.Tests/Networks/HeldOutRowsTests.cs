using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>Rows kept from training to find out how long to train, and the training on all of them after it.</summary>
[Collection(TorchCollection.Name)]
public sealed class HeldOutRowsTests
{
    private const int Wide = 400;

    private readonly MLContext _context = new(seed: 1);

    private static NetworkTrainerOptions Options => new()
    { HiddenLayers = [16], Epochs = 8, BatchSize = 32, Seed = 4, Optimizer = new AdamOptions { LearningRate = 0.02f } };

    [Fact]
    public void Fit_HoldingOut_GivesTheNetworkOfTheBestNumberOfPassesOnAllRows()
    {
        IDataView rows = SparseData.View(_context, SparseData.Rows(600, Wide, 8));
        var reports = new List<TrainingProgress>();
        using NetworkPredictionTransformer model = Fit(Options with { HeldOutShare = 0.2, Progress = new Watch(reports.Add) }, rows);
        TrainingReport report = model.Model.Report!;

        TrainingProgress[] evaluations = [.. reports.Where(progress => progress.ValidationLoss is not null)];
        int best = evaluations.MinBy(progress => progress.ValidationLoss)!.Epoch;
        Assert.InRange(best, 1, Options.Epochs - 1);
        using NetworkPredictionTransformer plain = Fit(Options with { HeldOutShare = 0, Epochs = best }, rows);
        Assert.Equal(TrainingData.Scores(plain.Transform(rows)), TrainingData.Scores(model.Transform(rows)));

        Assert.InRange(report.HeldOutRows, 80, 160);
        Assert.Equal(evaluations.Length + best, report.Epochs);
        Assert.Equal((evaluations.Length * (600 - report.HeldOutRows)) + (best * 600), report.BackwardRows);
        Assert.Equal(evaluations.Length * report.HeldOutRows, report.ForwardRows);
        Assert.Equal(evaluations.Min(progress => progress.ValidationLoss), report.BestValidationLoss);
    }

    [Fact]
    public void Fit_Default_HoldsOutWhereRowsAreWideAndMostlyZero_AndNothingElseSaysWhenToStop()
    {
        IDataView wide = SparseData.View(_context, SparseData.Rows(300, Wide, 8)), full = SparseData.View(_context,
            SparseData.Rows(300, Wide, 40)), narrow = SparseData.View(_context, SparseData.Rows(300, 200, 8));
        using NetworkPredictionTransformer first = Fit(Options with { Epochs = 1 }, wide);

        Assert.InRange(HeldOut(Options, wide), 10, 60);
        Assert.Equal(0, HeldOut(Options, full));
        Assert.Equal(0, HeldOut(Options, narrow));
        Assert.Equal(0, HeldOut(Options with { Epochs = 1 }, wide));
        Assert.Equal(0, HeldOut(Options with { MaximumSteps = 30 }, wide));
        Assert.Equal(0, HeldOut(Options with { HeldOutShare = 0 }, wide));
        Assert.Equal(0, HeldOut(Options with { Selection = new InTrainingSelection { WindowSize = 50, Budget = 0.5 } }, wide));
        Assert.Equal(0, HeldOut(Options, wide, validation: wide));
        Assert.Equal(0, HeldOut(Options, wide, previous: first));
        Assert.InRange(HeldOut(Options with { HeldOutShare = 0.5 }, narrow), 100, 200);

        long HeldOut(NetworkTrainerOptions options, IDataView rows, IDataView? validation = null,
            NetworkPredictionTransformer? previous = null)
        {
            using NetworkPredictionTransformer model = Trainer(options).Fit(rows, validation, previous);
            return model.Model.Report!.HeldOutRows;
        }
    }

    [Fact]
    public void Fit_PartByPart_HoldsOutTheSameRows()
    {
        IDataView rows = SparseData.View(_context, SparseData.Rows(2000, Wide, 8));
        using NetworkPredictionTransformer whole = Fit(Options with { Epochs = 2 }, rows),
            parts = Fit(Options with { Epochs = 2, MaximumRowMegabytes = 1 }, rows);     // 655 rows at a time

        Assert.InRange(parts.Model.Report!.RowsRead, 2 * 2000, int.MaxValue);
        Assert.Equal(whole.Model.Report!.HeldOutRows, parts.Model.Report.HeldOutRows);
        Assert.Equal(whole.Model.Report.ForwardRows, parts.Model.Report.ForwardRows);
    }

    [Fact]
    public void Fit_StoppingByStepsAndSelecting_KeepsWhatWasBest()
    {
        IDataView rows = SparseData.View(_context, SparseData.Rows(600, Wide, 8));
        NetworkTrainerOptions bySteps = Options with { HeldOutShare = 0.2, EarlyStopping = new EarlyStopping { EveryNSteps = 7 } };
        var reports = new List<TrainingProgress>();
        using NetworkPredictionTransformer model = Fit(bySteps with { Progress = new Watch(reports.Add) }, rows);
        int best = (int)reports.Where(progress => progress.ValidationLoss is not null).MinBy(progress => progress.ValidationLoss)!.Step;
        using NetworkPredictionTransformer plain = Fit(Options with { MaximumSteps = best }, rows);
        Assert.Equal(TrainingData.Scores(plain.Transform(rows)), TrainingData.Scores(model.Transform(rows)));

        // A selection is trained once: its steps are those of its windows.
        using NetworkPredictionTransformer selected = Fit(Options with
        { HeldOutShare = 0.2, Selection = new InTrainingSelection { WindowSize = 50, Budget = 0.5 } }, rows);
        Assert.InRange(selected.Model.Report!.Epochs, 1, Options.Epochs);
        Assert.NotNull(selected.Model.Report.BestValidationLoss);
    }

    [Fact]
    public void Fit_AHandfulOfRows_TrainsOnAll()
    {
        IDataView rows = SparseData.View(_context, SparseData.Rows(1, Wide, 8));
        using NetworkPredictionTransformer model = Fit(Options with { HeldOutShare = 0.5 }, rows);
        Assert.Equal((0, Options.Epochs), (model.Model.Report!.HeldOutRows, model.Model.Report.Epochs));
    }

    [Fact]
    public void CrossValidate_WithEarlyStopping_WorksWhereRowsAreHeldOut()
    {
        IDataView rows = SparseData.View(_context, SparseData.Rows(600, Wide, 8));
        var folds = _context.BinaryClassification.CrossValidate(rows,
            Trainer(Options with { HeldOutShare = 0.2, EarlyStopping = new EarlyStopping { Patience = 1 } }), numberOfFolds: 2);
        Assert.All(folds, fold => Assert.InRange(((NetworkPredictionTransformer)fold.Model).Model.Report!.HeldOutRows, 20, 100));
    }

    [Fact]
    public void Fit_ShareAndValidationData_IsRefused()
        => Assert.StartsWith("NetworkTrainerOptions.HeldOutShare is 0.2, and validation data are given: one of them says when to stop.",
            Assert.Throws<ArgumentException>(() => Trainer(Options with { HeldOutShare = 0.2 }).Fit(
                SparseData.View(_context, SparseData.Rows(10, Wide, 8)), SparseData.View(_context, SparseData.Rows(10, Wide, 8)))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Contains_ManyRows_IsTheShareInEveryTenth()
    {
        var held = new HeldOutRows(0.1, 3);
        for (int tenth = 0; tenth < 10; tenth++)
            Assert.InRange(held.In(tenth * 10_000, 10_000, held: true).Length, 880, 1120);         // four standard errors
        Assert.Equal(Enumerable.Range(0, 1000), held.In(0, 1000, true).Concat(held.In(0, 1000, false)).Order());
    }

    private NetworkTrainer Trainer(NetworkTrainerOptions options) => _context.ForwardSampling().Trainers.BinaryClassification(options);

    private NetworkPredictionTransformer Fit(NetworkTrainerOptions options, IDataView rows) => Trainer(options).Fit(rows);

    private sealed class Watch(Action<TrainingProgress> seen) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => seen(value);
    }
}
