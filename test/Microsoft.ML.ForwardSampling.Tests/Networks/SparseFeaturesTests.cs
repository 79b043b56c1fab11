using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>Sparse rows against the same rows dense.</summary>
[Collection(TorchCollection.Name)]
public sealed class SparseFeaturesTests
{
    private const int Slots = 300;

    private readonly MLContext _context = new(seed: 1);

    private static NetworkTrainerOptions Options => new()
    {
        HiddenLayers = [20, 7],
        Epochs = 3,
        BatchSize = 19,
        Seed = 4,
        Optimizer = new SgdOptions { LearningRate = 0.05, Momentum = 0 },
        NormalizeFeatures = FeatureNormalization.None,
    };

    private IDataView Rows => SparseData.View(_context, SparseData.Rows(400, Slots, 8));

    public static TheoryData<string> Optimizers => ["Sgd", "Momentum", "Nesterov", "Adam", "AdamDecay", "AdamW", "AdaMod"];

    public static TheoryData<string> Changes =>
        ["nothing", "clipped", "two threads", "averaged", "stopped early", "no hidden layer", "SiLU"];

    [Theory, MemberData(nameof(Changes))]
    public void Fit_SparseWithoutMomentum_LearnsWhatDenseLearns(string change)
    {
        NetworkTrainerOptions options = change switch
        {
            "clipped" => Options with { MaximumGradientNorm = 0.2 },
            "two threads" => Options with { Threads = 2, BatchSize = 256, HiddenLayers = [200, 7] },
            "averaged" => Options with { WeightAveraging = new WeightAveraging { Decay = 0.9 } },
            "stopped early" => Options with { Epochs = 30, EarlyStopping = new EarlyStopping { Patience = 1 } },
            "no hidden layer" => Options with { HiddenLayers = [] },
            "SiLU" => Options with { Activation = Activation.SiLU },
            _ => Options,
        };

        float[] dense = Learn(options, FeatureStorage.Dense), sparse = Learn(options, FeatureStorage.Sparse);

        Assert.Equal(dense.Length, sparse.Length);
        Assert.InRange(dense.Zip(sparse, (a, b) => Math.Abs(a - b)).Max(), 0f, 1e-5f);
    }

    [Theory, MemberData(nameof(Optimizers))]
    public void Fit_EverySlotInEveryBatch_EachOptimizerLearnsWhatDenseLearns(string name)
    {
        IDataView rows = SparseData.View(_context, SparseData.Rows(200, 12, 12));
        NetworkTrainerOptions options = Options with { Optimizer = Optimizer(name), BatchSize = 10 };

        float[] dense = Weights(Fit(options, FeatureStorage.Dense, rows)), sparse = Weights(Fit(options, FeatureStorage.Sparse, rows));

        Assert.InRange(dense.Zip(sparse, (a, b) => Math.Abs(a - b)).Max(), 0f, 1e-5f);
    }

    [Theory, MemberData(nameof(Optimizers))]
    public void Fit_SlotThatNoRowHas_KeepsTheBitsOfItsWeights(string name)
    {
        // The first rows have all slots, so that every weight has optimizer state; the next ones have the lower half.
        NetworkTrainerOptions options = Options with { Optimizer = Optimizer(name), NormalizeFeatures = FeatureNormalization.None };
        using NetworkPredictionTransformer first = Fit(options, FeatureStorage.Sparse, Rows);
        SparseRow[] lower = SparseData.Rows(200, Slots / 2, 8, seed: 9);
        foreach (SparseRow row in lower)
            row.Features = new VBuffer<float>(Slots, 8, row.Features.GetValues().ToArray(), row.Features.GetIndices().ToArray());
        using NetworkPredictionTransformer second = Trainer(options with { FeatureStorage = FeatureStorage.Sparse })
            .Fit(SparseData.View(_context, lower), first);

        float[] before = FirstLayer(first), after = FirstLayer(second);

        for (int unit = 0; unit < 20; unit++)
            Assert.Equal(before.AsSpan((unit * Slots) + (Slots / 2), Slots / 2), after.AsSpan((unit * Slots) + (Slots / 2), Slots / 2));
        Assert.NotEqual(before, after);
    }

