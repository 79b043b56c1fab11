using System.Globalization;
using Microsoft.ML.ForwardSampling.Tool.Pages;
using Spectre.Console;
using static Microsoft.ML.ForwardSampling.Tool.Compare.CompareText;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>What the comparison shows in a terminal, and the table for documents.</summary>
internal static class CompareConsole
{
    /// <summary>Says what will run, and what was done with the data.</summary>
    public static void WriteProtocol(IAnsiConsole console, CompareResults results)
    {
        console.WriteText(results.Protocol());
        foreach (string note in results.Notes)
            console.WriteText(note);
        console.WriteLine();
    }

    /// <summary>The table and the answer.</summary>
    public static void WriteResults(IAnsiConsole console, CompareResults results)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach ((int i, string heading) in Headings(results).Index())
            table.AddColumn((i == 0 ? new TableColumn(ShownText.Markup(heading))
                : new TableColumn(ShownText.Markup(heading).Replace(" ", "\n", StringComparison.Ordinal)).RightAligned())
                .NoWrap().PadLeft(0).PadRight(0));
        foreach (CompareSummary row in results.Table())
            table.AddRow([.. Cells(results, row).Select(cell => ShownText.Markup(cell).Replace(' ', '\u00A0'))]);
        console.WriteLine();
        console.Write(table);
        console.WriteText(results.Finding());
        if (results.PartialText is { } partial)
            console.WriteText($"These results are {partial}.");
        console.WriteLine();
        console.WriteLine(CompareResults.TestNote);
        console.WriteLine(CompareResults.CostNote);
        console.WriteLine();
    }

    /// <summary>Headings of the table.</summary>
    public static IEnumerable<string> Headings(CompareResults results)
        => ["Training", .. results.Metrics.Select(metric => metric.Name), "to Uniform", "p", "gap closed", "seeds", "backward rows",
            "recorded rows", "extra forward rows", "record s", "select s", "train s"];

    /// <summary>A row of the table.</summary>
    public static IEnumerable<string> Cells(CompareResults results, CompareSummary row)
    {
        const string None = "–";
        yield return row.Failed > 0 ? $"{row.Arm} ({row.Failed} failed)" : row.Arm;
        for (int i = 0; i < results.Metrics.Count; i++)
            yield return i < row.Values.Count ? Mean(results.Metrics[i], row.Values[i]) : None;
        yield return row.AgainstUniform is { } difference ? Difference(results.Metrics[0], difference) : None;
        yield return Chance(row.PValue);
        yield return row.GapClosed is { } closed ? Share(closed) : None;
        yield return string.Create(CultureInfo.InvariantCulture, $"{row.Seeds}");
        yield return row.Last is { } rows ? string.Create(CultureInfo.InvariantCulture, $"{rows.BackwardRows:N0}") : None;
        yield return row.Last is { } recorded ? string.Create(CultureInfo.InvariantCulture, $"{recorded.RecordedRows:N0}") : None;
        yield return row.Last is { } forward ? string.Create(CultureInfo.InvariantCulture, $"{forward.ForwardRows:N0}") : None;
        yield return row.Last is { } record ? string.Create(CultureInfo.InvariantCulture, $"{record.RecordSeconds:0.0}") : None;
        yield return row.Last is { } select ? string.Create(CultureInfo.InvariantCulture, $"{select.SelectSeconds:0.00}") : None;
        yield return row.Last is { } train ? string.Create(CultureInfo.InvariantCulture, $"{train.TrainSeconds:0.0}") : None;
    }

    /// <summary>The table in Markdown, with the answer above it.</summary>
    public static void WriteMarkdown(TextWriter output, CompareResults results)
    {
        output.WriteLine(ShownText.Markdown(results.PartialText is { } partial ? $"{results.Finding()} ({partial})" : results.Finding()));
        output.WriteLine();
        string[] headings = [.. Headings(results)];
        WriteRow(output, headings);
        output.WriteLine($"| --- |{string.Concat(Enumerable.Repeat(" ---: |", headings.Length - 1))}");
        foreach (CompareSummary row in results.Table())
            WriteRow(output, Cells(results, row));
        output.WriteLine();
    }

    private static void WriteRow(TextWriter output, IEnumerable<string> cells)
        => output.WriteLine($"| {string.Join(" | ", cells.Select(ShownText.Markdown))} |");

    /// <summary>One table of several comparisons in Markdown: the first figure of each training, ▲ where it is shown to be better than
    /// Uniform and ▼ where worse.</summary>
    public static void WriteAcross(TextWriter output, IReadOnlyList<(string Name, CompareResults Results)> columns)
    {
        (CompareMetric Metric, Dictionary<string, CompareSummary> Rows)[] tables =
            [.. columns.Select(column => (column.Results.Metrics[0], column.Results.Table().ToDictionary(row => row.Arm)))];
        IEnumerable<string> names = columns.Select(
            column => column.Results.PartialText is { } partial ? $"{column.Name} ({partial})" : column.Name);
        WriteRow(output, ["Training", .. names]);
        output.WriteLine($"| --- |{string.Concat(Enumerable.Repeat(" ---: |", columns.Count))}");
        foreach (string arm in CompareResults.Ordered(tables.SelectMany(table => table.Rows.Keys)))
        {
            IEnumerable<string> cells = tables.Select(table => Cell(table.Metric, table.Rows.GetValueOrDefault(arm)));
            WriteRow(output, [arm, .. cells]);
        }

        static string Cell(CompareMetric metric, CompareSummary? row)
        {
            if (row is null || row.Values.Count == 0)
                return "–";
            string mark = !(row.PValue < CompareFinding.Level) ? "" : row.AgainstUniform!.Mean > 0 == metric.LowerIsBetter ? " ▼" : " ▲";
            return $"{Mean(metric, row.Values[0])}{mark}{(row.Failed > 0 ? $" ({row.Failed} failed)" : "")}";
        }
    }
}
