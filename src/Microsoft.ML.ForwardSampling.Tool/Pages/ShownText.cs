using System.Globalization;
using System.Net;
using System.Text;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Pages;

/// <summary>Text from data and arguments as each place shows it: as text, whatever is in it.</summary>
internal static class ShownText
{
    /// <summary>Without characters that a terminal would obey, or that would change how the rest is read: they are shown as
    /// <c>\\u001b</c>.</summary>
    public static string Printable(string text)
    {
        if (!text.Any(IsObeyed))
            return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (char c in text)
        {
            if (IsObeyed(c))
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                shown.Append(c);
        }

        return shown.ToString();
    }

    /// <summary>For what Spectre reads as markup: cells, descriptions.</summary>
    public static string Markup(string text) => Spectre.Console.Markup.Escape(Printable(text));

    /// <summary>For a page. No line ends between a number and its percent sign.</summary>
    public static string Html(string text)
        => WebUtility.HtmlEncode(Printable(text).Replace(" %", "\u00A0%", StringComparison.Ordinal));

    /// <summary>For Markdown, a cell of a table among it: signs that would begin something are escaped.</summary>
    public static string Markdown(string text)
    {
        string printable = Printable(text);
        var shown = new StringBuilder(printable.Length + 16);
        for (int i = 0; i < printable.Length; i++)
        {
            char c = printable[i], next = i + 1 < printable.Length ? printable[i + 1] : ' ';
            bool begins = c switch
            {
                '\\' or '|' or '`' or '*' or '_' or '~' => true,
                '<' => char.IsLetter(next) || next is '/' or '!' or '?',
                '&' => char.IsLetter(next) || next == '#',
                ']' => next is '(' or '[' or ':',
                '#' or '>' => i == 0,
                _ => false,                                 // intervals and signs of our own stay readable
            };
            if (begins)
                shown.Append('\\');
            shown.Append(c);
        }

        return shown.ToString();
    }

    /// <summary>Writes a line, as text.</summary>
    public static void WriteText(this IAnsiConsole console, string text) => console.WriteLine(Printable(text));

    private static bool IsObeyed(char c) => char.IsControl(c) || char.GetUnicodeCategory(c)
        is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}

/// <summary>A writer of messages: their ends of lines stay, other characters that a terminal would obey are shown.</summary>
/// <param name="inner">Where they go.</param>
internal sealed class ShownTextWriter(TextWriter inner) : TextWriter(CultureInfo.InvariantCulture)
{
    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        if (value is '\n' or '\r' or '\t')
            inner.Write(value);
        else
            inner.Write(ShownText.Printable(value.ToString()));
    }

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        foreach (char c in value ?? "")
            Write(c);
    }

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();
}
