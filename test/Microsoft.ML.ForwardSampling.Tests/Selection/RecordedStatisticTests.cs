using System.Reflection;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>The table of statistics and the names that a user meets say the same.</summary>
public sealed class RecordedStatisticTests
{
    private delegate ReadOnlySpan<float> SpanGetter(ref SelectionWindow window);

    public static TheoryData<string> Names => [.. RecordedStatistic.All.Select(statistic => statistic.Name)];

    [Fact]
    public void All_EveryFlagThatIsAColumn_OnceAndAtItsIndex()
    {
        RecordStatistics[] notColumns = [RecordStatistics.None, RecordStatistics.Label, RecordStatistics.Group, RecordStatistics.Features];

        Assert.Equal(Enum.GetValues<RecordStatistics>().Except(notColumns), RecordedStatistic.All.Select(statistic => statistic.Flag));
        Assert.Equal(Enumerable.Range(0, RecordedStatistic.All.Length), RecordedStatistic.All.Select(statistic => statistic.Index));
        Assert.All(notColumns, flag => Assert.Null(RecordedStatistic.Of(flag)));
    }

    [Theory, MemberData(nameof(Names))]
    public void Entry_ColumnOptionAndDocumentedRange_AreThoseOfItsName(string name)
    {
        RecordedStatistic statistic = RecordedStatistic.All.Single(statistic => statistic.Name == name);

        Assert.Equal($"Forward.{name}", typeof(ForwardColumns).GetField(name, BindingFlags.Static | BindingFlags.Public)!.GetValue(null));
        Assert.Equal($"Forward.{name}", statistic.ColumnName(new StatisticColumns()));
        Assert.NotNull(typeof(StatisticColumns).GetProperty(statistic.Option[(statistic.Option.IndexOf('.') + 1)..]));
        Assert.True(statistic.Minimum < statistic.Maximum);
    }

    [Theory, MemberData(nameof(Names))]
    public void Window_ASpanGivenUnderTheName_IsTheOneAtTheIndex(string name)
    {
        RecordedStatistic statistic = RecordedStatistic.All.Single(statistic => statistic.Name == name);
        float[][] values = [.. RecordedStatistic.All.Select(_ => Array.Empty<float>())];
        values[statistic.Index] = [1, 2, 3];
        var window = new SelectionWindow(2, new SelectionScratch(), StatisticSpans.Of(values, 2));

        Assert.Equal(statistic.Flag, window.Holds);
        Assert.Equal([1, 2], typeof(SelectionWindow).GetProperty(name)!.GetMethod!.CreateDelegate<SpanGetter>()(ref window).ToArray());
    }
}
