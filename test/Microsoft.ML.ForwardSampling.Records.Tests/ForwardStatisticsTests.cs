using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>Closed forms by hand, limits, and the definition of a gradient.</summary>
public class ForwardStatisticsTests
{
    private const float Tolerance = 1e-6f;

    // Regression

    [Theory]
    [InlineData(3, 1, 4, 4, 2)]
    [InlineData(-1, 2, 9, 6, -3)]
    [InlineData(5, 5, 0, 0, 0)]
    public void Regression_ByHand(float score, float label, float loss, float gradientNorm, float residual)
        => Assert.Equal(new RegressionStatistics(loss, gradientNorm, residual), ForwardStatistics.Regression(score, label));

    [Theory]
    [InlineData(float.NaN, 1)]
    [InlineData(1, float.NaN)]
    [InlineData(float.PositiveInfinity, 1)]
    [InlineData(1, float.NegativeInfinity)]
    public void Regression_NotFinite_IsUnknown(float score, float label)
        => Assert.Equal(RegressionStatistics.Unknown, ForwardStatistics.Regression(score, label));

    [Fact]
    public void Regression_ValuesThatAreCloseAndLarge_LosesNothingInBetween()
        => Assert.Equal(new RegressionStatistics(4, 4, 2), ForwardStatistics.Regression(16777216, 16777214));

    // Binary

    [Theory]
    [InlineData(0.8f, 1, 0.22314355f, 0.2f, 0.6f, 0.50040242f)]
    [InlineData(0.8f, 0, 1.6094379f, 0.8f, 0.6f, 0.50040242f)]
    [InlineData(0.5f, 1, 0.69314718f, 0.5f, 0f, 0.69314718f)]
    [InlineData(1f, 1, 0f, 0f, 1f, 0f)]
    [InlineData(0f, 0, 0f, 0f, 1f, 0f)]
    public void BinaryFromProbability_ByHand(float probability, int label, float loss, float gradientNorm, float margin, float entropy)
        => AssertClose(new ClassificationStatistics(loss, gradientNorm, margin, entropy),
            ForwardStatistics.BinaryFromProbability(probability, 0, label));

    [Theory]
    [InlineData(2f, 1, 0.12692801f, 0.11920292f, 0.76159416f, 0.36533386f)]
    [InlineData(2f, 0, 2.1269280f, 0.88079708f, 0.76159416f, 0.36533386f)]
    [InlineData(-2f, 0, 0.12692801f, 0.11920292f, 0.76159416f, 0.36533386f)]
    [InlineData(0f, 0, 0.69314718f, 0.5f, 0f, 0.69314718f)]
    public void BinaryFromScore_ByHand(float score, int label, float loss, float gradientNorm, float margin, float entropy)
        => AssertClose(new ClassificationStatistics(loss, gradientNorm, margin, entropy), ForwardStatistics.BinaryFromScore(score, label));

    [Theory]
    [InlineData(30f, 1, 9.3576230e-14f)]        // e^-30
    [InlineData(-30f, 1, 30f)]
    [InlineData(1000f, 0, 1000f)]
    [InlineData(-3.4e38f, 1, 3.4e38f)]
    public void BinaryFromScore_FarOut_KeepsItsPrecision(float score, int label, float loss)
        => Assert.Equal(loss, ForwardStatistics.BinaryFromScore(score, label).Loss, loss * Tolerance);

    [Theory]
    [InlineData(1f, 25f, 0, 25f)]               // rounded to 1: the score knows how wrong it is
    [InlineData(1f, 3f, 0, ForwardStatistics.SaturatedBinaryLoss)]
    [InlineData(0f, -90f, 1, 90f)]
    [InlineData(0f, 40f, 1, ForwardStatistics.SaturatedBinaryLoss)]
    public void BinaryFromProbability_WrongAtTheEnd_TakesTheLossFromTheScore(float probability, float score, int label, float loss)
        => Assert.Equal(loss, ForwardStatistics.BinaryFromProbability(probability, score, label).Loss, 1e-4f);

    [Fact]
    public void SaturatedLosses_AreWhatTheirDocumentationSays()
    {
        Assert.Equal(ForwardStatistics.SaturatedBinaryLoss, 25 * Math.Log(2), 1e-5);
        Assert.Equal(ForwardStatistics.SaturatedMulticlassLoss, 149 * Math.Log(2), 1e-5);
        Assert.Equal(ForwardStatistics.SaturatedMulticlassLoss, ForwardStatistics.MulticlassFromProbabilities([1, 0], 1).Loss);
    }

