namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>Reads the first pipe table of a text.</summary>
internal static class MarkdownTable
{
    /// <summary>Its rows, cells by column heading.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, string>> Parse(string text)
    {
        string[][] lines =
        [
            .. text.Split('\n').SkipWhile(line => !line.StartsWith('|')).TakeWhile(line => line.StartsWith('|'))
                .Select(line => line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries)),
        ];
        if (lines.Length == 0)
            return [];
        return [.. lines.Skip(2).Select(cells => lines[0].Zip(cells).ToDictionary(cell => cell.First, cell => cell.Second))];
    }
}
