using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

/// <summary>The rows that the page shows: from each tenth of a chunk's losses, chosen and passed over.</summary>
public sealed class SelectionExamplesTests(CompareRunTests.SmallRun run) : IClassFixture<CompareRunTests.SmallRun>
{
    [Fact]
    public void Of_HundredRows_TakesTheFirstThreeOfEachKindInEachTenth()
    {
        // Losses 0 to 99 in a scattered order; every fifth row is chosen.
        TabularRow[] rows = [.. Enumerable.Range(0, 100).Select(i => new TabularRow { Cells = [$"{i}"], Flag = i % 2 == 0 })];
        float[] losses = [.. Enumerable.Range(0, 100).Select(i => (float)(i * 37 % 100))];
        float[] weights = [.. Enumerable.Range(0, 100).Select(i => i % 5 == 0 ? 1f + i : 0f)];

        SelectionExamples examples = SelectionExamples.Of(Data(rows), rows, losses, weights)!;

        Assert.Equal(["Place"], examples.Columns);
        for (int tenth = 0; tenth < 10; tenth++)
        {
            int[] members = [.. Enumerable.Range(0, 100).Where(i => (int)losses[i] / 10 == tenth)];
            int[] expected = [.. members.Where(i => i % 5 == 0).Take(3), .. members.Where(i => i % 5 != 0).Take(3)];
            SelectionExample[] shown = [.. examples.Rows.Where(row => row.Tenth == tenth)];
            Assert.Equal(expected.Select(i => $"{i}"), shown.Select(row => Assert.Single(row.Cells!)));
            Assert.Equal(expected.Select(i => (losses[i], weights[i], i % 2 == 0 ? "yes" : "no")),
                shown.Select(row => (row.Loss, row.Weight, row.Label)));
        }
    }

    [Fact]
    public void Of_NoLossOrNothingToShow_IsNull()
    {
        TabularRow[] rows = [.. Enumerable.Range(0, 20).Select(_ => new TabularRow())];
        Assert.Null(SelectionExamples.Of(Data(rows), rows, new float[20], new float[20]));
        Assert.Null(SelectionExamples.Of(Data(rows), rows, [], new float[20]));
    }

    [Fact]
    public void Results_OfTheFirstSeed_HoldRowsOfTheFileAndThePageShowsThoseOfTheDefault()
    {
        CompareRun[] shown = [.. run.Results.Runs.Where(one => one.Examples is not null)];
        Assert.All(shown, one => Assert.Equal(1, one.Seed));
        Assert.DoesNotContain(shown, one => one.Arm is "Uniform" or "Full training");
        SelectionExamples examples = Assert.Single(shown, one => one.Arm == "BalancedGradientNorm").Examples!;
        HashSet<string> file = [.. File.ReadLines(run.Csv).Skip(1)];
        Assert.Equal(["Size", "Weight", "Colour"], examples.Columns);
        Assert.All(examples.Rows, row => Assert.Contains(file, line => line.Contains($",{row.Cells![0]},{row.Cells[1]},",
            StringComparison.Ordinal) && line.Contains(row.Cells[2], StringComparison.Ordinal)
            && line.Contains($",NL,{row.Label},", StringComparison.Ordinal)));
        Assert.Equal(examples.Rows.Select(row => row.Tenth).Order(), examples.Rows.Select(row => row.Tenth));
        Assert.Contains(examples.Rows, row => row.Weight > 0);
        Assert.Contains(examples.Rows, row => row.Weight == 0);
        string page = File.ReadAllText(run.Html);
        Assert.Contains("<h2>Rows that BalancedGradientNorm chose, and passed over</h2>", page, StringComparison.Ordinal);
        Assert.Contains($"<td>{examples.Rows[0].Cells![0]}</td>", page, StringComparison.Ordinal);
    }

    private static TabularData Data(IReadOnlyList<TabularRow> rows) => new()
    {
        Name = "rows",
        Task = PredictionTask.Binary,
        Training = rows,
        Test = rows,
        Classes = ["no", "yes"],
        CellNames = ["Place"],
    };
}
