using System.Globalization;
using System.Text.RegularExpressions;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.ML.ForwardSampling.Tool.Files;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>A delimited text file with a line of column names, read row by row.</summary>
/// <remarks>Around the table, what spreadsheets and programs write there is left out and told: a line <c>sep=</c>, comments, titles, a
/// total at the end.</remarks>
internal sealed partial class CsvFile
{
    private const int LinesLookedAt = 50;
    private const int MostFieldCharacters = 1 << 24;
    private const int LongRow = 50;
    private const int MostTitles = 5;

    /// <summary>What is wrong with another text, or a number beyond a 32-bit float, among numbers.</summary>
    public const string NoNumber = "not a number (of at most 3.4e38) in a column of numbers";

    /// <summary>What is wrong with a number that no 32-bit float can hold in standard deviations.</summary>
    public const string TooFar = "too far from the training rows: in their standard deviations it is beyond 3.4e38";

    // Where the decimals have commas, or names do, as many of another one decide.
    private static readonly char[] s_separators = ['\t', ';', '|', ','];

    private readonly InputFile _input;
    private readonly CsvOptions _options;
    private readonly List<string> _begins = [];
    private readonly string? _commentedNames;
    private readonly int _skipped;
    private readonly SortedDictionary<string, string> _told = new(StringComparer.Ordinal);
    private int _column;
    private long _every;

    /// <summary>Looks at how the file begins.</summary>
    /// <param name="input">The file.</param>
    /// <param name="options">How it is read.</param>
    /// <exception cref="InvalidDataException">It is empty, or no table.</exception>
    public CsvFile(InputFile input, CsvOptions options)
    {
        (_input, _options) = (input, input.IsParquet ? options with { Encoding = null, Separator = ',' } : options);
        List<string> lines = FirstLines();
        (Separator, int names, _commentedNames) = FindNames(lines);
        _skipped = names;
        using CsvParser parser = Open();
        Names = Header(parser);
        string hint = NamesHint(lines);
        Columns = new CsvColumns(input.Name, Names) { Hint = hint };
        if (hint.Length > 0)
            _begins.Add(hint);
        if (Names.Length > 1 && Names.All(name => name.Length > 0 && CsvNumber.TryRead(name, '.', out _, out _, out _)))
            throw new InvalidDataException($"{Path}, line {_skipped + 1}: {string.Join(", ", Names.Take(3).Select(name => $"'{name}'"))}"
                + " ... are numbers, and this line must name the columns: it seems to be a row already.");
    }

    /// <summary>What messages call it.</summary>
    public string Path => _input.Name;

    /// <summary>Between fields.</summary>
    public char Separator { get; }

    /// <summary>The names as they stand.</summary>
    public string[] Names { get; }

    /// <summary>The columns.</summary>
    public CsvColumns Columns { get; }

    /// <summary>What was left out around the table, one sentence each.</summary>
    public IEnumerable<string> Notes => [.. _begins, .. _told.Values];

    /// <summary>Reads the rows that are taken, one at a time.</summary>
    /// <param name="names">The names that the columns must have, in order.</param>
    /// <exception cref="InvalidDataException">A row has another number of fields, or a quote is out of place; the message names the
    /// line.</exception>
    public IEnumerable<CsvRow> ReadRows(IReadOnlyList<string> names)
    {
        if (_options.Rows is not { } most)
            return ReadAll(names);
        if (_every == 0)
        {
            long all = ReadAll(names).LongCount();
            _every = Math.Max(1, (all + most - 1) / most);
            if (_every > 1)
                _begins.Add(Text($"One row in {_every} is taken of {all}: --rows {most}."));
        }

        return ReadAll(names).Where(row => row.Number % _every == 0);
    }

