using System.CommandLine;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Tool.Arguments;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The options that say how a file is read, for compare and for profile.</summary>
internal sealed class CsvArguments
{
    private readonly Option<string> _label = new("--label") { Description = "Column of the file to predict.", HelpName = "COLUMN" };
    private readonly Option<string[]> _features = TextOption.Names("--features",
        "Columns to learn from (default all but the label). Every LIST of columns takes names, quoted where they hold commas, and numbers "
        + "as #3; it can be given again.");
    private readonly Option<string[]> _ignore = TextOption.Names("--ignore", "Columns to leave out.");
    private readonly Option<string[]> _categories = TextOption.Names("--categories", "Columns whose numbers are names, such as codes.");
    private readonly Option<string[]> _numbers = TextOption.Names("--numbers",
        "Columns that are numbers whatever else stands there: other texts are taken as missing.");
    private readonly Option<string[]> _missing = TextOption.Names("--missing",
        "Words where there is no value, besides an empty field (default ?, NA, N/A, NaN, null and the like; among numbers also None, - "
        + "and others).");
    private readonly Option<string> _decimal = new Option<string>("--decimal")
    { Description = "What stands before decimals: . or , (default: as the numbers show).", HelpName = "SIGN" }
        .Refuse(text => text is "." or "," ? null : $"--decimal must be . or ,. Got '{text}'.");
    private readonly Option<string> _encoding = new Option<string>("--encoding")
    {
        Description = "Of the file, such as windows-1252, iso-8859-1, utf-16 or shift_jis (default UTF-8, or as its byte-order mark says).",
        HelpName = "NAME"
    }.Refuse(text => CsvText.Named(text) is not null ? null
        : $"--encoding must be the name of an encoding, such as utf-8, windows-1252, iso-8859-1 or utf-16. Got '{text}'.");
    private readonly Option<string> _separator = new Option<string>("--separator")
    { Description = "Between fields: one sign, tab, or space for runs of blanks (default: as the first lines show).", HelpName = "SIGN" }
        .Refuse(text => SeparatorOf(text) is not null ? null
            : $"--separator must be tab, space, or one character that is no letter, digit, quote, point or end of line. Got '{text}'.");
    private readonly Option<int?> _rows = new Option<int?>("--rows")
    {
        Description = "Most rows to take: every k-th of the file, the smallest k that is enough (default all).",
        HelpName = "N",
        CustomParser = result => NumberOf(result.Tokens[^1].Value),
    }.Refuse(text => NumberOf(text) is not null ? null : $"--rows must be a whole number from 21 to 2147483647. Got '{text}'.");
    private readonly Option<bool> _strict = new("--strict")
    { Description = "Stops at anything in the file that could be meant otherwise." };

    /// <summary>The label.</summary>
    public Option<string> Label => _label;

    /// <summary>All of them, in the order of the help.</summary>
    public IReadOnlyList<Option> All
        => [_label, _features, _ignore, _categories, _numbers, _missing, _decimal, _encoding, _separator, _rows, _strict];

    /// <summary>What the command line asks for.</summary>
    public CsvOptions Read(ParseResult parsed) => new()
    {
        Label = parsed.GetValue(_label),
        Features = parsed.GetValue(_features) ?? [],
        Ignore = parsed.GetValue(_ignore) ?? [],
        Categories = parsed.GetValue(_categories) ?? [],
        Numbers = parsed.GetValue(_numbers) ?? [],
        Missing = parsed.GetResult(_missing) is null ? null : [.. NameList.Split(parsed.GetValue(_missing))],
        Decimal = parsed.GetValue(_decimal)?[0],
        Encoding = parsed.GetValue(_encoding) is { } name ? CsvText.Named(name) : null,
        Rows = parsed.GetValue(_rows),
        IsStrict = parsed.GetValue(_strict),
        Separator = SeparatorOf(parsed.GetValue(_separator)),
    };

    // 20 rows are the fewest to train on, and one to test.
    private static int? NumberOf(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int rows) && rows > 20 ? rows : null;

    // Any other character would cut numbers and names.
    private static char? SeparatorOf(string? text) => text switch
    {
        "tab" or "\\t" => '\t',
        "space" or " " => ' ',
        { Length: 1 } when !char.IsLetterOrDigit(text[0]) && !"\"'. \r\n\0-+".Contains(text[0]) && !char.IsSurrogate(text[0]) => text[0],
        _ => null,
    };
}
