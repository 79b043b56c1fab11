using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class WeightCapPolicyTests
{
    [Fact]
    public void Select_RowsAreTheInnerPolicys_WeightsCutAndCounted()
    {
        var selector = new RowSelector(new WeightCapPolicy { MaximumWeight = 1.5 }, 3);
        int cut = 0;
        double mass = 0;
        for (int seed = 0; seed < 20; seed++)
        {
            WindowData data = WindowData.Distinct(200, seed);
            var inner = new RowSelector(new GradientNormPolicy(), selector.State with { PolicyName = "GradientNorm" });
            Choice free = Choice.Of(inner, data, 20), capped = Choice.Of(selector, data, 20);

            Assert.Equal(free.Rows, capped.Rows);
            Assert.Equal(free.Weights.Select(weight => Math.Min(weight, 1.5f)), capped.Weights);
            cut += free.Weights.Count(weight => weight > 1.5f);
            mass += free.Weights.Sum(weight => Math.Max(0.0, weight - 1.5));
        }

        Assert.InRange(cut, 20, 380);
        Assert.Equal(cut, selector.Report.CappedRows);
        Assert.Equal(mass, selector.Report.CappedWeight, 1e-9);
        Assert.Equal(1.5f, selector.Report.LargestWeight);
    }

    [Fact]
    public void Select_NoWeightAboveTheCap_IsTheInnerPolicy()
    {
        WindowData data = WindowData.Classes(300, 1);
        var selector = new RowSelector(new WeightCapPolicy { Inner = new BalancedGradientNormPolicy() }, 6);

        Assert.Equal(Choice.Of(new BalancedGradientNormPolicy(), data, 30, 6), Choice.Of(selector, data, 30));
        Assert.Equal((0, 0.0), (selector.Report.CappedRows, selector.Report.CappedWeight));
    }

    [Fact]
    public void Select_NonNegativeValues_AreUnderestimatedByWhatWasCut()
    {
        // Seed 5, 4,000 draws, four standard errors. The bound of the remarks is exact for the expectation: weights w = (b/n)/p above the
        // cap lose p·(w − cap)/b of their value. Rows of large weight have large margins.
        const int n = 60, b = 6, draws = 4000;
        WindowData data = WindowData.Distinct(n, 9);
        double[] p = Oracle.InclusionProbabilities(data.GradientNorm, 0, b);
        double expected = Enumerable.Range(0, n).Sum(row => p[row] * Math.Min((double)b / n / p[row], 2) * data.Margin[row] / b);
        var selector = new RowSelector(new WeightCapPolicy { MaximumWeight = 2 }, 5);
        double sum = 0, squares = 0;
        for (int i = 0; i < draws; i++)
        {
            Choice choice = Choice.Of(selector, data, b);
            double mean = choice.Rows.Zip(choice.Weights).Sum(pair => pair.Second * data.Margin[pair.First]) / b;
            sum += mean;
            squares += mean * mean;
        }

        double average = sum / draws, error = 4 * Math.Sqrt((squares / draws - average * average) / draws);
        Assert.InRange(average, expected - error, expected + error);
        Assert.True(expected + 2 * error < data.Margin.Average());
    }

    [Fact]
    public void Report_WindowsWithOtherScratch_CountsTheSame()
    {
        // Memory that is not the selector's own, and that two selectors share.
        WindowData data = WindowData.Distinct(200, 1);
        var policy = new WeightCapPolicy { MaximumWeight = 1.5 };
        RowSelector own = new(policy, 6), first = new(policy, 6), second = new(policy, 6);
        var scratch = new SelectionScratch();
        for (int i = 0; i < 3; i++)
        {
            own.Select(data.Window(own.Scratch), new int[20], new float[20]);
            first.Select(data.Window(scratch), new int[20], new float[20]);
            second.Select(data.Window(scratch), new int[20], new float[20]);
        }

        Assert.True(own.Report.CappedRows > 0);
        Assert.Equal(own.Report, first.Report);
        Assert.Equal(own.Report, second.Report);
    }

    [Fact]
    public void Report_CapInsideAnotherPolicy_CountsAndResumes()
    {
        WindowData data = WindowData.Classes(300, 1);
        var policy = new GroupBudgetPolicy { Inner = new UniformFloorPolicy { Inner = new WeightCapPolicy { MaximumWeight = 1 } } };
        var selector = new RowSelector(policy, 6);
        Choice.Of(selector, data, 60);
        SelectionReport report = selector.Report;
        var resumed = new RowSelector(policy, selector.State);
        Choice.Of(selector, data, 60);
        Choice.Of(resumed, data, 60);

        Assert.InRange(report.CappedRows, 1, 59);
        Assert.True(selector.Report.CappedRows > report.CappedRows);
        Assert.Equal(selector.Report, resumed.Report);
    }

    [Fact]
    public void Inner_Null_NamesTheOption()
    {
        Assert.Equal("WeightCapPolicy.Inner must not be null. (Parameter 'Inner')",
            Assert.Throws<ArgumentNullException>(() => new WeightCapPolicy { Inner = null! }).Message);
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal($"WeightCapPolicy {{ Inner = {new GradientNormPolicy()}, MaximumWeight = 5, Name = WeightCap, Needs = GradientNorm, "
            + $"IsUnbiased = False }}", new WeightCapPolicy().ToString());
    }
}
