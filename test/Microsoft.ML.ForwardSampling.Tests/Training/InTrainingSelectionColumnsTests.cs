using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Scoring;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;
using Microsoft.ML.ForwardSampling.Training;

namespace Microsoft.ML.ForwardSampling.Tests.Training;

/// <summary>Reference losses and groups in the trainer's own selection.</summary>
[Collection(TorchCollection.Name)]
public sealed class InTrainingSelectionColumnsTests
{
    private static readonly NetworkTrainerOptions _once = new() { HiddenLayers = [4], Epochs = 1, BatchSize = 16, Shuffle = false, Seed = 7 };

    private readonly MLContext _context = new(seed: 1);

    private NetworkTrainers Trainers => _context.ForwardSampling().Trainers;

    [Theory]
    [InlineData(StatisticsSource.Recorded)]
    [InlineData(StatisticsSource.Fresh)]
    public void ReferenceLoss_IsTheRecordedColumn_WhateverTheLossIs(StatisticsSource source)
    {
        IDataView data = TrainingData.View(_context, 200);
        using NetworkPredictionTransformer deployed = Trainers.Regression(_once).Fit(data);
        var fs = _context.ForwardSampling();
        IDataView reference = fs.RecordForwardPass(deployed, new ForwardSampling.Recording.ForwardRecordingOptions { LossColumnName = ForwardColumns.ReferenceLoss }).Fit(data).Transform(data);
        using NetworkPredictionTransformer newer = Trainers.Regression(_once with { Epochs = 3 }).Fit(data);
        IDataView both = fs.RecordForwardPass(newer, new ForwardSampling.Recording.ForwardRecordingOptions()).Fit(reference).Transform(reference);
        float[] referenceLoss = [.. both.GetColumn<float>(ForwardColumns.ReferenceLoss)], recordedLoss = [.. both.GetColumn<float>(ForwardColumns.Loss)];

        var seen = new SeenPolicy(RecordStatistics.Loss | RecordStatistics.ReferenceLoss);
        using NetworkPredictionTransformer model = Trainers.Regression(_once with { Selection = new() { Policy = seen, WindowSize = 200, Statistics = source } }).Fit(both);

        Assert.NotEqual(recordedLoss, referenceLoss);
        Assert.Equal(referenceLoss, seen.ReferenceLoss);
        Assert.Equal(source == StatisticsSource.Recorded, recordedLoss.SequenceEqual(seen.Loss));
        Assert.Equal(200, seen.Loss.Length);
    }

    [Fact]
    public void ReferenceLoss_Fresh_TheDeployedModelsRecordedLossServesAsItIs()
    {
        IDataView data = TrainingData.View(_context, 200);
        using NetworkPredictionTransformer deployed = Trainers.Regression(_once).Fit(data);
        IDataView recorded = _context.ForwardSampling().RecordForwardPass(deployed, PredictionTask.Regression).Fit(data).Transform(data);
        var seen = new SeenPolicy(RecordStatistics.Loss | RecordStatistics.ReferenceLoss);
        var selection = new InTrainingSelection { Policy = seen, WindowSize = 200, Columns = new() { ReferenceLossColumnName = ForwardColumns.Loss } };
        using NetworkPredictionTransformer model = Trainers.Regression(_once with { Selection = selection }).Fit(recorded);

        Assert.Equal([.. recorded.GetColumn<float>(ForwardColumns.Loss)], seen.ReferenceLoss);
        Assert.Throws<ArgumentException>(() => Trainers.Regression(_once with { Selection = selection with { Statistics = StatisticsSource.Recorded } }));
    }

