using System.Globalization;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Examples;

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
    public static void Watch(IAnsiConsole console, QuickStartOptions options, Action<IProgress<QuickStartProgress>> work)
    {
        if (!console.Profile.Out.IsTerminal)
        {
            work(new PlainProgress(console, options));
            return;
        }

        console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => work(new LiveProgress(context, options)));
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

    private static int SeedsOf(QuickStartOptions options, string policy)
        => policy == QuickStartResults.FullTraining ? options.FullSeeds : options.Seeds;

    /// <summary>One line for each finished stream.</summary>
    private sealed class PlainProgress(IAnsiConsole console, QuickStartOptions options) : IProgress<QuickStartProgress>
    {
        public void Report(QuickStartProgress value)
        {
            if (value.Chunk == value.Chunks)
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{value.Policy}, seed {value.Seed} of {SeedsOf(options, value.Policy)}: {value.Accuracy:P2}"));
        }
    }

    /// <summary>One bar for each policy, over all of its seeds.</summary>
    private sealed class LiveProgress : IProgress<QuickStartProgress>
    {
        private readonly Dictionary<string, ProgressTask> _bars = [];
        private readonly QuickStartOptions _options;

        public LiveProgress(ProgressContext context, QuickStartOptions options)
        {
            _options = options;
            IEnumerable<string> names = QuickStart.PoliciesOf(options).Select(QuickStart.NameOf);
            foreach (string name in options.FullSeeds > 0 ? names.Append(QuickStartResults.FullTraining) : names)
                _bars[name] = context.AddTask(name, maxValue: SeedsOf(options, name));
        }

        public void Report(QuickStartProgress value)
        {
            ProgressTask bar = _bars[value.Policy];
            bar.Value = value.Seed - 1 + (double)value.Chunk / value.Chunks;
            if (value.Accuracy is { } accuracy)
                bar.Description = string.Create(CultureInfo.InvariantCulture, $"{value.Policy}, seed {value.Seed} of {SeedsOf(_options, value.Policy)}: {accuracy:P2}");
        }
    }
}
