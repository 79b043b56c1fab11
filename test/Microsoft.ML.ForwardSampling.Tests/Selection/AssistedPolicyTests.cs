using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class AssistedPolicyTests
{
    [Fact]
    public void Select_AfterSomeSteps_FrequenciesAreThoseOfTheAssistantComputedByHand()
    {
        // Two features and three classes; steps by plain arithmetic.
        float[][] x = [[1, 0], [0.5f, -1], [2, 1], [0, 0], [-1, 3]];
        int[] y = [0, 2, 1, 2, -1];
        float[] loss = [3, 0.5f, 1, 4, 0.1f];
        var policy = new AssistedPolicy { LearningRate = 1, MinimumProbability = 0.3, RunningFactor = 0.75 };
        var selector = new RowSelector(policy, 5);
        double[] w = [0, 0], u = [0, 0, 0];
        double mean = double.NaN;
        for (int step = 0; step < 3; step++)
        {
            float[] losses = [.. loss.Select(value => value * (1 + step))];
            selector.ReportTraining(losses, [.. x.SelectMany(row => row)], y);
            mean = double.IsNaN(mean) ? losses.Average() : 0.75 * mean + 0.25 * losses.Average();
            double[] errors = [.. x.Select((row, i) => Chance(row, y[i]) - (losses[i] > mean ? 1 : 0))];
            for (int i = 0; i < 5; i++)
            {
                w[0] -= errors[i] * x[i][0] / 5;
                w[1] -= errors[i] * x[i][1] / 5;
                if (y[i] >= 0)
                    u[y[i]] -= errors[i] / 5;
            }
        }

        double[] expected = Oracle.SuccessiveSampling([.. x.Select((row, i) => 0.3 + 0.7 * Chance(row, y[i]))], 2);
        const int draws = 20_000;
        var hits = new int[5];
        int[] rows = new int[2];
        float[] weights = new float[2];
        for (int i = 0; i < draws; i++)
        {
            selector.Select(new SelectionWindow(5, selector.Scratch) { Features = x.SelectMany(row => row).ToArray(), Label = y }, rows,
                weights);
            hits[rows[0]]++;
            hits[rows[1]]++;
        }

        Assert.True(expected.Max() - expected.Min() > 0.1); // or an even draw would pass
        for (int row = 0; row < 5; row++)
            Oracle.AssertFrequency(expected[row], hits[row], draws, $"row {row}");

        double Chance(float[] row, int label) => 1 / (1 + Math.Exp(-(w[0] * row[0] + w[1] * row[1] + (label < 0 ? 0 : u[label]))));
    }

    [Fact]
    public void Select_HardRowsHaveAFeature_TheAssistantFindsThem()
    {
        var selector = new RowSelector(new AssistedPolicy { LearningRate = 1 }, 5);
        WindowData data = WindowData.Classes(640, 3);
        double Mean(Choice choice) => choice.Rows.Average(row => data.Loss[row]);
        double before = Enumerable.Range(0, 50).Average(_ => Mean(Choice.Of(selector, data, 64)));
        for (int step = 0; step < 500; step++)
        {
            Choice choice = Choice.Of(selector, data, 64);
            selector.ReportTraining([.. choice.Rows.Select(row => data.Loss[row])], [.. choice.Rows.SelectMany(data.FeaturesOf)],
                [.. choice.Rows.Select(row => data.Label[row])]);
        }

        double after = Enumerable.Range(0, 50).Average(_ => Mean(Choice.Of(selector, data, 64)));
        Assert.True(after > 1.15 * before, $"mean loss {after} of the chosen rows, {before} before learning");
    }

    [Fact]
    public void Select_NothingLearned_EvenDraws()
    {
        WindowData data = WindowData.Classes(24, 3);
        var selector = new RowSelector(new AssistedPolicy { MinimumProbability = 0 }, 5);
        var hits = new int[24];
        for (int i = 0; i < 8000; i++)
        {
            foreach (int row in Choice.Of(selector, data, 6).Rows)
                hits[row]++;
        }

        for (int row = 0; row < 24; row++)
            Oracle.AssertFrequency(0.25, hits[row], 8000, $"row {row}");
    }

    [Fact]
    public void Select_NonFiniteFeaturesAndLosses_AreNeitherLearnedFromNorLost()
    {
        var selector = new RowSelector(new AssistedPolicy { LearningRate = 1 }, 5);
        RowSelectorState before = selector.State;
        selector.ReportTraining([float.NaN, 2], [1, 1, float.NaN, 1], [0, 0]);
        RowSelectorState after = selector.State;
        selector.ReportTraining([1, 2], [1, 1, 2, 2], [0, 0]);
        int[] rows = new int[3];
        selector.Select(new SelectionWindow(4, selector.Scratch)
        { Features = new float[] { 1, 1, float.NaN, 1, float.PositiveInfinity, 0, 0, 1 } }, rows, new float[3]);

        Assert.NotEqual(before, after); // the width and the running mean
        Assert.All(after.PolicyState[20..].ToArray(), value => Assert.Equal(0, value)); // no coefficient moved
        Assert.Equal(3, rows.Distinct().Count());
    }

    [Fact]
    public void Select_AnotherNumberOfFeatures_GivesBoth()
    {
        var selector = new RowSelector(new AssistedPolicy(), 5);
        selector.ReportTraining([1, 2], [1, 1, 2, 2]);

        Assert.Equal(
            "Rows have 3 features; the assistant has learned from rows with 2. (Parameter 'features')",
            Assert.Throws<ArgumentException>(() => selector.Select(new SelectionWindow(1, selector.Scratch) { Features = new float[3] },
                new int[1], new float[1])).Message);
    }

    [Fact]
    public void Select_NoFeatures_SaysWhatIsMissing()
        => Assert.Equal(
            "Policy Assisted needs SelectionWindow.Features, which the window does not hold: n·d values, row-major. (Parameter 'window')",
            Assert.Throws<ArgumentException>(
                () => Choice.Of(new RowSelector(new AssistedPolicy(), 5), WindowData.Classes(10, 1), 2, RecordStatistics.Label)).Message);

    [Fact]
    public void SelectRows_NoFeedbackThere_IsRefused()
    {
        var context = new MLContext(1);
        IDataView data = context.Data.LoadFromEnumerable(new[] { new { Label = 1f } });

        Assert.StartsWith(
            "Policy Assisted chooses by features or learns from the losses of trained rows, which a filter over a data view does not see:",
            Assert.Throws<ArgumentException>(() => context.ForwardSampling().SelectRows(data, new AssistedPolicy())).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_ArePinned()
        => Assert.Equal(
            "AssistedPolicy { MinimumProbability = 0.3, LearningRate = 0.01, RunningFactor = 0.75, Name = Assisted, Needs = Label, "
                + "Features, IsUnbiased = False }",
            new AssistedPolicy().ToString());
}
