using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public class SelectThenEstimatorTests
{
    private static readonly SelectionOptions _small = new() { WindowSize = 100, Budget = 0.2, Seed = 3 };

    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Fit_WeightedSdca_LearnsFromTheSelectedRowsAndScoresAll()
    {
        IDataView data = Data(2000);
        var estimator = _ml.ForwardSampling().SelectThen(
            new BalancedGradientNormPolicy(),
            _ml.Regression.Trainers.Sdca(exampleWeightColumnName: ForwardColumns.Weight, maximumNumberOfIterations: 60),
            _small);

        IDataView scored = estimator.Fit(data).Transform(data);

        Assert.Equal(2000, scored.GetColumn<float>("Score").Count());
        Assert.True(_ml.Regression.Evaluate(scored).RSquared > 0.9);
        Assert.Equal(400, estimator.LastReport!.RowsSelected);
        Assert.Equal(2000, estimator.LastReport.RowsSeen);
    }

    [Fact]
    public void Estimator_KeepsTheContract()
    {
        var estimator = _ml.ForwardSampling().SelectThen(new BalancedGradientNormPolicy(), Trainer(), _small);
        EstimatorContract.Check(estimator, Data(300));
    }

    [Fact]
    public void Estimator_OverAMulticlassPipeline_KeepsTheContract()
    {
        var trainer = _ml.Transforms.NormalizeMinMax("Features")
            .Append(_ml.MulticlassClassification.Trainers.SdcaMaximumEntropy("Class", maximumNumberOfIterations: 5));
        var estimator = _ml.ForwardSampling().SelectThen(new BalancedGradientNormPolicy(), trainer,
            _small with { LabelColumnName = "Class" });
        EstimatorContract.Check(estimator, Data(300));
    }

    [Fact]
    public void GetOutputSchema_InputHasAWeightAlready_ItStays()
    {
        IDataView data = _ml.Transforms.CopyColumns(ForwardColumns.Weight, "Number").Fit(Data(300)).Transform(Data(300));
        var estimator = _ml.ForwardSampling().SelectThen(new UniformPolicy(), Trainer(), _small);
        EstimatorContract.Check(estimator, data);
        Assert.Equal("Int32", Shapes.Find(estimator.GetOutputSchema(Shapes.Of(data.Schema)),
            ForwardColumns.Weight)!.Value.ItemType.ToString());
    }

    [Fact]
    public void CrossValidate_HoldOuts_AreComplete()
    {
        IDataView data = Data(1000);
        var pipeline = _ml.Transforms.NormalizeMinMax("Features")
            .Append(_ml.ForwardSampling().SelectThen(new BalancedGradientNormPolicy(), Trainer(), _small));

        var folds = _ml.Regression.CrossValidate(data, pipeline, numberOfFolds: 4);

        Assert.Equal(1000, folds.Sum(fold => fold.ScoredHoldOutSet.GetColumn<float>("Score").Count()));
        Assert.All(folds, fold => Assert.True(fold.Metrics.RSquared > 0.5));
    }

    [Fact]
    public void Fit_ReadsTheSourceTwiceForEachSetOfColumns_NotOncePerEpoch()
    {
        var spy = new SpyView(Data(400));
        _ml.ForwardSampling().SelectThen(new UniformPolicy(), _ml.Regression.Trainers.Sdca(maximumNumberOfIterations: 50), _small).Fit(spy);
        int fifty = spy.Opened.Count;
        spy.Opened.Clear();
        _ml.ForwardSampling().SelectThen(new UniformPolicy(), _ml.Regression.Trainers.Sdca(maximumNumberOfIterations: 5), _small).Fit(spy);

        Assert.Equal(spy.Opened.Count, fifty);
        Assert.All(spy.Opened, opened => Assert.StartsWith("set1(", opened));
    }

    [Fact]
    public void Fit_SeedFromTheContext_SelectsTheSameRowsEveryTime()
    {
        static float[] Run(int contextSeed, int fits)
        {
            var ml = new MLContext(contextSeed);
            var trainer = new SumTrainer(ml.Transforms.CopyColumns("Copy", "X").Fit(ml.Data.LoadFromEnumerable(RecordedRow.Make(1))));
            var estimator = ml.ForwardSampling().SelectThen(new UniformPolicy(), trainer, new SelectionOptions { WindowSize = 50 });
            for (int i = 0; i < fits; i++)
                estimator.Fit(ml.Data.LoadFromEnumerable(RecordedRow.Make(500)));
            return [.. trainer.Sums];
        }

        float[] sums = Run(4, 3);
        Assert.Single(sums.Distinct());
        Assert.Equal(sums, Run(4, 3));
        Assert.NotEqual(sums, Run(5, 3));
    }

    [Fact]
    public void Fit_LeavesTheUsersSeedsAlone()
    {
        static int NextDraw(bool fit)
        {
            var ml = new MLContext(seed: 4);
            IDataView data = ml.Data.LoadFromEnumerable(RecordedRow.Make(500));
            var trainer = new SumTrainer(ml.Transforms.CopyColumns("Copy", "X").Fit(data));
            var estimator = ml.ForwardSampling().SelectThen(new UniformPolicy(), trainer);
            if (fit)
                estimator.Fit(data);
            return ((Microsoft.ML.Runtime.IHostEnvironment)ml).Register("Next").Rand.Next();
        }

        Assert.Equal(NextDraw(fit: false), NextDraw(fit: true));
    }

    [Fact]
    public void Fit_ReportIsLogged()
    {
        var messages = new List<string>();
        _ml.Log += (_, e) => messages.Add(e.Message);
        _ml.ForwardSampling().SelectThen(new FirstRowsPolicy(), Trainer(),
            new SelectionOptions { WindowSize = 100, Budget = SelectionBudget.Rows(2) }).Fit(Data(300));
        Assert.Contains("[Source=ForwardSampling.SelectThen; Fit, Kind=Info] FirstRows selected 6 of 300 rows in 3 windows; mean weight "
            + "1.5, largest 2.", messages);
    }

    [Fact]
    public void Fit_Cancelled_ThrowsTheCancellationBare()
    {
        IDataView data = _ml.Transforms.CustomMapping<CountingMapping.In,
            CountingMapping.Out>((_, _) => throw new OperationCanceledException("stop"), null).Fit(Data(10)).Transform(Data(300));
        var estimator = _ml.ForwardSampling().SelectThen(new UniformPolicy(), _ml.Transforms.NormalizeMinMax("Expensive"), _small);
        Assert.Equal("stop", Assert.Throws<OperationCanceledException>(() => estimator.Fit(data)).Message);
        Assert.Null(estimator.LastReport);
    }

    [Fact]
    public void Fit_AnotherFailure_ComesAsItIs()
    {
        IDataView data = _ml.Transforms.CustomMapping<CountingMapping.In,
            CountingMapping.Out>((_, _) => throw new FormatException("bad"), null).Fit(Data(10)).Transform(Data(300));
        var error = Assert.ThrowsAny<Exception>(() => _ml.ForwardSampling()
            .SelectThen(new UniformPolicy(), _ml.Transforms.NormalizeMinMax("Expensive"), _small).Fit(data));
        Assert.Contains("bad", error.ToString());
    }

    [Fact]
    public void Column_Missing_IsNamedAlikeBeforeAndInFit()
    {
        IDataView data = _ml.Transforms.DropColumns(ForwardColumns.Loss).Fit(Data(50)).Transform(Data(50));
        Assert.Equal(
            "Schema mismatch for statistics column 'Forward.Loss': expected Single, got no such column. RecordForwardPass adds this "
                + "column; a renamed one is given in StatisticColumns.Loss.",
            EstimatorContract.CheckRefused(_ml.ForwardSampling().SelectThen(new LargestLossPolicy(), Trainer(), _small), data));
    }

    [Fact]
    public void PredictionEngine_OverTheTrainedModel_NeedsNoStatistics()
    {
        var model = _ml.ForwardSampling().SelectThen(new UniformPolicy(), Trainer(), _small).Fit(Data(300));
        using var engine = _ml.Model.CreatePredictionEngine<Features, Scored>(model);
        RecordedRow[] rows = RecordedRow.Make(300);
        Assert.Equal(model.Transform(Data(300)).GetColumn<float>("Score").ElementAt(5),
            engine.Predict(new Features { Values = rows[5].Features }).Score);
    }

    [Fact]
    public void RecordThenSelectThen_InOneChain_Trains()
    {
        IDataView data = _ml.Transforms.DropColumns(ForwardColumns.Loss, ForwardColumns.GradientNorm).Fit(Data(500)).Transform(Data(500));
        ITransformer deployed = _ml.Regression.Trainers.Sdca(maximumNumberOfIterations: 2).Fit(data);
        IDataView recorded = _ml.ForwardSampling().RecordForwardPass(deployed, PredictionTask.Regression).Fit(data).Transform(data);

        var estimator = _ml.ForwardSampling().SelectThen(new BalancedGradientNormPolicy(),
            _ml.Regression.Trainers.Sdca(exampleWeightColumnName: ForwardColumns.Weight, maximumNumberOfIterations: 60), _small);
        Assert.True(_ml.Regression.Evaluate(estimator.Fit(recorded).Transform(data)).RSquared > 0.9);
        Assert.Equal(0, estimator.LastReport!.RepairedRows);
        Assert.Equal(100, estimator.LastReport.RowsSelected);
    }

    [Fact]
    public void Fit_ColumnThatCannotBeCached_IsLeftOutIfTheTrainerDoesNotNeedIt()
    {
        var warnings = new List<string>();
        _ml.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.RawMessage);
        };
        IDataView withOpaque = new OpaqueColumnView(Data(300));

        _ml.ForwardSampling().SelectThen(new UniformPolicy(), Trainer(), _small).Fit(withOpaque);
        Assert.Empty(warnings);

        _ml.ForwardSampling().SelectThen(new UniformPolicy(), _ml.Transforms.CopyColumns("Copy", "Opaque").Append(Trainer()), _small)
            .Fit(withOpaque);
        Assert.Equal(["The trainer needs a column that cannot be cached, so each of its passes reads and selects from the whole input "
            + "again."], warnings);
    }

    [Fact]
    public void Arguments_Null_AreRefused()
    {
        Assert.Throws<ArgumentNullException>(() => _ml.ForwardSampling().SelectThen(null!, Trainer()));
        Assert.Throws<ArgumentNullException>(() => _ml.ForwardSampling().SelectThen(new UniformPolicy(), (IEstimator<ITransformer>)null!));
        Assert.Throws<ArgumentNullException>(() => _ml.ForwardSampling().SelectThen(new UniformPolicy(), Trainer()).Fit(null!));
    }

    private Microsoft.ML.Trainers.SdcaRegressionTrainer Trainer() => _ml.Regression.Trainers.Sdca(maximumNumberOfIterations: 20);

    private IDataView Data(int n) => _ml.Data.LoadFromEnumerable(RecordedRow.Make(n));

    private sealed class Features
    {
        [VectorType(3)]
        [ColumnName("Features")]
        public float[] Values { get; set; } = [];
    }

    private sealed class Scored
    {
        public float Score { get; set; }
    }

    /// <summary>Learns the sum of the numbers of the rows it is shown: tells which rows those were. Registers nothing.</summary>
    private sealed class SumTrainer(ITransformer result) : IEstimator<ITransformer>
    {
        public List<float> Sums { get; } = [];

        public ITransformer Fit(IDataView input)
        {
            Sums.Add(input.GetColumn<int>("Number").Sum());
            return result;
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => inputSchema;
    }

    private sealed class OpaqueColumnView : IDataView
    {
        private readonly IDataView _source;

        public OpaqueColumnView(IDataView source)
        {
            _source = source;
            var builder = new DataViewSchema.Builder();
            builder.AddColumns(source.Schema);
            builder.AddColumn("Opaque", new ColumnBufferTests.Opaque());
            Schema = builder.ToSchema();
        }

        public DataViewSchema Schema { get; }

        public bool CanShuffle => false;

        public long? GetRowCount() => _source.GetRowCount();

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
            => new Cursor(Schema, _source.GetRowCursor(columnsNeeded.Where(column => column.Index < _source.Schema.Count)),
                [.. columnsNeeded.Select(column => column.Index)]);

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            [GetRowCursor(columnsNeeded)];

        private sealed class Cursor(DataViewSchema schema, DataViewRowCursor source, HashSet<int> active) : DataViewRowCursor
        {
            public override DataViewSchema Schema => schema;

            public override long Position => source.Position;

            public override long Batch => source.Batch;

            public override bool MoveNext() => source.MoveNext();

            public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

            public override ValueGetter<DataViewRowId> GetIdGetter() => source.GetIdGetter();

            public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
                => column.Index < source.Schema.Count
                    ? source.GetGetter<TValue>(source.Schema[column.Index])
                    : (ValueGetter<TValue>)(Delegate)(ValueGetter<Uri>)((ref Uri value) => value = new Uri("row:/" + source.Position));
        }
    }
}
