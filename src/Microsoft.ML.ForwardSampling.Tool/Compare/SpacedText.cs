using System.Text;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>Text whose fields stand between spaces or tabs, any number of them, as text whose fields stand between tabs. Blanks within
/// quotes stay.</summary>
internal sealed class SpacedText(TextReader text) : TextReader
{
    private string _line = "";
    private int _at;
    private bool _isEnd;

    /// <summary>The fields of a line.</summary>
    public static string[] Fields(string line) => Tabbed(line).Split('\t');

    /// <inheritdoc/>
    public override int Peek() => HasMore() ? _line[_at] : -1;

    /// <inheritdoc/>
    public override int Read() => HasMore() ? _line[_at++] : -1;

    /// <inheritdoc/>
    public override int Read(char[] buffer, int index, int count)
    {
        int read = 0;
        for (; read < count && HasMore(); read++)
            buffer[index + read] = _line[_at++];
        return read;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        text.Dispose();
        base.Dispose(disposing);
    }

    private static string Tabbed(string line)
    {
        var fields = new StringBuilder(line.Length);
        bool isQuoted = false, isBetween = false;
        foreach (char c in line)
        {
            isQuoted ^= c == '"';
            if (c is ' ' or '\t' && !isQuoted)
            {
                isBetween = fields.Length > 0;
                continue;
            }

            if (isBetween)
                fields.Append('\t');
            isBetween = false;
            fields.Append(c);
        }

        return fields.ToString();
    }

    private bool HasMore()
    {
        if (_at < _line.Length)
            return true;
        if (_isEnd || text.ReadLine() is not { } next)
            return !(_isEnd = true);
        (_line, _at) = (Tabbed(next) + "\n", 0);
        return true;
    }
}