    [Fact]
    public void Fit_SparseByAdam_SlotInOneBatchOnly_TakesOneStepOfAdam()
    {
        // Slot 7 is in the one row of the first step; ten more follow. By hand: m = .1 g, v = .001 g², both made up for at step 1.
        var rows = new SparseRow[11];
        for (int i = 0; i < rows.Length; i++)
            rows[i] = new SparseRow { Features = new VBuffer<float>(20, 1, [1f], [i == 0 ? 7 : 3]), Number = i == 0 ? -5f : 5f };
        NetworkTrainerOptions options = Options with
        {
            LabelColumnName = "Number",
            HiddenLayers = [],
            BatchSize = 1,
            Epochs = 1,
            Shuffle = false,
            NormalizeLabel = false,
            Optimizer = new AdamOptions { LearningRate = 0.01 },
        };
        IDataView view = SparseData.View(_context, rows);
        using NetworkPredictionTransformer one = Regression(options with { MaximumSteps = 1 }).Fit(view);
        using NetworkPredictionTransformer all = Regression(options).Fit(view);
        using NetworkPredictionTransformer dense = Regression(options with { FeatureStorage = FeatureStorage.Dense }).Fit(view);

        Assert.Equal(FirstLayer(one)[7], FirstLayer(all)[7]);
        Assert.True(FirstLayer(dense)[7] < FirstLayer(all)[7] - 0.005f); // its momentum carried it on

        NetworkTrainer Regression(NetworkTrainerOptions o) => _context.ForwardSampling().Trainers.Regression(
            o.FeatureStorage == FeatureStorage.Dense ? o : o with { FeatureStorage = FeatureStorage.Sparse });
    }

    [Theory]
    [InlineData(DenseWide, 8, FeatureStorage.Sparse)]       // wide, few values
    [InlineData(DenseWide, 2048, FeatureStorage.Dense)]     // wide, half of the values
    [InlineData(300, 8, FeatureStorage.Dense)]              // not wide
    public void Fit_Auto_TakesTheWayOfWidthAndValues(int slots, int values, FeatureStorage expected)
    {
        IDataView rows = SparseData.View(_context, SparseData.Rows(40, slots, values));
        NetworkTrainerOptions options = Options with { Optimizer = new AdamOptions(), HiddenLayers = [3] };

        float[] auto = Weights(Fit(options, FeatureStorage.Auto, rows));

        Assert.Equal(Weights(Fit(options, expected, rows)), auto);
        Assert.NotEqual(Weights(Fit(options, expected == FeatureStorage.Dense ? FeatureStorage.Sparse : FeatureStorage.Dense, rows)), auto);
    }

    private const int DenseWide = DenseNetwork.WideInputs;

    [Fact]
    public void Fit_FeaturesFarFromUnitScale_AreScaledButStaySparse()
    {
        SparseRow[] near = SparseData.Rows(400, Slots, 8), far = SparseData.Rows(400, Slots, 8);
        foreach ((SparseRow row, float scale) in near.Select(row => (row, 1f)).Concat(far.Select(row => (row, 1024f))))
            row.Features = new VBuffer<float>(Slots, 8, [.. Enumerable.Repeat(scale, 8)], row.Features.GetIndices().ToArray());
        NetworkTrainerOptions options = Options with { NormalizeFeatures = FeatureNormalization.Auto };
        using NetworkPredictionTransformer plain = Fit(options, FeatureStorage.Sparse, SparseData.View(_context, near)),
            scaled = Fit(options, FeatureStorage.Sparse, SparseData.View(_context, far));

        // The scale is a power of two, and so is 1024: not a bit differs.
        Assert.Equal(TrainingData.Scores(plain.Transform(SparseData.View(_context, near))),
            TrainingData.Scores(scaled.Transform(SparseData.View(_context, far))));
    }

