using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class ExtremeRowsTests
{
    [Fact]
    public void Choose_AnyValues_ChosenAreTheEndOfTheSortedOrder_Meets_Specification()
    {
        Gen<(float[] Values, int Budget, bool Largest, int Seed)> inputs =
            from count in Gen.Choose(1, 300)
            from budget in Gen.Choose(1, count)
            from kind in Gen.Choose(0, 3)
            from values in Gen.Choose(-1000, 1000).ArrayOf(count)
            from largest in Gen.Elements(true, false)
            from seed in Gen.Choose(0, int.MaxValue)
            select (values.Select(value => Value(kind, value)).ToArray(), budget, largest, seed);

        Properties.Hold(
            inputs,
            input =>
            {
                int[] rows = Choose(input.Values, input.Largest, input.Budget, input.Seed);
                float[] sorted = [.. input.Largest ? input.Values.OrderDescending() : input.Values.Order()];

                Assert.Equal(rows.Distinct().Order(), rows);
                float[] chosen = [.. rows.Select(row => input.Values[row])];
                Assert.Equal(sorted[..input.Budget], input.Largest ? chosen.OrderDescending() : chosen.Order());
            },
            tests: 1000);

        static float Value(int kind, int value) => kind switch
        {
            0 => value,
            1 => value / 300,
            2 => MathF.CopySign(MathF.Pow(1.1f, Math.Abs(value) % 800), value),
            _ => value * 1e-42f,
        };
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Choose_TiesAtTheCut_AreDrawnEvenly(bool largest)
    {
        // Two rows beyond the cut, five on it (−0 equals 0), two of those to take: 2/5 each. Seed 3, 20,000 draws.
        const int draws = 20_000;
        float side = largest ? 1 : -1;
        float[] values = [0f, 3 * side, -0f, -2 * side, 0f, -0f, 7 * side, 0f, -side];
        var random = new RepeatableRandom(3);
        int[] hits = new int[9], rows = new int[4];
        for (int i = 0; i < draws; i++)
        {
            ExtremeRows.Choose(values, largest, ref random, rows, new SelectionScratch());
            foreach (int row in rows)
                hits[row]++;
        }

        double[] expected = [0.4, 1, 0.4, 0, 0.4, 0.4, 1, 0.4, 0];
        for (int row = 0; row < 9; row++)
            Oracle.AssertFrequency(expected[row], hits[row], draws, $"row {row}");
    }

    [Fact]
    public void Choose_TiesAllTakenOrNone_DrawsNoNumber()
    {
        float[] values = [5, 1, 5, 5, 2, 1];
        var random = new RepeatableRandom(3);
        RepeatableRandomState before = random.State;
        ExtremeRows.Choose(values, largest: true, ref random, new int[3], new SelectionScratch());
        ExtremeRows.Choose(values, largest: true, ref random, new int[4], new SelectionScratch());
        ExtremeRows.Choose(values, largest: true, ref random, new int[6], new SelectionScratch());

        Assert.Equal(before, random.State);
    }

    private static int[] Choose(float[] values, bool largest, int budget, int seed)
    {
        var random = new RepeatableRandom(seed);
        var rows = new int[budget];
        ExtremeRows.Choose(values, largest, ref random, rows, new SelectionScratch());
        return rows;
    }
}
