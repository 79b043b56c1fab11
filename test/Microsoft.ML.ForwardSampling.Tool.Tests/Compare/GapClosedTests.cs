using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

public sealed class GapClosedTests
{
    [Fact]
    public void Of_KnownSeeds_IsTheRatioOfMeanGains()
    {
        // Gains 1, 2, 3 of 4, 4, 4: one half; gain - ratio x gap is -1, 0, 1, over 4: s.d. 1/4, half width 4.3027 / 4 / sqrt(3).
        CompareEstimate closed = GapClosed.Of(Figures(11, 12, 13), Figures(10, 10, 10), Figures(14, 14, 14), false)!;

        Assert.Equal(0.5, closed.Mean, 1e-12);
        Assert.Equal(0.6210, closed.HalfWidth, 1e-4);
    }

    [Fact]
    public void Of_GainsInProportionToTheGap_HaveNoSpread()
    {
        CompareEstimate closed = GapClosed.Of(Figures(.9, .7, .5), Figures(1, 1, 1), Figures(.8, .4, 0), true)!;

        Assert.Equal(0.5, closed.Mean, 1e-12);
        Assert.Equal(0, closed.HalfWidth, 1e-12);
    }

    [Fact]
    public void Of_SomeSeedsOnly_TakesThoseThatAllHave()
    {
        CompareEstimate closed = GapClosed.Of(Figures(12, 99, 99), Figures(10, 10, 10), Figures(14), false)!;

        Assert.Equal(0.5, closed.Mean, 1e-12);
        Assert.True(double.IsNaN(closed.HalfWidth));
    }

    [Fact]
    public void Of_FullTrainingNoBetterOrLeftOut_IsNothing()
    {
        Assert.Null(GapClosed.Of(Figures(11, 12), Figures(10, 10), Figures(9, 10), false));
        Assert.Null(GapClosed.Of(Figures(11, 12), Figures(10, 10), Figures(), false));
    }

    private static Dictionary<int, double> Figures(params double[] bySeed) => bySeed.Index().ToDictionary(f => f.Index + 1, f => f.Item);
}