    private IEnumerable<CsvRow> ReadAll(IReadOnlyList<string> names)
    {
        if (!Names.SequenceEqual(names))
            throw new InvalidDataException(
                $"{Path}, line {_skipped + 1}: the columns must be those of the training rows, {string.Join(", ", names)}. Got "
                + $"{string.Join(", ", Names)}.");
        using CsvParser parser = Open();
        if (_commentedNames is null)
            Header(parser);
        CsvRow? waiting = null;
        InvalidDataException? problem = null;
        long number = 0, comments = 0, firstComment = 0, again = 0, firstAgain = 0, before = parser.RawRow;
        while (Read(parser, before))
        {
            // A row waits for the next one: the last may be a total.
            if (problem is not null)
                throw problem;
            if (waiting is { } ready)
                yield return ready;
            waiting = null;
            string[] fields = Fields(parser);
            long line = _skipped + parser.RawRow;
            if (parser.RawRow > before + 1)
            {
                long breaks = fields.Sum(field => (long)field.Count(c => c == '\n'));
                line -= breaks;
                if (breaks > LongRow)
                    _told["long"] = Text($"The row on line {line} runs to line {line + breaks}: is a quote there not closed?");
            }

            before = parser.RawRow;
            if (fields.Length != Columns.Count && fields[0].StartsWith('#'))
            {
                firstComment = comments++ == 0 ? line : firstComment;
                _told["comments"] = Text($"{comments} lines that begin with # are left out, the first on line {firstComment}.");
                continue;
            }

            if (fields is ["\u001A"])
            {
                _told["end"] = Text($"A Ctrl-Z on line {line}, with which DOS ended files, is left out.");
                continue;
            }

            // Files put together one behind the other.
            if (fields.AsSpan().SequenceEqual(Names))
            {
                firstAgain = again++ == 0 ? line : firstAgain;
                _told["names"] = Text($"{again} lines that name the columns again are left out, the first on line {firstAgain}.");
                continue;
            }

            if (fields.Length > Columns.Count && fields.AsSpan(Columns.Count).IndexOfAnyExcept("") < 0)
            {
                _told["empty"] = "Empty fields at the end of rows, beyond the last column, are left out.";
                fields = fields[..Columns.Count];
            }

            waiting = new CsvRow(this, fields, line, number++);
            if (fields.Length != Columns.Count)
                problem = Ragged(fields, line, number == 1);
        }

        if (waiting is { } last && IsTotal(last, problem is not null))
            _told["total"] = Text($"The last row, on line {last.Line}, is left out: it begins with '{Short(First(last))}', a total.");
        else if (problem is not null)
            throw problem;
        else if (waiting is { } row)
            yield return row;
    }

