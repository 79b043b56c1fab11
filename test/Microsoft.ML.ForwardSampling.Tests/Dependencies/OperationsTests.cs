using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;
using Microsoft.ML.ForwardSampling.Tests.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.Dependencies;

/// <summary>Every public operation of MLContext and its catalogs that takes a data view or a transformer, on ours: it works, or says no in
/// a sentence that names another way.</summary>
/// <remarks>Operations whose parameter is a type of ML.NET's own that this library cannot be (ChangeModelThreshold,
/// CalculateFeatureContribution, OneVersusAll and PairwiseCoupling over our trainer) do not compile, and so need no test here.</remarks>
[Collection(TorchCollection.Name)]
public sealed class OperationsTests : IDisposable
{
    private const int RowCount = 60;

    private static readonly NetworkTrainerOptions _options = new() { HiddenLayers = [4], Epochs = 1, Seed = 2, LabelColumnName = "IsHigh" };

    private readonly MLContext _ml = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-").FullName;
    private readonly NetworkPredictionTransformer _model;

    public OperationsTests() => _model = Fs.Trainers.BinaryClassification(_options).Fit(Rows());

    private ForwardSamplingCatalog Fs => _ml.ForwardSampling();

    public void Dispose()
    {
        _model.Dispose();
        _logs.ForEach(log => log.Dispose());
        Directory.Delete(_folder, recursive: true);
    }

    // Data operations: over a view of ours they give what they give over a plain copy of its rows.

    public static TheoryData<string, string> ViewsAndOperations => [.. Views.SelectMany(view => Operations, (view, operation) =>
        new TheoryDataRow<string, string>(view, operation))];

    [Theory]
    [MemberData(nameof(ViewsAndOperations))]
    public void DataOperation_OverOurView_GivesWhatItGivesOverACopy(string view, string operation)
    {
        IDataView ours = View(view), copy = Copy(ours);
        Assert.Equal(Texts(Apply(operation, copy)), Texts(Apply(operation, ours)));
    }

    [Theory]
    [MemberData(nameof(ViewsAndOperations))]
    public void DataOperation_OverOurView_LeavesACorrectView(string view, string operation) =>
        Assert.NotEmpty(Texts(Apply(operation, View(view))));

    private static string[] Views => ["scored", "recorded", "selected", "streamed", "attached", "logged", "joined"];

    private static string[] Operations =>
    [
        "nothing", "Cache", "CacheNamed", "TakeRows", "SkipRows", "FilterRowsByColumn", "FilterRowsByMissingValues",
        "FilterByCustomPredicate", "ShuffleRows", "BootstrapSample", "TrainTestSplit", "CrossValidationSplit", "SaveAsBinary",
        "SaveAsText", "CopyColumns", "DropColumns", "NormalizeMinMax", "Preview",
    ];

    private IDataView Apply(string operation, IDataView view)
    {
        const string Number = ForwardColumns.Loss;
        switch (operation)
        {
            case "nothing": return view;
            case "Cache": return _ml.Data.Cache(view);
            case "CacheNamed": return _ml.Data.Cache(view, Number);
            case "TakeRows": return _ml.Data.TakeRows(view, 5);
            case "SkipRows": return _ml.Data.SkipRows(view, 2);
            case "FilterRowsByColumn": return _ml.Data.FilterRowsByColumn(view, Number, lowerBound: 0.2, upperBound: 100);
            case "FilterRowsByMissingValues": return _ml.Data.FilterRowsByMissingValues(view, Number);
            case "FilterByCustomPredicate": return _ml.Data.FilterByCustomPredicate<LossOnly>(view, row => row.Loss < 0.3f);
            // A pool that holds all rows: where a view refuses another order, the pool alone shuffles.
            case "ShuffleRows": return _ml.Data.ShuffleRows(Unshufflable(view), seed: 3, shufflePoolSize: 1000, shuffleSource: false);
            case "BootstrapSample": return _ml.Data.BootstrapSample(view, seed: 4);
            case "TrainTestSplit": return _ml.Data.TrainTestSplit(view, 0.3, seed: 5).TestSet;
            case "CrossValidationSplit": return _ml.Data.CrossValidationSplit(view, 3, seed: 6)[1].TrainSet;
            case "SaveAsBinary": return Copy(view);
            case "SaveAsText":
                {
                    string path = Path.Combine(_folder, Guid.NewGuid() + ".tsv");
                    using (FileStream stream = File.Create(path))
                        _ml.Data.SaveAsText(_ml.Transforms.SelectColumns(Number).Fit(view).Transform(view), stream, schema: false);
                    return _ml.Data.LoadFromTextFile(path, [new TextLoader.Column(Number, DataKind.Single, 0)], hasHeader: true);
                }

            case "CopyColumns": return _ml.Transforms.CopyColumns("Again", Number).Fit(view).Transform(view);
            case "DropColumns": return _ml.Transforms.DropColumns(Number).Fit(view).Transform(view);
            case "NormalizeMinMax": return _ml.Transforms.NormalizeMinMax("Scaled", Number).Fit(view).Transform(view);
            default:
                DataDebuggerPreview preview = view.Preview(7);
                return _ml.Data.LoadFromEnumerable(preview.RowView.Select(row => new LossOnly
                {
                    Loss = (float)row.Values.Last(value => value.Key == Number).Value
                }).ToArray());
        }
    }

