namespace Microsoft.ML.ForwardSampling.Examples.Tests;

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
        => Assert.Contains("Got 2 and 1.", Assert.Throws<ArgumentException>(() => PairedDifference.Of([1, 2], [1])).Message, StringComparison.Ordinal);

    [Fact]
    public void StandardDeviation_KnownValues_DividesByOneLess()
        => Assert.Equal(2.138089935, Statistics.StandardDeviation([2, 4, 4, 4, 5, 5, 7, 9]), 1e-9);
}
