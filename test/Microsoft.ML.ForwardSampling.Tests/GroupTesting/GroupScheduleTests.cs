using Microsoft.ML.ForwardSampling.GroupTesting;

namespace Microsoft.ML.ForwardSampling.Tests.GroupTesting;

public class GroupScheduleTests
{
    [Fact]
    public void Schedules_ThatTestAlike_AreEqual()
    {
        Assert.Equal(GroupSchedule.TwoRounds(8), GroupSchedule.SeveralRounds(8));
        Assert.Equal(GroupSchedule.SeveralRounds(16, 4), GroupSchedule.SeveralRounds(16, 4, 1));
        Assert.Equal(GroupSchedule.SeveralRounds(16, 4).GetHashCode(), GroupSchedule.SeveralRounds(16, 4, 1).GetHashCode());
        Assert.Equal(GroupSchedule.Individual, GroupSchedule.TwoRounds(1));
        Assert.NotEqual(GroupSchedule.TwoRounds(8), GroupSchedule.TwoGroupings(8));
        Assert.Equal("16 → 4 → 1", GroupSchedule.SeveralRounds(16, 4).ToString());
        Assert.Equal("8 × 8 in two groupings", GroupSchedule.TwoGroupings(8).ToString());
    }

    [Fact]
    public void WrongSizes_NameWhatIsAllowed()
    {
        Assert.Equal("SeveralRounds: each group size must be smaller than the one before and divide it. Got 16, 6. "
            + "(Parameter 'groupSizes')",
            Assert.Throws<ArgumentException>(() => GroupSchedule.SeveralRounds(16, 6)).Message);
        Assert.StartsWith("TwoRounds.groupSize must be in [1, 1024].",
            Assert.Throws<ArgumentOutOfRangeException>(() => GroupSchedule.TwoRounds(0)).Message, StringComparison.Ordinal);
        Assert.StartsWith("TwoGroupings.groupSize must be in [2, 64].",
            Assert.Throws<ArgumentOutOfRangeException>(() => GroupSchedule.TwoGroupings(1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => GroupSchedule.SeveralRounds());
    }

    [Fact]
    public void Options_RefuseWhatContradicts()
    {
        var fs = new MLContext(seed: 1).ForwardSampling();
        Assert.StartsWith("There must be one threshold for each of the 2 rounds of 8 → 1. Got 1.", Assert.Throws<ArgumentException>(() =>
            fs.GroupTesting(new GroupTestingOptions { Thresholds = [0f] })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => fs.GroupTesting(new GroupTestingOptions { Thresholds = [0f, 0f], WantedRecall = 0.9 }));
        Assert.Throws<ArgumentException>(() => fs.GroupTesting(new GroupTestingOptions { LabelColumnName = "Features" }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GroupTestingOptions { WantedRecall = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new GroupTestingOptions { Prevalence = 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new GroupTestingOptions { StemLayers = [] });
        Assert.Throws<ArgumentOutOfRangeException>(() => new GroupTestingOptions { Thresholds = [float.NaN, 0f] });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.8)]
    [InlineData(0.5)]
    public void Thresholds_FindTheWantedShareWithTheFewestTests(double wanted)
    {
        // Rows in pairs; a pair's logit is the larger of two that its rows would have, with noise.
        var random = new Random(4);
        const int Rows = 400;
        bool[] labels = [.. Enumerable.Range(0, Rows).Select(_ => random.NextDouble() < 0.05)];
        float[] alone = [.. labels.Select(label => (label ? 2f : 0f) + (float)(random.NextDouble() + random.NextDouble() - 1) * 2)];
        float[] pairs = [.. alone.Select((_, row) => Math.Max(alone[row & ~1], alone[row | 1]) + ((row & ~1) % 7 / 10f))];
        int positives = labels.Count(label => label);
        (float[] thresholds, double recall) = GroupThresholds.Choose([pairs, alone], labels, [2, 1], wanted);

        Assert.True(recall >= wanted && recall < wanted + (1.5 / positives), $"{recall}");
        // Every pair of thresholds that finds as many: none has fewer tests and no more false positives than one test a row.
        float limit = alone.Where((_, row) => labels[row]).Order().ElementAt(positives - (int)Math.Ceiling(wanted * positives));
        int mostFalse = Enumerable.Range(0, Rows).Count(row => !labels[row] && alone[row] >= limit);
        (int tests, int falsePositives) = Count(thresholds[0], thresholds[1]);
        Assert.True(falsePositives <= mostFalse, $"{falsePositives} {mostFalse}");
        foreach (float first in pairs.Where((_, row) => labels[row]).Select(MathF.BitDecrement))
        {
            float[] open = [.. Enumerable.Range(0, Rows).Where(row => labels[row] && pairs[row] > first).Select(row => alone[row]).Order()];
            int spare = open.Length - (int)Math.Ceiling(wanted * positives);
            if (spare < 0)
                continue;
            (int otherTests, int otherFalse) = Count(first, MathF.BitDecrement(open[spare]));
            Assert.True(otherTests >= tests || otherFalse > mostFalse, $"{otherTests} {tests}");
        }

        (int Tests, int False) Count(float first, float last) => (
            (Rows / 2) + Enumerable.Range(0, Rows).Count(row => pairs[row] > first),
            Enumerable.Range(0, Rows).Count(row => !labels[row] && pairs[row] > first && alone[row] > last));
    }
}