    // Model operations

    [Fact]
    public void Evaluate_EveryTask_Works()
    {
        IDataView scored = _model.Transform(Rows());
        CalibratedBinaryClassificationMetrics calibrated = _ml.BinaryClassification.Evaluate(scored, "IsHigh");
        BinaryClassificationMetrics plain = _ml.BinaryClassification.EvaluateNonCalibrated(scored, "IsHigh");
        Assert.Equal(calibrated.Accuracy, plain.Accuracy);
        Assert.True(double.IsFinite(calibrated.LogLoss));
        using NetworkPredictionTransformer regression = Fs.Trainers.Regression(_options with { LabelColumnName = "Label" }).Fit(Rows());
        Assert.True(double.IsFinite(_ml.Regression.Evaluate(regression.Transform(Rows())).RSquared));
        IDataView keyed = TrainingData.WithKey(_ml, Rows());
        using NetworkPredictionTransformer multiclass = Fs.Trainers.MulticlassClassification(
            _options with { LabelColumnName = "BandKey" }).Fit(keyed);
        Assert.True(double.IsFinite(_ml.MulticlassClassification.Evaluate(multiclass.Transform(keyed), "BandKey").LogLoss));
    }

    [Fact]
    public void CrossValidate_OurTrainer_Works()
    {
        var folds = _ml.BinaryClassification.CrossValidate(Rows(), Fs.Trainers.BinaryClassification(_options), 3, "IsHigh");
        Assert.Equal(3, folds.Count);
        Assert.All(folds, fold => Assert.True(double.IsFinite(fold.Metrics.LogLoss)));
    }

    [Fact]
    public void PermutationFeatureImportance_OfThePredictor_Works()
    {
        var importance = _ml.BinaryClassification.PermutationFeatureImportance(_model, Rows(), "IsHigh", permutationCount: 2);
        Assert.Equal(4, importance.Length);
    }

    [Fact]
    public void PermutationFeatureImportance_OfAnyTransformer_MlNetSaysNo()
    {
        // ML.NET looks for an interface of its own; docs/pitfalls.md names the other overload.
        Exception refused = Assert.ThrowsAny<Exception>(() =>
            _ml.Regression.PermutationFeatureImportance((ITransformer)_model, Rows(), "Label"));
        Assert.NotEmpty(refused.Message);
    }

    [Fact]
    public void CreatePredictionEngine_AloneInAChainAndRecorded_AgreesWithTransform()
    {
        float expected = _model.Transform(Rows()).GetColumn<float>("Probability").First();
        TrainingRow row = TrainingData.Rows(RowCount)[0];
        ITransformer chain = _ml.Transforms.CopyColumns("Again", "Features").Fit(Rows()).Append(_model);
        ITransformer recorder = Fs.RecordForwardPass(_model, Recording).Fit(Rows());
        foreach (ITransformer model in new[] { _model, chain, recorder })
        {
            // Not disposed: an engine disposes its model.
            var engine = _ml.Model.CreatePredictionEngine<TrainingRow, Prediction>(model);
            Assert.Equal(expected, engine.Predict(row).Probability);
        }
    }

