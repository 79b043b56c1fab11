using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tests.Networks;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Onnx;

/// <summary>Models as ONNX files, scored by ONNX Runtime: an implementation that shares nothing with ours.</summary>
[Collection(TorchCollection.Name)]
public sealed class SaveOnnxTests : IDisposable
{
    private const int RowCount = 1000;
    private const double Tolerance = 1e-5;                  // of scores below 1, relative above

    private readonly MLContext _ml = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-").FullName;
    private readonly TrainingRow[] _rows = TrainingData.Rows(RowCount);
    private readonly IDataView _data;

    public SaveOnnxTests()
    {
        // Features of several scales, so that the trainer standardises them.
        foreach (TrainingRow row in _rows)
            row.Features = [row.Features[0] * 300f + 100f, row.Features[1] * 0.01f, row.Features[2] - 0.5f, row.Features[3] * 20f - 50f];
        _data = TrainingData.WithKey(_ml, _ml.Data.LoadFromEnumerable(_rows));
    }

    private ForwardSamplingCatalog Fs => _ml.ForwardSampling();

    private string File => Path.Combine(_folder, "model.onnx");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<PredictionTask, int[], Activation, Normalization> Networks
    {
        get
        {
            var data = new TheoryData<PredictionTask, int[], Activation, Normalization>();
            foreach (PredictionTask task in Enum.GetValues<PredictionTask>())
            {
                data.Add(task, [], Activation.ReLU, Normalization.None);
                data.Add(task, [64, 32, 16], Activation.ReLU, Normalization.None);
                data.Add(task, [300], Activation.GELU, Normalization.Layer);
                data.Add(task, [24, 8], Activation.SiLU, Normalization.Batch);
            }

            foreach (Activation activation in Enum.GetValues<Activation>())
            {
                data.Add(PredictionTask.Regression, [16, 8], activation, Normalization.Layer);
                data.Add(PredictionTask.Multiclass, [16], activation, Normalization.None);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void SaveOnnx_Network_OnnxRuntimeGivesTheSameColumns(PredictionTask task, int[] hidden, Activation activation,
        Normalization normalization)
    {
        using NetworkPredictionTransformer model = Fit(task, new NetworkTrainerOptions
        {
            HiddenLayers = hidden,
            Activation = activation,
            Normalization = normalization,
            Epochs = 4,
            Seed = 3,
        });
        Fs.SaveOnnx(model, File);
        Check(model);
    }

    [Fact]
    public void SaveOnnx_LoadedOnPlainArrays_SameFile()
    {
        using NetworkPredictionTransformer model = Fit(PredictionTask.Multiclass, new() { HiddenLayers = [8], Epochs = 1, Seed = 1 });
        string saved = Path.Combine(_folder, "model.zip");
        Fs.Save(model, _data.Schema, saved);
        using var loaded = (NetworkPredictionTransformer)Fs.Load(saved, out _);
        Assert.Equal(Bytes(model), Bytes(loaded));
    }

    [Theory]
    [InlineData(PredictionTask.Regression, null)]
    [InlineData(PredictionTask.Binary, null)]
    [InlineData(PredictionTask.Binary, 3)]
    public void SaveOnnx_LowMemory_OnnxRuntimeGivesTheSameColumns(PredictionTask task, int? bits)
    {
        LowMemoryTrainerOptions options = new() { LabelColumnName = Label(task), Seed = 1 };
        LowMemoryPredictionTransformer model = (task == PredictionTask.Regression ? Fs.Trainers.LowMemoryRegression(options)
            : Fs.Trainers.LowMemoryBinaryClassification(options)).Fit(_data);
        if (bits is { } few)
            model = model.ForPrediction(few);
        Fs.SaveOnnx(model, File);
        Check(model);
    }

    [Fact]
    public void SaveOnnx_OtherThreshold_IsInTheGraph()
    {
        using NetworkPredictionTransformer model = Fit(PredictionTask.Binary, new() { HiddenLayers = [8], Epochs = 4, Seed = 1 });
        NetworkPredictionTransformer changed = Fs.ChangeThreshold(model, 0.9f);
        Fs.SaveOnnx(changed, File);
        Check(changed);
        Assert.NotEqual(model.Transform(_data).GetColumn<bool>("PredictedLabel"),
            changed.Transform(_data).GetColumn<bool>("PredictedLabel"));
    }

    [Fact]
    public void SaveOnnx_KeysOfNumbers_ValuesAreNumbers()
    {
        IDataView data = _ml.Transforms.CustomMapping<TrainingRow, YearRow>((row, year) => year.Year = row.IsHigh ? 2001 : 2000, null)
            .Append(_ml.Transforms.Conversion.MapValueToKey("BandKey", "Year")).Fit(_data).Transform(_data);
        using NetworkPredictionTransformer model = Fs.Trainers.MulticlassClassification(
            new() { LabelColumnName = "BandKey", HiddenLayers = [8], Epochs = 20, Seed = 1 }).Fit(data);
        Fs.SaveOnnx(model, File);
        using InferenceSession session = new(File);
        int[] expected = [.. _ml.Transforms.Conversion.MapKeyToValue("Value", "PredictedLabel").Fit(model.Transform(data))
            .Transform(model.Transform(data)).GetColumn<int>("Value")];
        Assert.Equal(expected, Values<int>(Run(session, _rows), "PredictedLabelValue"));
        Assert.True(expected.Distinct().Count() > 1);
    }

    public static TheoryData<Activation> Activations => [.. Enum.GetValues<Activation>()];

    [Theory]
    [MemberData(nameof(Activations))]
    public void SaveOnnx_MissingFeature_NoScoreAndAMissingKeyThereToo(Activation activation)
    {
        using NetworkPredictionTransformer model = Fit(PredictionTask.Multiclass,
            new() { HiddenLayers = [8], Activation = activation, Epochs = 1, Seed = 1 });
        Fs.SaveOnnx(model, File);
        using InferenceSession session = new(File);
        TrainingRow[] rows = [_rows[0], new() { Features = [1f, float.NaN, 1f, 1f], Band = "low" }];
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results = Run(session, rows);
        IDataView ours = model.Transform(TrainingData.WithKey(_ml, _ml.Data.LoadFromEnumerable(rows)));
        Assert.Equal([.. ours.GetColumn<uint>("PredictedLabel")], Values<uint>(results, "PredictedLabel"));
        Assert.Equal(0u, Values<uint>(results, "PredictedLabel")[1]);
        Assert.Equal("", Values<string>(results, "PredictedLabelValue")[1]);
    }

    [Fact]
    public void SaveOnnx_RecordedOrAloneInAChain_SameBytes()
    {
        using NetworkPredictionTransformer model = Fit(PredictionTask.Binary, new() { HiddenLayers = [4], Epochs = 1, Seed = 1 });
        byte[] expected = Bytes(model);
        ForwardRecordingTransformer recorder = Fs.RecordForwardPass(model,
            new ForwardRecordingOptions { Task = PredictionTask.Binary, LabelColumnName = "IsHigh" }).Fit(_data);
        Assert.Equal(expected, Bytes(recorder));
        Assert.Equal(expected, Bytes(new TransformerChain<NetworkPredictionTransformer>(model)));
        Assert.Equal(expected, Bytes(new TransformerChain<ITransformer>(recorder)));
    }

    [Fact]
    public void SaveOnnx_WhatCannotBeWritten_SaysWhyAndWritesNothing()
    {
        using NetworkPredictionTransformer own = Fit(PredictionTask.Regression, new()
        {
            Network = (features, outputs, device) => nn.Linear(features, outputs, device: device),
            MaximumSteps = 1,
        });
        using NetworkPredictionTransformer clash = Fs.Trainers.Regression(new() { FeatureColumnName = "Score", MaximumSteps = 1 })
            .Fit(_ml.Transforms.CopyColumns("Score", "Features").Fit(_data).Transform(_data));
        ITransformer normalizer = _ml.Transforms.NormalizeMinMax("Features").Fit(_data);
        using GroupTestingTransformer groups = Fs.GroupTesting(new()
        {
            LabelColumnName = "IsHigh",
            StemLayers = [4],
            BodyLayers = [4],
            Steps = 1,
        }).Fit(_data);
        Refuses(own, "SaveOnnx cannot write a user's own torch.nn.Module: what its forward computes is code. Networks built from options "
            + "(HiddenLayers) can be written; export the module from where it was made, or save it with fs.Save.");
        Refuses(clash, "The model cannot be written as ONNX: 'Score' is the name of its feature column and of one of its outputs, and a "
            + "graph has each name once. Train it on a feature column of another name.");
        Refuses(groups, "SaveOnnx cannot write a group-tested model: which networks a row passes depends on the rows beside it. Save it "
            + "with fs.Save.");
        Refuses(normalizer, $"SaveOnnx writes models of this library; got a {normalizer.GetType().Name}. For transformers of ML.NET's own "
            + "there is mlContext.Model.ConvertToOnnx in the package Microsoft.ML.OnnxConverter.");
        Refuses(normalizer.Append(own), $"SaveOnnx writes the model alone, not a chain of 2 stages ({normalizer.GetType().Name}, "
            + "NetworkPredictionTransformer). Give it the last one (chain.LastTransformer) and prepare its features as the stages before "
            + "it do; mlContext.Model.ConvertToOnnx writes those of ML.NET's own.");
    }

    private void Refuses(ITransformer model, string message)
    {
        Assert.Equal(message, Assert.Throws<NotSupportedException>(() => Fs.SaveOnnx(model, File)).Message);
        Assert.False(System.IO.File.Exists(File));
        using var stream = new MemoryStream();
        Assert.Throws<NotSupportedException>(() => Fs.SaveOnnx(model, stream));
        Assert.Equal(0, stream.Length);
    }

    private NetworkPredictionTransformer Fit(PredictionTask task, NetworkTrainerOptions options)
    {
        options = options with { LabelColumnName = Label(task) };
        return (task switch
        {
            PredictionTask.Regression => Fs.Trainers.Regression(options),
            PredictionTask.Binary => Fs.Trainers.BinaryClassification(options),
            _ => Fs.Trainers.MulticlassClassification(options),
        }).Fit(_data);
    }

    private static string Label(PredictionTask task) => task switch
    {
        PredictionTask.Regression => "Label",
        PredictionTask.Binary => "IsHigh",
        _ => "BandKey",
    };

    private byte[] Bytes(ITransformer model)
    {
        using var stream = new MemoryStream();
        Fs.SaveOnnx(model, stream);
        return stream.ToArray();
    }

    /// <summary>Every column that the transformer adds, in the file's outputs.</summary>
    private void Check(ITransformer model)
    {
        IDataView ours = model.Transform(_data);
        using InferenceSession session = new(File);
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> theirs = Run(session, _rows);
        HashSet<string> names = [.. ours.Schema.Where(c => _data.Schema.GetColumnOrNull(c.Name) is null).Select(c => c.Name)];
        bool isMulticlass = ours.Schema["Score"].Type is VectorDataViewType;
        Assert.Equal(isMulticlass ? [.. names, "PredictedLabelValue"] : names, session.OutputMetadata.Keys.ToHashSet());
        float[] scores = isMulticlass ? [.. ours.GetColumn<float[]>("Score").SelectMany(all => all)] : TrainingData.Scores(ours);
        AssertClose(scores, Values<float>(theirs, "Score"));
        Assert.True(scores.Distinct().Count() > RowCount / 2);
        if (names.Contains("Probability"))
            AssertClose([.. ours.GetColumn<float>("Probability")], Values<float>(theirs, "Probability"));
        if (isMulticlass)
        {
            Assert.Equal([.. ours.GetColumn<uint>("PredictedLabel")], Values<uint>(theirs, "PredictedLabel"));
            IDataView mapped = _ml.Transforms.Conversion.MapKeyToValue("Value", "PredictedLabel").Fit(ours).Transform(ours);
            Assert.Equal([.. mapped.GetColumn<string>("Value")], Values<string>(theirs, "PredictedLabelValue"));
        }
        else if (names.Contains("PredictedLabel"))
        {
            Assert.Equal([.. ours.GetColumn<bool>("PredictedLabel")], Values<bool>(theirs, "PredictedLabel"));
        }
    }

    private static IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(InferenceSession session, TrainingRow[] rows)
    {
        var features = new DenseTensor<float>(rows.SelectMany(row => row.Features).ToArray(), [rows.Length, 4]);
        return session.Run([NamedOnnxValue.CreateFromTensor("Features", features)]);
    }

    private static T[] Values<T>(IEnumerable<DisposableNamedOnnxValue> results, string name)
        => [.. results.Single(result => result.Name == name).AsEnumerable<T>()];

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double worst = expected.Zip(actual, (a, b) => Math.Abs(a - b) / Math.Max(1.0, Math.Abs(a))).Max();
        Assert.True(worst <= Tolerance, $"Scores differ by {worst:G3}; allowed is {Tolerance:G3}.");
    }

    private sealed class YearRow
    {
        public int Year { get; set; }
    }
}
