using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class SelectionWindowTests
{
    [Fact]
    public void Constructor_NoRows_NamesBoundAndValue()
    {
        Assert.Equal(
            $"SelectionWindow.Count must be at least 1. (Parameter 'Count'){Environment.NewLine}Actual value was 0.",
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = new SelectionWindow(0, new SelectionScratch()); }).Message);
        Assert.Throws<ArgumentNullException>(() => { _ = new SelectionWindow(1, null!); });
    }

    [Fact]
    public void Statistic_OfAnotherLength_GivesBothNumbers()
    {
        var scratch = new SelectionScratch();
        float[] values = new float[5];

        Assert.Equal(Message("Loss"), Assert.Throws<ArgumentException>(() => { _ = new SelectionWindow(4, scratch) { Loss = values }; })
            .Message);
        Assert.Equal(Message("GradientNorm"),
            Assert.Throws<ArgumentException>(() => { _ = new SelectionWindow(4, scratch) { GradientNorm = values }; }).Message);
        Assert.Equal(Message("Margin"),
            Assert.Throws<ArgumentException>(() => { _ = new SelectionWindow(4, scratch) { Margin = values }; }).Message);
        Assert.Equal(Message("Entropy"),
            Assert.Throws<ArgumentException>(() => { _ = new SelectionWindow(4, scratch) { Entropy = values }; }).Message);
        Assert.Equal(Message("Label"),
            Assert.Throws<ArgumentException>(() => { _ = new SelectionWindow(4, scratch) { Label = new int[5] }; }).Message);

        static string Message(string statistic)
            => $"SelectionWindow.{statistic} has 5 values for a window of 4 rows: give one for each row, or none. (Parameter "
                + $"'{statistic}')";
    }

    [Fact]
    public void Holds_NamesTheStatisticsGiven()
    {
        WindowData data = WindowData.Classes(3, 1);
        RecordStatistics some = RecordStatistics.Loss | RecordStatistics.Entropy | RecordStatistics.Label;

        Assert.Equal(some, data.Window(new SelectionScratch(), some).Holds);
        Assert.Equal(RecordStatistics.None, new SelectionWindow(3, new SelectionScratch()).Holds);
        Assert.Equal(Enum.GetValues<RecordStatistics>().Aggregate((all, one) => all | one), data.Window(new SelectionScratch()).Holds);
    }

    [Fact]
    public void Order_WithoutLoss_NamesTheStatistic()
    {
        const string expected = "An order by loss needs the statistic Loss, which the window does not hold. RecordForwardPass adds it as "
            + "column 'Forward.Loss'; "
            + "a renamed column is given in StatisticColumns.Loss. (Parameter 'window')";

        Assert.Equal(expected, Assert.Throws<ArgumentException>(() => { new SelectionWindow(3, new SelectionScratch()).OrderByLoss(); })
            .Message);
        Assert.Equal(expected, Assert.Throws<ArgumentException>(
            () => { new SelectionWindow(3, new SelectionScratch()).OrderByLabelAndLoss(); }).Message);
    }

    [Fact]
    public void Order_ByLossAndByLabelAndLoss_AsNamed()
    {
        var window = new SelectionWindow(4, new SelectionScratch()) { Loss = [4, 3, 2, 1], Label = [0, 1, 0, -1] };

        Assert.Equal([3, 2, 1, 0], window.OrderByLoss().Span.ToArray());
        Assert.Equal([3, 2, 0, 1], window.OrderByLabelAndLoss().Span.ToArray());
    }
}
