using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.NotebookRunner;

/// <summary>The program that is a notebook's source: NAME.cs, which `dotnet run NAME.cs` runs.</summary>
/// <remarks>
/// Its first lines are directives: each #:package becomes a #r "nuget:" of the notebook's first code cell, #:property is the program's
/// alone.
/// Then come cells, each after a marker: <c>// %% [markdown]</c> (in comments), <c>// %%</c> (code), and last <c>// %% [declarations]</c>,
/// the types, which a program wants at its end and a notebook before they are used: there they follow the first cell of code, which holds
/// the using directives.
/// </remarks>
internal static partial class Twin
{
    private const string Introduction =
        "The next cell holds what the others use: the rows, and how tables and charts are shown. Run it, and skip it at a first reading.";

    /// <summary>Reads the cells of the notebook from the text of its twin.</summary>
    /// <exception cref="FormatException">A marker is unknown or missing, or a line stands where it cannot.</exception>
    public static IReadOnlyList<Cell> Cells(string text)
    {
        string[] parts = Marker().Split(text.ReplaceLineEndings("\n")); // directives, kind, body, kind, body, …
        var cells = new List<Cell>();
        string? declarations = null;
        for (int i = 1; i < parts.Length; i += 2)
        {
            string body = parts[i + 1].Trim('\n');
            switch (parts[i])
            {
                case " [markdown]":
                    cells.Add(new Cell(false, string.Join('\n', body.Split('\n').Select(Prose))));
                    break;
                case "":
                    cells.Add(new Cell(true, body));
                    break;
                case " [declarations]":
                    declarations = body;
                    break;
                default:
                    throw new FormatException($"A cell's marker must be '// %%', '// %% [markdown]' or '// %% [declarations]'. Got "
                        + $"'// %%{parts[i]}'.");
            }
        }

        int first = cells.FindIndex(cell => cell.IsCode);
        if (first < 0 || declarations is null)
            throw new FormatException("A notebook must have a cell of code and one of declarations.");
        cells.InsertRange(first + 1, [new Cell(false, Introduction), new Cell(true, declarations)]);
        cells.Insert(first, new Cell(true, Packages(parts[0])));
        return cells;
    }

    private static string Prose(string line)
        => line == "//" ? "" : line.StartsWith("// ", StringComparison.Ordinal) ? line[3..]
            : throw new FormatException($"Each line of a Markdown cell must begin with '// '. Got '{line}'.");

    private static string Packages(string directives)
        => string.Join('\n', Package().Matches(directives).Select(package => $"#r \"nuget: {package.Groups[1]}, {package.Groups[2]}\""));

    [GeneratedRegex("^// %%(.*)\n", RegexOptions.Multiline)]
    private static partial Regex Marker();

    [GeneratedRegex("^#:package ([^@\n]+)@([^\n]+)", RegexOptions.Multiline)]
    private static partial Regex Package();
}
