using Microsoft.ML.ForwardSampling.Tool.Compare;
using System.Globalization;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool;

/// <summary>What the quick start shows in a terminal.</summary>
internal static class QuickStartConsole
{
    /// <summary>Says what will run.</summary>
    public static void WriteProtocol(IAnsiConsole console, QuickStartOptions options)
    {
        console.WriteLine(QuickStartResults.ProtocolOf(options));
        if (options.Quick)
            console.WriteLine("This is a taste (--quick): few seeds and passes, too few to conclude from. Run it without --quick for the comparison.");
        console.WriteLine();
    }

    /// <summary>Does the work under a live display, or with a plain line for each finished stream where the output is no terminal.</summary>
    public static void Watch(IAnsiConsole console, QuickStartOptions options, Action<IProgress<RunProgress>> work)
    {
        IEnumerable<(string, int)> policies = QuickStart.PoliciesOf(options).Select(policy => (QuickStart.NameOf(policy), options.Seeds));
        if (options.FullSeeds > 0)
            policies = policies.Append((QuickStartResults.FullTraining, options.FullSeeds));
        RunDisplay.Watch(console, [.. policies], work);
    }

    /// <summary>The table and what it shows.</summary>
    public static void WriteResults(IAnsiConsole console, QuickStartResults results)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("Policy").NoWrap());
        foreach (string heading in new[] { "test\naccuracy", "s.d.", "n", "backward\nrows", "recorded\nrows", "extra\nforward\nrows", "record\ns", "select\ns", "train\ns" })
            table.AddColumn(new TableColumn(heading).RightAligned());
        foreach (PolicySummary row in results.Table)
            table.AddRow([row.Name, .. Cells(row)]);

        console.WriteLine();
        console.Write(table);
        foreach (string finding in results.Findings())
            console.WriteLine(finding);
        console.WriteLine();
        console.WriteLine(QuickStartResults.CostNote);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{results.Seconds:0} s in all."));
        console.WriteLine();
    }

    /// <summary>The figures of a table row, as text: the page shows the same.</summary>
    public static IEnumerable<string> Cells(PolicySummary row)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        yield return row.Accuracy.ToString("P2", culture);
        yield return row.Count > 1 ? (100 * row.StandardDeviation).ToString("0.00", culture) : "-";
        yield return row.Count.ToString(culture);
        foreach (long rows in new[] { row.BackwardRows, row.RecordedRows, row.ForwardRows })
            yield return rows.ToString("N0", culture);
        foreach (double seconds in new[] { row.RecordSeconds, row.ReadSeconds, row.TrainSeconds })
            yield return seconds.ToString("0.0", culture);
    }
}
