using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

[Collection(TorchCollection.Name)]
public sealed class EmbeddingColumnsTests
{
    private const int Slots = 40;

    private readonly MLContext _context = new(seed: 1);

    private static NetworkTrainerOptions Options => new()
    {
        HiddenLayers = [16, 6],
        Epochs = 3,
        BatchSize = 19,
        Seed = 4,
        Optimizer = new SgdOptions { LearningRate = 0.05, Momentum = 0 },
        EmbeddingColumns = new Dictionary<string, int> { ["OriginKey"] = 5, ["Color"] = 3 },
        MoreFeatureColumns = ["Load"],
    };

    public static TheoryData<FeatureStorage, float?> Ways => new()
    {
        { FeatureStorage.Dense, null }, { FeatureStorage.Sparse, null }, { FeatureStorage.Dense, 0.1f }, { FeatureStorage.Sparse, 0.1f },
    };

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void SaveOnnx_NetworkThatReadsMoreThanItsFeatures_IsRefused(bool keys, bool more)
    {
        NetworkTrainerOptions options = Options with
        {
            EmbeddingColumns = keys ? Options.EmbeddingColumns : new Dictionary<string, int>(),
            MoreFeatureColumns = more ? Options.MoreFeatureColumns : []
        };
        using NetworkPredictionTransformer model = Trainer(options).Fit(Rows(50));
        using var stream = new MemoryStream();

        var refused = Assert.Throws<NotSupportedException>(() => new MLContext(1).ForwardSampling().SaveOnnx(model, stream));

        Assert.StartsWith("SaveOnnx cannot write a network that reads more than its feature column", refused.Message,
            StringComparison.Ordinal);
        Assert.Equal(0, stream.Length);
    }

    [Theory, MemberData(nameof(Ways))]
    public void Fit_OnPlainMemory_LearnsWhatTorchLearns(FeatureStorage storage, float? limit)
    {
        NetworkTrainerOptions options = Options with { FeatureStorage = storage, MaximumGradientNorm = limit };
        using NetworkPredictionTransformer model = Trainer(options).Fit(Rows(200));

        float[] expected = ByTorch(options, Rows(200));
        float[] actual = Weights(model);

        Assert.Equal(expected.Length, actual.Length);
        Assert.InRange(expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max(), 0f, 2e-5f);
        Assert.Equal(["embedding0.weight", "embedding1.weight"],
            model.Model.Weights.Keys.Where(name => name.StartsWith("embedding", StringComparison.Ordinal)));
    }

    [Fact]
    public void Fit_LabelFollowsFromTheKey_EmbeddingLearnsIt()
    {
        NetworkTrainerOptions options = Options with { Epochs = 30, Optimizer = new AdamOptions { LearningRate = 0.01 } };
        IDataView train = Rows(800), test = Rows(400, seed: 2, mapping: Mapping());
        using NetworkPredictionTransformer with = Trainer(options).Fit(train),
            without = Trainer(options with { EmbeddingColumns = new Dictionary<string, int>() }).Fit(train);

        double better = _context.BinaryClassification.Evaluate(with.Transform(test)).AreaUnderRocCurve,
            worse = _context.BinaryClassification.Evaluate(without.Transform(test)).AreaUnderRocCurve;

        Assert.True(better > worse + 0.05, $"{better} with, {worse} without");
    }