    [Fact]
    public void SaveAndLoad_ChainAndRecorder_GiveTheSameScores()
    {
        float[] expected = [.. _model.Transform(Rows()).GetColumn<float>("Score")];
        ITransformer[] models = [_model, Fs.RecordForwardPass(_model, Recording).Fit(Rows()),
            _ml.Transforms.CopyColumns("Again", "Features").Fit(Rows()).Append(_model)];
        foreach (ITransformer model in models)
        {
            string path = Path.Combine(_folder, "model.zip");
            _ml.Model.Save(model, Rows().Schema, path);
            Assert.Equal(expected, _ml.Model.Load(path, out _).Transform(Rows()).GetColumn<float>("Score"));
        }
    }

    [Fact]
    public void SplitOffAChain_EveryStage_TransformsAlone()
    {
        TransformerChain<NetworkPredictionTransformer> chain = _ml.Transforms.NormalizeMinMax("Features")
            .Append(Fs.Trainers.BinaryClassification(_options)).Fit(Rows());
        IDataView stepwise = Rows();
        foreach (ITransformer stage in chain)
            stepwise = stage.Transform(stepwise);
        Assert.Equal(chain.Transform(Rows()).GetColumn<float>("Score"), stepwise.GetColumn<float>("Score"));
        Assert.Equal(chain.Transform(Rows()).GetColumn<float>("Score"),
            chain.GetModelFor(TransformerScope.Scoring).Transform(Rows()).GetColumn<float>("Score"));
        chain.Dispose();
    }

    [Theory]
    [InlineData("Platt")]
    [InlineData("Naive")]
    [InlineData("Isotonic")]
    public void Calibrators_OverOurScore_Work(string name)
    {
        IDataView scored = _model.Transform(Rows());
        var calibrators = _ml.BinaryClassification.Calibrators;
        IEstimator<ITransformer> calibrator = name switch
        {
            "Platt" => calibrators.Platt("IsHigh"),
            "Naive" => calibrators.Naive("IsHigh"),
            _ => calibrators.Isotonic("IsHigh"),
        };
        Assert.All(calibrator.Fit(scored).Transform(scored).GetColumn<float>("Probability"), p => Assert.InRange(p, 0f, 1f));
    }

