using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using TorchSharp;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

[Collection(TorchCollection.Name)]
public class WeightAveragingTests
{
    private const int Batch = 10;

    private readonly MLContext _context = new(seed: 1);

    private static NetworkTrainerOptions Options(Normalization normalization) => new()
    {
        HiddenLayers = [5],
        Normalization = normalization,
        BatchSize = Batch,
        Shuffle = false,
        Epochs = 1,
        Seed = 3,
        Optimizer = new SgdOptions { LearningRate = 0.05 },
        NormalizeLabel = false,
        NormalizeFeatures = FeatureNormalization.None,
    };

    public static TheoryData<Normalization, float> Engines => new()
    {
        // Without normalisation this library's own engine trains, with it torch does.
        { Normalization.None, 0.6f }, { Normalization.None, 0.98f }, { Normalization.Layer, 0.6f },
    };

    [Theory, MemberData(nameof(Engines))]
    public void Fit_Weights_AreTheRunningMeanOfTheStepsOwn(Normalization normalization, float decay)
    {
        NetworkTrainerOptions options = Options(normalization);
        const int Steps = 7;
        double[]? mean = null;
        for (int step = 0; step < Steps; step++)
        {
            // The weights after so many steps, by a run that ends there.
            float[] weights = Weights(options with { MaximumSteps = step + 1 }, Rows(0, Steps));
            double keep = Math.Min(decay, step / (step + 1.0));
            mean = [.. weights.Select((w, i) => mean is null ? w : (keep * mean[i]) + ((1 - keep) * w))];
        }

        float[] averaged = Weights(options with { WeightAveraging = new WeightAveraging { Decay = decay } }, Rows(0, Steps));
        Assert.Equal(mean!, averaged.Select(w => (double)w), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.NotEqual(Weights(options, Rows(0, Steps)), averaged);
    }

    [Theory, MemberData(nameof(Engines))]
    public void Fit_InChunks_IsAsInOne(Normalization normalization, float decay)
    {
        NetworkTrainerOptions options = Options(normalization) with { WeightAveraging = new WeightAveraging { Decay = decay } };
        NetworkTrainer trainer = _context.ForwardSampling().Trainers.Regression(options);
        using NetworkPredictionTransformer whole = trainer.Fit(Rows(0, 8)), first = trainer.Fit(Rows(0, 3));
        using NetworkPredictionTransformer second = trainer.Fit(Rows(3, 5), first);
        Assert.Equal(WeightsOf(whole), WeightsOf(second), (a, b) => Math.Abs(a - b) < 2e-6);
    }

    [Theory]
    [InlineData(Normalization.None)]
    [InlineData(Normalization.Layer)]
    public void Fit_Validation_IsOfTheMean(Normalization normalization)
    {
        IDataView validation = Rows(20, 5);
        NetworkTrainerOptions options = Options(normalization) with
        {
            WeightAveraging = new WeightAveraging(),
            EarlyStopping = new EarlyStopping { Patience = 5 },
        };
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.Regression(options).Fit(Rows(0, 8), validation);
        IDataView recorded = _context.ForwardSampling().RecordForwardPass(model, PredictionTask.Regression).Fit(validation)
            .Transform(validation);
        Assert.Equal(recorded.GetColumn<float>(ForwardColumns.Loss).Average(), model.Model.Report!.BestValidationLoss!.Value, 1e-4f);
    }

    [Fact]
    public void Fit_StandardisedRows_ContinuesOnTheirScale()
    {
        NetworkTrainerOptions options = Options(Normalization.None) with
        {
            WeightAveraging = new WeightAveraging { Decay = 0.9 },
            NormalizeLabel = true,
            NormalizeFeatures = FeatureNormalization.Auto,
        };
        NetworkTrainer trainer = _context.ForwardSampling().Trainers.Regression(options);
        // The scale is the first chunk's: the same rows twice have the same.
        using NetworkPredictionTransformer twice = _context.ForwardSampling().Trainers.Regression(options with { Epochs = 2 })
            .Fit(Rows(0, 5));
        using NetworkPredictionTransformer once = trainer.Fit(Rows(0, 5)), again = trainer.Fit(Rows(0, 5), once);
        Assert.Equal(WeightsOf(twice), WeightsOf(again), (a, b) => Math.Abs(a - b) < 1e-3 * Math.Max(1, Math.Abs(a)));
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    [InlineData(float.NaN)]
    public void Decay_OutsideItsRange_IsRefused(float decay) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new WeightAveraging { Decay = decay });

    private IDataView Rows(int firstBatch, int batches) => _context.Data.LoadFromEnumerable(
        TrainingData.Rows(400).Skip(firstBatch * Batch).Take(batches * Batch).ToArray());

    private float[] Weights(NetworkTrainerOptions options, IDataView rows)
    {
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.Regression(options).Fit(rows);
        return WeightsOf(model);
    }

    private static float[] WeightsOf(NetworkPredictionTransformer model)
    {
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        return [.. model.Model.Weights.OrderBy(weight => weight.Key, StringComparer.Ordinal)
            .SelectMany(weight => weight.Value.detach().data<float>().ToArray())];
    }
}
