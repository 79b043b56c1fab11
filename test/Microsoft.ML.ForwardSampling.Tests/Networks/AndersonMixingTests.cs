using Microsoft.ML.ForwardSampling.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

[Collection(TorchCollection.Name)]
public sealed class AndersonMixingTests
{
    private const int Rows = 60;

    private readonly MLContext _context = new(seed: 1);

    private static NetworkTrainerOptions Options(Normalization normalization = Normalization.None) => new()
    {
        HiddenLayers = [5],
        Normalization = normalization,
        BatchSize = 12,
        Shuffle = false,
        Epochs = 4,
        Seed = 3,
        Optimizer = new SgdOptions { LearningRate = 0.02 },
        NormalizeLabel = false,
        NormalizeFeatures = FeatureNormalization.None,
    };

    public static TheoryData<Normalization, OptimizerOptions> Ways => new()
    {
        // Without normalisation this library's own engine trains, with it torch does.
        { Normalization.None, new SgdOptions { LearningRate = 0.02, Momentum = 0 } },
        { Normalization.Layer, new SgdOptions { LearningRate = 0.02 } },
        { Normalization.None, new AdamOptions { LearningRate = 0.05 } }, { Normalization.None, new AdaModOptions() },
    };

    /// <summary>On a quadratic the combination is that of a Krylov method: as many stretches as weights find the minimum.</summary>
    [Fact]
    public void Fit_LinearModelOfAllRowsAStep_ReachesTheMinimumThatDescentDoesNot()
    {
        NetworkTrainerOptions descent = Options() with
        {
            HiddenLayers = [],
            BatchSize = Rows,
            Epochs = 40,
            Optimizer = new SgdOptions { LearningRate = 0.2, Momentum = 0 },
        };
        float[] start = Weights(descent with { MaximumSteps = 1 }, Rows), minimum = Weights(descent with { Epochs = 20_000 }, Rows);
        float[] plain = Weights(descent, Rows);
        float[] mixed = Weights(descent with
        { AndersonMixing = new AndersonMixing { Window = 6, EveryNSteps = 1, Regularization = 1e-10 } }, Rows);

        double Distance(float[] weights) => Math.Sqrt(weights.Zip(minimum, (a, b) => (double)(a - b) * (a - b)).Sum());
        Assert.True(Distance(plain) > 0.05 * Distance(start), $"{Distance(plain)} of {Distance(start)}: descent alone is fast too");
        Assert.True(Distance(mixed) < 0.01 * Distance(plain), $"{Distance(mixed)} mixed, {Distance(plain)} not");
    }

    [Theory, MemberData(nameof(Ways))]
    public void Fit_TwoStretches_CombineAsTheFormulaSays(Normalization normalization, OptimizerOptions optimizer)
    {
        const float Lambda = 0.01f, Beta = 0.7f;
        NetworkTrainerOptions options = Options(normalization) with { Optimizer = optimizer };
        var mixing = new AndersonMixing { Window = 2, EveryNSteps = 3, Regularization = Lambda, Mixing = Beta };
        using NetworkPredictionTransformer model = Fit(options with { MaximumSteps = 6, AndersonMixing = mixing }, Rows);
        MixedTraining state = model.Model.Mixed!;
        Assert.Equal(2, state.Stretches.Length);
        double[] x0 = Flat(state.Stretches[0].From), g0 = Flat(state.Stretches[0].To), x1 = Flat(state.Stretches[1].From),
            g1 = Flat(state.Stretches[1].To);
        double[] f0 = [.. g0.Zip(x0, (a, b) => a - b)], f1 = [.. g1.Zip(x1, (a, b) => a - b)];

        // (F Fᵀ + λ tr I) z = 1 of two by Cramer's rule.
        double a = Dot(f0, f0), b = Dot(f0, f1), d = Dot(f1, f1), lambda = Lambda * (a + d);
        double z0 = d + lambda - b, z1 = a + lambda - b, share0 = z0 / (z0 + z1), share1 = z1 / (z0 + z1);
        double[] expected = [.. x0.Select((x, i) => (share0 * (((1 - Beta) * x) + (Beta * g0[i])))
            + (share1 * (((1 - Beta) * x1[i]) + (Beta * g1[i]))))];
        float[][] actual = new AndersonMixer(mixing, state.Stretches[1].From, state with
        { Stretches = [state.Stretches[0]], Start = state.Stretches[1].From }).Combine(state.Stretches[1].To);

        Assert.Equal(expected, Flat(actual), (p, q) => Math.Abs(p - q) < 1e-5);
        Assert.Equal(2, model.Model.Report!.Mixes);
        // Whichever was better went on, and that is the model.
        float[] weights = normalization == Normalization.None ? [] : Trained(model);
        if (weights.Length > 0)
            Assert.Equal(Flat(state.Start), weights.Select(w => (double)w));
    }

