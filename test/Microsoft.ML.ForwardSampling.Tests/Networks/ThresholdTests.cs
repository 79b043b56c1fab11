using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tests.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

[Collection(TorchCollection.Name)]
public sealed class ThresholdTests : IDisposable
{
    private readonly MLContext _context = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-").FullName;
    private readonly IDataView _data;
    private readonly NetworkPredictionTransformer _model;

    public ThresholdTests()
    {
        _data = TrainingData.View(_context, 200);
        _model = Fs.Trainers.BinaryClassification(new NetworkTrainerOptions { LabelColumnName = "IsHigh", HiddenLayers = [4], Epochs = 3 })
            .Fit(_data);
    }

    private ForwardSamplingCatalog Fs => _context.ForwardSampling();

    public void Dispose()
    {
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(100)]
    [InlineData(180)]
    public void ChangeThreshold_OnlyPredictedLabelChanges_SavedAndLoadedAlike(int rank)
    {
        float[] sorted = [.. _model.Transform(_data).GetColumn<float>("Probability").Order()];
        float threshold = (sorted[rank] + sorted[rank + 1]) / 2;
        NetworkPredictionTransformer changed = Fs.ChangeThreshold(_model, threshold);
        IDataView scored = changed.Transform(_data), before = _model.Transform(_data);
        float[] probabilities = [.. scored.GetColumn<float>("Probability")];
        bool[] expected = [.. probabilities.Select(p => p > threshold)];
        Assert.Equal(threshold, changed.Threshold, 1e-6f);
        Assert.Equal(0.5f, _model.Threshold);
        Assert.Contains(true, expected);
        Assert.Contains(false, expected);
        Assert.Equal(expected, scored.GetColumn<bool>("PredictedLabel"));
        Assert.Equal(before.GetColumn<float>("Score"), scored.GetColumn<float>("Score"));
        ViewContract.Check(scored);

        string path = Path.Combine(_folder, "model.zip");
        Fs.Save(changed, _data.Schema, path);
        ITransformer plain = _context.Model.Load(path, out _);
        Assert.Equal(expected, plain.Transform(_data).GetColumn<bool>("PredictedLabel"));
        var restored = Assert.IsType<NetworkPredictionTransformer>(Fs.Load(path, out _));
        Assert.Equal(changed.Threshold, restored.Threshold);
        Assert.Equal(expected, restored.Transform(_data).GetColumn<bool>("PredictedLabel"));
    }

    [Fact]
    public void ChangeThreshold_ChainAndRecorder_KeepTheirKind()
    {
        TransformerChain<NetworkPredictionTransformer> chain = _context.Transforms.CopyColumns("Again", "Features")
            .Append(Fs.Trainers.BinaryClassification(new NetworkTrainerOptions { LabelColumnName = "IsHigh", HiddenLayers = [4] }))
            .Fit(_data);
        int positive = Positive(Fs.ChangeThreshold(chain, 0.3f).Transform(_data));
        Assert.True(positive > Positive(chain.Transform(_data)));
        ForwardRecordingTransformer recorder = Fs.RecordForwardPass(chain,
            new ForwardRecordingOptions { Task = PredictionTask.Binary, LabelColumnName = "IsHigh" }).Fit(_data);
        IDataView recorded = Fs.ChangeThreshold(recorder, 0.3f).Transform(_data);
        Assert.Equal(positive, Positive(recorded));
        Assert.Equal(recorder.Transform(_data).GetColumn<float>(ForwardColumns.Loss), recorded.GetColumn<float>(ForwardColumns.Loss));
        chain.Dispose();
    }

    [Fact]
    public void ChangeThreshold_UnfitModelOrValue_SaysWhatFits()
    {
        foreach (float wrong in new[] { 0f, 1f, -1f, float.NaN })
            Assert.Throws<ArgumentOutOfRangeException>(() => Fs.ChangeThreshold(_model, wrong));
        using NetworkPredictionTransformer regression = Fs.Trainers.Regression(new NetworkTrainerOptions { MaximumSteps = 1 }).Fit(_data);
        Assert.Equal("A threshold belongs to a network of this library for a binary task, alone, recorded or the last of a chain. Got a "
            + "network for Regression. (Parameter 'model')",
            Assert.Throws<ArgumentException>(() => Fs.ChangeThreshold(regression, 0.3f)).Message);
        ITransformer copy = _context.Transforms.CopyColumns("Again", "Features").Fit(_data);
        Assert.EndsWith("there is mlContext.BinaryClassification.ChangeModelThreshold. (Parameter 'model')",
            Assert.Throws<ArgumentException>(() => Fs.ChangeThreshold(copy, 0.3f)).Message, StringComparison.Ordinal);
    }

    private static int Positive(IDataView scored) => scored.GetColumn<bool>("PredictedLabel").Count(isPositive => isPositive);
}