    [Theory]
    [InlineData(-0.1f, 0f)]
    [InlineData(1.1f, 0f)]
    [InlineData(float.NaN, 0f)]
    [InlineData(0.5f, float.NaN)]
    [InlineData(0.5f, float.NegativeInfinity)]
    public void BinaryFromProbability_NoProbability_IsUnknown(float probability, float score)
        => Assert.Equal(ClassificationStatistics.Unknown, ForwardStatistics.BinaryFromProbability(probability, score, 1));

    [Fact]
    public void Binary_LabelUnknown_FillsWhatNeedsNone()
    {
        AssertClose(new ClassificationStatistics(float.NaN, float.NaN, 0.6f, 0.50040242f),
            ForwardStatistics.BinaryFromProbability(0.8f, 1, -1));
        AssertClose(new ClassificationStatistics(float.NaN, float.NaN, 0.76159416f, 0.36533386f), ForwardStatistics.BinaryFromScore(2, -1));
    }

    [Fact]
    public void Binary_ScoreAndItsSigmoid_Agree() => ForAllScores((score, label) =>
    {
        float probability = (float)(1 / (1 + Math.Exp(-(double)score)));
        AssertClose(ForwardStatistics.BinaryFromScore(score, label),
            ForwardStatistics.BinaryFromProbability(probability, score, label), 2e-4f);
    });

    [Fact]
    public void BinaryFromScore_GradientNorm_IsTheSlopeOfTheLoss() => ForAllScores((score, label) =>
    {
        double slope = Slope(z => label == 1 ? Math.Log(1 + Math.Exp(-z)) : Math.Log(1 + Math.Exp(z)), score);
        Assert.Equal(Math.Abs(slope), ForwardStatistics.BinaryFromScore(score, label).GradientNorm, 1e-6);
    });

    [Fact]
    public void Regression_GradientNorm_IsTheSlopeOfTheLoss() => ForAllScores((score, _) =>
        Assert.Equal(Math.Abs(Slope(s => (s - 1.5) * (s - 1.5), score)), ForwardStatistics.Regression(score, 1.5f).GradientNorm, 1e-4));