    [Theory, InlineData(Normalization.None), InlineData(Normalization.Layer)]
    public void SaveAndLoad_ScoresAreTheSame(Normalization normalization)
    {
        ForwardSamplingCatalog fs = _context.ForwardSampling();
        IDataView rows = Rows(100);
        using NetworkPredictionTransformer model = Trainer(Options with { Normalization = normalization }).Fit(rows);
        float[] expected = TrainingData.Scores(model.Transform(rows));
        float[] byTorch = ScoresByTorch(model, rows);
        Assert.InRange(expected.Zip(byTorch, (a, b) => Math.Abs(a - b)).Max(), 0f, 1e-5f);
        string path = Path.Combine(Path.GetTempPath(), $"embedding-{Guid.NewGuid():N}.zip");
        try
        {
            fs.Save(model, rows.Schema, path);
            var loaded = (NetworkPredictionTransformer)fs.Load(path, out _);
            Assert.Equal(expected, TrainingData.Scores(loaded.Transform(rows)));
            Assert.Equal(expected, TrainingData.Scores(_context.Model.Load(path, out _).Transform(rows)));
            fs.Save(loaded, rows.Schema, path);
            Assert.Equal(expected, TrainingData.Scores(fs.Load(path, out _).Transform(rows)));
            using NetworkPredictionTransformer next = Trainer(Options with { Normalization = normalization }).Fit(rows, loaded);
            Assert.NotEqual(expected, TrainingData.Scores(next.Transform(rows)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Transform_MissingKey_HasItsOwnLearnedRow()
    {
        IDataView complete = Rows(300), holes = Rows(300, missing: 0.3);
        NetworkTrainerOptions options = Options with { Epochs = 5 };
        using NetworkPredictionTransformer never = Trainer(options).Fit(complete), seen = Trainer(options).Fit(holes);

        Assert.All(MissingRow(never), value => Assert.Equal(0f, value));
        Assert.Contains(MissingRow(seen), value => Math.Abs(value) > 1e-4f);
        Assert.Equal(0, seen.Model.Report!.RowsSkipped);

        static float[] MissingRow(NetworkPredictionTransformer model) => model.Model.Weights["embedding1.weight"].detach()[0]
            .data<float>().ToArray();
    }

    [Fact]
    public void Transform_ValueThatTheMappingHasNotSeen_ScoresAsMissing()
    {
        using NetworkPredictionTransformer model = Trainer(Options).Fit(Rows(200));
        SparseRow[] rows = SparseData.Rows(30, Slots, 6);
        float[] unseen = Scores("nobody"), missing = Scores("");

        Assert.Equal(missing, unseen);
        Assert.NotEqual(missing, Scores("o1"));

        float[] Scores(string origin)
        {
            foreach (SparseRow row in rows)
                row.Origin = origin;
            return TrainingData.Scores(model.Transform(Mapping().Transform(SparseData.View(_context, rows))));
        }
    }

    [Fact]
    public void Fit_AmongSparseRowsOfAdam_UnusedKeyKeepsItsBits()
    {
        NetworkTrainerOptions options = Options with { Optimizer = new AdamWOptions() };
        using NetworkPredictionTransformer first = Trainer(options).Fit(Rows(200));
        using NetworkPredictionTransformer second = Trainer(options).Fit(
            _context.Data.FilterRowsByKeyColumnFraction(Rows(200), "OriginKey", 0, 0.6), first);

        float[] before = Table(first), after = Table(second);

        // Keys 5 and 6 of six are left out.
        Assert.Equal(before[^10..], after[^10..]);
        Assert.NotEqual(before[5..10], after[5..10]);

        static float[] Table(NetworkPredictionTransformer model) => model.Model.Weights["embedding1.weight"].detach()
            .data<float>().ToArray();
    }

    [Fact]
    public void Columns_MissingOrOfAnotherType_AreNamed()
    {
        IDataView rows = Rows(50);
        var missing = Assert.Throws<ArgumentOutOfRangeException>(() => Trainer(Embedding("Country")).Fit(rows));
        Assert.StartsWith("Schema mismatch for embedding column 'Country': expected a key of at most 16777215 values, got no such column. "
            + "NetworkTrainerOptions.EmbeddingColumns names it;", missing.Message, StringComparison.Ordinal);
        var number = Assert.Throws<ArgumentOutOfRangeException>(() => Trainer(Embedding("Number")).Fit(rows));
        Assert.Contains("embedding column 'Number': expected a key", number.Message, StringComparison.Ordinal);
        var text = Assert.Throws<ArgumentOutOfRangeException>(() => Trainer(Options with { MoreFeatureColumns = ["Origin"] }).Fit(rows));
        Assert.Contains("feature column 'Origin': expected Single or a vector of Single", text.Message, StringComparison.Ordinal);
        var width = Assert.Throws<ArgumentOutOfRangeException>(() => Options with
        { EmbeddingColumns = new Dictionary<string, int> { ["Origin"] = 0 } });
        Assert.Contains("EmbeddingColumns[\"Origin\"] must be in [1, 4096]", width.Message, StringComparison.Ordinal);
        var twice = Assert.Throws<ArgumentException>(() => Trainer(Options with { MoreFeatureColumns = ["Color"] }));
        Assert.Contains("Column 'Color' is used twice", twice.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Trainer(Options with { Network = (_, _, _) => nn.Identity() }));
        var policy = Assert.Throws<ArgumentException>(() => Trainer(Options with
        { Selection = new InTrainingSelection { Policy = new AssistedPolicy() } }));
        Assert.StartsWith("Policy Assisted reads features, and NetworkTrainerOptions.EmbeddingColumns has keys", policy.Message,
            StringComparison.Ordinal);

        static NetworkTrainerOptions Embedding(string name) => Options with
        { EmbeddingColumns = new Dictionary<string, int> { [name] = 2 } };
    }

    [Fact]
    public void Transform_KeysThatStandForOtherValues_AreRefusedByName()
    {
        using NetworkPredictionTransformer model = Trainer(Options).Fit(Rows(200));
        var other = _context.Transforms.Conversion.MapValueToKey("OriginKey", "Origin",
            keyData: Values("o5", "o4", "o3", "o2", "o1", "o0"))
            .Append(_context.Transforms.Conversion.MapValueToKey("Color", "Origin", keyData: Values("o1", "o2")));
        IDataView rows = SparseData.View(_context, SparseData.Rows(20, Slots, 6));

        var refused = Assert.Throws<ArgumentOutOfRangeException>(() => model.Transform(other.Fit(rows).Transform(rows)));

        Assert.Contains("Key 1 of embedding column 'OriginKey' stands for 'o5'; the network was trained with 'o0'", refused.Message,
            StringComparison.Ordinal);
        Assert.Contains("'OriginKey'", Assert.Throws<ArgumentException>(() => Trainer(Options).Fit(other.Fit(rows).Transform(rows), model))
            .Message, StringComparison.Ordinal);
        Assert.Contains("The previous model reads column 'Load', column 'Color', column 'OriginKey' beside its features",
            Assert.Throws<ArgumentException>(() => Trainer(Options with { MoreFeatureColumns = [] }).Fit(Rows(50), model)).Message,
            StringComparison.Ordinal);
    }

    private IDataView Values(params string[] values) => _context.Data.LoadFromEnumerable(values.Select(value => new SparseValue
    { Origin = value }));

    private sealed class SparseValue
    {
        public string Origin { get; set; } = "";
    }

    /// <summary>The same mapping for all: keys 1 to 6 of the origins, and of two of them under another name.</summary>
    private ITransformer Mapping() => _context.Transforms.Conversion.MapValueToKey("OriginKey", "Origin",
            keyData: Values("o0", "o1", "o2", "o3", "o4", "o5"))
        .Append(_context.Transforms.Conversion.MapValueToKey("Color", "Origin", keyData: Values("o1", "o2")))
        .Fit(SparseData.View(_context, SparseData.Rows(2, Slots, 6)));

    private IDataView Rows(int count, int seed = 1, double missing = 0, ITransformer? mapping = null)
    {
        SparseRow[] rows = SparseData.Rows(count, Slots, 6, seed);
        for (int i = 0; i < rows.Length * missing; i++)
            rows[i].Origin = "";
        return (mapping ?? Mapping()).Transform(SparseData.View(_context, rows));
    }

    private NetworkTrainer Trainer(NetworkTrainerOptions options) => _context.ForwardSampling().Trainers.BinaryClassification(options);

    /// <summary>The same steps by torch's differentiation of the same module.</summary>
    private float[] ByTorch(NetworkTrainerOptions options, IDataView rows)
    {
        NetworkTrainerOptions own = options with
        {
            EmbeddingColumns = new Dictionary<string, int>(),
            MoreFeatureColumns = ["Load", "ColorNumber", "OriginNumber"],
            FeatureStorage = FeatureStorage.Dense,
            Network = (inputs, outputs, device) => new MultilayerPerceptron(new NetworkArchitecture(inputs, [.. options.HiddenLayers],
                outputs, options.Activation, Normalization.None, 0f)
            { Embeddings = [new EmbeddingShape(2, 3), new EmbeddingShape(6, 5)] }, device, seed: 4),
        };
        using NetworkPredictionTransformer model = Trainer(own).Fit(rows);
        return Weights(model);
    }

    private static float[] ScoresByTorch(NetworkPredictionTransformer model, IDataView rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        float[][] features = [.. rows.GetColumn<float[]>("Features")];
        float[] loads = [.. rows.GetColumn<float>("Load")];
        uint[] colors = [.. rows.GetColumn<uint>("Color")], origins = [.. rows.GetColumn<uint>("OriginKey")];
        float[] inputs = [.. features.SelectMany((f, i) => f.Concat([loads[i], colors[i], origins[i]]))];
        return model.Model.Network.call(tensor(inputs).reshape(features.Length, Slots + 3)).data<float>().ToArray();
    }

    private static float[] Weights(NetworkPredictionTransformer model)
    {
        using DisposeScope scope = NewDisposeScope();
        return [.. model.Model.Weights.OrderBy(w => w.Key, StringComparer.Ordinal)
            .SelectMany(w => w.Value.detach().data<float>().ToArray())];
    }
}