    [Fact]
    public void Transform_WideNetwork_SparseAndDenseVectorsHaveTheSameScores()
    {
        SparseRow[] rows = SparseData.Rows(70, DenseWide, 30);
        using NetworkPredictionTransformer model = Fit(Options, FeatureStorage.Sparse, SparseData.View(_context, rows));
        float[] sparse = TrainingData.Scores(model.Transform(SparseData.View(_context, rows)));

        Assert.Equal(sparse, TrainingData.Scores(model.Transform(SparseData.View(_context, rows, dense: true))));
        // By whole rows, as they would be scored if half of their values were not zero.
        DenseNetwork dense = model.Model.Dense!;
        float[] whole = new float[rows.Length];
        dense.Forward(rows.SelectMany(row => row.Features.DenseValues()).ToArray(), rows.Length, whole, new DenseNetwork.Scratch(dense));
        Assert.Equal(whole, sparse);
    }

    [Fact]
    public void Transform_WideNetworkOfFullRows_ScoresThemWhole()
    {
        SparseRow[] rows = SparseData.Rows(20, DenseWide, DenseWide - 5);
        using NetworkPredictionTransformer model = Fit(Options with { HiddenLayers = [3], Epochs = 1 }, FeatureStorage.Dense,
            SparseData.View(_context, rows));
        DenseNetwork dense = model.Model.Dense!;
        float[] whole = new float[rows.Length];
        dense.Forward(rows.SelectMany(row => row.Features.DenseValues()).ToArray(), rows.Length, whole, new DenseNetwork.Scratch(dense));

        Assert.Equal(whole, TrainingData.Scores(model.Transform(SparseData.View(_context, rows))));
    }

    [Fact]
    public void Fit_MissingValue_RowIsSkippedAndCounted()
    {
        SparseRow[] rows = SparseData.Rows(50, Slots, 8);
        rows[3].Features = new VBuffer<float>(Slots, 2, [1f, float.NaN], [4, 9]);
        using NetworkPredictionTransformer model = Fit(Options, FeatureStorage.Sparse, SparseData.View(_context, rows));

        Assert.Equal(1, model.Model.Report!.RowsSkipped);
    }

