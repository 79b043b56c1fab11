using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>How well the models in service did on a part of the orders.</summary>
/// <param name="FromOrder">First order of the part.</param>
/// <param name="ToOrder">The order after its last.</param>
/// <param name="OldestVersion">Oldest model that scored one of them.</param>
/// <param name="NewestVersion">Newest model that scored one of them.</param>
/// <param name="Accuracy">Share of joined rows that the model in service had right.</param>
/// <param name="FirstAccuracy">Share of them that the first model would have had right.</param>
internal sealed record ServicePart(int FromOrder, int ToOrder, ulong OldestVersion, ulong NewestVersion, double Accuracy,
    double FirstAccuracy);

/// <summary>What became of everything that was acknowledged: counted from the journals, the store and the windows, not from what the
/// processes say of themselves.</summary>
internal sealed record RunReport
{
    private const int Parts = 10;

    public required long RowsAcknowledged { get; init; }

    public required long LabelsAcknowledged { get; init; }

    public required StoreCounts Store { get; init; }

    /// <summary>Everything was served, labelled and trained on; until then rows may be on their way.</summary>
    public required bool IsFinished { get; init; }

    /// <summary>Models handed over, besides the first: windows trained.</summary>
    public required int Models { get; init; }

    /// <summary>Rows in those windows.</summary>
    public required long RowsTrained { get; init; }

    /// <summary>Rows that are in more than one window, or in one twice.</summary>
    public required long RowsDoubled { get; init; }

    /// <summary>Rows in windows that nobody acknowledged to the serving process: the report and the run do not belong together.</summary>
    public required long RowsForeign { get; init; }

    public required IReadOnlyList<ServicePart> Service { get; init; }

    /// <summary>Acknowledged rows without a record.</summary>
    public long RowsLost => RowsAcknowledged - Store.RowsFound;

    /// <summary>Acknowledged labels that are not there.</summary>
    public long LabelsLost => LabelsAcknowledged - Store.LabelsFound;

    /// <summary>Rows joined that are in no window, and acknowledged rows of which the join gave no account. On their way, until the run is
    /// finished.</summary>
    public long RowsUnaccounted => Math.Max(0, Store.Joined - (RowsTrained - RowsDoubled))
        + Math.Max(0, Store.RowsFound - Store.Joined - Store.WithoutLabel - Store.LateRecords);

    /// <summary>Nothing acknowledged is lost, nothing is doubled.</summary>
    public bool IsWhole => RowsLost == 0 && LabelsLost == 0 && RowsDoubled == 0 && RowsForeign == 0
        && (RowsUnaccounted == 0 || !IsFinished);

    /// <summary>The counts of what is wrong.</summary>
    public string Fault => string.Create(CultureInfo.InvariantCulture,
        $"WRONG: {RowsLost} rows and {LabelsLost} labels lost, {RowsUnaccounted} rows unaccounted for, {RowsDoubled} doubled, "
        + $"{RowsForeign} that nobody served.");

    /// <summary>Counts a run, finished or not.</summary>
    public static RunReport Of(RunFolder run)
    {
        // Windows, then journals, then the store: of a run that goes on, what is in one is in the next.
        bool isFinished = File.Exists(run.Finished);
        int models = run.Models.Newest() ?? 0;
        var seen = new HashSet<ulong>();
        var scored = new List<ScoredOrder>();
        long trained = 0;
        for (int number = 0; number < models && run.Windows.TryRead(number) is { } window; number++)
        {
            trained += window.Rows.Count;
            // Right: the label's chance was above one half, so the loss below ln 2.
            scored.AddRange(window.Rows.Where(row => seen.Add(row.Key))
                .Select(row => new ScoredOrder(row.Key, row.ModelVersion, row.Loss < Math.Log(2))));
        }

        HashSet<ulong> served = [.. Journal.KeysOf(run.Served)], labelled = [.. Journal.KeysOf(run.Labelled)];
        using IRecordStore store = run.OpenStore();
        return new RunReport
        {
            RowsAcknowledged = served.Count,
            LabelsAcknowledged = labelled.Count,
            Store = store.Count(served, labelled),
            IsFinished = isFinished,
            Models = models,
            RowsTrained = trained,
            RowsDoubled = trained - seen.Count,
            RowsForeign = seen.Count(key => !served.Contains(key)),
            Service = [.. ServiceOf(run, scored)],
        };
    }

    /// <summary>Prints the report.</summary>
    public void Write(TextWriter output)
    {
        Line("orders served and acknowledged", RowsAcknowledged);
        Line("  of these in the store", Store.RowsFound);
        Line("  lost", RowsLost);
        Line("  recorded again after a crash, dropped by the join", Store.RowsAgain);
        Line("labels acknowledged", LabelsAcknowledged);
        Line("  lost", LabelsLost);
        Line("  too late for their order", Store.LateLabels);
        Line("rows joined", Store.Joined);
        Line("  orders without a label in time", Store.WithoutLabel);
        Line("  records that came too late", Store.LateRecords);
        Line(IsFinished ? "  unaccounted for" : "  still on their way", RowsUnaccounted);
        Line("rows in windows that were trained on", RowsTrained);
        Line("  doubled", RowsDoubled);
        Line("models handed over", Models);
        output.WriteLine();
        output.WriteLine("orders                 models     right, in service   right, first model");
        foreach (ServicePart part in Service)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{$"{part.FromOrder:N0} to {part.ToOrder:N0}",-21} {$"{part.OldestVersion} to {part.NewestVersion}",10} "
                + $"{part.Accuracy,17:P1} {part.FirstAccuracy,20:P1}"));
        output.WriteLine();
        output.WriteLine(IsWhole ? "Nothing that was acknowledged is lost, nothing is doubled." : Fault);

        void Line(string what, long count) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-52}{count,12:N0}"));
    }

    private static IEnumerable<ServicePart> ServiceOf(RunFolder run, List<ScoredOrder> scored)
    {
        if (scored.Count == 0)
            yield break;
        var mlContext = new MLContext(run.Options.Seed);
        using var first = run.Models.Load(mlContext, 0);
        int orders = run.Options.Rows;
        foreach (var part in scored.GroupBy(order => (int)(order.Key * Parts / (ulong)orders)).OrderBy(part => part.Key))
        {
            IDataView rows = mlContext.Data.LoadFromEnumerable(part.Select(order => Orders.Of(order.Key, run.Options.Seed)));
            double firstAccuracy = mlContext.Data.CreateEnumerable<Prediction>(first.Transform(rows), reuseRowObject: true)
                .Average(p => p.PredictedLabel == p.Label ? 1.0 : 0.0);
            yield return new ServicePart(
                (int)((long)part.Key * orders / Parts), (int)((part.Key + 1L) * orders / Parts), part.Min(order => order.Version),
                    part.Max(order => order.Version), part.Average(order => order.IsRight ? 1.0 : 0.0), firstAccuracy);
        }
    }

    private readonly record struct ScoredOrder(ulong Key, ulong Version, bool IsRight);

    private sealed class Prediction
    {
        public bool Label { get; set; }

        public bool PredictedLabel { get; set; }
    }
}