    [Fact]
    public void CreateEnumerable_OfScoredAndSelected_GivesTheirColumns()
    {
        Chosen[] rows = [.. _ml.Data.CreateEnumerable<Chosen>(View("selected"), reuseRowObject: false)];
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.True(row.Weight > 0 && row.Probability is >= 0 and <= 1));
    }

    [Fact]
    public void ConvertToOnnx_SaysNo()
    {
        const string Message = "ConvertToOnnx cannot export transformers of Microsoft.ML.ForwardSampling: it would write a graph that "
            + "copies its inputs. mlContext.ForwardSampling().SaveOnnx writes networks and linear models.";
        ITransformer chain = _ml.Transforms.NormalizeMinMax("Features").Fit(Rows()).Append(_model);
        ITransformer recorder = Fs.RecordForwardPass(
            _ml.BinaryClassification.Trainers.SdcaLogisticRegression("IsHigh").Fit(Rows()), Recording).Fit(Rows());
        ITransformer linear = Fs.Trainers.LowMemoryBinaryClassification(new() { LabelColumnName = "IsHigh" }).Fit(Rows());
        foreach (ITransformer model in new[] { _model, chain, recorder, linear })
        {
            using var stream = new MemoryStream();
            Exception refused = Assert.ThrowsAny<Exception>(() => _ml.Model.ConvertToOnnx(model, Rows(), stream));
            Assert.Equal(Message, (refused as NotSupportedException ?? refused.InnerException as NotSupportedException)?.Message);
            Assert.Equal(0, stream.Length);
        }
    }

    private static ForwardRecordingOptions Recording => new() { Task = PredictionTask.Binary, LabelColumnName = "IsHigh" };

    private IDataView Rows() => TrainingData.View(_ml, RowCount);

    private IDataView View(string name)
    {
        IDataView recorded = Fs.RecordForwardPass(_model, Recording).Fit(Rows()).Transform(Rows());
        IDataView keyed = _ml.Transforms.CustomMapping<LossOnly, WithKey>(
            (input, output) => output.Key = BitConverter.SingleToUInt32Bits(input.Loss), null).Fit(recorded).Transform(recorded);
        var selection = new SelectionOptions { WindowSize = 20, Budget = 0.5, Seed = 1, LabelColumnName = "IsHigh" };
        return name switch
        {
            // A statistics column besides, for the operations that name one.
            "scored" => _ml.Transforms.CopyColumns(ForwardColumns.Loss, "Probability").Fit(Scored())
                .Transform(Scored()),
            "recorded" => recorded,
            "selected" => Fs.SelectRows(recorded, new BalancedGradientNormPolicy(), selection),
            "streamed" => Fs.SelectRowsStreamed(recorded, new BalancedGradientNormPolicy(),
                new StreamedSelectionOptions { Budget = 0.5, Seed = 1, LabelColumnName = "IsHigh" }),
            "attached" => Fs.AttachForwardRecords(
                _ml.Transforms.DropColumns(ForwardColumns.Loss, ForwardColumns.GradientNorm, ForwardColumns.Margin,
                    ForwardColumns.Entropy).Fit(keyed).Transform(keyed), "Key", Joined(keyed),
                new AttachRecordsOptions { Task = PredictionTask.Binary }),
            "logged" => Fs.RecordTo(keyed, NewLog(), new RecordToOptions { KeyColumnName = "Key" }),
            _ => Fs.LoadJoined(Joined(keyed), new JoinedRowsOptions { Task = PredictionTask.Binary }),
        };

        IDataView Scored() => _model.Transform(Rows());
    }

    private readonly List<IDisposable> _logs = [];

    private ForwardRecordLog<BinaryRecord> NewLog()
    {
        var log = new ForwardRecordLog<BinaryRecord>(Path.Combine(_folder, Guid.NewGuid().ToString()));
        _logs.Add(log);
        return log;
    }

    private static JoinedRecord[] Joined(IDataView keyed) =>
        [.. keyed.GetColumn<ulong>("Key").Distinct().Select((key, i) => new JoinedRecord
        {
            Key = key, KeepingProbability = 1, Loss = 0.1f + (i / 100f), GradientNorm = 0.5f, Margin = 0.2f, Entropy = 0.3f,
            Label = i % 2,
        })];

    private IDataView Copy(IDataView view)
    {
        string path = Path.Combine(_folder, Guid.NewGuid() + ".idv");
        using (FileStream stream = File.Create(path))
            _ml.Data.SaveAsBinary(view, stream, keepHidden: true);
        return _ml.Data.LoadFromBinary(path);
    }

    private static IDataView Unshufflable(IDataView view) => new UnshufflableView(view);

    /// <summary>The rows' visible values; ids are the operation's own matter.</summary>
    private static string[] Texts(IDataView view)
    {
        DataViewSchema.Column[] columns = [.. view.Schema.Where(column => !column.IsHidden && column.Name != ForwardColumns.Age)];
        return [.. ViewContract.Read(view.GetRowCursor(columns)).Select(row => row[(row.IndexOf(':') + 1)..])];
    }

    private sealed class UnshufflableView(IDataView inner) : IDataView
    {
        public DataViewSchema Schema => inner.Schema;

        public bool CanShuffle => false;

        public long? GetRowCount() => inner.GetRowCount();

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
            inner.GetRowCursor(columnsNeeded);

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            inner.GetRowCursorSet(columnsNeeded, n);
    }

    private sealed class LossOnly
    {
        [ColumnName(ForwardColumns.Loss)]
        public float Loss { get; set; }
    }

    private sealed class WithKey
    {
        public ulong Key { get; set; }
    }

    private sealed class Prediction
    {
        public float Probability { get; set; }
    }

    private sealed class Chosen
    {
        [ColumnName(ForwardColumns.Weight)]
        public float Weight { get; set; }

        public float Probability { get; set; }
    }
}
