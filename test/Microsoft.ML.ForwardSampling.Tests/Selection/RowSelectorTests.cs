using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class RowSelectorTests
{
    [Fact]
    public void Report_AfterSomeWindows_CountsThem()
    {
        var selector = new RowSelector(new BalancedGradientNormPolicy(), 1);
        Assert.Equal(new SelectionReport(), selector.Report);
        Choice first = Choice.Of(selector, WindowData.Classes(100, 1), 10);
        SelectionReport snapshot = selector.Report;
        Choice second = Choice.Of(selector, WindowData.Classes(50, 2), 5);
        SelectionReport report = selector.Report;

        Assert.Equal(2, report.Windows);
        Assert.Equal(150, report.RowsSeen);
        Assert.Equal(15, report.RowsSelected);
        Assert.Equal(0, report.RepairedRows);
        Assert.Equal(first.Weights.Concat(second.Weights).Sum(weight => (double)weight), report.SumOfWeights, 1e-9);
        Assert.Equal(first.Weights.Concat(second.Weights).Max(), report.LargestWeight);
        Assert.Equal(0.1, report.ShareSelected);
        Assert.Equal(report.SumOfWeights / 15, report.MeanWeight);
        Assert.Equal(1, snapshot.Windows);
    }

    [Fact]
    public void Report_RowBrokenInTwoStatistics_CountsOnce()
    {
        WindowData data = WindowData.Classes(40, 1);
        (data.Loss[3], data.GradientNorm[3], data.GradientNorm[8]) = (float.NaN, float.NaN, float.PositiveInfinity);
        (data.Margin[9], data.Entropy[10]) = (float.NaN, float.NaN); // not needed: neither read nor counted
        var selector = new RowSelector(new BalancedGradientNormPolicy(), 1);
        Choice.Of(selector, data, 4);
        Choice.Of(selector, data, 4);

        Assert.Equal(4, selector.Report.RepairedRows);
    }

    [Fact]
    public void Select_CallersArraysWithNonFiniteValues_AreLeftAsTheyWere()
    {
        WindowData data = WindowData.Classes(40, 1);
        data.Loss[3] = float.NaN;
        Choice.Of(new RowSelector(new LossStratifiedPolicy(), 1), data, 4);

        Assert.True(float.IsNaN(data.Loss[3]));
    }

    [Fact]
    public void Select_SeparateSpans_SameAsTheWindow()
    {
        WindowData data = WindowData.Classes(40, 1);
        var rows = new int[4];
        var weights = new float[4];
        new RowSelector(new BalancedGradientNormPolicy(), 6).Select(40, rows, weights, loss: data.Loss, gradientNorm: data.GradientNorm,
            label: data.Label);

        Assert.Equal(Choice.Of(new BalancedGradientNormPolicy(), data, 4, 6), new Choice(rows, weights));
    }

    [Fact]
    public void Constructor_StateOfAnotherPolicy_NamesBoth()
    {
        RowSelectorState state = new RowSelector(new UniformPolicy(), 1).State;

        Assert.Equal(
            "The saved state is of policy Uniform, and the selector runs MeanMatching: resume with the policy that was saved. (Parameter "
                + "'state')",
            Assert.Throws<ArgumentException>(() => new RowSelector(new MeanMatchingPolicy(), state)).Message);
    }

    [Fact]
    public void Constructor_NullArguments_Throw()
    {
        Assert.Equal("policy", Assert.Throws<ArgumentNullException>(() => new RowSelector(null!, 1)).ParamName);
        Assert.Equal("state", Assert.Throws<ArgumentNullException>(() => new RowSelector(new UniformPolicy(), null!)).ParamName);
    }

    [Fact]
    public void Select_NegativeSeed_IsASeedLikeAnyOther()
    {
        WindowData data = WindowData.Classes(100, 1);

        Assert.NotEqual(Choice.Of(new UniformPolicy(), data, 10, -1), Choice.Of(new UniformPolicy(), data, 10, 1));
    }
}
