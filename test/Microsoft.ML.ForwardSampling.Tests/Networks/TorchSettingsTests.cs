using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>What a process has set in torch neither matters to training and scoring nor is moved by them.</summary>
[Collection(TorchCollection.Name)]
public sealed class TorchSettingsTests : IDisposable
{
    private static readonly NetworkTrainerOptions _options = new() { HiddenLayers = [8], Epochs = 1, Seed = 4, Threads = 1 };

    private readonly MLContext _context = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Normalization.None, 0.2f)]
    [InlineData(Normalization.Batch, 0f)]
    [InlineData(Normalization.Layer, 0f)]
    public void Fit_DefaultTypeIsDouble_TrainsAndScoresAsAlways(Normalization normalization, float dropout)
    {
        NetworkTrainerOptions options = _options with { Normalization = normalization, Dropout = dropout };
        float[] expected = Scores(options);
        set_default_dtype(ScalarType.Float64);
        try
        {
            Assert.Equal(expected, Scores(options));
            Assert.Equal(ScalarType.Float64, get_default_dtype());
        }
        finally
        {
            set_default_dtype(ScalarType.Float32);
        }
    }

    /// <summary>The device meta is everywhere, and has no memory: whatever is made there has no values.</summary>
    [Theory]
    [InlineData(Normalization.None, 0f)]
    [InlineData(Normalization.None, 0.2f)]
    [InlineData(Normalization.Batch, 0f)]
    [InlineData(Normalization.Layer, 0f)]
    public void Fit_DefaultDeviceIsAnother_TrainsAndScoresAsAlways(Normalization normalization, float dropout)
    {
        NetworkTrainerOptions options = _options with { Normalization = normalization, Dropout = dropout };
        NetworkTrainerOptions own = _options with { Network = (inputs, outputs, device) => nn.Linear(inputs, outputs, device: device) };
        float[] expected = Scores(options), groups = GroupScores();
        Device before = get_default_device();
        set_default_device(new Device(DeviceType.META));
        try
        {
            using (Tensor made = zeros(1))
                Assert.Equal(DeviceType.META, made.device_type);
            Assert.Equal(expected, Scores(options));
            Assert.Equal(groups, GroupScores());
            Assert.Contains(Scores(own), score => score != 0 && float.IsFinite(score));
            Assert.Equal(DeviceType.META, get_default_device().type);
        }
        finally
        {
            set_default_device(before);
        }
    }

    [Theory]
    [InlineData(Normalization.None)]
    [InlineData(Normalization.Layer)]
    public void Fit_WithoutGradients_TrainsAsAlways(Normalization normalization)
    {
        NetworkTrainerOptions options = _options with { Normalization = normalization };
        float[] expected = Scores(options), own = Scores(_options with { Network = (i, o, _) => new Scaled(i, o) });
        using (no_grad())
        {
            Assert.Equal(expected, Scores(options));
            Assert.Equal(own, Scores(_options with { Network = (i, o, _) => new Scaled(i, o) }));
            Assert.False(is_grad_enabled());
        }

        using (inference_mode(true))
            Assert.Equal(expected, Scores(options));
        Assert.True(is_grad_enabled());
    }

    [Fact]
    public async Task Fit_SeveralAtOnceWithDifferentThreads_PutTheNumberBack()
    {
        int before = get_num_threads();
        int[] numbers = [1, 2, 1, 3];
        await Task.WhenAll(numbers.Select(n => Task.Run(() => Scores(_options with { Threads = n, Epochs = 3 }))));
        int after = 0;
        var fresh = new Thread(() => after = get_num_threads());
        fresh.Start();
        fresh.Join();
        Assert.Equal(before, get_num_threads());
        Assert.Equal(before, after);
    }

    [Fact]
    public void Fit_ModuleKeepsATensorOutsideItsStateDictionary_ScoresSavesAndLoads()
    {
        IDataView data = TrainingData.View(_context, 60);
        NetworkFactory factory = (inputs, outputs, _) => new Scaled(inputs, outputs);
        float[] expected;
        string path = Path.Combine(_folder, "model.zip");
        using (DisposeScope scope = NewDisposeScope())
        {
            using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.Regression(
                _options with { Network = factory }).Fit(data);
            expected = [.. model.Transform(data).GetColumn<float>("Score")];
            _context.ForwardSampling().Save(model, data.Schema, path);
        }

        Assert.Contains(expected, score => score != expected[0]);
        ITransformer loaded;
        using (DisposeScope scope = NewDisposeScope())
            loaded = _context.ForwardSampling().Load(path, out _, factory);
        Assert.Equal(expected, loaded.Transform(data).GetColumn<float>("Score"));
        ((IDisposable)loaded).Dispose();
    }

    private float[] GroupScores()
    {
        IDataView data = TrainingData.View(_context, 60);
        using GroupTestingTransformer model = _context.ForwardSampling().GroupTesting(new GroupTestingOptions
        { LabelColumnName = "IsHigh", Merge = GroupMerge.Tree, StemLayers = [4], PairLayers = [4], BodyLayers = [4], Steps = 2, Seed = 1 })
            .Fit(data);
        return [.. model.Transform(data).GetColumn<float>("Score")];
    }

    private float[] Scores(NetworkTrainerOptions options)
    {
        IDataView data = TrainingData.View(_context, 60);
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.Regression(options).Fit(data);
        return [.. model.Transform(data).GetColumn<float>("Score")];
    }

    /// <summary>A linear layer of scaled features: the scale is a field, and one more is a buffer that is not saved.</summary>
    private sealed class Scaled : nn.Module<Tensor, Tensor>
    {
        private readonly Tensor _scale;
        private readonly Linear _layer;

        public Scaled(int inputs, int outputs)
            : base(nameof(Scaled))
        {
            _scale = full(inputs, 0.5f, dtype: ScalarType.Float32);
            _layer = nn.Linear(inputs, outputs);
            using (no_grad())
            {
                using Scalar weight = 0.1f;
                _layer.weight!.fill_(weight);
                _layer.bias!.fill_(weight);
            }

            register_buffer("shift", full(inputs, 0.25f, dtype: ScalarType.Float32), persistent: false);
            register_module("layer", _layer);
        }

        public override Tensor forward(Tensor input) => _layer.forward((input * _scale) + get_buffer("shift")!);
    }
}
