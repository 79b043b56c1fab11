using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>The norm of the last hidden layer's activations: what it is, who offers it, and that it costs nobody who does not
/// ask.</summary>
[Collection(TorchCollection.Name)]
public sealed class ActivationNormTests
{
    private static readonly NetworkTrainerOptions _options =
        new() { HiddenLayers = [9, 5], Activation = Activation.Tanh, Epochs = 2, BatchSize = 16, Seed = 7 };

    private readonly MLContext _context = new(seed: 1);

    private ForwardSamplingCatalog Catalog => _context.ForwardSampling();

    [Theory]
    [InlineData(PredictionTask.Regression, false, Normalization.None)]
    [InlineData(PredictionTask.Binary, false, Normalization.None)]
    [InlineData(PredictionTask.Multiclass, false, Normalization.None)]
    [InlineData(PredictionTask.Regression, true, Normalization.None)]
    [InlineData(PredictionTask.Binary, true, Normalization.None)]
    [InlineData(PredictionTask.Multiclass, true, Normalization.None)]
    [InlineData(PredictionTask.Regression, false, Normalization.Layer)]
    [InlineData(PredictionTask.Multiclass, false, Normalization.Batch)]
    public void TimesGradientNorm_IsTheNormOfTheLastWeightsGradient(PredictionTask task, bool noHiddenLayer, Normalization normalization)
    {
        IDataView data = TrainingData.WithKey(_context, TrainingData.View(_context, 120));
        NetworkTrainerOptions options = _options with { HiddenLayers = noHiddenLayer ? [] : [9, 5], Normalization = normalization };
        using NetworkPredictionTransformer model = Trainer(task, options).Fit(data);
        IDataView recorded = Catalog.RecordForwardPass(model, Recording(task)).Fit(data).Transform(data);
        float[] gradientNorms = Singles(recorded, ForwardColumns.GradientNorm),
            activationNorms = Singles(recorded, ForwardColumns.ActivationNorm);
        float[][] features = [.. data.GetColumn<float[]>("Features")];

        for (int row = 0; row < features.Length; row += 7)
        {
            double expected = NormOfLastWeightsGradient(model.Model, features[row], row, data, noHiddenLayer ? 0 : 2);
            Assert.Equal(expected, (double)gradientNorms[row] * activationNorms[row], 2e-5 * expected + 1e-7);
            if (noHiddenLayer)
                Assert.Equal(Math.Sqrt(features[row].Sum(x => (double)x * x)), activationNorms[row], 1e-6);
        }

        Assert.True(activationNorms.Distinct().Count() > 60);
        foreach (RecordedStatistic statistic in RecordedStatistic.All.Where(
            statistic => recorded.Schema.GetColumnOrNull($"Forward.{statistic.Name}") is not null))
            Assert.All(Singles(recorded, $"Forward.{statistic.Name}"),
                value => Assert.InRange(value, statistic.Minimum, statistic.Maximum));
    }

    [Theory]
    [InlineData(PredictionTask.Regression)]
    [InlineData(PredictionTask.Binary)]
    [InlineData(PredictionTask.Multiclass)]
    public void Recorder_AroundATrainerAPipelineOrASelection_PromisesAndDeliversIt(PredictionTask task)
    {
        IDataView data = TrainingData.WithKey(_context, TrainingData.View(_context, 60));
        NetworkTrainer trainer = Trainer(task, _options);
        IEstimator<ITransformer>[] estimators =
        [
            trainer,
            _context.Transforms.NormalizeMinMax("Features").Append(trainer),
            new EstimatorChain<ITransformer>().Append<ITransformer>(_context.Transforms.NormalizeMinMax("Features"))
                .Append<ITransformer>(trainer),
            Catalog.SelectThen(new UniformPolicy(), trainer, new SelectionOptions { Budget = 0.5 }),
        ];
        foreach (IEstimator<ITransformer> estimator in estimators)
        {
            using ForwardRecordingTransformer recorder = EstimatorContract.Check(
                Catalog.RecordForwardPass(estimator, Recording(task)), data);
            Assert.NotNull(recorder.GetOutputSchema(data.Schema).GetColumnOrNull(ForwardColumns.ActivationNorm));

            // The model itself adds nothing.
            Assert.Null(recorder.InnerTransformer.GetOutputSchema(data.Schema).GetColumnOrNull(ForwardColumns.ActivationNorm));
            EstimatorContract.Check(Catalog.RecordForwardPass(recorder.InnerTransformer, Recording(task)), data);
        }
    }

