using System.Globalization;
using System.Text;
using static Microsoft.ML.ForwardSampling.Tool.Pages.HtmlPage;

namespace Microsoft.ML.ForwardSampling.Tool.Pages;

/// <summary>A point of a line.</summary>
/// <param name="X">Where it stands.</param>
/// <param name="Y">Its value.</param>
/// <param name="Spread">Half the height of the band around it; 0: no band.</param>
/// <param name="Title">What pointing at it tells, after the line's name.</param>
internal sealed record PlotPoint(double X, double Y, double Spread, string Title);

/// <summary>A line with its name.</summary>
internal sealed record PlotSeries(string Name, IReadOnlyList<PlotPoint> Points);

/// <summary>Lines with bands, labelled at their ends, as inline SVG.</summary>
internal static class LinePlot
{
    private const double Width = 880, Left = 64, Top = 16, Bottom = 52;

    /// <summary>Writes the plot.</summary>
    /// <param name="svg">Where to.</param>
    /// <param name="description">What it shows, for readers who do not see it.</param>
    /// <param name="xAxis">Axis along the bottom.</param>
    /// <param name="yAxis">Axis along the left.</param>
    /// <param name="series">At least one line, each with a point at least.</param>
    public static void Append(StringBuilder svg, string description, PlotAxis xAxis, PlotAxis yAxis, IReadOnlyList<PlotSeries> series)
    {
        // A label takes 17 pixels: with many lines the plot grows, so that all find room beside it.
        double height = Math.Max(440, Top + Bottom + 17 * series.Count);
        double right = Math.Max(196, 24 + 7.6 * series.Max(s => s.Name.Length));
        PlotPoint[] points = [.. series.SelectMany(s => s.Points)];
        PlotScale x = xAxis.Fit(points.Select(p => p.X), Left, Width - right);
        PlotScale y = yAxis.Fit(points.SelectMany(p => new[] { p.Y - p.Spread, p.Y + p.Spread }), height - Bottom, Top);

        // A group, not an image: of an image no point could be reached.
        svg.Append(string.Create(CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {Width} {height}\" role=\"group\" aria-label=\"{Encode(description)}\">\n"));
        foreach (double tick in y.Ticks)
        {
            svg.Append(string.Create(CultureInfo.InvariantCulture,
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - right}\" y1=\"{y.At(tick):0.0}\" "
                + $"y2=\"{y.At(tick):0.0}\"/>"));
            svg.Append(string.Create(CultureInfo.InvariantCulture, $"<text class=\"tick\" text-anchor=\"end\" x=\"{Left - 8}\" "
                + $"y=\"{y.At(tick) + 4:0.0}\">{Encode(yAxis.Format(tick))}</text>\n"));
        }

        foreach (double tick in x.Ticks)
        {
            svg.Append(string.Create(CultureInfo.InvariantCulture,
                $"<line class=\"grid\" x1=\"{x.At(tick):0.0}\" x2=\"{x.At(tick):0.0}\" y1=\"{Top}\" "
                + $"y2=\"{height - Bottom}\"/>"));
            svg.Append(string.Create(CultureInfo.InvariantCulture, $"<text class=\"tick\" text-anchor=\"middle\" x=\"{x.At(tick):0.0}\" "
                + $"y=\"{height - Bottom + 18}\">{Encode(xAxis.Format(tick))}</text>\n"));
        }

        svg.Append(string.Create(CultureInfo.InvariantCulture,
            $"<text class=\"axis\" text-anchor=\"middle\" x=\"{(Left + Width - right) / 2}\" "
            + $"y=\"{height - 10}\">{Encode(xAxis.Title)}</text>\n"));
        svg.Append(string.Create(CultureInfo.InvariantCulture,
            $"<text class=\"axis\" text-anchor=\"middle\" transform=\"translate(14 {(Top + height - Bottom) / 2}) "
            + $"rotate(-90)\">{Encode(yAxis.Title)}</text>\n"));

