using System.Globalization;
using System.Net;
using System.Text;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>One self-contained HTML page: the curves, the table and the experiment in words. It loads nothing from anywhere.</summary>
internal static class AccuracyPage
{
    private const double Width = 880, Height = 440, Left = 64, Right = 196, Top = 16, Bottom = 52;

    /// <summary>Writes the page.</summary>
    public static string Of(QuickStartResults results)
    {
        var html = new StringBuilder();
        html.Append(Head);
        html.Append("<h1>Accuracy against backward rows</h1>\n");
        if (results.Options.Quick)
            html.Append("<p class=\"note\">A taste (<code>--quick</code>): few seeds and passes, too few to conclude from.</p>\n");
        foreach (string finding in results.Findings())
            html.Append(Text($"<p class=\"finding\">{Encode(finding)}</p>\n"));
        html.Append("<figure>\n");
        AppendPlot(html, results);
        html.Append("<figcaption>Mean over seeds, with a band of one standard deviation each way. The horizontal axis is logarithmic.</figcaption>\n</figure>\n");
        AppendTable(html, results);
        html.Append(Text($"<p class=\"note\">{Encode(QuickStartResults.CostNote)}</p>\n"));
        html.Append(Text($"<h2>What was run</h2>\n<p>{Encode(results.Protocol())}</p>\n<p class=\"note\">{results.Seconds:0} s in all, testing included.</p>\n"));
        html.Append("</main>\n</body>\n</html>\n");
        return html.ToString();
    }

    private static void AppendTable(StringBuilder html, QuickStartResults results)
    {
        html.Append("<div class=\"scroll\"><table>\n<thead><tr><th>Policy</th><th>Test accuracy</th><th>s.d., points</th><th>Seeds</th><th>Backward rows</th><th>Recorded rows</th><th>Extra forward rows</th><th>Record, s</th><th>Select, s</th><th>Train, s</th></tr></thead>\n<tbody>\n");
        foreach (PolicySummary row in results.Table)
        {
            html.Append(Text($"<tr><th>{Encode(row.Name)}</th>"));
            foreach (string cell in QuickStartConsole.Cells(row))
                html.Append(Text($"<td>{Encode(cell)}</td>"));
            html.Append("</tr>\n");
        }

        html.Append("</tbody>\n</table></div>\n");
    }

    private static void AppendPlot(StringBuilder svg, QuickStartResults results)
    {
        Series[] series = [.. results.Runs.GroupBy(run => run.Policy).Select((runs, i) => Series.Of(runs.Key, [.. runs]))];
        var x = Axis.Logarithmic(series.SelectMany(s => s.Points).Select(p => p.Rows), Left, Width - Right);
        var y = Axis.Linear(series.SelectMany(s => s.Points).SelectMany(p => new[] { p.Mean - p.Spread, p.Mean + p.Spread }), Height - Bottom, Top);

        svg.Append(Text($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"Test accuracy against backward rows, one curve for each policy\">\n"));
        foreach (double tick in y.Ticks)
        {
            svg.Append(Text($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y.At(tick):0.0}\" y2=\"{y.At(tick):0.0}\"/>"));
            svg.Append(Text($"<text class=\"tick\" text-anchor=\"end\" x=\"{Left - 8}\" y=\"{y.At(tick) + 4:0.0}\">{100 * tick:0.#} %</text>\n"));
        }

        foreach (double tick in x.Ticks)
        {
            svg.Append(Text($"<line class=\"grid\" x1=\"{x.At(tick):0.0}\" x2=\"{x.At(tick):0.0}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/>"));
            svg.Append(Text($"<text class=\"tick\" text-anchor=\"middle\" x=\"{x.At(tick):0.0}\" y=\"{Height - Bottom + 18}\">{tick:N0}</text>\n"));
        }

        svg.Append(Text($"<text class=\"axis\" text-anchor=\"middle\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 10}\">Backward rows</text>\n"));
        svg.Append(Text($"<text class=\"axis\" text-anchor=\"middle\" transform=\"translate(14 {(Top + Height - Bottom) / 2}) rotate(-90)\">Test accuracy</text>\n"));