    [Fact]
    public void ReferenceLoss_Missing_SaysHowItIsMade()
    {
        NetworkTrainer trainer = Trainers.Regression(_once with { Selection = new() { Policy = new ReducibleLossPolicy() } });
        Assert.Equal(
            "Schema mismatch for statistics column 'Forward.ReferenceLoss': expected Single, got no such column. RecordForwardPass adds this column when the reference model is recorded "
            + "with LossColumnName = 'Forward.ReferenceLoss'; a renamed one is given in InTrainingSelection.Columns.",
            EstimatorContract.WithoutParameter(Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Fit(TrainingData.View(_context, 10)))));
    }

    [Theory]
    [InlineData(PredictionTask.Multiclass, null)]
    [InlineData(PredictionTask.Binary, null)]
    [InlineData(PredictionTask.Regression, "BandKey")]
    [InlineData(PredictionTask.Binary, "BandKey")]
    [InlineData(PredictionTask.Multiclass, "IsHigh")]
    public void Group_IsTheNamedColumnOrTheLabelsClass(PredictionTask task, string? column)
    {
        IDataView data = TrainingData.WithKey(_context, TrainingData.View(_context, 150));
        var seen = new SeenPolicy(RecordStatistics.Loss | RecordStatistics.Group);
        NetworkTrainerOptions options = _once with
        {
            LabelColumnName = task switch { PredictionTask.Regression => "Label", PredictionTask.Binary => "IsHigh", _ => "BandKey" },
            Selection = new() { Policy = seen, WindowSize = 150, Columns = new() { GroupColumnName = column } },
        };
        NetworkTrainer trainer = task switch { PredictionTask.Regression => Trainers.Regression(options), PredictionTask.Binary => Trainers.Binary(options), _ => Trainers.Multiclass(options) };
        using NetworkPredictionTransformer model = trainer.Fit(data);

        int[] expected = (column ?? options.LabelColumnName) == "IsHigh"
            ? [.. data.GetColumn<bool>("IsHigh").Select(value => value ? 1 : 0)]
            : [.. data.GetColumn<uint>("BandKey").Select(key => (int)key - 1)];
        Assert.Equal(expected, seen.Group);
        Assert.InRange(expected.Distinct().Count(), 2, 3);
    }

    [Fact]
    public void GroupBudget_RareClass_IsInEveryWindow()
    {
        TrainingRow[] rows = TrainingData.Rows(400);
        for (int i = 0; i < 400; i++)
            rows[i].Band = i % 100 == 7 ? "rare" : "often";
        IDataView data = TrainingData.WithKey(_context, _context.Data.LoadFromEnumerable(rows));
        var groups = new List<int[]>();
        var policy = new GroupBudgetPolicy { Inner = new SeenPolicy(RecordStatistics.Loss, count => groups.Add([count])) };
        NetworkTrainerOptions options = _once with { LabelColumnName = "BandKey", Selection = new() { Policy = policy, WindowSize = 100, Budget = SelectionBudget.Rows(10) } };
        using NetworkPredictionTransformer model = Trainers.Multiclass(options).Fit(data);

        // Each of four windows: 99 rows of which nine are chosen, and the rare one.
        Assert.Equal(8, groups.Count);
        Assert.Equal(4, groups.Count(group => group[0] == 1));
        Assert.Equal(40, model.Model.Report!.BackwardRows);
    }

    [Fact]
    public void Group_RegressionWithoutAColumn_NamesTheOption()
    {
        NetworkTrainer trainer = Trainers.Regression(_once with { Selection = new() { Policy = new GroupBudgetPolicy() } });
        Assert.StartsWith(
            "Schema mismatch for group column 'Label': expected Boolean or Key, got Single. Groups are the keys or Booleans of the column that SelectionOptions.GroupColumnName names",
            Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Fit(TrainingData.View(_context, 10))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_WithALimitOnAge_SayWhereItBelongs()
    {
        Assert.Equal(
            "InTrainingSelection.Columns sets MaximumRecordAge or MinimumModelVersion, which the trainer's own selection does not read. "
            + "Leave old records out before training: SelectRows with UniformPolicy, Budget = 1.0 and the limit. (Parameter 'Columns')",
            Assert.Throws<ArgumentException>(() => new InTrainingSelection { Columns = new() { MinimumModelVersion = 3 } }).Message);
    }

    /// <summary>Takes the first rows and keeps what it was shown last.</summary>
    private sealed class SeenPolicy(RecordStatistics needs, Action<int>? count = null) : IRowSelectionPolicy
    {
        public float[] Loss { get; private set; } = [];

        public float[] ReferenceLoss { get; private set; } = [];

        public int[] Group { get; private set; } = [];

        public string Name => "Seen";

        public RecordStatistics Needs => needs;

        public bool IsUnbiased => false;

        public void Select(in SelectionWindow window, ref SelectionRandom random, Span<int> rows, Span<float> weights)
        {
            (Loss, ReferenceLoss, Group) = (window.Loss.ToArray(), window.ReferenceLoss.ToArray(), window.Group.ToArray());
            count?.Invoke(window.Count);
            for (int i = 0; i < rows.Length; i++)
                (rows[i], weights[i]) = (i, 1);
        }
    }
}
