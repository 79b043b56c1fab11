using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class CubePolicyTests
{
    [Fact]
    public void Select_Frequencies_AreTheInclusionProbabilities_AndWeightsTheirInverse()
    {
        const int n = 30, b = 6, draws = 20_000;
        WindowData data = WindowData.Classes(n, 8);
        data.GradientNorm[11] = 50;
        double[] p = Oracle.InclusionProbabilities(data.GradientNorm, 0.2, b);
        var selector = new RowSelector(new CubePolicy(), 19);
        var hits = new int[n];
        for (int i = 0; i < draws; i++)
        {
            Choice choice = Choice.Of(selector, data, b);
            foreach ((int row, float weight) in choice.Rows.Zip(choice.Weights))
            {
                hits[row]++;
                Assert.Equal((double)b / n / p[row], weight, 1e-5 * weight);
            }
        }

        for (int row = 0; row < n; row++)
            Oracle.AssertFrequency(p[row], hits[row], draws, $"row {row}");
    }

    [Theory]
    [InlineData(640)]
    [InlineData(4096)]
    public void Select_BalancedTotals_AreFarBelowThoseOfSystematicDraws(int n)
    {
        // 200 windows; the same chances, drawn along class and loss and along a random order. Sum of weights, loss, share of one class,
        // margin.
        double[] cube = Residuals(new CubePolicy { BalanceMargin = true }, n);
        double[] stratified = Residuals(new BalancedGradientNormPolicy(), n);
        double[] random = Residuals(new GradientNormPolicy(), n);
        for (int column = 0; column < 4; column++)
        {
            Assert.True(cube[column] < stratified[column] / 1.6,
                $"column {column}: cube {cube[column]}, along class and loss {stratified[column]}");
            Assert.True(cube[column] < random[column] / 3, $"column {column}: cube {cube[column]}, random order {random[column]}");
        }
    }

    [Fact]
    public void Page_BalanceTable_IsWhatTheDrawDoes_AndNoTotalIsOffByMoreThanTheColumnsInRows()
    {
        // The landing decides at most q rows, so no total can be off by more than q times what one row can weigh in it. The table: within a
        // twentieth.
        var stated = MarkdownTable.Parse(PolicyPage.Of(typeof(CubePolicy)).Section("## Evidence")!);
        (string Policy, int Rows)[] cases = [("Cube", 640), ("Cube", 4096), ("BalancedGradientNorm", 640), ("BalancedGradientNorm", 4096)];
        var measured = new List<string>();
        foreach ((string name, int n) in cases)
        {
            IRowSelectionPolicy policy = name == "Cube" ? new CubePolicy { BalanceMargin = true } : new BalancedGradientNormPolicy();
            (double[] root, double[] largest) = ErrorsInRows(policy, n);
            if (name == "Cube")
                Assert.All(largest, error => Assert.InRange(error, 0, 9)); // rows, weights, loss, margin, five of six classes
            measured.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"| {name} | {n} | {string.Join(" | ", root.Zip(largest, (rms, max) => $"{rms:F2} ({max:F2})"))} |"));
        }

        Assert.Equal(measured, stated.Select(row => $"| {string.Join(" | ", row.Values)} |"));
    }

    [Fact]
    public void Select_ColumnsSwitchedOff_AreNoLongerBalanced()
    {
        double[] all = Residuals(new CubePolicy { BalanceMargin = true }, 640);

        Assert.True(Residuals(new CubePolicy { BalanceMargin = true, BalanceLoss = false }, 640)[1] > 2 * all[1]);
        Assert.True(Residuals(new CubePolicy { BalanceMargin = true, BalanceClasses = false }, 640)[2] > 2 * all[2]);
        Assert.True(Residuals(new CubePolicy(), 640)[3] > 1.5 * all[3]);
    }

    [Fact]
    public void Select_EvenChances_SumOfWeightsIsTheBudgetAndClassesAreWithinThreeRows()
    {
        WindowData data = WindowData.Classes(600, 3);
        var policy = new CubePolicy { UniformShare = 1 };
        for (int seed = 0; seed < 100; seed++)
        {
            Choice choice = Choice.Of(policy, data, 60, seed);
            Assert.All(choice.Weights, weight => Assert.Equal(1f, weight, 1e-6f));
            foreach (IGrouping<int, int> byClass in data.Label.GroupBy(label => label))
                Assert.InRange(choice.Rows.Count(row => data.Label[row] == byClass.Key), byClass.Count() / 10.0 - 3,
                    byClass.Count() / 10.0 + 3);
        }
    }

    [Fact]
    public void Select_MoreClassesThanColumns_ExactSizeAndNeighboursTogether()
    {
        // 500 classes share 32 columns: an even draw's runs of 125 labels each hold a quarter of the rows, within a few.
        const int n = 2000, b = 200;
        WindowData data = WindowData.Distinct(n, 6);
        for (int row = 0; row < n; row++)
            data.Label[row] = row * 7 % 500;
        var policy = new CubePolicy { UniformShare = 1 };
        for (int seed = 0; seed < 50; seed++)
        {
            int[] rows = Choice.Of(policy, data, b, seed).Rows;
            Assert.Equal(b, rows.Distinct().Count());
            for (int quarter = 0; quarter < 4; quarter++)
                Assert.InRange(rows.Count(row => data.Label[row] / 125 == quarter), 40, 60);
        }
    }

    [Fact]
    public void Select_NormsFurtherApartThanTheEliminationResolves_StillTheBudgetAndTheChances()
    {
        // Thirty orders of magnitude, no even share: rounding may cost the balance, never the number of rows or a certain row. 20,000
        // draws.
        const int n = 24, b = 5, draws = 20_000;
        WindowData data = WindowData.Classes(n, 8);
        for (int row = 0; row < n; row++)
            data.GradientNorm[row] = row % 4 == 0 ? 1 + row : MathF.Pow(10, -1.25f * row);
        double[] p = Oracle.InclusionProbabilities(data.GradientNorm, 0, b);
        var selector = new RowSelector(new CubePolicy { UniformShare = 0 }, 19);
        var hits = new int[n];
        for (int i = 0; i < draws; i++)
        {
            foreach (int row in Choice.Of(selector, data, b).Rows)
                hits[row]++;
        }

        for (int row = 0; row < n; row++)
            Oracle.AssertFrequency(p[row], hits[row], draws, $"row {row}");
    }

    [Fact]
    public void Needs_FollowTheColumns()
    {
        Assert.Equal(RecordStatistics.GradientNorm, new CubePolicy { BalanceLoss = false, BalanceClasses = false }.Needs);
        Assert.Equal(
            RecordStatistics.GradientNorm | RecordStatistics.Loss | RecordStatistics.Margin | RecordStatistics.Label,
            new CubePolicy { BalanceMargin = true }.Needs);
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal(
            "CubePolicy { UniformShare = 0.2, BalanceLoss = True, BalanceMargin = False, BalanceClasses = True, Name = Cube, Needs = "
                + "Loss, GradientNorm, Label, IsUnbiased = True }",
            new CubePolicy().ToString());
    }

    // Root mean square errors of the weighted means of 1, loss, one class and margin: 200 windows, one row in ten. The margin gets noise of
    // its own.
    private static double[] Residuals(IRowSelectionPolicy policy, int n)
    {
        var sums = new double[4];
        for (int seed = 0; seed < 200; seed++)
        {
            WindowData data = WindowData.Classes(n, seed);
            var random = new RepeatableRandom(seed + 1000);
            for (int row = 0; row < n; row++)
                data.Margin[row] *= (float)random.NextDouble();
            Choice choice = Choice.Of(policy, data, n / 10, seed);
            double[] errors =
            [
                choice.Weights.Average(weight => (double)weight) - 1,
                SelectionDiagnostics.LossResidual(data.Loss, choice.Rows, choice.Weights),
                SelectionDiagnostics.LossResidual([.. data.Label.Select(label => label == 2 ? 1f : 0f)], choice.Rows, choice.Weights),
                SelectionDiagnostics.LossResidual(data.Margin, choice.Rows, choice.Weights),
            ];
            for (int i = 0; i < 4; i++)
                sums[i] += errors[i] * errors[i];
        }

        return [.. sums.Select(sum => Math.Sqrt(sum / 200))];
    }

    // Errors of the weighted totals of 1, loss, one class and margin, in units of the largest weight·value that a row of the window can
    // have: root mean square and largest of 200 windows.
    private static (double[] Root, double[] Largest) ErrorsInRows(IRowSelectionPolicy policy, int n)
    {
        var squares = new double[4];
        var largest = new double[4];
        for (int seed = 0; seed < 200; seed++)
        {
            WindowData data = WindowData.Classes(n, seed);
            var random = new RepeatableRandom(seed + 1000);
            for (int row = 0; row < n; row++)
                data.Margin[row] *= (float)random.NextDouble();
            int b = n / 10;
            var p = new float[n];
            InclusionProbabilities.Solve(data.GradientNorm, 0.2, b, p);
            Choice choice = Choice.Of(policy, data, b, seed);
            float[][] columns = [[.. Enumerable.Repeat(1f, n)], data.Loss, [.. data.Label.Select(label => label == 2 ? 1f : 0f)],
                data.Margin];
            for (int column = 0; column < 4; column++)
            {
                double worth = Enumerable.Range(0, n).Max(row => (double)b / n / p[row] * columns[column][row]);
                double error = Math.Abs(SelectionDiagnostics.LossResidual(columns[column], choice.Rows, choice.Weights)) * b / worth;
                squares[column] += error * error;
                largest[column] = Math.Max(largest[column], error);
            }
        }

        return ([.. squares.Select(sum => Math.Sqrt(sum / 200))], largest);
    }
}
