using Microsoft.ML.ForwardSampling.Tool.Compare;
using System.Text;
using Microsoft.ML.ForwardSampling.Tool.Pages;
using static Microsoft.ML.ForwardSampling.Tool.Pages.HtmlPage;

namespace Microsoft.ML.ForwardSampling.Tool;

/// <summary>The quick start's page: the curves, the table and the experiment in words.</summary>
internal static class AccuracyPage
{
    /// <summary>Writes the page.</summary>
    public static string Of(QuickStartResults results)
    {
        var html = new StringBuilder();
        html.Append("<h1>Accuracy against backward rows</h1>\n");
        if (results.Options.Quick)
            html.Append("<p class=\"note\">A taste (<code>--quick</code>): few seeds and passes, too few to conclude from.</p>\n");
        foreach (string finding in results.Findings())
            html.Append(Text($"<p class=\"finding\">{Encode(finding)}</p>\n"));
        html.Append("<figure>\n");
        LinePlot.Append(
            html, "Test accuracy against backward rows, one curve for each policy", PlotAxis.Counts("Backward rows"), PlotAxis.Shares("Test accuracy"),
            [.. results.Runs.GroupBy(run => run.Policy).Select(runs => SeriesOf(runs.Key, [.. runs]))]);
        html.Append("<figcaption>Mean over seeds, with a band of one standard deviation each way. The horizontal axis is logarithmic.</figcaption>\n</figure>\n");
        AppendTable(
            html,
            ["Policy", "Test accuracy", "s.d., points", "Seeds", "Backward rows", "Recorded rows", "Extra forward rows", "Record, s", "Select, s", "Train, s"],
            results.Table.Select(row => QuickStartConsole.Cells(row).Prepend(row.Name)));
        html.Append(Text($"<p class=\"note\">{Encode(QuickStartResults.CostNote)}</p>\n"));
        html.Append(Text($"<h2>What was run</h2>\n<p>{Encode(results.Protocol())}</p>\n<p class=\"note\">{results.Seconds:0} s in all, testing included.</p>\n"));
        return HtmlPage.Of("Microsoft.ML.ForwardSampling: quick start", html.ToString());
    }

    private static PlotSeries SeriesOf(string name, PolicyRun[] runs)
        => new(name, [.. Enumerable.Range(0, runs[0].Curve.Count).Select(i =>
        {
            double[] accuracies = [.. runs.Select(run => run.Curve[i].Accuracy)];
            double spread = runs.Length > 1 ? Statistics.StandardDeviation(accuracies) : 0;
            string deviation = runs.Length > 1 ? Text($", s.d. {100 * spread:0.00}") : "";
            long rows = runs[0].Curve[i].BackwardRows;
            return new PlotPoint(rows, accuracies.Average(), spread, Text($"{accuracies.Average():P2}{deviation}, {rows:N0} backward rows"));
        })]);
}
