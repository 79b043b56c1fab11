using System.Globalization;
using System.Text;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Tool.Pages;
using static Microsoft.ML.ForwardSampling.Tool.Pages.HtmlPage;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The comparison's page: the answer, the curves, the table, what was chosen, the experiment in words.</summary>
internal static class ComparePage
{
    /// <summary>Writes the page.</summary>
    public static string Of(CompareResults results)
    {
        var html = new StringBuilder();
        html.Append(string.Create(CultureInfo.InvariantCulture, $"<h1>Does it pay? {Encode(results.Experiment.Data)}</h1>\n"));
        if (results.PartialText is { } partial)
            html.Append(string.Create(CultureInfo.InvariantCulture, $"<p class=\"partial\">These results are {Encode(partial)}.</p>\n"));
        html.Append(string.Create(CultureInfo.InvariantCulture, $"<p class=\"finding\">{Encode(results.Finding())}</p>\n"));

        IGrouping<string, CompareRun>[] arms = [.. results.Runs.Where(run => run.Failure is null).GroupBy(run => run.Arm)];
        if (arms.Length > 0)
        {
            AppendCurves(html, results, arms, "backward rows", PlotAxis.Counts("Backward rows"), point => point.BackwardRows);
            AppendCurves(html, results, arms, "seconds",
                PlotAxis.Numbers("Seconds: recording, selecting and training") with { IsLogarithmic = true }, point => point.Seconds);
        }

        AppendTable(html, CompareConsole.Headings(results), results.Table().Select(row => CompareConsole.Cells(results, row)));
        html.Append(string.Create(CultureInfo.InvariantCulture,
            $"<p class=\"note\">{Encode(CompareResults.TestNote)} {Encode(CompareResults.CostNote)}</p>\n"));
        AppendSelection(html, results, arms);
        ExamplesSection.Append(html, results);

        html.Append(string.Create(CultureInfo.InvariantCulture, $"<h2>What was run</h2>\n<p>{Encode(results.Protocol())}</p>\n"));
        foreach (string note in results.Notes)
            html.Append(string.Create(CultureInfo.InvariantCulture, $"<p class=\"note\">{Encode(note)}</p>\n"));
        foreach (CompareRun run in results.Runs.Where(run => run.Failure is not null))
            html.Append(string.Create(CultureInfo.InvariantCulture,
                $"<p class=\"note\">{Encode($"{run.Arm}, seed {run.Seed}, failed: {run.Failure}")}</p>\n"));
        return HtmlPage.Of($"Does it pay? {results.Experiment.Data}", html.ToString());
    }

    private static void AppendCurves(StringBuilder html, CompareResults results, IGrouping<string, CompareRun>[] arms, string what,
        PlotAxis xAxis, Func<ComparePoint, double> place)
    {
        CompareMetric metric = results.Metrics[0];
        string title = $"{char.ToUpperInvariant(metric.Name[0])}{metric.Name[1..]}";
        html.Append(string.Create(CultureInfo.InvariantCulture, $"<h2>{Encode(title)} against {what}</h2>\n<figure>\n"));
        PlotSeries[] curves = [.. arms.Select(runs => CurveOf(runs.Key, [.. runs], metric, place))];
        PlotSeries[] shown = WithoutCollapsed(curves, metric);
        LinePlot.Append(html, $"{title} against {what}, one curve for each training", xAxis,
            metric.IsShare ? PlotAxis.Shares(title) : PlotAxis.Numbers(title), shown);
        string hidden = shown.Length == curves.Length ? ""
            : $" Not drawn, because the others would be a line: {string.Join(", ", curves.Except(shown).Select(curve => curve.Name))}, "
            + $"which ends worse than Uniform begins.";
        html.Append(string.Create(CultureInfo.InvariantCulture,
            $"<figcaption>Mean over seeds on test rows, with its 95 % interval as a band. The horizontal axis is "
            + $"logarithmic.{Encode(hidden)}</figcaption>\n</figure>\n"));
    }

