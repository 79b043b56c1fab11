using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;
using Microsoft.ML.ForwardSampling.Tests.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.LowMemory;

public class LowMemoryTrainerTests
{
    private const int Slots = 1 << 20;
    private const double Rate = 0.1;
    private static readonly LowMemoryTrainerOptions s_options = new() { Seed = 1, LearningRate = Rate };
    private static readonly Lazy<ClickStream> s_clicks = new(() => new ClickStream(40_000, Slots));
    private static readonly Lazy<double> s_float = new(() => ControlLearner.Float(Slots, Rate).Learn(s_clicks.Value));

    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void Learn_Q2_13_LosesNothingToFloat()
    {
        double exact = ControlLearner.FixedExact(Slots, Rate).Learn(s_clicks.Value);
        double counted = ControlLearner.Fixed(Slots, Rate, 13).Learn(s_clicks.Value);
        Assert.InRange(exact / s_float.Value, 0.999, 1.001);
        Assert.InRange(counted / s_float.Value, 0.999, 1.001);
    }

    [Fact]
    public void Learn_Q2_7_RandomRoundingHoldsAndNearestDoesNot()
    {
        double random = ControlLearner.Fixed(Slots, Rate, 7).Learn(s_clicks.Value) / s_float.Value;
        double nearest = ControlLearner.Nearest(Slots, Rate, 7).Learn(s_clicks.Value) / s_float.Value;
        Assert.InRange(random, 1, 1.05);
        Assert.InRange(nearest, 1 + 3 * (random - 1), 10);
    }

    [Fact]
    public void Fit_Clicks_IsTheLearnerInThreeBytesAFeature()
    {
        ClickStream clicks = s_clicks.Value;
        LowMemoryModel model = Binary().Fit(clicks).Model;
        Assert.Equal(ControlLearner.Fixed(Slots, Rate, 13).Learn(clicks), model.Report!.ProgressiveLoss, 1e-9);
        Assert.Equal(3L * Slots, model.Bytes);
        Assert.Equal(2 * Slots, Buffer.ByteLength(model.Learner!.Codes));
        Assert.Equal(Slots, Buffer.ByteLength(model.Learner!.Counts));
        Assert.Equal((40_000, 0, clicks.Rows.Sum(row => (long)row.Length), 0),
            (model.Report.RowsRead, model.Report.RowsSkipped, model.Report.NonZeros, model.Report.Clamped));
    }

