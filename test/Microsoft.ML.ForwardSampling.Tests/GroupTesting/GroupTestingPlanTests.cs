using Microsoft.ML.ForwardSampling.GroupTesting;

namespace Microsoft.ML.ForwardSampling.Tests.GroupTesting;

public class GroupTestingPlanTests
{
    [Fact]
    public void TestsPerRow_AreThoseOfTheFormula()
    {
        GroupTestingPlan plan = GroupTestingPlan.For(0.01, stemCost: 50, bodyCost: 300);
        double eight = 1 - Math.Pow(0.99, 8), sixteen = 1 - Math.Pow(0.99, 16), four = 1 - Math.Pow(0.99, 4);
        Assert.Equal(1, plan.Individual.TestsPerRow);
        Assert.Equal(350, plan.Individual.MultiplyAddsPerRow);
        Assert.Equal((1d / 8) + eight, Find(plan, GroupSchedule.TwoRounds(8)).TestsPerRow, 1e-12);
        Assert.Equal((1d / 16) + (sixteen / 4) + four, Find(plan, GroupSchedule.SeveralRounds(16, 4)).TestsPerRow, 1e-12);
        Assert.Equal(2d / 8, Find(plan, GroupSchedule.TwoGroupings(8)).TestsPerRow, 1e-12);
        Assert.Equal(Math.Pow(1 - Math.Pow(0.99, 7), 2), Find(plan, GroupSchedule.TwoGroupings(8)).FalsePositiveRate, 1e-12);
        Assert.Equal(50 + (300 * ((1d / 8) + eight)), Find(plan, GroupSchedule.TwoRounds(8)).MultiplyAddsPerRow, 1e-9);
    }

    [Theory]
    [InlineData(0.003, 0.02)]
    [InlineData(0.05, 0.1)]
    public void TestsPerRow_EqualASimulation(double prevalence, double falsePositiveRate)
    {
        GroupSchedule schedule = GroupSchedule.SeveralRounds(16, 4);
        double expected = Find(GroupTestingPlan.For(prevalence, 1, 1, falsePositiveRate: falsePositiveRate), schedule).TestsPerRow;
        var random = new Random(5);
        const int Groups = 40_000;
        long tests = 0;
        for (int group = 0; group < Groups; group++)
        {
            bool[] rows = [.. Enumerable.Range(0, 16).Select(_ => random.NextDouble() < prevalence)];
            tests += Test(rows, 0);
        }

        Assert.Equal(expected, tests / (16d * Groups), 0.01 * expected + 0.002);

        long Test(ReadOnlySpan<bool> rows, int round)
        {
            bool isPositive = rows.Contains(true) || random.NextDouble() < falsePositiveRate;
            long count = 1;
            if (!isPositive || rows.Length == 1)
                return count;
            int size = schedule.GroupSizes[round + 1];
            for (int start = 0; start < rows.Length; start += size)
                count += Test(rows.Slice(start, size), round + 1);
            return count;
        }
    }

    [Fact]
    public void Best_FollowsThePrevalence()
    {
        GroupTestingPlan rare = GroupTestingPlan.For(0.001, 0, 1), common = GroupTestingPlan.For(0.05, 0, 1);
        Assert.True(rare.Best.Schedule.GroupSizes[0] > common.Best.Schedule.GroupSizes[0]);
        Assert.True(rare.Cost < common.Cost && common.Cost < 1);
        Assert.Equal(GroupSchedule.Individual, GroupTestingPlan.For(0.5, 0, 1).Best.Schedule);
        // Where the stem is all there is, groups save nothing; merged inputs share it.
        Assert.InRange(GroupTestingPlan.For(0.01, 1000, 1).Cost, 0.99, 1);
        Assert.InRange(GroupTestingPlan.For(0.01, 1000, 1, GroupMerge.Inputs).Cost, 0.05, 0.3);
    }

    [Fact]
    public void Warning_ComesAboveTenPercent()
    {
        Assert.Null(GroupTestingPlan.For(0.1, 1, 1).Warning);
        Assert.StartsWith("12.0 % of the rows are positive: above 10 %",
            GroupTestingPlan.For(0.12, 1, 1).Warning, StringComparison.Ordinal);
    }

    [Fact]
    public void OutOfRange_NamesRangeAndValue()
    {
        Assert.Equal("GroupTestingPlan.prevalence must be in (0, 1). (Parameter 'prevalence')"
            + Environment.NewLine + "Actual value was 1.",
            Assert.Throws<ArgumentOutOfRangeException>(() => GroupTestingPlan.For(1, 1, 1)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => GroupTestingPlan.For(0.1, -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => GroupTestingPlan.For(0.1, 1, 0));
    }

    private static GroupTestingCost Find(GroupTestingPlan plan, GroupSchedule schedule) => plan.All.Single(c => c.Schedule == schedule);
}
