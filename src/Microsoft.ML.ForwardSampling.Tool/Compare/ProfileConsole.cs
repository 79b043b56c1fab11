using System.Globalization;
using Microsoft.ML.ForwardSampling.Tool.Pages;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The profile of a file in a terminal.</summary>
internal static class ProfileConsole
{
    private const int MostColumns = 200;
    private static readonly string[] s_headings = ["#", "column", "taken for", "missing", "do not fit", "becomes", "otherwise"];

    /// <summary>A row for each column.</summary>
    public static void Write(IAnsiConsole console, CsvReading reading)
    {
        console.WriteText(string.Create(CultureInfo.InvariantCulture,
            $"{reading.File.Path}: {reading.Columns.Count:N0} columns, separated by {SeparatorName(reading.File.Separator)}; "
            + $"{reading.Rows.Read:N0} of {reading.Rows.All:N0} rows looked at."));
        var table = new Table { Border = TableBorder.Simple };
        foreach ((int i, string heading) in s_headings.Index())
            table.AddColumn((i is 0 or 3 or 4 ? new TableColumn(heading).RightAligned() : new TableColumn(heading)).PadLeft(0).PadRight(1));
        foreach ((int index, CsvVerdict verdict) in reading.Columns.Take(MostColumns))
            table.AddRow([.. Cells(reading, index, verdict).Select(ShownText.Markup)]);
        console.Write(table);
        if (reading.Columns.Count > MostColumns)
            console.WriteText(string.Create(CultureInfo.InvariantCulture,
                $"... and {reading.Columns.Count - MostColumns:N0} more columns."));
    }

    /// <summary>A sentence.</summary>
    public static void WriteNote(IAnsiConsole console, string note) => console.WriteText(note);

    private static IEnumerable<string> Cells(CsvReading reading, int index, CsvVerdict verdict)
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"{index + 1}");
        yield return CsvFile.Short(reading.File.Columns.Titles[index]);
        yield return verdict.Kind;
        yield return string.Create(CultureInfo.InvariantCulture, $"{verdict.Missing:N0}");
        string examples = string.Join(", ", verdict.Examples.Select(example =>
            string.Create(CultureInfo.InvariantCulture, $"line {example.Line} '{CsvFile.Short(example.Text)}'")));
        yield return verdict.Misfits == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{verdict.Misfits:N0}: {examples}");
        yield return verdict.Becomes;
        yield return verdict.Otherwise;
    }

    private static string SeparatorName(char separator) => separator switch
    {
        '\t' => "tabs",
        ',' => "commas",
        ';' => "semicolons",
        '|' => "bars",
        ' ' => "spaces",
        _ => $"'{separator}'",
    };
}
