using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.ShapesOfData;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>The default trainer on data as people have them: no value of its options set, against ML.NET's trainers with none
/// set.</summary>
public class DefaultsTests
{
    private readonly MLContext _context = new(1);

    public static TheoryData<string> Shapes => [.. DataShapes.All.Select(shape => shape.ToString())];

    /// <summary>The table of all three: <c>./build.sh bench defaults</c>.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void NoOptionSet_IsWithinAMarginOfSdcaAndOfTrees(string name)
    {
        DataShape shape = DataShapes.All.Single(shape => shape.ToString() == name);
        double own = shape.Own(_context), sdca = shape.Sdca(_context);
        Assert.True(shape.IsWithin(own, sdca, shape.Margin), $"{name}: {own:F3}, Sdca {sdca:F3}");
        if (shape.TreeMargin is not { } margin)
            return;
        double trees = shape.LightGbm(_context);
        Assert.True(shape.IsWithin(own, trees, margin), $"{name}: {own:F3}, LightGBM {trees:F3}");
    }

    [Fact]
    public void Regression_LossesAreInTheLabelsUnit_AndTheModelTakesRowsAsTheyCome()
    {
        (IDataView train, IDataView test) = Regression("prices");
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.Regression().Fit(train, test);
        double squared = _context.Regression.Evaluate(model.Transform(test)).MeanSquaredError;
        Assert.Equal(1, model.Model.Report!.BestValidationLoss!.Value / squared, 0.2);
        Assert.InRange(model.Model.Report.FinalLoss, 1e7, 1e9);

        // On disk and back: the scale is in the weights.
        using var stream = new MemoryStream();
        _context.Model.Save(model, train.Schema, stream);
        stream.Position = 0;
        var loaded = (NetworkPredictionTransformer)_context.ForwardSampling().Restore(_context.Model.Load(stream, out _));
        Assert.Equal(model.Transform(test).GetColumn<float>("Score"), loaded.Transform(test).GetColumn<float>("Score"));
    }

    [Theory]
    [InlineData("prices")]
    [InlineData("features of all scales")]
    [InlineData("features with an offset")]
    public void Fit_InTwoCallsOfOneEpoch_EqualsOneCallOfTwo_OnAScaleOfItsOwn(string shape)
    {
        (IDataView train, IDataView test) = Regression(shape);
        NetworkTrainerOptions options = new() { HiddenLayers = [16], Shuffle = false, Seed = 3 };
        NetworkTrainers trainers = _context.ForwardSampling().Trainers;
        using NetworkPredictionTransformer whole = trainers.Regression(options with { Epochs = 2 }).Fit(train);
        using NetworkPredictionTransformer first = trainers.Regression(options with { Epochs = 1 }).Fit(train);
        using NetworkPredictionTransformer second = trainers.Regression(options with { Epochs = 1 }).Fit(train, first);
        Assert.Equal(whole.Transform(test).GetColumn<float>("Score"), second.Transform(test).GetColumn<float>("Score"));
    }

    [Fact]
    public void FarFeatures_AreToldOf_ByTheWorst()
    {
        (IDataView train, _) = Regression("features of all scales");
        var told = new List<string>();
        _context.Log += (_, e) => told.Add(e.RawMessage);
        _context.ForwardSampling().Trainers.Regression(new NetworkTrainerOptions { HiddenLayers = [4], MaximumSteps = 1 }).Fit(train)
            .Dispose();
        Assert.Contains(told, line => line.StartsWith(
            "2 of 8 features in 'Features' are far from unit scale, the farthest slot 1 with mean ", StringComparison.Ordinal)
            && line.EndsWith("They are standardised for training (NetworkTrainerOptions.NormalizeFeatures).", StringComparison.Ordinal));
        told.Clear();
        _context.ForwardSampling().Trainers.Regression(new NetworkTrainerOptions
        { HiddenLayers = [4], MaximumSteps = 1, NormalizeFeatures = FeatureNormalization.Warn }).Fit(train).Dispose();
        Assert.Contains(told, line => line.EndsWith(
            "Networks learn slowly from such features: put NormalizeMeanVariance in front of the trainer.", StringComparison.Ordinal));
        told.Clear();
        _context.ForwardSampling().Trainers.Regression(new NetworkTrainerOptions
        { HiddenLayers = [4], MaximumSteps = 1, NormalizeFeatures = FeatureNormalization.None }).Fit(train).Dispose();
        Assert.DoesNotContain(told, line => line.Contains("unit scale", StringComparison.Ordinal));
    }

    [Fact]
    public void ScaleStatistics_OneFarOffRowFirst_CostsTheOthersNoDigits()
    {
        var random = new Random(2);
        var pool = new RowPool(3, weighted: false, ForwardSampling.Selection.RecordStatistics.None, discounted: false, 1 << 20);
        const int Rows = 5000;
        var values = new List<float[]>();
        for (int i = 0; i < Rows; i++)
        {
            float[] x = [i == 0 ? 1e7f : 1000 + Normal(random), Normal(random) * 1e-3f, 1e6f + Normal(random)];
            x.CopyTo(pool.NextFeatures());
            pool.Add(x[0], 1, 0, 1);
            values.Add(x);
        }

        var statistics = new ScaleStatistics(3, 3);
        statistics.Add(pool, features: true, label: true);
        var far = statistics.FarFeatures.ToArray();
        Assert.Equal([0, 1, 2], far.Select(f => f.Slot));
        foreach ((int slot, double mean, double deviation) in far)
        {
            double expected = values.Average(x => (double)x[slot]), variance = values.Average(x => Math.Pow(x[slot] - expected, 2));
            Assert.InRange(Math.Abs(mean - expected), 0, 1e-3 * Math.Sqrt(variance));
            Assert.Equal(1, deviation / Math.Sqrt(variance), 1e-3);
        }
    }

    private (IDataView Train, IDataView Test) Regression(string shape) => DataShapes.All.Single(
        found => found.Task == PredictionTask.Regression && found.Name == shape).Make(_context);

    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
