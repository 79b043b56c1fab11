namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>A table as Markdown, for reading in a terminal and for pasting into docs: the first column is text, the others are
/// figures.</summary>
internal sealed class Table(params string[] heads)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row.</summary>
    /// <param name="cells">As many as there are heads, or fewer.</param>
    public void Add(params string[] cells)
    {
        if (cells.Length > heads.Length)
            throw new ArgumentException($"{cells.Length} cells for {heads.Length} columns: {string.Join(", ", cells)}.", nameof(cells));
        _rows.Add([.. cells, .. Enumerable.Repeat("", heads.Length - cells.Length)]);
    }

    public void Print()
    {
        int[] widths = [.. heads.Select((head, i) => Math.Max(4, _rows.Append(heads).Max(row => row[i].Length)))];
        Line(heads);
        Console.WriteLine("| " + string.Join(" | ", widths.Select((width, i) => new string('-', i == 0 ? width : width - 1)
            + (i == 0 ? "" : ":"))) + " |");
        _rows.ForEach(Line);
        Console.WriteLine();

        void Line(string[] cells) => Console.WriteLine("| " + string.Join(" | ",
            cells.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))) + " |");
    }
}
