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

    [Fact]
    public void Thresholds_AreTheHighestWithTheWantedRecall()
    {
        // Five positives; the third is the lowest of both rounds, the first the second lowest of one.
        float[][] logits = [[1f, 4f, 0f, 5f, 3f], [6f, 2f, -1f, 5f, 3f]];
        Check(wanted: 0.81, [0f, -1f], found: 1);
        Check(wanted: 0.8, [1f, 2f], found: 0.8);
        Check(wanted: 0.4, [3f, 3f], found: 0.4);
        Check(wanted: 0.5, [1f, 3f], found: 0.6);        // each round loses one, and the last one more

        void Check(double wanted, float[] lowestFound, double found)
        {
            (float[] thresholds, double recall) = GroupThresholds.Choose(logits, wanted);
            Assert.Equal(lowestFound.Select(MathF.BitDecrement), thresholds);
            Assert.Equal(found, recall, 1e-12);
        }
    }
}
