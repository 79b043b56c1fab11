using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>Reference losses and groups in the trainer's own selection.</summary>
[Collection(TorchCollection.Name)]
public sealed class InTrainingSelectionColumnsTests
{
    private static readonly NetworkTrainerOptions _once = new()
    { HiddenLayers = [4], Epochs = 1, BatchSize = 16, Shuffle = false, Seed = 7 };

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
        IDataView reference = fs.RecordForwardPass(deployed,
            new ForwardSampling.ForwardPass.ForwardRecordingOptions { LossColumnName = ForwardColumns.ReferenceLoss }).Fit(data)
            .Transform(data);
        using NetworkPredictionTransformer newer = Trainers.Regression(_once with { Epochs = 3 }).Fit(data);
        IDataView both = fs.RecordForwardPass(newer, new ForwardSampling.ForwardPass.ForwardRecordingOptions()).Fit(reference)
            .Transform(reference);
        float[] referenceLoss = [.. both.GetColumn<float>(ForwardColumns.ReferenceLoss)],
            recordedLoss = [.. both.GetColumn<float>(ForwardColumns.Loss)];

        var seen = new SeenPolicy(RecordStatistics.Loss | RecordStatistics.ReferenceLoss);
        using NetworkPredictionTransformer model = Trainers.Regression(
            _once with { Selection = new() { Policy = seen, WindowSize = 200, Statistics = source } }).Fit(both);

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
        var selection = new InTrainingSelection
        {
            Policy = seen,
            WindowSize = 200,
            Columns = new() { ReferenceLoss = ForwardColumns.Loss }
        };
        using NetworkPredictionTransformer model = Trainers.Regression(_once with { Selection = selection }).Fit(recorded);