    [Fact]
    public void Feed_MoreRows_AllocatesNoMore()
    {
        long small = Allocated(new ClickStream(100, Slots)), large = Allocated(new ClickStream(3_000, Slots));
        Assert.Equal(small, large);

        static long Allocated(ClickStream clicks)
        {
            var learner = new OnlineLearner<FixedGridCoefficients, RandomizedCounts, OnlineLogisticLoss>(
                new(new short[Slots], new(2, 13)), new(new byte[Slots], Rate, 1e-4), Rate);
            var rows = new RowStream(clicks, new LinearColumns(clicks.Schema["Features"], clicks.Schema["Label"], null));
            rows.Feed(learner, LabelScale.None, default);
            long before = GC.GetAllocatedBytesForCurrentThread();
            rows.Feed(learner, LabelScale.None, default);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Theory]
    [InlineData(RoundingGrid.Fixed)]
    [InlineData(RoundingGrid.Adaptive)]
    public void Fit_InTwoParts_IsTheModelOfOneFit(RoundingGrid grid)
    {
        var clicks = new ClickStream(3_000, 1 << 16);
        LowMemoryTrainer trainer = Binary(s_options with { Grid = grid });
        LowMemoryPredictionTransformer whole = trainer.Fit(clicks);
        LowMemoryPredictionTransformer first = trainer.Fit(_context.Data.TakeRows(clicks, 1_000));
        LearnerState before = first.Model.Learner! with { Codes = [.. first.Model.Learner.Codes] };
        LowMemoryPredictionTransformer both = trainer.Fit(_context.Data.SkipRows(clicks, 1_000), first);
        AssertSame(whole.Model, both.Model);
        Assert.Equal(before.Codes, first.Model.Learner!.Codes); // the earlier model stays as it is
        Assert.NotEqual(both.Model.Learner!.Codes, first.Model.Learner.Codes);
    }

    [Fact]
    public void Fit_TwoEpochs_IsTheModelOfTwoFits()
    {
        var clicks = new ClickStream(1_000, 1 << 16);
        LowMemoryPredictionTransformer once = Binary().Fit(clicks);
        AssertSame(Binary().Fit(clicks, once).Model, Binary(s_options with { Epochs = 2 }).Fit(clicks).Model);
    }

    [Fact]
    public void Fit_OtherSeed_RoundsOtherwise()
    {
        var clicks = new ClickStream(1_000, 1 << 16);
        AssertSame(Binary().Fit(clicks).Model, Binary().Fit(clicks).Model);
        Assert.NotEqual(Binary().Fit(clicks).Model.Learner!.Codes, Binary(s_options with { Seed = 2 }).Fit(clicks).Model.Learner!.Codes);
    }

    [Fact]
    public void Fit_Weights_AreRepeatedRowsOnAverage()
    {
        SparseRow[] rows = Rows(300);
        for (int i = 0; i < rows.Length; i++)
            rows[i].Importance = 1 + i % 3;
        SparseRow[] repeated = [.. rows.SelectMany(row => Enumerable.Repeat(row, (int)row.Importance))];
        double[] weighted = new double[4], plain = new double[4];
        const int Seeds = 40;
        for (int seed = 0; seed < Seeds; seed++)
        {
            LowMemoryTrainerOptions options = s_options with { Seed = seed };
            LowMemoryModel one = Binary(options with { ExampleWeightColumnName = "Importance" }).Fit(View(rows)).Model;
            LowMemoryModel other = Binary(options).Fit(View(repeated)).Model;
            for (int i = 0; i < 3; i++)
            {
                weighted[i] += one.GetCoefficient(i) / Seeds;
                plain[i] += other.GetCoefficient(i) / Seeds;
            }

            weighted[3] += one.Intercept / Seeds;
            plain[3] += other.Intercept / Seeds;
        }

        for (int i = 0; i < 4; i++)
            Assert.Equal(plain[i], weighted[i], 0.02 + 0.05 * Math.Abs(plain[i]));
        LowMemoryModel ignored = Binary().Fit(View(rows)).Model;
        Assert.True(Math.Abs(ignored.Intercept - plain[3]) > 0.02 + 0.05 * Math.Abs(plain[3])
            || Math.Abs(ignored.GetCoefficient(0) - plain[0]) > 0.02 + 0.05 * Math.Abs(plain[0]), "without weights it is no other model");
    }

    [Fact]
    public void Fit_SelectedRows_TakesTheirWeights()
    {
        var clicks = new ClickStream(2_000, 1 << 12);
        ForwardSamplingCatalog fs = _context.ForwardSampling();
        LowMemoryPredictionTransformer deployed = Binary().Fit(clicks);
        IDataView recorded = fs.RecordForwardPass(deployed, PredictionTask.Binary).Fit(clicks).Transform(clicks);
        Assert.All(recorded.GetColumn<float>(ForwardColumns.Loss), loss => Assert.InRange(loss, 0f, 20f));
        SelectedRows chosen = fs.SelectRows(recorded, new GradientNormPolicy(), new SelectionOptions { Budget = 0.1, Seed = 1 });
        LowMemoryModel model = Binary().Fit(chosen).Model;
        Assert.InRange(model.Report!.RowsRead, 190, 210);
        Assert.Equal(chosen.GetColumn<float>(ForwardColumns.Weight).Sum(weight => (double)weight), model.Learner!.WeightSeen, 1e-3);
    }

    [Fact]
    public void Fit_Regression_LearnsRawLabelsInTheirUnit()
    {
        var clicks = new ClickStream(20_000, 1 << 14);
        LowMemoryPredictionTransformer model = Regression().Fit(clicks);
        var metrics = _context.Regression.Evaluate(model.Transform(clicks), "Number");
        Assert.InRange(metrics.RSquared, 0.6, 1);
        Assert.Equal(0, model.Model.Report!.Clamped);
        // The report's loss is in the label's unit: about that of rows not seen, so above the one on rows that were.
        Assert.InRange(model.Model.Report.ProgressiveLoss, metrics.MeanSquaredError, 4 * metrics.MeanSquaredError);
    }

    [Fact]
    public void Fit_LargeFeatures_StaysFiniteAndBelowTheVariance()
    {
        TrainingRow[] rows = TrainingData.Rows(3_000);
        foreach (TrainingRow row in rows)
            row.Features = [.. row.Features.Select(x => 1e4f * x)];
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        var metrics = _context.Regression.Evaluate(
            _context.ForwardSampling().Trainers.LowMemoryRegression(s_options).Fit(data).Transform(data));
        Assert.True(double.IsFinite(metrics.MeanSquaredError));
    }

    [Fact]
    public void Estimator_KeepsItsPromises()
    {
        IDataView data = View(Rows(60));
        EstimatorContract.Check(Binary(), data);
        EstimatorContract.Check(_context.ForwardSampling().Trainers.LowMemoryRegression(
            s_options with { LabelColumnName = nameof(SparseRow.Importance) }), data);
    }

    [Fact]
    public void Transform_SparseDenseAndEngine_SameBits()
    {
        SparseRow[] rows = Rows(200);
        LowMemoryPredictionTransformer model = Binary().Fit(View(rows));
        float[] sparse = TrainingData.Scores(model.Transform(View(rows)));
        float[] dense = TrainingData.Scores(model.Transform(View([.. rows.Select(row => new SparseRow
        {
            Features = new VBuffer<float>(SparseRow.Width, [.. row.Features.DenseValues()]),
            Label = row.Label,
        })])));
        using PredictionEngine<SparseRow, Prediction> engine = _context.Model.CreatePredictionEngine<SparseRow, Prediction>(model);
        Prediction[] one = [.. rows.Select(row => engine.Predict(row))];
        Assert.Equal(sparse, dense);
        Assert.Equal(sparse, one.Select(p => p.Score));
        Assert.All(one, p => Assert.Equal((1 / (1 + MathF.Exp(-p.Score)), p.Score > 0), (p.Probability, p.PredictedLabel)));
        Assert.True(_context.BinaryClassification.Evaluate(model.Transform(View(rows))).AreaUnderRocCurve > 0.7);
    }

    [Theory]
    [InlineData(float.NaN, 1f)]
    [InlineData(float.PositiveInfinity, 1f)]
    [InlineData(1f, float.NaN)]
    [InlineData(1f, -1f)]
    public void Fit_BadRow_IsSkippedCountedAndLeavesNoTrace(float feature, float weight)
    {
        SparseRow[] good = Rows(50);
        var bad = new SparseRow { Features = new VBuffer<float>(SparseRow.Width, 2, [1f, feature], [0, 7]), Importance = weight };
        LowMemoryTrainer trainer = Binary(s_options with { ExampleWeightColumnName = "Importance" });
        LowMemoryModel model = trainer.Fit(View([.. good[..20], bad, .. good[20..]])).Model;
        Assert.Equal((51, 1), (model.Report!.RowsRead, model.Report.RowsSkipped));
        AssertSame(trainer.Fit(View(good)).Model, model);
    }

    [Fact]
    public void Fit_NaNLabel_IsSkippedAndCounted()
    {
        TrainingRow[] rows = TrainingData.Rows(30);
        rows[3].Label = float.NaN;
        rows[4].Label = float.NegativeInfinity;
        LowMemoryModel model = _context.ForwardSampling().Trainers.LowMemoryRegression(s_options)
            .Fit(_context.Data.LoadFromEnumerable(rows)).Model;
        Assert.Equal(2, model.Report!.RowsSkipped);
        Assert.True(double.IsFinite(model.Intercept));
    }

    [Fact]
    public void Fit_NoUsableRow_SaysWhatWasRead()
    {
        SparseRow bad = new() { Features = new VBuffer<float>(SparseRow.Width, 1, [float.NaN], [0]) };
        Assert.Equal("There is no row to train on: 2 rows were read, 1 skipped because a feature, the label or the weight was missing, "
            + "and 1 weigh 0.", Assert.Throws<InvalidOperationException>(() => Binary(s_options with
            {
                ExampleWeightColumnName = "Importance"
            }).Fit(View([bad, new() { Importance = 0 }]))).Message);
        Assert.StartsWith("There is no row to train on: 0 rows", Assert.Throws<InvalidOperationException>(() =>
            Binary().Fit(View([]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_WrongColumns_AreNamed()
    {
        IDataView data = View(Rows(5));
        EstimatorContract.CheckRefused(Binary(s_options with { LabelColumnName = "Importance" }), data);
        EstimatorContract.CheckRefused(Binary(s_options with { FeatureColumnName = "Nothing" }), data);
        EstimatorContract.CheckRefused(Binary().Fit(data), new ClickStream(3, 16), "Schema mismatch for feature column 'Features': "
            + "expected Vector<Single, 40>, got Vector<Single, 16>. The model was trained on this column.");
    }

    [Fact]
    public void Fit_PreviousModelThatDoesNotFit_SaysHow()
    {
        var clicks = new ClickStream(200, 64);
        LowMemoryPredictionTransformer model = Binary().Fit(clicks);
        Refused("The previous model has no counters: it was made by ForPrediction to score alone.", Binary(), model.ForPrediction(7));
        Refused("The previous model has coefficients in q2.13, this trainer in q2.7.", Binary(s_options with { FractionBits = 7 }), model);
        Refused("The previous model is of Binary, this trainer of Regression.", Regression(), model);
        Refused("The previous model has 40 features, column 'Features' 64.", Binary(), Binary().Fit(View(Rows(20))));

        void Refused(string message, LowMemoryTrainer trainer, LowMemoryPredictionTransformer previous)
            => Assert.Equal(message, EstimatorContract.WithoutParameter(
                Assert.Throws<ArgumentException>(() => trainer.Fit(clicks, previous))));
    }

    [Fact]
    public void Fit_Cancelled_EndsByCancellation()
        => Assert.Throws<OperationCanceledException>(() =>
            Binary(s_options with { CancellationToken = new CancellationToken(true) }).Fit(new ClickStream(50, 64)));

    [Fact]
    public void Fit_NarrowRange_CountsWhatItCutShort()
    {
        var clicks = new ClickStream(3_000, 64);
        LowMemoryModel model = Binary(s_options with { IntegerBits = 0, FractionBits = 3, LearningRate = 50 }).Fit(clicks).Model;
        Assert.True(model.Report!.Clamped > 0);
        Assert.All(Enumerable.Range(0, 64), i => Assert.InRange(model.GetCoefficient(i), -1, 0.875));
    }

    [Fact]
    public void ForPrediction_FewerBits_AreSmallerAndNearlyAsGood()
    {
        var clicks = new ClickStream(20_000, 1 << 14);
        LowMemoryPredictionTransformer model = Binary().Fit(clicks);
        double full = LossOf(model, clicks);
        foreach ((int bits, long bytes, double most) in new[] { (7, 20_483L, 1.002), (5, 16_387L, 1.01), (3, 12_291L, 1.1) })
        {
            LowMemoryPredictionTransformer small = model.ForPrediction(bits, seed: 3);
            Assert.Equal(bytes, small.Model.Bytes);
            Assert.InRange(LossOf(small, clicks) / full, 0.99, most);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => model.ForPrediction(14));
        Assert.Equal(model.Model.Learner!.Codes.Select(code => (int)code),
            Enumerable.Range(0, 1 << 14).Select(i => model.ForPrediction(13).Model.Packed![i]));    // on the grid already
    }

    [Fact]
    public void Options_OutOfRange_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => s_options with { LearningRate = double.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => s_options with { FractionBits = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => s_options with { Epochs = 0 });
        Assert.Equal("LowMemoryTrainerOptions: IntegerBits + FractionBits must be at most 15, beside the sign in 16 bits. Got 3 + 13.",
            EstimatorContract.WithoutParameter(Assert.Throws<ArgumentException>(() => Binary(s_options with { IntegerBits = 3 }))));
    }

    private static void AssertSame(LowMemoryModel expected, LowMemoryModel actual)
    {
        Assert.Equal(expected.Learner!.Codes, actual.Learner!.Codes);
        Assert.Equal(expected.Learner.Counts, actual.Learner.Counts);
        Assert.Equal((expected.LearnerIntercept, expected.Learner.WeightSeen, expected.Learner.Random),
            (actual.LearnerIntercept, actual.Learner.WeightSeen, actual.Learner.Random));
    }

    private static double LossOf(LowMemoryPredictionTransformer model, ClickStream clicks)
        => model.Transform(clicks).GetColumn<float>("Score").Zip(clicks.Clicked, (s, y) => OnlineLogisticLoss.Of(s, y ? 1 : 0)).Average();

    private static SparseRow[] Rows(int count)
    {
        var random = new Random(4);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            int other = random.Next(3, SparseRow.Width);
            float x = random.NextSingle();
            return new SparseRow
            {
                Features = new VBuffer<float>(SparseRow.Width, 3, [1f, x, 1f], [random.Next(2), 2, other]),
                Label = x + 0.3 * random.NextDouble() > 0.4,
            };
        })];
    }

    private IDataView View(SparseRow[] rows) => _context.Data.LoadFromEnumerable(rows);

    private LowMemoryTrainer Binary(LowMemoryTrainerOptions? options = null)
        => _context.ForwardSampling().Trainers.LowMemoryBinaryClassification(options ?? s_options);

    private LowMemoryTrainer Regression()
        => _context.ForwardSampling().Trainers.LowMemoryRegression(s_options with { LabelColumnName = "Number" });

    private sealed class Prediction
    {
        public float Score { get; set; }

        public float Probability { get; set; }

        public bool PredictedLabel { get; set; }
    }
}

/// <summary>A row of few features that are not 0.</summary>
internal sealed class SparseRow
{
    public const int Width = 40;

    [VectorType(Width)]
    public VBuffer<float> Features { get; set; } = new(Width, 0, [], []);

    public bool Label { get; set; }

    public float Importance { get; set; } = 1f;
}