    [Fact]
    public void RecordSelectSaveLoad_SparseRows_GoTheWholeWay()
    {
        ForwardSamplingCatalog fs = _context.ForwardSampling();
        IDataView rows = SparseData.View(_context, SparseData.Rows(600, DenseWide, 10));
        using NetworkPredictionTransformer deployed = Fit(Options with { HiddenLayers = [6] }, FeatureStorage.Auto, rows);
        IDataView recorded = fs.RecordForwardPass(deployed, PredictionTask.Binary).Fit(rows).Transform(rows);
        SelectedRows chosen = fs.SelectRows(recorded, new BalancedGradientNormPolicy(), new SelectionOptions { WindowSize = 100 });
        using NetworkPredictionTransformer next = Trainer(Options with
        {
            HiddenLayers = [6],
            Selection = new InTrainingSelection { Policy = new BalancedGradientNormPolicy(), WindowSize = 50, Budget = 0.2 },
        }).Fit(recorded, deployed);
        Assert.Equal(3 * 12 * 10, next.Model.Report!.BackwardRows);
        using NetworkPredictionTransformer last = Trainer(Options with { HiddenLayers = [6] }).Fit(chosen, next);

        string path = Path.Combine(Path.GetTempPath(), $"sparse-{Guid.NewGuid():N}.zip");
        try
        {
            fs.Save(last, rows.Schema, path);
            float[] expected = TrainingData.Scores(last.Transform(rows));
            Assert.Equal(expected, TrainingData.Scores(fs.Load(path, out _).Transform(rows)));
            Assert.Equal(expected, TrainingData.Scores(_context.Model.Load(path, out _).Transform(rows)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>A dense row of 2^20 slots is 4 MiB, and a batch of them 1 GiB.</summary>
    [Fact]
    public void FitAndTransform_AMillionSlots_AllocateByValuesNotBySlots()
    {
        const int Width = 1 << 20, Few = 500, Many = 2500;
        IDataView few = SparseData.View(_context, SparseData.Rows(Few, Width, 50)), many = SparseData.View(_context,
            SparseData.Rows(Many, Width, 50));
        NetworkTrainerOptions options = new() { HiddenLayers = [32], Epochs = 1, BatchSize = 256, Seed = 1 };
        using NetworkPredictionTransformer model = Trainer(options).Fit(few);

        long fit = AllocatedBy(() => Trainer(options).Fit(many).Dispose()) - AllocatedBy(() => Trainer(options).Fit(few).Dispose());
        long scored = AllocatedBy(() => TrainingData.Scores(model.Transform(many)));

        Assert.InRange(fit / (Many - Few), 0, 8192);
        Assert.InRange(scored / Many, 0, 8192);
        Assert.Equal(32L * (Width + 1) + 33, model.Model.ParameterCount);

        static long AllocatedBy(Action action)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void FeatureStorage_SparseWithWhatTakesWholeRows_IsRefused()
    {
        Assert.Equal("NetworkTrainerOptions.FeatureStorage is Sparse, and Normalization is Layer: that takes whole rows. Use "
            + "FeatureStorage.Auto, or leave it out. (Parameter 'FeatureStorage')", Refused(Options with
            { Normalization = Normalization.Layer }));
        Assert.Contains("Dropout is 0.5", Refused(Options with { Dropout = 0.5 }), StringComparison.Ordinal);
        Assert.Contains("policy Assisted reads features", Refused(Options with
        { Selection = new InTrainingSelection { Policy = new AssistedPolicy() } }), StringComparison.Ordinal);
        Assert.Contains("Network is set", Refused(Options with { Network = (_, _, _) => nn.Identity() }), StringComparison.Ordinal);

        string Refused(NetworkTrainerOptions options) => Assert.Throws<ArgumentException>(
            () => Trainer(options with { FeatureStorage = FeatureStorage.Sparse })).Message;
    }

    private static OptimizerOptions Optimizer(string name) => name switch
    {
        "Sgd" => new SgdOptions { LearningRate = 0.05, Momentum = 0, WeightDecay = 0.01 },
        "Momentum" => new SgdOptions { LearningRate = 0.02 },
        "Nesterov" => new SgdOptions { LearningRate = 0.02, Nesterov = true, WeightDecay = 0.01 },
        "Adam" => new AdamOptions { LearningRate = 0.01 },
        "AdamDecay" => new AdamOptions { LearningRate = 0.01, WeightDecay = 0.01 },
        "AdamW" => new AdamWOptions { LearningRate = 0.01 },
        _ => new AdaModOptions { LearningRate = 0.01, Beta3 = 0.9, WeightDecay = 0.01 },
    };

    private NetworkTrainer Trainer(NetworkTrainerOptions options) => _context.ForwardSampling().Trainers.BinaryClassification(options);

    private NetworkPredictionTransformer Fit(NetworkTrainerOptions options, FeatureStorage storage, IDataView rows)
        => Trainer(options with { FeatureStorage = storage }).Fit(rows);

    private float[] Learn(NetworkTrainerOptions options, FeatureStorage storage)
    {
        options = options with { FeatureStorage = storage };
        using NetworkPredictionTransformer first = Trainer(options).Fit(Rows,
            options.EarlyStopping is null ? null : SparseData.View(_context, SparseData.Rows(100, Slots, 8, seed: 2)), null);
        if (options.EarlyStopping is not null)
            return Weights(first);
        using NetworkPredictionTransformer second = Trainer(options).Fit(Rows, first);
        return Weights(second);
    }

    private static float[] Weights(NetworkPredictionTransformer model)
    {
        using DisposeScope scope = NewDisposeScope();
        return [.. model.Model.Weights.OrderBy(w => w.Key, StringComparer.Ordinal)
            .SelectMany(w => w.Value.detach().data<float>().ToArray())];
    }

    private static float[] FirstLayer(NetworkPredictionTransformer model)
    {
        using DisposeScope scope = NewDisposeScope();
        return model.Model.Weights["layer0.weight"].detach().data<float>().ToArray();
    }
}
