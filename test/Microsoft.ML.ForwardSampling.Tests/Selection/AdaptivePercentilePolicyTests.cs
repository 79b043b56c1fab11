using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class AdaptivePercentilePolicyTests
{
    private const int N = 100, B = 10;

    // Losses 0 … 99 without classes: row i has percentile (i + ½)/100.
    private static readonly float[] s_losses = [.. Enumerable.Range(0, N).Select(i => (float)i)];

    private static readonly Func<double, double>[] s_curves = [_ => 1, u => u, u => u * u * u, u => 4 * u * (1 - u), u => 1 - u];

    [Fact]
    public void Select_NoReport_ChancesRiseWithThePercentile()
    {
        var selector = new RowSelector(new AdaptivePercentilePolicy(), 3);
        const int draws = 20_000;
        var hits = new int[N];
        for (int i = 0; i < draws; i++)
        {
            foreach (int row in Select(selector))
                hits[row]++;
        }

        for (int row = 0; row < N; row++)
            Oracle.AssertFrequency(Chance(1, row), hits[row], draws, $"row {row}");
    }

    [Fact]
    public void Select_ARoundOfTrials_UsesEachCurveOnceThenTheBest()
    {
        // Over many seeds: the five trials are the five curves in some order; the trial with the largest gain decides what comes after.
        const int seeds = 8000, windows = 1;
        var hits = new int[5, N];
        int[] kept = new int[N];
        for (int seed = 0; seed < seeds; seed++)
        {
            var selector = new RowSelector(new AdaptivePercentilePolicy { TrialWindows = windows, KeptTrials = 3 }, seed);
            selector.ReportValidation(10);
            double loss = 10;
            for (int trial = 0; trial < 5; trial++)
            {
                for (int i = 0; i < windows; i++)
                    Select(selector, hits, trial);
                loss -= trial == 3 ? 0.2 : 0.1;
                selector.ReportValidation(loss);
            }

            foreach (int row in Select(selector))
                kept[row]++;
        }

        // In any one place of a round, and so after it, each curve is as likely as the others.
        for (int row = 0; row < N; row += 9)
        {
            double mean = Enumerable.Range(0, 5).Average(curve => Chance(curve, row));
            for (int trial = 0; trial < 5; trial++)
                Oracle.AssertFrequency(mean, hits[trial, row], windows * seeds, $"row {row}, trial {trial}");
            Oracle.AssertFrequency(mean, kept[row], seeds, $"row {row}, after the round");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Select_OneCurveGainsMost_IsTheOneThatIsKept(int best)
    {
        // The trial's curve is read off its rows: the likeliest of the five. Long trials make that certain.
        var selector = new RowSelector(new AdaptivePercentilePolicy { TrialWindows = 60, KeptTrials = 1_000 }, 8);
        selector.ReportValidation(1);
        double loss = 1;
        var curves = new List<int>();
        for (int trial = 0; trial < 5; trial++)
        {
            int curve = LikeliestCurve(selector, 60);
            curves.Add(curve);
            loss -= curve == best ? 0.02 : 0.01;
            selector.ReportValidation(loss);
        }

        Assert.Equal([0, 1, 2, 3, 4], curves.Order());
        Assert.Equal(best, LikeliestCurve(selector, 60));
    }

    [Fact]
    public void Select_AnotherCurveGainsMoreLater_ItTakesOver()
    {
        var selector = new RowSelector(new AdaptivePercentilePolicy { TrialWindows = 60, KeptTrials = 1 }, 8);
        selector.ReportValidation(100);
        double loss = 100;
        var kept = new List<int>();
        for (int round = 0; round < 30; round++)
        {
            int best = round < 10 ? 2 : 3;
            for (int trial = 0; trial < 6; trial++)
            {
                int curve = LikeliestCurve(selector, 60);
                if (trial == 5)
                    kept.Add(curve);
                // Gains shrink a hundredfold over the run: a round counts by its own scale.
                loss -= (curve == best ? 0.02 : 0.01) / (1 + round * round / 9.0);
                selector.ReportValidation(loss);
            }
        }

        Assert.All(kept.Take(10), curve => Assert.Equal(2, curve));
        Assert.All(kept.TakeLast(10), curve => Assert.Equal(3, curve));
    }

    [Fact]
    public void ReportValidation_BeforeTheTrialIsLongEnough_ChangesNothing()
    {
        RowSelector Run(bool early)
        {
            var selector = new RowSelector(new AdaptivePercentilePolicy { TrialWindows = 4 }, 8);
            selector.ReportValidation(1);
            for (int i = 0; i < 4; i++)
            {
                Select(selector);
                if (early && i < 3)
                    selector.ReportValidation(5);
            }

            selector.ReportValidation(0.9);
            Select(selector);
            return selector;
        }

        Assert.Equal(Run(false).State, Run(true).State);
    }

    [Fact]
    public void ReportValidation_NotFinite_IsRefused()
        => Assert.Throws<ArgumentOutOfRangeException>(() => new RowSelector(new AdaptivePercentilePolicy(), 1)
            .ReportValidation(double.NaN));

    [Fact]
    public void Select_WithClasses_IsSpreadOverThem()
    {
        WindowData data = WindowData.Distinct(640, 3);
        var selector = new RowSelector(new AdaptivePercentilePolicy { UniformShare = 1 }, 8);
        for (int i = 0; i < 50; i++)
        {
            int ofClass2 = Choice.Of(selector, data, 64).Rows.Count(row => data.Label[row] == 2),
                all = data.Label.Count(label => label == 2);
            Assert.InRange(ofClass2, all / 10, (all + 9) / 10);
        }
    }

    [Fact]
    public void TrialWindowsAndKeptTrials_OutsideTheirRanges_AreNamed()
    {
        Assert.StartsWith("AdaptivePercentilePolicy.TrialWindows must be in [1, 65536].",
            Assert.Throws<ArgumentOutOfRangeException>(() => new AdaptivePercentilePolicy { TrialWindows = 0 }).Message,
            StringComparison.Ordinal);
        Assert.StartsWith("AdaptivePercentilePolicy.KeptTrials must be in [0, 65536].",
            Assert.Throws<ArgumentOutOfRangeException>(() => new AdaptivePercentilePolicy { KeptTrials = -1 }).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_ArePinned()
        => Assert.Equal(
            "AdaptivePercentilePolicy { TrialWindows = 4, KeptTrials = 15, UniformShare = 0.1, Name = AdaptivePercentile, Needs = Loss, "
                + "Label, IsUnbiased = False }",
            new AdaptivePercentilePolicy().ToString());

    private static double Chance(int curve, int row)
    {
        double total = Enumerable.Range(0, N).Sum(i => s_curves[curve]((i + 0.5) / N));
        return B * (0.9 * s_curves[curve]((row + 0.5) / N) / total + 0.1 / N);
    }

    private static int[] Select(RowSelector selector)
    {
        var rows = new int[B];
        selector.Select(N, rows, new float[B], loss: s_losses);
        return rows;
    }

    private static void Select(RowSelector selector, int[,] hits, int trial)
    {
        foreach (int row in Select(selector))
            hits[trial, row]++;
    }

    private static int LikeliestCurve(RowSelector selector, int windows)
    {
        int[] rows = [.. Enumerable.Range(0, windows).SelectMany(_ => Select(selector))];
        return Enumerable.Range(0, 5).MaxBy(curve => rows.Sum(row => Math.Log(Chance(curve, row))));
    }
}