    /// <summary>As much of a text as a message can hold.</summary>
    internal static string Short(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 40), "...");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string First(CsvRow row)
        => Enumerable.Range(0, row.Count).Select(i => row[i]).FirstOrDefault(field => field.Length > 0) ?? "";

    private static bool IsTotal(CsvRow row, bool isRagged)
        => row.Number > 0 && (Total().IsMatch(First(row)) || (isRagged && Count().IsMatch(First(row))));

    [GeneratedRegex(@"^((grand |sub)?totals?|sum|average|mean|summe|gesamt|somme|total(e|es)?)\s*:?$", RegexOptions.IgnoreCase)]
    private static partial Regex Total();

    [GeneratedRegex(@"^\(?\d[\d,.]* rows|^total", RegexOptions.IgnoreCase)]
    private static partial Regex Count();

    [GeneratedRegex("""^"?sep=(?<separator>.)"?[,;]*$""", RegexOptions.IgnoreCase)]
    private static partial Regex Sep();

    private InvalidDataException Ragged(string[] fields, long line, bool isFirst)
    {
        string missing = fields.Length < Columns.Count
            ? $"; column '{Columns.Titles[fields.Length]}' is the first without a value" : "";
        string hint = isFirst && fields.Length == Columns.Count + 1
            ? " If R's write.table wrote it: write.csv names the column of row names too. Check" : " Check";
        return new InvalidDataException(Text(
            $"{Path}, line {line}: {fields.Length} fields, and the first line names {Columns.Count} columns{missing}.{hint} separators ")
            + "and quotes.");
    }

    /// <summary>Why the line of names may not be one; empty: nothing speaks against it.</summary>
    private string NamesHint(List<string> lines)
    {
        if (Names is [{ } only] && only.Any(c => char.IsWhiteSpace(c) || char.IsPunctuation(c)))
            return $"The file has one column, '{Short(only)}': if these are more, "
                + (only.Contains(Separator) ? "take away the quotes around whole lines." : "give the --separator between them.");
        int next = SkipBlank(lines, _skipped + 1);
        return _commentedNames is null && next < lines.Count && Parts(lines[next], Separator) is var below && below.Length == Names.Length
            && below.All(IsFilled) && IsTable(lines, next, Separator)
            ? Text($"Line {next + 1} has no number, and those below it have: if it names the columns, take away what stands above it; if ")
                + "it tells units, take it away."
            : "";
    }

    private List<string> FirstLines()
    {
        using var text = new CsvText(_input, _options.Encoding, _options.Separator);
        if (text.IsGuessed)
            _begins.Add("The file is read as UTF-16, though no byte-order mark says so.");
        List<string> lines = [];
        while (lines.Count < LinesLookedAt && text.ReadLine() is { } line)
            lines.Add(line);
        if (lines.All(string.IsNullOrWhiteSpace))
            throw new InvalidDataException($"{Path} is empty: its first line must name the columns.");
        if (lines[0].StartsWith('<'))
            throw new InvalidDataException($"{Path} begins with '{Short(lines[0])}': it is a page or XML, no table.");
        if (lines[0].TrimStart() is ['{', ..] or ['[', '{', ..])
            throw new InvalidDataException($"{Path} begins with '{Short(lines[0])}': it is JSON, no table. Write it as CSV.");
        return lines;
    }

    /// <summary>The line of the column names, below what stands above a table.</summary>
    private (char Separator, int Line, string? Commented) FindNames(List<string> lines)
    {
        char? separator = _options.Separator;
        int at = 0;
        if (Sep().Match(lines[0]) is { Success: true } sep)
        {
            separator ??= sep.Groups["separator"].Value[0];
            at = 1;
        }

        at = SkipBlank(lines, at);
        int comments = at;
        while (at < lines.Count && lines[at].StartsWith('#'))
            at++;
        if (at > comments && at < lines.Count)
        {
            // NumPy writes the names behind a #; other tables have a column of that name.
            char of = separator ?? FindSeparator(lines[(at - 1)..]);
            if (Parts(lines[at - 1], of).Length == Parts(lines[at], of).Length && Parts(lines[at], of).Length > 1
                && Parts(lines[at], of).Any(IsNumber) && !Parts(lines[at - 1], of).Any(IsNumber))
            {
                at--;
                Tell(comments, at, "comments");
                if (!lines[at].StartsWith("# ", StringComparison.Ordinal))
                    return (of, at, null);
                _begins.Add(Text($"The names of the columns are those of line {at + 1}, behind its #."));
                return (of, at + 1, lines[at][2..]);
            }

            Tell(comments, at, "comments");
        }
        else if (at >= lines.Count)
        {
            at = comments;
        }

        at = SkipBlank(lines, at);
        int titles = at;
        at = SkipTitles(lines, at, separator);
        Tell(titles, at, "titles above the names of the columns");
        return (separator ?? FindSeparator(lines[at..]), at, null);

        void Tell(int from, int to, string what)
        {
            if (to > from)
                _begins.Add(Text($"{(to - from == 1 ? $"Line {from + 1} is" : $"Lines {from + 1} to {to} are")} left out: {what}."));
        }
    }

    /// <summary>Lines of one text each, and below them a table of more columns: where it begins.</summary>
    private static int SkipTitles(List<string> lines, int at, char? separator)
    {
        int table = at;
        for (int titles = 0; titles < MostTitles; titles++)
        {
            if (table >= lines.Count || lines[table].Contains('"'))
                return at;
            table = SkipBlank(lines, table + 1);
            int next = SkipBlank(lines, table + 1);
            if (next >= lines.Count)
                return at;
            char of = separator ?? FindSeparator(lines[table..]);
            string[] names = Parts(lines[table], of);
            int filled = names.Count(IsFilled);
            if (filled < 2 || Parts(lines[next], of).Length != names.Length || names.All(IsNumber))
                continue;
            string[][] above = [.. lines[at..table].Where(IsFilled).Select(line => Parts(line, of))];
            bool areTitles = above.All(parts => parts.Count(IsFilled) == 1 && (parts.Length == 1 || parts.Length == names.Length))
                || (above.All(parts => parts.Length < names.Length - (lines[at..table].All(IsFilled) ? 1 : 0))
                    && IsTable(lines, table, of));
            return areTitles ? table : at;
        }

        return at;
    }

    /// <summary>Whether names without a number stand above rows with some, all of as many fields: lines above that have fewer are titles,
    /// though a separator is in them. One field less, and no line between, is how R writes the names of columns.</summary>
    private static bool IsTable(List<string> lines, int names, char separator)
    {
        const int FewestRows = 3;
        string[][] rows = [.. lines[names..].Where(IsFilled).Select(line => Parts(line, separator))];
        return rows.Length > FewestRows && rows.All(row => row.Length == rows[0].Length) && !rows[0].Any(IsNumber)
            && rows[1..].All(row => row.Any(IsNumber));
    }

    private static bool IsFilled(string text) => !string.IsNullOrWhiteSpace(text);

    private static bool IsNumber(string field) => CsvNumber.TryRead(field.Trim(), '.', out _, out _, out _);

    private static int SkipBlank(List<string> lines, int at)
    {
        while (at < lines.Count && string.IsNullOrWhiteSpace(lines[at]))
            at++;
        return at;
    }

    /// <summary>The one that the names have most of, of those that the rows have as many of.</summary>
    private static char FindSeparator(List<string> lines)
    {
        string[] some = [.. lines.Where(line => !string.IsNullOrWhiteSpace(line)).Take(10)];
        if (some.Length == 0)
            return ',';
        char[] steady = [.. s_separators.Where(candidate => Parts(some[0], candidate).Length is > 1 and var count
            && some.Skip(1).All(line => Parts(line, candidate).Length == count))];
        return (steady.Length > 0 ? steady : s_separators.Reverse()).MaxBy(candidate => Parts(some[0], candidate).Length);
    }

    /// <summary>Fields, as far as one can see without a parser: a separator within quotes is none.</summary>
    private static string[] Parts(string line, char separator)
    {
        List<string> parts = [];
        bool isQuoted = false;
        int from = 0;
        for (int i = 0; i < line.Length; i++)
        {
            if (line[i] == '"')
                isQuoted = !isQuoted;
            else if (line[i] == separator && !isQuoted)
                (_, from) = (Add(line[from..i]), i + 1);
        }

        Add(line[from..]);
        return [.. parts];

        int Add(string part)
        {
            parts.Add(part);
            return parts.Count;
        }
    }

    private string[] Header(CsvParser parser)
    {
        if (_commentedNames is not null)
            return [.. Parts(_commentedNames, Separator).Select(name => name.Trim().Trim('"'))];
        if (!Read(parser, 0))
            throw new InvalidDataException($"{Path} is empty: its first line must name the columns.");
        return Fields(parser);
    }

    private string[] Fields(CsvParser parser)
    {
        string[] fields = new string[parser.Count];
        for (_column = 0; _column < fields.Length; _column++)
            fields[_column] = Bare(parser[_column]);
        return fields;
    }

    /// <summary>Without spaces of every kind around it, and without what nobody sees: marks of direction and of byte order, spaces of no
    /// width.</summary>
    private static string Bare(string text)
    {
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        if (rest.Length == 0 || (!IsUnseen(rest[0]) && !IsUnseen(rest[^1])))
            return rest.Length == text.Length ? text : rest.ToString();
        while (rest.Length > 0 && IsUnseen(rest[0]))
            rest = rest[1..].TrimStart();
        while (rest.Length > 0 && IsUnseen(rest[^1]))
            rest = rest[..^1].TrimEnd();
        return rest.ToString();
    }

    private static bool IsUnseen(char c) => c > '\u007F' && char.GetUnicodeCategory(c) == UnicodeCategory.Format;

    private bool Read(CsvParser parser, long before)
    {
        try
        {
            return parser.Read();
        }
        catch (MaxFieldSizeException e)
        {
            throw new InvalidDataException(Text(
                $"{Path}, line {_skipped + before + 1}: a field of more than {MostFieldCharacters:N0} characters begins here. Is a quote ")
                + "not closed?", e);
        }
    }

    private CsvParser Open()
    {
        var text = new CsvText(_input, _options.Encoding, Separator);
        for (int i = 0; i < _skipped; i++)
            text.ReadLine();
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = Separator.ToString(),
            TrimOptions = TrimOptions.Trim,
            MaxFieldSize = MostFieldCharacters,
            BadDataFound = bad => throw BadQuote(bad),
        };
        return new CsvParser(text, configuration);
    }

    private long CountLines()
    {
        using var text = new CsvText(_input, _options.Encoding, Separator);
        long lines = 0;
        while (text.ReadLine() is not null)
            lines++;
        return lines;
    }

    /// <summary>Where the quote opens, and not where its field ends: that may be the end of the file.</summary>
    private InvalidDataException BadQuote(BadDataFoundArgs bad)
    {
        long last = _skipped + bad.Context.Parser!.RawRow, lines = CountLines();
        long first = last - bad.RawRecord.TrimEnd('\r', '\n').Count(c => c == '\n');
        if (last > lines)
            (first, last) = (first - 1, lines);             // a quote that never closes takes in the end of the last line too
        return new InvalidDataException(first == last
            ? Text($"{Path}, line {last}, column {_column + 1}: a quote is out of place in '{Short(bad.Field)}'. Quote the whole field, ")
                + "and write a quote within it twice."
            : Text($"{Path}, line {first}, column {_column + 1}: a quote opens in '{Short(bad.Field.Split('\n')[0].TrimEnd('\r'))}' and ")
                + Text($"is not closed there; the field would run to line {last}. Close it, or write a quote within a field twice and ")
                + "quote the field.");
    }
}

/// <summary>A row.</summary>
/// <param name="file">Its file.</param>
/// <param name="fields">Its fields, without spaces around them.</param>
/// <param name="line">The line that it begins on, from 1.</param>
/// <param name="number">Rows before it.</param>
internal readonly struct CsvRow(CsvFile file, string[] fields, long line, long number)
{
    /// <summary>Fields it has.</summary>
    public int Count => fields.Length;

    /// <summary>The line that it begins on, from 1.</summary>
    public long Line => line;

    /// <summary>Rows before it.</summary>
    public long Number => number;

    /// <summary>A field, without spaces around it.</summary>
    public string this[int column] => fields[column];

    /// <summary>A message about a field.</summary>
    public InvalidDataException Error(int column, string problem)
        => new(string.Create(CultureInfo.InvariantCulture,
            $"{file.Path}, line {line}, column {column + 1} ('{file.Columns.Titles[column]}'): {problem}. Got "
            + $"'{CsvFile.Short(this[column])}'."));
}