    [Fact]
    public void Fit_CombinationThatRaisesTheLoss_IsNotKept()
    {
        // A window of one and a mixing of 0 lead back to the beginning of each stretch.
        NetworkTrainerOptions options = Options();
        using NetworkPredictionTransformer plain = Fit(options, Rows), mixed = Fit(options with
        { AndersonMixing = new AndersonMixing { Window = 1, Mixing = 0, EveryNSteps = 10 } }, Rows);

        Assert.Equal(Trained(plain), Trained(mixed));
        Assert.Equal(2, mixed.Model.Report!.Mixes);
        Assert.Equal(0, mixed.Model.Report.MixesKept);
        Assert.Equal(plain.Model.Report!.ForwardRows + (2 * 2 * Rows), mixed.Model.Report.ForwardRows);
    }

    [Fact]
    public void Fit_WindowOfOne_IsTheOptimizerItself()
        => Assert.Equal(Weights(Options(), Rows), Weights(Options() with
        { AndersonMixing = new AndersonMixing { Window = 1, EveryNSteps = 1 } }, Rows));

    [Theory, MemberData(nameof(Ways))]
    public void Fit_InTwoRuns_IsAsInOne(Normalization normalization, OptimizerOptions optimizer)
    {
        // A pass is five steps, a stretch three: the first run ends within one.
        NetworkTrainerOptions options = Options(normalization) with
        {
            Optimizer = optimizer,
            AndersonMixing = new AndersonMixing { Window = 3, EveryNSteps = 3, Regularization = 1e-8 },
        };
        using NetworkPredictionTransformer whole = Fit(options, Rows), first = Fit(options with { Epochs = 1 }, Rows);
        using NetworkPredictionTransformer second = Trainer(options with { Epochs = 3 }).Fit(View(Rows), first);
        using NetworkPredictionTransformer forgetful = Trainer(options with { Epochs = 3, AndersonMixing = null }).Fit(View(Rows), first);

        Assert.Equal(Trained(whole), Trained(second), (a, b) => Math.Abs(a - b) < 2e-6);
        Assert.Equal(6, whole.Model.Report!.Mixes);
        // Adam is ahead of every combination here.
        Assert.True(whole.Model.Report.MixesKept > 0 != optimizer is AdamOptions);
        if (optimizer is not AdamOptions)
            Assert.NotEqual(Trained(forgetful), Trained(second));
    }

    [Fact]
    public void Fit_NoNumberOfSteps_MixesAtTheEndOfEachPass()
    {
        NetworkTrainerOptions options = Options() with { AndersonMixing = new AndersonMixing() };
        using NetworkPredictionTransformer passes = Fit(options, Rows), steps = Fit(options with
        { AndersonMixing = new AndersonMixing { EveryNSteps = 5 } }, Rows);

        Assert.Equal(4, passes.Model.Report!.Mixes);
        Assert.Equal(Trained(steps), Trained(passes));
    }

    [Fact]
    public void Combine_NothingMoved_IsWhatWasReached()
    {
        float[][] weights = [[1f, 2f], [3f]];
        Assert.Equal(weights, new AndersonMixer(new AndersonMixing(), weights, null).Combine(weights));
    }

    [Fact]
    public void Options_OutOfRangeOrContradictory_AreNamed()
    {
        Assert.Contains("AndersonMixing.Window must be in [1, 64]",
            Assert.Throws<ArgumentOutOfRangeException>(() => new AndersonMixing { Window = 0 }).Message, StringComparison.Ordinal);
        Assert.Contains("AndersonMixing.Mixing must be in [0, 1]",
            Assert.Throws<ArgumentOutOfRangeException>(() => new AndersonMixing { Mixing = 1.1 }).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new AndersonMixing { EveryNSteps = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AndersonMixing { Regularization = 0 });
        Assert.Contains("AndersonMixing and WeightAveraging are both set", Assert.Throws<ArgumentException>(() => Trainer(Options() with
        { AndersonMixing = new AndersonMixing(), WeightAveraging = new WeightAveraging() })).Message, StringComparison.Ordinal);
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double[] Flat(float[][] weights) => [.. weights.SelectMany(part => part).Select(w => (double)w)];

    private IDataView View(int count) => TrainingData.View(_context, count);

    private NetworkTrainer Trainer(NetworkTrainerOptions options) => _context.ForwardSampling().Trainers.Regression(options);

    private NetworkPredictionTransformer Fit(NetworkTrainerOptions options, int rows) => Trainer(options).Fit(View(rows));

    private float[] Weights(NetworkTrainerOptions options, int rows)
    {
        using NetworkPredictionTransformer model = Fit(options, rows);
        return Trained(model);
    }

    private static float[] Trained(NetworkPredictionTransformer model)
    {
        using DisposeScope scope = NewDisposeScope();
        return [.. model.Model.Network.parameters().SelectMany(p => p.detach().data<float>().ToArray())];
    }
}
