using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class CubeDrawTests
{
    [Fact]
    public void Choose_AnyChancesAndColumns_Meets_Specification()
    {
        Gen<(float[] Sizes, float[] Loss, int[] Label, int Budget, int Seed)> inputs =
            from count in Gen.Choose(1, 200)
            from budget in Gen.Choose(1, count)
            from kind in Gen.Choose(0, 4)
            from sizes in Gen.Choose(0, 1000).ArrayOf(count)
            from loss in Gen.Choose(-3, 1000).ArrayOf(count)
            from classes in Gen.Elements(0, 1, 3, 40, 1000)
            from label in Gen.Choose(-1, classes).ArrayOf(count)
            from seed in Gen.Choose(0, int.MaxValue)
            select (sizes.Select(size => Size(kind, size)).ToArray(), loss.Select(value => (float)value).ToArray(), label, budget, seed);

        Properties.Hold(
            inputs,
            input =>
            {
                int n = input.Sizes.Length;
                var p = new float[n];
                InclusionProbabilities.Solve(input.Sizes, 0, input.Budget, p);
                // The margin repeats the loss: columns that depend on each other must not disturb the draw.
                int[] rows = Choose(p, input.Loss, [.. input.Loss.Select(loss => 2 * loss + 1)], input.Label, input.Budget,
                    input.Seed);

                Assert.Equal(rows.Distinct().Order(), rows);
                Assert.All(rows, row => Assert.InRange(row, 0, n - 1));
                Assert.All(rows, row => Assert.True(p[row] > 0));
                Assert.All(Enumerable.Range(0, n).Where(row => p[row] >= 1), row => Assert.Contains(row, rows));
            },
            tests: 1000);

        static float Size(int kind, int value) => kind switch
        {
            0 => value,
            1 => value < 900 ? 0 : value,
            2 => MathF.Pow(1.2f, value % 200), // fifteen orders of magnitude: more than the elimination resolves
            3 => 1 + 1e-6f * value,
            _ => 1,
        };
    }

    [Fact]
    public void Choose_UnevenChancesAndAllColumns_FrequenciesAreTheChances()
    {
        // 30 rows, two of them certain or nearly so; eight columns for 30 rows, so that the landing decides much. Seed 6, 20,000 draws.
        const int n = 30, budget = 5, draws = 20_000;
        WindowData data = WindowData.Classes(n, 8);
        data.GradientNorm[11] = 50;
        var p = new float[n];
        InclusionProbabilities.Solve(data.GradientNorm, 0.05, budget, p);
        var random = new RepeatableRandom(6);
        var scratch = new SelectionScratch();
        int[] order = [.. Enumerable.Range(0, n)], hits = new int[n], rows = new int[budget];
        for (int i = 0; i < draws; i++)
        {
            CubeDraw.Choose(p, data.Loss, data.Margin, data.Label, order, ref random, rows, scratch);
            foreach (int row in rows)
                hits[row]++;
        }

        for (int row = 0; row < n; row++)
            Oracle.AssertFrequency(p[row], hits[row], draws, $"row {row}");
    }

    [Fact]
    public void Choose_ABalancedSubsetExists_EveryDrawIsOne()
    {
        // Even chances, four classes of ten rows, half of all rows: with nothing else to balance, five of each class, always.
        float[] p = [.. Enumerable.Repeat(0.5f, 40)];
        int[] label = [.. Enumerable.Range(0, 40).Select(row => row * 7 % 4)];
        for (int seed = 0; seed < 200; seed++)
        {
            int[] rows = Choose(p, [], [], label, 20, seed);
            for (int c = 0; c < 4; c++)
                Assert.Equal(5, rows.Count(row => label[row] == c));
        }
    }

    [Fact]
    public void Choose_PairsOfEqualLoss_TotalsAreExact()
    {
        // Losses in equal pairs and chances of one half: one of each pair keeps the total loss, and the flight finds such a subset or one
        // as good.
        float[] loss = [.. Enumerable.Range(0, 64).Select(row => (float)(row / 2 % 2))];
        float[] p = [.. Enumerable.Repeat(0.5f, 64)];
        for (int seed = 0; seed < 200; seed++)
            Assert.Equal(16f, Choose(p, loss, [], [], 32, seed).Sum(row => loss[row]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Choose_WholeWindows_ErrorIsAFewRowsWhateverTheirNumber(int scale)
    {
        // What the landing leaves does not grow with the window: the total's root mean square error, in rows of the largest loss, is below
        // 2 for 500 and for 2,000 rows.
        int n = 500 * scale;
        WindowData data = WindowData.Distinct(n, 4);
        float[] p = [.. Enumerable.Repeat(0.1f, n)];
        double total = 0.1 * data.Loss.Sum(loss => (double)loss), sum = 0;
        for (int seed = 0; seed < 200; seed++)
            sum += Math.Pow(Choose(p, data.Loss, [], data.Label, n / 10, seed).Sum(row => (double)data.Loss[row]) - total, 2);

        Assert.InRange(Math.Sqrt(sum / 200) / data.Loss.Max(), 0, 2);
    }

    private static int[] Choose(float[] p, float[] loss, float[] margin, int[] label, int budget, int seed)
    {
        var random = new RepeatableRandom(seed);
        var rows = new int[budget];
        CubeDraw.Choose(p, loss, margin, label, [.. Enumerable.Range(0, p.Length)], ref random, rows, new SelectionScratch());
        return rows;
    }
}
