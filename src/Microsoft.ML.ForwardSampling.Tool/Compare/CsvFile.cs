using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.ML.ForwardSampling.Tool.Files;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>A delimited text file with a line of column names, read row by row; *.gz is unpacked on the way.</summary>
/// <param name="input">The file.</param>
/// <param name="separator">Between fields; null: found in the first line.</param>
internal sealed class CsvFile(InputFile input, char? separator)
{
    private static readonly char[] Separators = [',', ';', '\t', '|'];

    // What ML.NET and its users write where there is no value.
    private static readonly HashSet<string> Missing = new(["", "?", "na", "n/a", "nan", "null"], StringComparer.OrdinalIgnoreCase);

    /// <summary>What is wrong with a number that has a decimal comma.</summary>
    public const string DecimalComma = "numbers need a decimal point, not a comma";

    /// <summary>What is wrong with another text, or a number beyond a 32-bit float, among numbers.</summary>
    public const string NoNumber = "not a number (of at most 3.4e38) in a column of numbers";

    /// <summary>What is wrong with a number that no 32-bit float can hold in standard deviations.</summary>
    public const string TooFar = "too far from the training rows: in their standard deviations it is beyond 3.4e38";

    private readonly string _path = input.Name;
    private int _column;

    /// <summary>The file.</summary>
    public string Path => _path;

    /// <summary>Whether a field says that there is no value.</summary>
    public static bool IsMissing(string field) => Missing.Contains(field);

    /// <summary>A number of a field; null for another text, and for what a 32-bit float cannot hold.</summary>
    public static double? Number(string field)
        => double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && float.IsFinite((float)value)
            ? value : null;

    /// <summary>Whether a text would be a number if its comma were a point.</summary>
    public static bool HasDecimalComma(string field) => field.Contains(',') && Number(field.Replace(',', '.')) is not null;

    /// <summary>The column names.</summary>
    /// <exception cref="InvalidDataException">It is empty.</exception>
    public string[] ReadHeader()
    {
        using CsvParser parser = Open();
        return Header(parser);
    }

    /// <summary>Reads every row, one at a time.</summary>
    /// <param name="columns">The names that the first line must have, in order.</param>
    /// <exception cref="InvalidDataException">A row has another number of fields, or a quote is out of place; the message names the
    /// line.</exception>
    public IEnumerable<CsvRow> ReadRows(IReadOnlyList<string> columns)
    {
        using CsvParser parser = Open();
        string[] found = Header(parser);
        if (!found.SequenceEqual(columns))
            throw new InvalidDataException(
                $"{_path}, line 1: the columns must be those of the training rows, {string.Join(", ", columns)}. Got "
                + $"{string.Join(", ", found)}.");
        while (Read(parser))
        {
            if (parser.Count != columns.Count)
                throw new InvalidDataException(
                    $"{_path}, line {parser.RawRow}: {parser.Count} fields, and the first line names {columns.Count} "
                    + $"columns{(parser.Count < columns.Count ? $"; column '{columns[parser.Count]}' is the first without a value" : "")}"
                    + $". Check separators and quotes.");
            yield return new CsvRow(this, parser, columns);
        }
    }

    /// <summary>A field of the row that a parser is at; quotes are looked at only now, so a message knows the column.</summary>
    internal string Field(CsvParser parser, int column)
    {
        _column = column;
        return parser[column];
    }

    private string[] Header(CsvParser parser)
    {
        if (!Read(parser))
            throw new InvalidDataException($"{_path} is empty: its first line must name the columns.");
        string[] names = [.. Enumerable.Range(0, parser.Count).Select(column => Field(parser, column))];
        return names;
    }

    private bool Read(CsvParser parser)
    {
        try
        {
            return parser.Read();
        }
        catch (InvalidDataException e) when (!e.Message.StartsWith(_path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{_path} is not a whole gzip file ({e.Message}).", e);
        }
    }

    private CsvParser Open()
    {
        char delimiter = separator ?? FindSeparator();
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter.ToString(),
            TrimOptions = TrimOptions.Trim,
            BadDataFound = bad => throw new InvalidDataException(
                $"{_path}, line {bad.Context.Parser!.RawRow}, column {_column + 1}: a quote is out of place in '{Short(bad.Field)}'. "
                    + $"Quote the whole field, and write a quote within it twice."),
        };
        return new CsvParser(OpenText(), configuration);
    }

    private StreamReader OpenText() => new(input.OpenRead());

    private char FindSeparator()
    {
        try
        {
            using StreamReader text = OpenText();
            // a quoted name may hold any of them
            string line = string.Concat((text.ReadLine() ?? "").Split('"').Where((_, i) => i % 2 == 0));
            return Separators.MaxBy(candidate => line.Count(c => c == candidate));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{_path} is not a whole gzip file ({e.Message}).", e);
        }
    }

    /// <summary>As much of a text as a message can hold.</summary>
    internal static string Short(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 40), "...");
}

/// <summary>The row that a file's reader is at; its fields are gone with the next one.</summary>
internal readonly struct CsvRow(CsvFile file, CsvParser parser, IReadOnlyList<string> columns)
{
    /// <summary>A field, without spaces around it.</summary>
    public string this[int column] => file.Field(parser, column);

    /// <summary>A message about a field.</summary>
    public InvalidDataException Error(int column, string problem)
        => new($"{file.Path}, line {parser.RawRow}, column {column + 1} ('{columns[column]}'): {problem}. Got "
            + $"'{CsvFile.Short(this[column])}'.");
}