        Assert.Equal([.. recorded.GetColumn<float>(ForwardColumns.Loss)], seen.ReferenceLoss);
        Assert.Throws<ArgumentException>(
            () => Trainers.Regression(_once with { Selection = selection with { Statistics = StatisticsSource.Recorded } }));
    }

    [Fact]
    public void ReferenceLoss_Missing_SaysHowItIsMade()
    {
        NetworkTrainer trainer = Trainers.Regression(_once with { Selection = new() { Policy = new ReducibleLossPolicy() } });
        Assert.Equal(
            "Schema mismatch for statistics column 'Forward.ReferenceLoss': expected Single, got no such column. RecordForwardPass adds "
                + "this column when the reference model is recorded "
            + "with LossColumnName = 'Forward.ReferenceLoss'; a renamed one is given in StatisticColumns.ReferenceLoss.",
            EstimatorContract.WithoutParameter(
                Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Fit(TrainingData.View(_context, 10)))));
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
            Selection = new() { Policy = seen, WindowSize = 150, Columns = new() { Group = column } },
        };
        NetworkTrainer trainer = task switch
        {
            PredictionTask.Regression => Trainers.Regression(options),
            PredictionTask.Binary => Trainers.BinaryClassification(options),
            _ => Trainers.MulticlassClassification(options)
        };
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
        NetworkTrainerOptions options = _once with
        {
            LabelColumnName = "BandKey",
            Selection = new() { Policy = policy, WindowSize = 100, Budget = SelectionBudget.Rows(10) }
        };
        using NetworkPredictionTransformer model = Trainers.MulticlassClassification(options).Fit(data);

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
            "Schema mismatch for group column 'Label': expected Boolean or Key, got Single. Groups are the keys or Booleans of the "
                + "column that StatisticColumns.Group names",
            Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Fit(TrainingData.View(_context, 10))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OldRecords.Exclude)]
    [InlineData(OldRecords.Discount)]
    public void OldRecords_Recorded_WindowsAreThoseOfSelectRows(OldRecords what)
    {
        IDataView data = _context.Data.LoadFromEnumerable(AgedRow.Make(500));
        var limits = new RecordLimits { MaximumAge = TimeSpan.FromSeconds(60), MinimumModelVersion = 1, OldRecords = what };
        List<float[]> filtered = [], trained = [];
        RecordStatistics needs = RecordStatistics.Loss | RecordStatistics.GradientNorm | RecordStatistics.ReferenceLoss;
        SelectedRows selected = _context.ForwardSampling().SelectRows(data, new SeenPolicy(needs, seen: filtered.Add),
            new SelectionOptions { WindowSize = 100, Limits = limits });
        _ = selected.GetColumn<float>("Label").Count();
        var selection = new InTrainingSelection
        {
            Policy = new SeenPolicy(needs, seen: trained.Add),
            WindowSize = 100,
            Statistics = StatisticsSource.Recorded,
            Limits = limits
        };
        using NetworkPredictionTransformer model = Trainers.Regression(_once with { Epochs = 2, Selection = selection }).Fit(data);

        Assert.Equal([.. filtered, .. filtered], trained);
        SelectionReport once = selected.Report!, twice = model.Model.Report!.Selection!;
        Assert.Equal((2 * once.RowsSeen, 2 * once.ExcludedRows, 2 * once.DiscountedRows),
            (twice.RowsSeen, twice.ExcludedRows, twice.DiscountedRows));
        Assert.InRange(once.ExcludedRows + once.DiscountedRows, 100, 400);
        Assert.Equal((500, 0), (model.Model.Report.RowsRead, model.Model.Report.RowsSkipped));
    }

    [Fact]
    public void OldRecords_Discounted_AreShrunkByHalfLives()
    {
        // Ages 0, 60, 70 and 80 with a limit of 60 and a half-life of 10: 1, 1, 1/2 and 1/4. Weighted mean (1 + 3 + 100/2 + 41/4) / 2.75.
        AgedRow[] rows = AgedRow.Make(4);
        (float Loss, float Age)[] values = [(1, 0), (3, 60), (100, 70), (41, 80)];
        for (int i = 0; i < rows.Length; i++)
            (rows[i].Loss, rows[i].Age) = values[i];
        var seen = new SeenPolicy(RecordStatistics.Loss | RecordStatistics.ReferenceLoss);
        var limits = new RecordLimits
        {
            OldRecords = OldRecords.Discount,
            MaximumAge = TimeSpan.FromSeconds(60),
            HalfLife = TimeSpan.FromSeconds(10)
        };
        var selection = new InTrainingSelection { Policy = seen, Budget = 1.0, Statistics = StatisticsSource.Recorded, Limits = limits };
        using NetworkPredictionTransformer model = Trainers.Regression(_once with { Selection = selection })
            .Fit(_context.Data.LoadFromEnumerable(rows));

        double mean = 64.25 / 2.75;
        double[] expected = [1, 3, mean + (100 - mean) / 2, mean + (41 - mean) / 4];
        Assert.Equal(expected, seen.Loss.Select(loss => (double)loss), (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.Equal([.. rows.Select(row => row.ReferenceLoss)], seen.ReferenceLoss);
        Assert.Equal((2, 0), (model.Model.Report!.Selection!.DiscountedRows, model.Model.Report.Selection.ExcludedRows));
    }

    [Fact]
    public void OldRecords_Fresh_AreLeftOutAndNotScored()
    {
        AgedRow[] rows = AgedRow.Make(300);
        var seen = new List<float[]>();
        var selection = new InTrainingSelection
        {
            Policy = new SeenPolicy(RecordStatistics.Loss | RecordStatistics.ReferenceLoss,
            seen: seen.Add),
            WindowSize = 50,
            Limits = new() { MinimumModelVersion = 3 }
        };
        using NetworkPredictionTransformer model = Trainers.Regression(_once with { Selection = selection })
            .Fit(_context.Data.LoadFromEnumerable(rows));

        AgedRow[] young = [.. rows.Where(row => row.ModelVersion >= 3)];
        Assert.Equal(young.Length, model.Model.Report!.ForwardRows);
        Assert.Equal(rows.Length - young.Length, model.Model.Report.Selection!.ExcludedRows);
        Assert.Equal(young.Select(row => row.ReferenceLoss), seen.SelectMany(window => window.TakeLast(window.Length / 2)));
    }

    [Fact]
    public void OldRecords_MoreRowsThanMemory_LeftOutInEveryPass()
    {
        AgedRow[] rows = AgedRow.Make(60_000);
        var limits = new RecordLimits { MinimumModelVersion = 1 };
        var selection = new InTrainingSelection { Policy = new UniformPolicy(), Statistics = StatisticsSource.Recorded, Limits = limits };
        using NetworkPredictionTransformer model = Trainers.Regression(
            _once with { Epochs = 2, BatchSize = 512, MaximumRowMegabytes = 1, Selection = selection })
            .Fit(_context.Data.LoadFromEnumerable(rows));

        int old = rows.Count(row => row.ModelVersion == 0);
        TrainingReport report = model.Model.Report!;
        Assert.Equal((3 * rows.Length, 0), (report.RowsRead, report.RowsSkipped)); // once to count the steps
        Assert.Equal((2 * (rows.Length - old), 2 * old), (report.Selection!.RowsSeen, report.Selection.ExcludedRows));
    }

    [Fact]
    public void OldRecords_AllOld_SaysSo()
    {
        var selection = new InTrainingSelection { Policy = new UniformPolicy(), Limits = new() { MinimumModelVersion = 9 } };
        Assert.Equal(
            "There is no row to train on: 20 rows were read, 0 skipped because a feature, the label or the weight was missing, and 20 "
                + "left out because their record is too old.",
            Assert.Throws<InvalidOperationException>(() => Trainers.Regression(_once with { Selection = selection })
                .Fit(_context.Data.LoadFromEnumerable(AgedRow.Make(20)))).Message);
    }

    [Fact]
    public void OldRecords_DiscountOfFreshStatistics_Refused()
        => Assert.Equal(
            "InTrainingSelection.Limits discounts old records, and InTrainingSelection.Statistics is Fresh: fresh statistics do not age. "
            + "Use StatisticsSource.Recorded, or OldRecords.Exclude to leave such rows out. (Parameter 'Limits')",
            Assert.Throws<ArgumentException>(
                () => Trainers.Regression(_once with
                { Selection = new() { Limits = new() { MinimumModelVersion = 3, OldRecords = OldRecords.Discount } } })).Message);

    [Theory]
    [InlineData(StatisticsSource.Recorded)]
    [InlineData(StatisticsSource.Fresh)]
    public void OldRecords_ColumnMissing_SaysWhyItIsRead(StatisticsSource source)
    {
        var selection = new InTrainingSelection
        {
            Policy = new UniformPolicy(),
            Statistics = source,
            Limits = new() { MaximumAge = TimeSpan.FromDays(1) }
        };
        Assert.StartsWith(
            "Schema mismatch for record age column 'Forward.Age': expected Single, got no such column. It holds the record's age in "
                + "seconds and is read because RecordLimits.MaximumAge is set;",
            Assert.Throws<ArgumentOutOfRangeException>(() =>
                Trainers.Regression(_once with { Selection = selection }).Fit(TrainingData.View(_context, 10))).Message,
            StringComparison.Ordinal);
    }

    /// <summary>A row with a record of some age.</summary>
    private sealed class AgedRow : TrainingRow
    {
        [ColumnName(ForwardColumns.Loss)]
        public float Loss { get; set; }

        [ColumnName(ForwardColumns.GradientNorm)]
        public float GradientNorm { get; set; }

        [ColumnName(ForwardColumns.ReferenceLoss)]
        public float ReferenceLoss { get; set; }

        [ColumnName(ForwardColumns.Age)]
        public float Age { get; set; }

        [ColumnName(ForwardColumns.ModelVersion)]
        public ulong ModelVersion { get; set; }

        public static AgedRow[] Make(int count)
        {
            var random = new Random(5);
            return [.. TrainingData.Rows(count).Select(row => new AgedRow
            {
                Features = row.Features,
                Label = row.Label,
                Loss = random.NextSingle(),
                GradientNorm = random.NextSingle(),
                ReferenceLoss = random.NextSingle(),
                Age = 100 * random.NextSingle(),
                ModelVersion = (ulong)random.Next(5),
            })];
        }
    }

    /// <summary>Takes the first rows and keeps what it was shown last.</summary>
    private sealed class SeenPolicy(RecordStatistics needs, Action<int>? count = null, Action<float[]>? seen = null) : IRowSelectionPolicy
    {
        public float[] Loss { get; private set; } = [];

        public float[] ReferenceLoss { get; private set; } = [];

        public int[] Group { get; private set; } = [];

        public string Name => "Seen";

        public RecordStatistics Needs => needs;

        public bool IsUnbiased => false;

        public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
        {
            (Loss, ReferenceLoss, Group) = (window.Loss.ToArray(), window.ReferenceLoss.ToArray(), window.Group.ToArray());
            count?.Invoke(window.Count);
            seen?.Invoke([.. window.Loss, .. window.GradientNorm, .. window.ReferenceLoss]);
            for (int i = 0; i < rows.Length; i++)
                (rows[i], weights[i]) = (i, 1);
        }
    }
}
