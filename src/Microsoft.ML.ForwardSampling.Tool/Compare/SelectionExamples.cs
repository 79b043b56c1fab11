using System.Globalization;
using Microsoft.ML.ForwardSampling.Tool.Pages;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>Rows of one chunk, chosen and passed over, from each tenth of its losses.</summary>
/// <param name="Columns">Names of the cells; empty where the rows are pictures.</param>
/// <param name="Rows">Lowest losses first.</param>
internal sealed record SelectionExamples(IReadOnlyList<string> Columns, IReadOnlyList<SelectionExample> Rows)
{
    private const int Tenths = 10;
    private const int OfEachKind = 3;

    /// <summary>The first rows of each tenth that can be shown.</summary>
    /// <param name="data">What the rows are of.</param>
    /// <param name="arrived">The chunk, in random order.</param>
    /// <param name="losses">Of each row.</param>
    /// <param name="weights">Of each row; 0: passed over.</param>
    /// <returns>Null where no loss was recorded, or no row can be shown.</returns>
    public static SelectionExamples? Of(TabularData data, IReadOnlyList<TabularRow> arrived, float[] losses, float[] weights)
    {
        int[] order = [.. Enumerable.Range(0, losses.Length).Where(i => float.IsFinite(losses[i])).OrderBy(i => losses[i])];
        var rows = new List<SelectionExample>();
        for (int tenth = 0; tenth < Tenths; tenth++)
        {
            // A chunk is in random order, and so is what is taken of a tenth.
            IEnumerable<int> shown = order[(tenth * order.Length / Tenths)..((tenth + 1) * order.Length / Tenths)].Order()
                .Where(i => data.PictureWidth > 0 || arrived[i].Cells is not null);
            rows.AddRange(shown.Where(i => weights[i] > 0).Take(OfEachKind).Concat(shown.Where(i => weights[i] == 0).Take(OfEachKind))
                .Select(i => new SelectionExample(tenth, losses[i], LabelOf(data, arrived[i]), weights[i], arrived[i].Cells,
                    data.PictureWidth > 0 ? GrayPng.Of(arrived[i].Features, data.PictureWidth) : null)));
        }

        return rows.Count == 0 ? null : new SelectionExamples(data.PictureWidth > 0 ? [] : data.CellNames, rows);
    }

    private static string LabelOf(TabularData data, TabularRow row) => data.Classes.Count > 0 ? data.Classes[row.ClassIndex]
        : string.Create(CultureInfo.InvariantCulture, $"{row.Number:+0.00;-0.00;0.00} s.d.");
}

/// <summary>A row that is shown.</summary>
/// <param name="Tenth">Of the chunk's losses, from 0, the lowest.</param>
/// <param name="Loss">When it was served.</param>
/// <param name="Label">What the row is: its class, or its number in standard deviations from the mean.</param>
/// <param name="Weight">With which it was chosen; 0: passed over.</param>
/// <param name="Cells">Texts of the file; null where there is none.</param>
/// <param name="Picture">A PNG file; null where the row is no picture.</param>
internal sealed record SelectionExample(int Tenth, float Loss, string Label, float Weight, IReadOnlyList<string>? Cells, byte[]? Picture);