    [Fact]
    public void Binary_LabelAboveOne_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ForwardStatistics.BinaryFromScore(0, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => ForwardStatistics.BinaryFromProbability(0.5f, 0, 2));
    }

    // Multiclass

    [Theory]
    [InlineData(0, 0.35667494f, 0.37416574f)]   // √(.54 − 1.4 + 1)
    [InlineData(1, 1.6094379f, 1.0677078f)]     // √(.54 − .4 + 1)
    [InlineData(2, 2.3025851f, 1.1575837f)]     // √(.54 − .2 + 1)
    public void MulticlassFromProbabilities_ByHand(int label, float loss, float gradientNorm)
        => AssertClose(new ClassificationStatistics(loss, gradientNorm, 0.5f, 0.80181855f),
            ForwardStatistics.MulticlassFromProbabilities([0.7f, 0.2f, 0.1f], label));

    [Theory]
    [InlineData(0, 0.35667494f, 0.37416574f)]
    [InlineData(2, 2.3025851f, 1.1575837f)]
    public void MulticlassFromLogits_LogOfTheProbabilitiesAndAnyShift_GiveTheSame(int label, float loss, float gradientNorm)
    {
        var expected = new ClassificationStatistics(loss, gradientNorm, 0.5f, 0.80181855f);
        float[] logits = [.. ((double[])[0.7, 0.2, 0.1]).Select(p => (float)Math.Log(p))];
        AssertClose(expected, ForwardStatistics.MulticlassFromLogits(logits, label));
        AssertClose(expected, ForwardStatistics.MulticlassFromLogits([.. logits.Select(z => z + 500)], label), 1e-4f);
        AssertClose(expected, ForwardStatistics.MulticlassFromLogits([.. logits.Select(z => z - 500)], label), 1e-4f);
    }

    [Fact]
    public void MulticlassFromLogits_FarApart_NeitherOverflowsNorCancels()
    {
        AssertClose(new ClassificationStatistics(0, 0, 1, 0), ForwardStatistics.MulticlassFromLogits([100, 0, 0], 0));
        AssertClose(new ClassificationStatistics(100, MathF.Sqrt(2), 1, 0), ForwardStatistics.MulticlassFromLogits([100, 0, 0], 1));
        AssertClose(new ClassificationStatistics(2e38f, MathF.Sqrt(2), 1, 0), ForwardStatistics.MulticlassFromLogits([1e38f, -1e38f], 1));

        // 2·e^-30 of the mass is elsewhere: a Single probability would have rounded it away.
        ClassificationStatistics sure = ForwardStatistics.MulticlassFromLogits([30, 0, 0], 0);
        Assert.Equal(2 * Math.Exp(-30), sure.Loss, 1e-19);
        Assert.Equal(Math.Sqrt(6) * Math.Exp(-30), sure.GradientNorm, 1e-19);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(1000)]
    public void Multiclass_AllClassesAlike_HasLossAndEntropyLnK(int k)
    {
        float[] logits = new float[k];
        ClassificationStatistics statistics = ForwardStatistics.MulticlassFromLogits(logits, k - 1);
        Assert.Equal(Math.Log(k), statistics.Loss, 1e-5);
        Assert.Equal(Math.Log(k), statistics.Entropy, 1e-5);
        Assert.Equal(k == 1 ? 1 : 0, statistics.Margin);
        Assert.Equal(Math.Sqrt(1 - (1.0 / k)), statistics.GradientNorm, 1e-6);

        float[] probabilities = new float[k];
        probabilities.AsSpan().Fill(1f / k);
        AssertClose(statistics, ForwardStatistics.MulticlassFromProbabilities(probabilities, k - 1), 1e-4f);
    }

    [Fact]
    public void Multiclass_TwoClasses_AreTheBinaryTaskWithTheNormInBothOutputs() => ForAllScores((score, label) =>
    {
        ClassificationStatistics binary = ForwardStatistics.BinaryFromScore(score, label);
        AssertClose(binary with { GradientNorm = MathF.Sqrt(2) * binary.GradientNorm },
            ForwardStatistics.MulticlassFromLogits([0, score], label), 1e-5f);
    });

    [Fact]
    public void MulticlassFromLogits_LossAndGradientNorm_AreTheDefinition() => ForAllLogits((logits, label) =>
    {
        ClassificationStatistics statistics = ForwardStatistics.MulticlassFromLogits(logits, label);
        double[] z = [.. logits.Select(value => (double)value)];
        double squares = 0;
        for (int k = 0; k < z.Length; k++)
        {
            double slope = Slope(value => CrossEntropy([.. z.Select((own, i) => i == k ? value : own)], label), z[k]);
            squares += slope * slope;
        }

        Assert.Equal(CrossEntropy(z, label), statistics.Loss, 1e-5);
        Assert.Equal(Math.Sqrt(squares), statistics.GradientNorm, 1e-5);
    });

    [Fact]
    public void Multiclass_LogitsAndTheirSoftmax_Agree() => ForAllLogits((logits, label) =>
    {
        double max = logits.Max(), sum = logits.Sum(z => Math.Exp(z - max));
        float[] probabilities = [.. logits.Select(z => (float)(Math.Exp(z - max) / sum))];
        AssertClose(ForwardStatistics.MulticlassFromLogits(logits, label),
            ForwardStatistics.MulticlassFromProbabilities(probabilities, label), 1e-4f);
    });

    [Fact]
    public void Multiclass_EveryStatistic_StaysInItsRange() => ForAllLogits((logits, label) =>
    {
        ClassificationStatistics statistics = ForwardStatistics.MulticlassFromLogits(logits, label);
        Assert.InRange(statistics.Loss, 0, float.MaxValue);
        Assert.InRange(statistics.GradientNorm, 0, MathF.Sqrt(2));
        Assert.InRange(statistics.Margin, 0, 1);
        Assert.InRange(statistics.Entropy, 0, (float)Math.Log(logits.Length) + Tolerance);
    });

    [Theory]
    [InlineData(new float[] { 0.5f, 0.6f })]
    [InlineData(new float[] { 0.5f, 0.4f })]
    [InlineData(new float[] { 1.2f, -0.2f })]
    [InlineData(new float[] { 3, -1, -1 })]
    [InlineData(new float[] { 0.5f, float.NaN })]
    [InlineData(new float[] { float.PositiveInfinity, 0 })]
    [InlineData(new float[] { })]
    public void MulticlassFromProbabilities_NoProbabilities_IsUnknown(float[] scores)
        => Assert.Equal(ClassificationStatistics.Unknown, ForwardStatistics.MulticlassFromProbabilities(scores, -1));

    [Fact]
    public void MulticlassFromProbabilities_SumAtTheTolerance_IsAccepted()
    {
        Assert.False(float.IsNaN(ForwardStatistics.MulticlassFromProbabilities([0.5f, 0.5009f], 0).Loss));
        Assert.True(float.IsNaN(ForwardStatistics.MulticlassFromProbabilities([0.5f, 0.5011f], 0).Loss));
        Assert.Equal(0, ForwardStatistics.MulticlassFromProbabilities([1.0005f, 0], 0).Loss);
        Assert.Equal(0, ForwardStatistics.MulticlassFromProbabilities([1.0005f, 0], 0).Entropy);
    }

    [Theory]
    [InlineData(new float[] { 1, float.NaN })]
    [InlineData(new float[] { float.NegativeInfinity, 0 })]
    [InlineData(new float[] { })]
    public void MulticlassFromLogits_NotFinite_IsUnknown(float[] logits)
        => Assert.Equal(ClassificationStatistics.Unknown, ForwardStatistics.MulticlassFromLogits(logits, -1));

    [Fact]
    public void Multiclass_LabelUnknown_FillsWhatNeedsNone()
    {
        var expected = new ClassificationStatistics(float.NaN, float.NaN, 0.5f, 0.80181855f);
        AssertClose(expected, ForwardStatistics.MulticlassFromProbabilities([0.7f, 0.2f, 0.1f], -1));
        AssertClose(expected, ForwardStatistics.MulticlassFromLogits([MathF.Log(0.7f), MathF.Log(0.2f), MathF.Log(0.1f)], -1));
    }

    [Fact]
    public void Multiclass_LabelBeyondTheScores_IsRefusedWithBothNumbers()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => ForwardStatistics.MulticlassFromLogits([0, 0], 2));
        Assert.StartsWith("The label must be below the number of scores, 2, or negative when it is not known.", error.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => ForwardStatistics.MulticlassFromProbabilities([0.5f, 0.5f], 2));
    }

    private static double CrossEntropy(double[] z, int label) => Math.Log(z.Sum(Math.Exp)) - z[label];

    private static double Slope(Func<double, double> f, double at)
    {
        const double h = 1e-5;
        return (f(at + h) - f(at - h)) / (2 * h);
    }

    private static void ForAllScores(Action<float, int> check)
        => Run(Prop.ForAll(Gen.Zip(Gen.Choose(-8000, 8000), Gen.Choose(0, 1)).ToArbitrary(),
            pair => check(pair.Item1 / 1000f, pair.Item2)));

    private static void ForAllLogits(Action<float[], int> check)
    {
        Gen<(float[], int)> cases = Gen.Choose(2, 8).SelectMany(k =>
            Gen.Zip(Gen.ArrayOf(Gen.Choose(-6000, 6000).Select(z => z / 1000f), k), Gen.Choose(0, k - 1)));
        Run(Prop.ForAll(cases.ToArbitrary(), pair => check(pair.Item1, pair.Item2)));
    }

    private static void Run(Property property)
        => Check.One(Config.QuickThrowOnFailure.WithMaxTest(300).WithQuietOnSuccess(true)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(11, 13), FSharpOption<int>.None))), property);

    private static void AssertClose(ClassificationStatistics expected, ClassificationStatistics actual, float tolerance = Tolerance)
    {
        AssertClose(expected.Loss, actual.Loss, tolerance * Math.Max(1, expected.Loss));
        AssertClose(expected.GradientNorm, actual.GradientNorm, tolerance);
        AssertClose(expected.Margin, actual.Margin, tolerance);
        AssertClose(expected.Entropy, actual.Entropy, tolerance);
    }

    private static void AssertClose(float expected, float actual, float tolerance)
    {
        if (float.IsFinite(expected))
            Assert.Equal(expected, actual, tolerance);
        else
            Assert.Equal(expected, actual);
    }
}