        // Labels stand at the curves' ends, moved apart where they would overlap.
        double[] ends = [.. series.Select(s => y.At(s.Points[^1].Mean))];
        double[] labels = Spread(ends, 17, Height - Bottom);
        for (int i = 0; i < series.Length; i++)
            AppendSeries(svg, series[i], x, y, labels[i]);
        svg.Append("</svg>\n");
    }

    private static void AppendSeries(StringBuilder svg, Series series, Axis x, Axis y, double labelY)
    {
        string style = Text($"series {StyleOf(series.Name)}");
        if (series.Runs > 1)
        {
            IEnumerable<string> upper = series.Points.Select(p => Text($"{x.At(p.Rows):0.0},{y.At(p.Mean + p.Spread):0.0}"));
            IEnumerable<string> lower = series.Points.Reverse().Select(p => Text($"{x.At(p.Rows):0.0},{y.At(p.Mean - p.Spread):0.0}"));
            svg.Append(Text($"<polygon class=\"{style} band\" points=\"{string.Join(' ', upper.Concat(lower))}\"/>\n"));
        }

        svg.Append(Text($"<polyline class=\"{style}\" points=\"{string.Join(' ', series.Points.Select(p => Text($"{x.At(p.Rows):0.0},{y.At(p.Mean):0.0}")))}\"/>\n"));
        foreach (SeriesPoint point in series.Points)
        {
            string spread = series.Runs > 1 ? Text($", s.d. {100 * point.Spread:0.00}") : "";
            svg.Append(Text($"<circle class=\"{style}\" cx=\"{x.At(point.Rows):0.0}\" cy=\"{y.At(point.Mean):0.0}\" r=\"3.5\"><title>{Encode(series.Name)}: {point.Mean:P2}{spread}, {point.Rows:N0} backward rows</title></circle>\n"));
        }

        SeriesPoint last = series.Points[^1];
        double endX = x.At(last.Rows), endY = y.At(last.Mean);
        bool wide = endX < Width - Right - 1;
        if (wide || Math.Abs(labelY - endY) > 2)
            svg.Append(Text($"<line class=\"leader\" x1=\"{endX + 6:0.0}\" y1=\"{endY:0.0}\" x2=\"{Width - Right + 10}\" y2=\"{labelY:0.0}\"/>\n"));
        svg.Append(Text($"<text class=\"label {StyleOf(series.Name)}\" x=\"{Width - Right + 14}\" y=\"{labelY + 4:0.0}\">{Encode(series.Name)}</text>\n"));
    }

    /// <summary>Moves positions down until no two are nearer than a gap, then up if the last left the plot.</summary>
    private static double[] Spread(double[] positions, double gap, double limit)
    {
        int[] order = [.. Enumerable.Range(0, positions.Length).OrderBy(i => positions[i])];
        double[] moved = [.. positions];
        for (int k = 1; k < order.Length; k++)
            moved[order[k]] = Math.Max(moved[order[k]], moved[order[k - 1]] + gap);
        for (int k = order.Length - 1; k >= 0; k--)
        {
            moved[order[k]] = Math.Min(moved[order[k]], limit);
            limit = moved[order[k]] - gap;
        }

        return moved;
    }

    /// <summary>A colour belongs to a policy, whichever others are shown.</summary>
    private static string StyleOf(string policy) => policy switch
    {
        "Uniform" => "uniform",
        QuickStartResults.FullTraining => "full",
        "BalancedGradientNorm" => "balanced",
        "GradientNorm" => "norm",
        "SelectiveBackprop" => "selective",
        "LossStratified" => "stratified",
        _ => "matching",
    };

    /// <summary>Text for the page: no line ends between a number and its percent sign.</summary>
    internal static string Encode(string text) => WebUtility.HtmlEncode(text.Replace(" %", "\u00A0%", StringComparison.Ordinal));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record SeriesPoint(double Rows, double Mean, double Spread);

    private sealed record Series(string Name, int Runs, SeriesPoint[] Points)
    {
        public static Series Of(string name, PolicyRun[] runs)
        {
            IEnumerable<SeriesPoint> points = Enumerable.Range(0, runs[0].Curve.Count).Select(i =>
            {
                double[] accuracies = [.. runs.Select(run => run.Curve[i].Accuracy)];
                double spread = runs.Length > 1 ? Statistics.StandardDeviation(accuracies) : 0;
                return new SeriesPoint(runs[0].Curve[i].BackwardRows, accuracies.Average(), spread);
            });
            return new Series(name, runs.Length, [.. points]);
        }
    }

    private sealed record Axis(double From, double To, double FromPixel, double ToPixel, bool IsLogarithmic, double[] Ticks)
    {
        public static Axis Logarithmic(IEnumerable<double> values, double fromPixel, double toPixel)
        {
            double[] all = [.. values];
            (double from, double to) = (all.Min(), all.Max());
            if (from == to)
                (from, to) = (from / 2, to * 2);
            IEnumerable<double> ticks = Enumerable.Range(0, 9).SelectMany(e => new[] { 1, 2, 5 }.Select(m => m * Math.Pow(10, e)));
            return new Axis(Math.Log(from), Math.Log(to), fromPixel, toPixel, true, [.. ticks.Where(t => t >= from && t <= to)]);
        }

        public static Axis Linear(IEnumerable<double> values, double fromPixel, double toPixel)
        {
            double[] all = [.. values];
            double range = Math.Max(all.Max() - all.Min(), 1e-3);
            double step = new[] { 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2 }.First(s => s >= 0.2 || range / s <= 8);
            double from = Math.Floor(all.Min() / step) * step;
            int steps = (int)Math.Ceiling((all.Max() - from) / step + 1e-9);
            double[] ticks = [.. Enumerable.Range(0, steps + 1).Select(i => from + i * step)];
            return new Axis(from, ticks[^1], fromPixel, toPixel, false, ticks);
        }

        public double At(double value) => FromPixel + ((IsLogarithmic ? Math.Log(value) : value) - From) / (To - From) * (ToPixel - FromPixel);
    }

    private const string Head = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Microsoft.ML.ForwardSampling: quick start</title>
        <style>
        :root { color-scheme: light dark; --ground: #ffffff; --ink: #1b1f24; --quiet: #5a6472; --line: #e3e6ea;
          --uniform: #6b7580; --balanced: #0b62c4; --full: #1b1f24; --norm: #0a7d5a; --selective: #b4471f; --stratified: #8a4fb0; --matching: #9a6a00; }
        @media (prefers-color-scheme: dark) { :root { --ground: #14171b; --ink: #e8ebef; --quiet: #9aa5b1; --line: #2b3138;
          --uniform: #98a3ae; --balanced: #5ea8ff; --full: #e8ebef; --norm: #41c39a; --selective: #f08a5d; --stratified: #c79bea; --matching: #d9a83a; } }
        body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
        main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
        h1 { font-size: 1.5rem; margin: 0 0 .75rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
        .finding { font-size: 1.05rem; margin: 0 0 .5rem; } .note, figcaption { color: var(--quiet); font-size: .875rem; }
        figure { margin: 1.25rem 0; } svg { width: 100%; height: auto; display: block; }
        .grid { stroke: var(--line); } .leader { stroke: var(--quiet); stroke-width: .75; stroke-dasharray: 2 3; }
        text { font-size: 12.5px; fill: var(--quiet); } .label { font-weight: 600; }
        .uniform { --c: var(--uniform); } .balanced { --c: var(--balanced); } .full { --c: var(--full); } .norm { --c: var(--norm); }
        .selective { --c: var(--selective); } .stratified { --c: var(--stratified); } .matching { --c: var(--matching); }
        text.label { fill: var(--c); } polyline.series { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
        polyline.full { stroke-dasharray: 6 4; } circle.series { fill: var(--c); stroke: var(--ground); stroke-width: 1; } .band { fill: var(--c); opacity: .16; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums; }
        th, td { padding: .4rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: bottom; } th:first-child { text-align: left; white-space: nowrap; }
        thead th { color: var(--quiet); font-weight: 600; }
        </style>
        </head>
        <body>
        <main>

        """;
}