        // Labels stand at the lines' ends, moved apart where they would overlap.
        double[] labels = MoveApart([.. series.Select(s => y.At(s.Points[^1].Y))], 17, height - Bottom);
        foreach ((int i, PlotSeries line) in series.Index())
            AppendLine(svg, line, x, y, Width - right, labels[i]);
        svg.Append("</svg>\n");
    }

    private static void AppendLine(StringBuilder svg, PlotSeries line, PlotScale x, PlotScale y, double edge, double labelY)
    {
        string style = string.Create(CultureInfo.InvariantCulture, $"series {StyleOf(line.Name)}");
        if (line.Points.Any(p => p.Spread > 0))
        {
            IEnumerable<string> upper = line.Points.Select(p =>
                string.Create(CultureInfo.InvariantCulture, $"{x.At(p.X):0.0},{y.At(p.Y + p.Spread):0.0}"));
            IEnumerable<string> lower = line.Points.Reverse()
                .Select(p => string.Create(CultureInfo.InvariantCulture, $"{x.At(p.X):0.0},{y.At(p.Y - p.Spread):0.0}"));
            svg.Append(string.Create(CultureInfo.InvariantCulture,
                $"<polygon class=\"{style} band\" points=\"{string.Join(' ', upper.Concat(lower))}\"/>\n"));
        }

        IEnumerable<string> points = line.Points.Select(p =>
            string.Create(CultureInfo.InvariantCulture, $"{x.At(p.X):0.0},{y.At(p.Y):0.0}"));
        svg.Append($"<polyline class=\"{style}\" points=\"{string.Join(' ', points)}\"/>\n");
        foreach (PlotPoint point in line.Points)
            AppendPoint(svg, style, x.At(point.X), y.At(point.Y), Encode($"{line.Name}: {point.Title}"));

        PlotPoint last = line.Points[^1];
        double endX = x.At(last.X), endY = y.At(last.Y);
        if (endX < edge - 1 || Math.Abs(labelY - endY) > 2)
            svg.Append(string.Create(CultureInfo.InvariantCulture,
                $"<line class=\"leader\" x1=\"{endX + 6:0.0}\" y1=\"{endY:0.0}\" x2=\"{edge + 10}\" y2=\"{labelY:0.0}\"/>\n"));
        svg.Append(string.Create(CultureInfo.InvariantCulture, $"<text class=\"label {StyleOf(line.Name)}\" x=\"{edge + 14}\" "
            + $"y=\"{labelY + 4:0.0}\">{Encode(line.Name)}</text>\n"));
    }

    /// <summary>A point that a pointer or the keyboard can ask for what it stands for.</summary>
    private static void AppendPoint(StringBuilder svg, string style, double x, double y, string title)
    {
        svg.Append(string.Create(CultureInfo.InvariantCulture, $"<circle class=\"{style}\" cx=\"{x:0.0}\" cy=\"{y:0.0}\" r=\"3.5\" "
            + $"tabindex=\"0\" role=\"img\" aria-label=\"{title}\"><title>{title}</title></circle>"));
        // Shown while the point has the keyboard's focus, on two lines; away from the nearer edge.
        int name = title.IndexOf(": ", StringComparison.Ordinal) + 2;
        svg.Append(string.Create(CultureInfo.InvariantCulture, $"<text class=\"tip\" aria-hidden=\"true\" "
            + $"text-anchor=\"{(x < Width / 2 ? "start" : "end")}\" x=\"{x:0.0}\" y=\"{Math.Max(12, y - 26):0.0}\">{title[..name]}"
            + $"<tspan x=\"{x:0.0}\" dy=\"16\">{title[name..]}</tspan></text>\n"));
    }

    /// <summary>Moves positions down until no two are nearer than a gap, then up if the last left the plot.</summary>
    private static double[] MoveApart(double[] positions, double gap, double limit)
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
}
