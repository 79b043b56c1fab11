using System.Globalization;
using System.Text;
using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Pages;

/// <summary>A self-contained page: it loads nothing from anywhere, and reads well on light and on dark ground.</summary>
internal static class HtmlPage
{
    /// <summary>Wraps a body.</summary>
    /// <param name="title">Title of the window, as text.</param>
    /// <param name="body">What stands in the page, as HTML.</param>
    public static string Of(string title, string body) => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title>{Encode(title)}</title>
        {Style}
        </head>
        <body>
        <main>
        {body}</main>
        </body>
        </html>

        """;

    /// <inheritdoc cref="ShownText.Html"/>
    public static string Encode(string text) => ShownText.Html(text);


    /// <summary>A table whose first column is a heading.</summary>
    public static void AppendTable(StringBuilder html, IEnumerable<string> headings, IEnumerable<IEnumerable<string>> rows)
    {
        html.Append("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
        foreach (string heading in headings)
            html.Append("<th>").Append(Encode(heading)).Append("</th>");
        html.Append("</tr></thead>\n<tbody>\n");
        foreach (IEnumerable<string> row in rows)
        {
            html.Append("<tr>");
            foreach ((int i, string cell) in row.Index())
                html.Append(i == 0 ? "<th>" : "<td>").Append(Encode(cell)).Append(i == 0 ? "</th>" : "</td>");
            html.Append("</tr>\n");
        }

        html.Append("</tbody>\n</table></div>\n");
    }

    /// <summary>The colour class of a line of a plot: it belongs to a policy, whichever others are shown.</summary>
    /// <param name="name">Name of a policy, or of a training without selection.</param>
    public static string StyleOf(string name) => name switch
    {
        "Uniform" => "uniform",
        "BalancedGradientNorm" => "balanced",
        "GradientNorm" => "norm",
        "SelectiveBackprop" => "selective",
        "LossStratified" => "stratified",
        "MeanMatching" => "matching",
        _ when name.StartsWith("Full training", StringComparison.Ordinal) => "full",
        _ when name.StartsWith("Early-stopped", StringComparison.Ordinal) => "early",
        _ => string.Create(CultureInfo.InvariantCulture,
            $"other{Math.Max(0, PolicyTable.All.ToList().FindIndex(policy => policy.Name == name)) % 8}"),
    };

    private const string Style = """
        <style>
        :root { color-scheme: light dark; --ground: #ffffff; --ink: #1b1f24; --quiet: #5a6472; --line: #e3e6ea; --l: 30%;
          --uniform: #6b7580; --balanced: #0b62c4; --full: #1b1f24; --norm: #0a7d5a; --selective: #b4471f; --stratified: #8a4fb0; --matching: #9a6a00; }
        @media (prefers-color-scheme: dark) { :root { --ground: #14171b; --ink: #e8ebef; --quiet: #9aa5b1; --line: #2b3138; --l: 66%;
          --uniform: #98a3ae; --balanced: #5ea8ff; --full: #e8ebef; --norm: #41c39a; --selective: #f08a5d; --stratified: #c79bea; --matching: #d9a83a; } }
        body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
        main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
        h1 { font-size: 1.5rem; margin: 0 0 .75rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
        .finding { font-size: 1.05rem; margin: 0 0 .5rem; } .note, figcaption { color: var(--quiet); font-size: .875rem; } .partial { font-weight: 600; }
        figure { margin: 1.25rem 0; } svg { width: 100%; height: auto; display: block; }
        .grid { stroke: var(--line); } .leader { stroke: var(--quiet); stroke-width: .75; stroke-dasharray: 2 3; }
        text { font-size: 12.5px; fill: var(--quiet); } .label { font-weight: 600; }
        .uniform { --c: var(--uniform); } .balanced { --c: var(--balanced); } .full, .early { --c: var(--full); } .norm { --c: var(--norm); }
        .selective { --c: var(--selective); } .stratified { --c: var(--stratified); } .matching { --c: var(--matching); }
        .other0 { --c: hsl(330 65% var(--l)); } .other1 { --c: hsl(190 75% var(--l)); } .other2 { --c: hsl(85 60% var(--l)); } .other3 { --c: hsl(0 65% var(--l)); }
        .other4 { --c: hsl(245 60% var(--l)); } .other5 { --c: hsl(160 45% var(--l)); } .other6 { --c: hsl(300 45% var(--l)); } .other7 { --c: hsl(50 70% var(--l)); }
        text.label { fill: var(--c); } polyline.series { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
        polyline.full { stroke-dasharray: 6 4; } polyline.early { stroke-dasharray: 2 3; }
        circle.series { fill: var(--c); stroke: var(--ground); stroke-width: 1; } .band { fill: var(--c); opacity: .16; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums; }
        th, td { padding: .4rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: bottom; } th:first-child { text-align: left; } td, tbody th { white-space: nowrap; }
        thead th { color: var(--quiet); font-weight: 600; } th:first-child { position: sticky; left: 0; background: var(--ground); }
        :focus-visible { outline: 2px solid var(--balanced); outline-offset: 2px; } .tip { display: none; font-weight: 600; fill: var(--ink); stroke: var(--ground); stroke-width: 4; paint-order: stroke; }
        circle:focus-visible { stroke: var(--ink); stroke-width: 3; } circle:focus-visible + .tip { display: inline; }
        .pictures { display: flex; flex-wrap: wrap; gap: .5rem; margin: 0 0 .75rem; } .pictures div { width: 5.25rem; } .pictures svg { width: 3.5rem; } .pictures small { font-size: .75rem; color: var(--quiet); }
        .chosen svg { outline: 3px solid var(--balanced); } .passed svg { opacity: .6; }
        @media (max-width: 55rem) { figure { overflow-x: auto; } figure svg { width: 55rem; } figcaption { position: sticky; left: 0; } tbody th { white-space: normal; min-width: 6.5rem; } }
        </style>
        """;
}
