using System.Globalization;
using Microsoft.ML.ForwardSampling.Tool.Arguments;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The columns of a file, by name and by number.</summary>
/// <param name="file">What messages call the file.</param>
/// <param name="names">The names in its first line; empty where a column has none.</param>
internal sealed class CsvColumns(string file, IReadOnlyList<string> names)
{
    /// <summary>What each is called: its name; <c>#3</c> for the third without one; <c>x (#3)</c> where others have the same.</summary>
    public IReadOnlyList<string> Titles { get; } =
        [.. names.Select((name, i) => name.Length == 0 ? Number(i)
            : names.Count(other => other == name) > 1 ? $"{name} ({Number(i)})" : name)];

    /// <summary>Why these may not be the names that are meant, or empty.</summary>
    public string Hint { get; init; } = "";

    /// <summary>How many there are.</summary>
    public int Count => names.Count;

    /// <summary>Whether a column has a name.</summary>
    public bool IsNamed(int column) => names[column].Length > 0;

    /// <summary>The column that an option names.</summary>
    /// <param name="option">The option.</param>
    /// <param name="value">A name, or # and a number counted from 1.</param>
    /// <exception cref="InvalidDataException">There is none, or more than one; the message lists them.</exception>
    public int Find(string option, string value)
    {
        int[] found = [.. Matches(value)];
        return found.Length switch
        {
            1 => found[0],
            0 => throw new InvalidDataException(
                $"{option} must name columns of {file}: {string.Join(", ", Titles)}; or number them, #1 to {Number(Count - 1)}. Got "
                + $"'{value}'.{(Hint.Length > 0 ? " " : "")}{Hint}"),
            _ => throw new InvalidDataException(
                $"{option} '{value}' is the name of {found.Length} columns of {file}: give {string.Join(" or ", found.Select(Number))}."),
        };
    }

    /// <summary>The columns that a list option names.</summary>
    /// <param name="option">The option.</param>
    /// <param name="lists">Its values: each a name, or a comma list.</param>
    /// <exception cref="InvalidDataException">A name is none, or of more than one; the message lists them.</exception>
    public IReadOnlyList<int> FindAll(string option, IEnumerable<string> lists)
        => [.. lists.SelectMany(list => NameList.Resolve(list, name => Matches(name).Any())).Select(name => Find(option, name)).Distinct()];

    /// <summary>A name as a list option takes it, for messages.</summary>
    public string Quoted(int column)
    {
        string title = names.Count(name => name == names[column]) == 1 && IsNamed(column) ? names[column] : Number(column);
        return title.Any(c => c is ' ' or ',' or '"' or '\'' or '$' or '&' or '|' or ';' or '(' or ')' or '<' or '>' or '*' or '#')
            ? $"'{title}'" : title;
    }

    private IEnumerable<int> Matches(string value)
    {
        IEnumerable<int> named = Enumerable.Range(0, Count).Where(i => value.Length > 0 && names[i] == value);
        if (named.Any())
            return named;
        return value.StartsWith('#')
            && int.TryParse(value.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= 1 && number <= Count ? [number - 1] : [];
    }

    private static string Number(int column) => string.Create(CultureInfo.InvariantCulture, $"#{column + 1}");
}