    /// <summary>Leaves out what ends worse than Uniform's first tested network: on one scale with it nothing else could be told
    /// apart.</summary>
    private static PlotSeries[] WithoutCollapsed(PlotSeries[] curves, CompareMetric metric)
        => curves.SingleOrDefault(curve => curve.Name == CompareArm.Baseline)?.Points[0].Y is { } begin
            ? [.. curves.Where(curve => curve.Name == CompareArm.Baseline
                || (metric.LowerIsBetter ? curve.Points[^1].Y <= begin : curve.Points[^1].Y >= begin))]
            : curves;

    private static PlotSeries CurveOf(string arm, CompareRun[] runs, CompareMetric metric, Func<ComparePoint, double> place)
        => new(arm, [.. Enumerable.Range(0, runs.Min(run => run.Curve.Count)).Select(i =>
        {
            var estimate = CompareEstimate.Of([.. runs.Select(run => run.Curve[i].Values[0])]);
            ComparePoint[] points = [.. runs.Select(run => run.Curve[i])];
            string title = string.Create(CultureInfo.InvariantCulture,
                $"{CompareText.Mean(metric, estimate)}, {points[0].BackwardRows:N0} backward rows, "
                + $"{points.Average(p => p.Seconds):0.00} s");
            return new PlotPoint(Math.Max(1e-3, points.Average(place)), estimate.Mean,
                double.IsNaN(estimate.HalfWidth) ? 0 : estimate.HalfWidth, title);
        })]);

    private static void AppendSelection(StringBuilder html, CompareResults results, IGrouping<string, CompareRun>[] arms)
    {
        (string Name, SelectionShape[] Shapes)[] chosen = [.. arms
            .Select(runs => (runs.Key, runs.Where(run => run.Selection is not null).Select(run => run.Selection!).ToArray()))
            .Where(arm => arm.Item2.Length > 0)];
        string[] tenths = [.. Enumerable.Range(1, 10).Select(
            i => i switch { 1 => "lowest", 10 => "highest", _ => string.Create(CultureInfo.InvariantCulture, $"{i}") })];
        Append("Which rows are chosen, by loss",
            "Share of the rows chosen in each tenth of a window's losses. An even draw takes the budget from each.",
            PlotAxis.Of("Tenth of the window's losses", tenths), shape => shape.ByLoss ?? []);
        if (results.Classes.Count > 0)
            Append("Which rows are chosen, by class", "Share of the rows chosen in each class.", PlotAxis.Of("Class", results.Classes),
                shape => shape.ByClass);
        Append("Weights", "Share of the chosen rows by their weight; each place spans half a power of two, and the ends all beyond.",
            PlotAxis.Of("Weight", SelectionProfile.WeightBins), shape => shape.Weights);

        void Append(string title, string caption, PlotAxis xAxis, Func<SelectionShape, IReadOnlyList<double>> values)
        {
            // Of the seeds that have them: a file may have been put together from runs with and without.
            PlotSeries[] series = [.. chosen
                .Select(arm => (arm.Name, Seeds: arm.Shapes.Select(values).Where(shares => shares.Count > 0).ToArray()))
                .Where(arm => arm.Seeds.Length > 0)
                .Select(arm => SeriesOf(arm.Name, arm.Seeds, xAxis.Names!))];
            if (series.Length == 0)
                return;
            html.Append(string.Create(CultureInfo.InvariantCulture, $"<h2>{Encode(title)}</h2>\n<figure>\n"));
            LinePlot.Append(html, title, xAxis, PlotAxis.Shares("Share of rows"), series);
            html.Append(string.Create(CultureInfo.InvariantCulture, $"<figcaption>{Encode(caption)}</figcaption>\n</figure>\n"));
        }
    }

    private static PlotSeries SeriesOf(string arm, IReadOnlyList<double>[] seeds, IReadOnlyList<string> names)
        => new(arm, [.. Enumerable.Range(0, seeds[0].Count).Select(i =>
        {
            double mean = seeds.Average(values => values[i]);
            return new PlotPoint(i, mean, 0, string.Create(CultureInfo.InvariantCulture, $"{names[i]}, {100 * mean:0.00} %"));
        })]);
}
