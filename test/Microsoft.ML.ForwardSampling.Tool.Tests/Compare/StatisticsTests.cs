namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

public sealed class StatisticsTests
{
    [Fact]
    public void PairedDifference_KnownPairs_GivesTheTextbookInterval()
    {
        // Differences 1, 2, 3, 4, 5: mean 3, s.d. sqrt(2.5), half width 2.7764 sqrt(2.5 / 5) = 1.9632.
        PairedDifference found = PairedDifference.Of([11, 12, 13, 14, 15], [10, 10, 10, 10, 10]);

        Assert.Equal(3, found.Mean, 1e-12);
        Assert.Equal(1.0368, found.Low, 1e-4);
        Assert.Equal(4.9632, found.High, 1e-4);
        Assert.True(found.IsDifference);
    }

    [Fact]
    public void PairedDifference_IntervalHoldsZero_IsNoDifference()
        => Assert.False(PairedDifference.Of([1, -1, 2], [0, 0, 0]).IsDifference);

    [Fact]
    public void PairedDifference_OnePair_HasNoInterval()
    {
        PairedDifference found = PairedDifference.Of([2], [1]);

        Assert.True(double.IsNaN(found.Low) && double.IsNaN(found.High));
        Assert.False(found.IsDifference);
    }

    [Fact]
    public void PairedDifference_ListsOfDifferentLength_NamesBothLengths()
        => Assert.Contains("Got 2 and 1.", Assert.Throws<ArgumentException>(() => PairedDifference.Of([1, 2], [1])).Message,
            StringComparison.Ordinal);

    [Fact]
    public void StandardDeviation_KnownValues_DividesByOneLess()
        => Assert.Equal(2.138089935, Statistics.StandardDeviation([2, 4, 4, 4, 5, 5, 7, 9]), 1e-9);

    [Theory]
    [InlineData(1, 1, 0.5)]                 // Cauchy: half of it lies beyond 1
    [InlineData(1, 12.7062047, 0.05)]       // and the tables' 95 % points
    [InlineData(2, 4.30265273, 0.05)]
    [InlineData(3, -3.18244631, 0.05)]
    [InlineData(4, 2.77644511, 0.05)]
    [InlineData(4, 8.61030158, 0.001)]
    [InlineData(9, 3.24983554, 0.01)]
    [InlineData(30, 1.69726089, 0.1)]
    [InlineData(5, 0, 1)]
    public void StudentTTwoSided_TablePoints_GiveTheTablesChances(int degreesOfFreedom, double t, double expected)
        => Assert.Equal(expected, Statistics.StudentTTwoSided(t, degreesOfFreedom), 1e-7);

    [Fact]
    public void PairedDifference_KnownPairs_GivesThePairedTTest()
    {
        // Differences 1, 2, 3, 4, 5: t = 3 / sqrt(2.5 / 5) = 4.2426 with 4 degrees of freedom.
        Assert.Equal(0.01324, PairedDifference.Of([11, 12, 13, 14, 15], [10, 10, 10, 10, 10]).PValue, 1e-5);
        Assert.Equal(1, PairedDifference.Of([1, 2], [1, 2]).PValue);
        Assert.Equal(0, PairedDifference.Of([2, 3], [1, 2]).PValue);
        Assert.True(double.IsNaN(PairedDifference.Of([2], [1]).PValue));
    }

    [Fact]
    public void Holm_KnownChances_AreStepwiseAdjusted()
    {
        double[] adjusted = Statistics.Holm([0.01, 0.04, 0.03, double.NaN, 0.005]);

        Assert.Equal([0.03, 0.06, 0.06, double.NaN, 0.02], adjusted.Select(p => Math.Round(p, 12)));
        Assert.Equal([1, 1], Statistics.Holm([0.6, 0.9]));
    }
}