    [Fact]
    public void Recorder_Saved_KeepsTheColumnAndItsName()
    {
        IDataView data = TrainingData.View(_context, 60);
        string path = Path.GetTempFileName();
        try
        {
            var options = new ForwardRecordingOptions { ActivationNormColumnName = "Activations" };
            using ForwardRecordingTransformer recorder = Catalog.RecordForwardPass(
                _context.Transforms.NormalizeMinMax("Features").Append(Trainer(PredictionTask.Regression, _options)), options).Fit(data);
            Catalog.Save(recorder, data.Schema, path);
            ITransformer loaded = Catalog.Load(path, out _);

            Assert.Equal(Singles(recorder.Transform(data), "Activations"), Singles(loaded.Transform(data), "Activations"));
            (loaded as IDisposable)?.Dispose();
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Value_AloneInABatchAndInAPredictionEngine_IsTheSame()
    {
        IDataView data = TrainingData.View(_context, 60);
        using NetworkPredictionTransformer model = Trainer(PredictionTask.Regression, _options).Fit(data);
        ForwardRecordingTransformer recorder = Catalog.RecordForwardPass(model, PredictionTask.Regression).Fit(data);
        using PredictionEngine<TrainingRow, Recorded> engine =
            _context.Model.CreatePredictionEngine<TrainingRow, Recorded>(recorder, data.Schema);

        Assert.Equal(Singles(recorder.Transform(data), ForwardColumns.ActivationNorm),
            TrainingData.Rows(60).Select(row => engine.Predict(row).Norm));
    }

    [Fact]
    public void OtherModelsAndOwnModules_HaveNoSuchColumn_AndTheErrorSaysWhoDoes()
    {
        IDataView data = TrainingData.View(_context, 60);
        ITransformer sdca = _context.Regression.Trainers.Sdca().Fit(data);
        using NetworkPredictionTransformer own = Trainer(PredictionTask.Regression,
            _options with { Network = (inputs, outputs, _) => nn.Linear(inputs, outputs) }).Fit(data);
        foreach (ITransformer model in new[] { sdca, own })
        {
            IDataView recorded = Catalog.RecordForwardPass(model, PredictionTask.Regression).Fit(data).Transform(data);
            Assert.Equal(
                "Schema mismatch for statistics column 'Forward.ActivationNorm': expected Single, got no such column. RecordForwardPass "
                    + "adds this column when the model is a network of this library, "
                + $"or a pipeline that ends in one; a renamed one is given in {RecordedStatistic.ActivationNorm.Option}.",
                EstimatorContract.WithoutParameter(
                    Assert.Throws<ArgumentOutOfRangeException>(() => Catalog.SelectRows(recorded, new NormPolicy()))));
        }

        Assert.Equal(
            "Policy ActivationNorms needs the statistic ActivationNorm, which no module of your own tells of itself, and "
                + "NetworkTrainerOptions.Network is set. "
            + "Use HiddenLayers in its place, or StatisticsSource.Recorded with a column of it. (Parameter 'Network')",
            Assert.Throws<ArgumentException>(
                () => Trainer(PredictionTask.Regression, _options with
                {
                    Network = (inputs, outputs, _) => nn.Linear(inputs, outputs),
                    Selection = new() { Policy = new NormPolicy() }
                })).Message);
    }

    [Theory]
    [InlineData(StatisticsSource.Recorded, Normalization.None)]
    [InlineData(StatisticsSource.Fresh, Normalization.None)]
    [InlineData(StatisticsSource.Fresh, Normalization.Layer)]
    public void TrainersOwnSelection_SeesTheNormsOfTheNetworkAsItIs(StatisticsSource source, Normalization normalization)
    {
        IDataView data = TrainingData.View(_context, 90);
        NetworkTrainerOptions options = _options with { Normalization = normalization, Shuffle = false, Epochs = 1 };
        using NetworkPredictionTransformer deployed = Trainer(PredictionTask.Regression, options).Fit(data);
        IDataView recorded = Catalog.RecordForwardPass(deployed, PredictionTask.Regression).Fit(data).Transform(data);
        var policy = new NormPolicy();
        using NetworkPredictionTransformer next = Trainer(PredictionTask.Regression,
            options with { Selection = new() { Policy = policy, WindowSize = 90, Statistics = source } }).Fit(recorded, deployed);

        Assert.Equal(Singles(recorded, ForwardColumns.ActivationNorm), policy.Seen, (a, b) => Math.Abs(a - b) <= 1e-5f);
        Assert.Equal(policy.Seen, NormsThroughSelectRows(recorded), (a, b) => Math.Abs(a - b) <= 1e-5f);
    }

    [Fact]
    public void Reading_AllocatesNothingARow()
    {
        IDataView data = TrainingData.View(_context, 5000);
        using NetworkPredictionTransformer model = Trainer(PredictionTask.Regression, _options).Fit(data);
        IDataView recorded = Catalog.RecordForwardPass(model, PredictionTask.Regression).Fit(data).Transform(data);
        using DataViewRowCursor cursor = recorded.GetRowCursor([recorded.Schema[ForwardColumns.ActivationNorm]]);
        ValueGetter<float> getter = cursor.GetGetter<float>(recorded.Schema[ForwardColumns.ActivationNorm]);
        float norm = 0, sum = 0;
        Read(2000);

        // The runtime itself may allocate once, when it compiles a method again.
        Assert.Equal(0, Enumerable.Range(0, 3).Min(_ => Read(900)));
        Assert.True(sum > 0);

        long Read(int rows)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < rows; i++)
            {
                Assert.True(cursor.MoveNext());
                getter(ref norm);
                sum += norm;
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private float[] NormsThroughSelectRows(IDataView recorded)
    {
        var policy = new NormPolicy();
        _ = Catalog.SelectRows(recorded, policy, new SelectionOptions { WindowSize = 90 }).GetColumn<float>("Label").Count();
        return policy.Seen;
    }

    private static float[] Singles(IDataView view, string column) => [.. view.GetColumn<float>(column)];

    private static ForwardRecordingOptions Recording(PredictionTask task)
        => new()
        {
            Task = task,
            LabelColumnName = task switch
            { PredictionTask.Regression => "Label", PredictionTask.Binary => "IsHigh", _ => "BandKey" }
        };

    private NetworkTrainer Trainer(PredictionTask task, NetworkTrainerOptions options) => task switch
    {
        PredictionTask.Regression => Catalog.Trainers.Regression(options),
        PredictionTask.Binary => Catalog.Trainers.BinaryClassification(options with { LabelColumnName = "IsHigh" }),
        _ => Catalog.Trainers.MulticlassClassification(options with { LabelColumnName = "BandKey" }),
    };

    /// <summary>By torch's own differentiation of the row's loss.</summary>
    private static double NormOfLastWeightsGradient(NetworkModel model, float[] features, int row, IDataView data, int lastLayer)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor outputs = model.Network.call(tensor(features).reshape(1, -1));
        Tensor loss = model.Task switch
        {
            PredictionTask.Regression => outputs.reshape(-1).sub(data.GetColumn<float>("Label").ElementAt(row)).square(),
            PredictionTask.Binary => nn.functional.binary_cross_entropy_with_logits(outputs.reshape(-1),
                tensor([data.GetColumn<bool>("IsHigh").ElementAt(row) ? 1f : 0f])),
            _ => nn.functional.cross_entropy(outputs, tensor([(long)data.GetColumn<uint>("BandKey").ElementAt(row) - 1])),
        };
        Tensor weight = model.Network.named_parameters().Single(parameter => parameter.name == $"layer{lastLayer}.weight").parameter;
        return autograd.grad([loss.sum()], [weight])[0].@double().norm().item<double>();
    }

    /// <summary>Takes the first rows and keeps what it was shown.</summary>
    private sealed class NormPolicy : IRowSelectionPolicy
    {
        public float[] Seen { get; private set; } = [];

        public string Name => "ActivationNorms";

        public RecordStatistics Needs => RecordStatistics.ActivationNorm;

        public bool IsUnbiased => false;

        public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
        {
            Seen = window.ActivationNorm.ToArray();
            for (int i = 0; i < rows.Length; i++)
                (rows[i], weights[i]) = (i, 1);
        }
    }

    private sealed class Recorded
    {
        [ColumnName(ForwardColumns.ActivationNorm)]
        public float Norm { get; set; }
    }
}
