using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class GroupBudgetPolicyTests
{
    [Theory]
    [InlineData("Uniform", GroupAllocation.Proportional, 1, 8)]
    [InlineData("Uniform", GroupAllocation.Proportional, 0, 8)]
    [InlineData("Uniform", GroupAllocation.Even, 1, 9)]
    [InlineData("Uniform", GroupAllocation.Proportional, 1, 2)] // fewer rows than groups
    [InlineData("Uniform", GroupAllocation.Even, 1, 3)]
    [InlineData("GradientNorm", GroupAllocation.Proportional, 2, 9)]
    [InlineData("BalancedGradientNorm", GroupAllocation.Proportional, 1, 10)]
    [InlineData("BalancedGradientNorm", GroupAllocation.Even, 1, 10)]
    public void Select_Frequencies_AreTheInnerPolicysWithinEachGroup(string inner, GroupAllocation allocation, int minimum, int budget)
    {
        // Seed 23, 20,000 draws, four standard errors. Groups of 1, 5, 11 and 31 rows.
        const int n = 48, draws = 20_000;
        WindowData data = Grouped(n, 1, 5, 11);
        double[] shares = Shares([1, 5, 11, 31], budget, allocation, minimum);
        double[] expected = new double[n];
        for (int g = 0; g < 4; g++)
        {
            int[] rows = [.. Enumerable.Range(0, n).Where(row => data.Group[row] == g)];
            float[] norms = [.. rows.Select(row => data.GradientNorm[row])];
            int whole = (int)(shares[g] + 1e-9);
            double more = Math.Max(0, shares[g] - whole);
            foreach ((int own, double chance) in new[] { (whole, 1 - more),
                (whole + 1, more) }.Where(pair => pair.Item1 > 0 && pair.Item2 > 1e-9))
            {
                double[] p = inner == "Uniform" ? [.. rows.Select(_ => (double)own / rows.Length)]
                    : Oracle.InclusionProbabilities(norms, inner == "GradientNorm" ? 0 : 0.2, own);
                for (int i = 0; i < rows.Length; i++)
                    expected[rows[i]] += chance * p[i];
            }
        }

        IRowSelectionPolicy within = inner switch
        {
            "Uniform" => new UniformPolicy(),
            "GradientNorm" => new GradientNormPolicy(),
            _ => new BalancedGradientNormPolicy()
        };
        var selector = new RowSelector(new GroupBudgetPolicy { Inner = within, Allocation = allocation, MinimumRows = minimum }, 23);
        int[] hits = new int[n], chosen = new int[budget];
        var weights = new float[budget];
        for (int i = 0; i < draws; i++)
        {
            selector.Select(data.Window(selector.Scratch), chosen, weights);
            foreach (int row in chosen)
                hits[row]++;
        }

        for (int row = 0; row < n; row++)
            Oracle.AssertFrequency(expected[row], hits[row], draws, $"row {row} of group {data.Group[row]}");
    }

    [Theory]
    [InlineData(GroupAllocation.Proportional)]
    [InlineData(GroupAllocation.Even)]
    public void Select_EveryWindow_EachGroupWeighsAsMuchAsItHasRows(GroupAllocation allocation)
    {
        // Weights of an even draw: n[g]/n of the budget for each group, in every single draw, because no share is below one row.
        WindowData data = Grouped(200, 4, 20, 60);
        var selector = new RowSelector(new GroupBudgetPolicy { Inner = new UniformPolicy(), Allocation = allocation, MinimumRows = 2 }, 3);
        for (int i = 0; i < 50; i++)
        {
            Choice choice = Choice.Of(selector, data, 21);
            for (int g = 0; g < 4; g++)
            {
                double weight = choice.Rows.Zip(choice.Weights).Where(pair => data.Group[pair.First] == g).Sum(pair => (double)pair.Second);
                Assert.Equal(21 * data.Group.Count(group => group == g) / 200.0, weight, 1e-5);
            }
        }
    }

    [Fact]
    public void Select_RareGroup_GetsItsMinimumOrAllItsRows()
    {
        WindowData data = Grouped(640, 2, 5, 100);
        var selector = new RowSelector(new GroupBudgetPolicy { Inner = new TopLossPolicy(), MinimumRows = 3 }, 3);
        for (int i = 0; i < 20; i++)
        {
            int[] rows = Choice.Of(selector, data, 64).Rows;
            Assert.Equal(2, rows.Count(row => data.Group[row] == 0));
            Assert.Equal(3, rows.Count(row => data.Group[row] == 1));
        }
    }

    [Fact]
    public void Select_AnySizesAndBudget_EveryGroupGetsWhatTheRuleSays()
    {
        Gen<(int[] Sizes, int Budget, GroupAllocation Allocation, int Minimum, int Seed)> inputs =
            from groups in Gen.Choose(1, 12)
            from sizes in Gen.Choose(1, 40).ArrayOf(groups)
            from budget in Gen.Choose(1, sizes.Sum())
            from even in Gen.Choose(0, 1)
            from minimum in Gen.Choose(0, 10)
            from seed in Gen.Choose(0, 1000)
            select (sizes, budget, (GroupAllocation)even, minimum, seed);

        Properties.Hold(inputs, input =>
        {
            int n = input.Sizes.Sum();
            int[] groups = [.. input.Sizes.SelectMany((size, g) => Enumerable.Repeat(g * 1000 - 3000, size))];
            new Random(input.Seed).Shuffle(groups);
            WindowData data = WindowData.Classes(n, input.Seed) with { Group = groups };
            Choice choice = Choice.Of(new GroupBudgetPolicy
            {
                Inner = new UniformPolicy(),
                Allocation = input.Allocation,
                MinimumRows = input.Minimum
            }, data, input.Budget, input.Seed);
            double[] shares = Shares(input.Sizes, input.Budget, input.Allocation, input.Minimum);

            Assert.Equal(input.Budget, choice.Rows.Distinct().Count());
            Assert.Equal(choice.Rows.Order(), choice.Rows);
            for (int g = 0; g < input.Sizes.Length; g++)
            {
                int own = choice.Rows.Count(row => groups[row] == g * 1000 - 3000);
                Assert.InRange(own, Math.Floor(shares[g] + 1e-9), Math.Ceiling(shares[g] - 1e-9));
            }
        });
    }

    [Fact]
    public void Select_OneGroup_IsTheInnerPolicy()
    {
        WindowData data = WindowData.Classes(300, 2) with { Group = [.. Enumerable.Repeat(7, 300)] };

        Assert.Equal(Choice.Of(new BalancedGradientNormPolicy(), data, 30, 4), Choice.Of(new GroupBudgetPolicy(), data, 30, 4));
    }

    [Fact]
    public void Select_InsideItself_ChangesNothing()
    {
        // Within a group there is one group only. Each level works in memory of its own.
        WindowData data = WindowData.Classes(300, 2);
        var once = new GroupBudgetPolicy { Inner = new UniformFloorPolicy() };

        Assert.Equal(Choice.Of(once, data, 30, 4), Choice.Of(new GroupBudgetPolicy { Inner = once }, data, 30, 4));
    }

    [Fact]
    public void Select_EveryRowItsOwnGroup_IsAnEvenDraw()
    {
        // 20,000 draws, seed 2: 5 of 20 groups of one row, by one systematic draw.
        WindowData data = WindowData.Classes(20, 2) with { Group = [.. Enumerable.Range(0, 20)] };
        var selector = new RowSelector(new GroupBudgetPolicy(), 2);
        var hits = new int[20];
        for (int i = 0; i < 20_000; i++)
        {
            Choice choice = Choice.Of(selector, data, 5);
            Assert.All(choice.Weights, weight => Assert.Equal(1f, weight));
            foreach (int row in choice.Rows)
                hits[row]++;
        }

        for (int row = 0; row < 20; row++)
            Oracle.AssertFrequency(0.25, hits[row], 20_000, $"row {row}");
    }

    [Fact]
    public void NeedsAndUnbiasedness_AreTheInnerPolicysAndGroups()
    {
        var policy = new GroupBudgetPolicy { Inner = new SelectiveBackpropPolicy() };

        Assert.Equal(RecordStatistics.Loss | RecordStatistics.Group, policy.Needs);
        Assert.False(policy.IsUnbiased);
        Assert.True(new GroupBudgetPolicy { Inner = new UniformPolicy() }.IsUnbiased);
    }

    [Fact]
    public void MinimumRows_OutOfRange_NamesRangeAndValue()
    {
        Assert.Equal(
            $"GroupBudgetPolicy.MinimumRows must be in [0, 16777216]. (Parameter 'MinimumRows'){Environment.NewLine}Actual value was -1.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new GroupBudgetPolicy { MinimumRows = -1 }).Message);
    }

    [Fact]
    public void Inner_Null_NamesTheOption()
    {
        Assert.Equal("GroupBudgetPolicy.Inner must not be null. (Parameter 'Inner')",
            Assert.Throws<ArgumentNullException>(() => new GroupBudgetPolicy { Inner = null! }).Message);
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal(
            $"GroupBudgetPolicy {{ Inner = {new BalancedGradientNormPolicy()}, Allocation = Proportional, MinimumRows = 1, Name = "
                + $"GroupBudget, Needs = Loss, GradientNorm, Label, Group, IsUnbiased = True }}",
            new GroupBudgetPolicy().ToString());
    }

    /// <summary>Groups 0, 1, 2 of the given sizes, the rest group 3, mixed.</summary>
    private static WindowData Grouped(int n, int first, int second, int third)
    {
        int[] groups = [.. Enumerable.Range(0, n).Select(row => row < first ? 0 : row < first + second ? 1 : row < first + second + third
            ? 2 : 3)];
        new Random(4).Shuffle(groups);
        return WindowData.Distinct(n, 17) with { Group = groups };
    }

    /// <summary>The allocation by bisection of c, independent of the code's passes.</summary>
    private static double[] Shares(int[] sizes, int budget, GroupAllocation allocation, int minimum)
    {
        double[] floors = [.. sizes.Select(size => allocation == GroupAllocation.Even ? 0.0 : Math.Min(minimum, size))];
        if (floors.Sum() >= budget)
            return [.. floors.Select(floor => budget * floor / floors.Sum())];
        double low = 0, high = sizes.Sum();
        for (int i = 0; i < 200; i++)
        {
            double c = (low + high) / 2;
            (low, high) = Of(c).Sum() < budget ? (c, high) : (low, c);
        }

        return [.. Of(high)];

        IEnumerable<double> Of(double c) =>
            sizes.Select((size, g) => Math.Clamp(c * (allocation == GroupAllocation.Even ? 1 : size), floors[g], size));
    }
}
