using System.Globalization;
using System.Text;
using static Microsoft.ML.ForwardSampling.Tool.Pages.HtmlPage;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The page's rows that one policy chose and passed over, by loss.</summary>
internal static class ExamplesSection
{
    /// <summary>Writes the section; nothing where no run has rows to show.</summary>
    public static void Append(StringBuilder html, CompareResults results)
    {
        CompareRun? run = results.Runs.Where(run => run.Examples is not null).OrderBy(run => run.Arm == CompareArm.DefaultPolicy ? 0 : 1)
            .ThenBy(run => run.Seed).FirstOrDefault();
        if (run?.Examples is not { } examples)
            return;
        html.Append(CultureInfo.InvariantCulture, $"<h2>Rows that {Encode(run.Arm)} chose, and passed over</h2>\n");
        if (examples.Rows[0].Picture is null)
            AppendTable(html, ["Loss", "Weight", "Label", .. examples.Columns], examples.Rows.Select(row =>
                new[] { Number(row.Loss), Weight(row), row.Label }.Concat(row.Cells ?? [])));
        else
            AppendPictures(html, examples);
        html.Append(CultureInfo.InvariantCulture, $"<p class=\"note\">{Encode("From each tenth of the losses of the last chunk at seed "
            + $"{run.Seed}, lowest first: the first rows that were chosen, with their weights, and that were passed over (–)."
            + (examples.Rows[0].Picture is null ? "" : " Under each picture: its class, loss and weight."))}</p>\n");
    }

    private static void AppendPictures(StringBuilder html, SelectionExamples examples)
    {
        foreach (IGrouping<int, SelectionExample> tenth in examples.Rows.GroupBy(row => row.Tenth))
        {
            html.Append("<div class=\"pictures\">");
            foreach (SelectionExample row in tenth)
            {
                string text = $"{row.Label}, loss {Number(row.Loss)}, {(row.Weight > 0 ? $"weight {Weight(row)}" : "passed over")}";
                html.Append(CultureInfo.InvariantCulture, $"<div class=\"{(row.Weight > 0 ? "chosen" : "passed")}\">"
                    + $"<svg viewBox=\"0 0 28 28\" role=\"img\" aria-label=\"{Encode(text)}\"><image width=\"28\" height=\"28\" "
                    + $"href=\"data:image/png;base64,{Convert.ToBase64String(row.Picture!)}\"/></svg>"
                    + $"<small>{Encode(row.Label)}<br/>{Encode(Number(row.Loss))}, {Encode(Weight(row))}</small></div>");
            }

            html.Append("</div>\n");
        }
    }

    private static string Number(float value) => value.ToString("G3", CultureInfo.InvariantCulture);

    private static string Weight(SelectionExample row)
        => row.Weight > 0 ? row.Weight.ToString("0.00", CultureInfo.InvariantCulture) : "–";
}
