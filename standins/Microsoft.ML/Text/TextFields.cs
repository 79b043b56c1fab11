using System.Text;

namespace Microsoft.ML.Data;

/// <summary>Cuts a line into fields. An instance is reused from line to line and belongs to one cursor.</summary>
internal sealed class TextFields(TextLoader loader)
{
    private readonly char[] _separators = loader.Separators;
    private readonly char _escape = loader.Settings.EscapeChar;
    private readonly bool _quoting = loader.Settings.AllowQuoting, _trim = loader.Settings.TrimWhitespace;
    private readonly bool _spaceSeparates = loader.Separators.Contains(' ');
    private readonly List<ReadOnlyMemory<char>> _fields = [];
    private readonly StringBuilder _unquoted = new();

    public int Count => _fields.Count;

    /// <summary>A field, empty when the line is too short.</summary>
    public ReadOnlyMemory<char> this[int index] => index < _fields.Count ? _fields[index] : default;

    /// <returns>Number of fields.</returns>
    public int Split(string text)
    {
        _fields.Clear();
        var line = _trim ? text.AsMemory().TrimEnd() : text.AsMemory();
        int next = 0;
        do
        {
            next = SkipSpaces(line.Span, next);
            if (_quoting && next < line.Length && line.Span[next] == '"')
            {
                _fields.Add(Quoted(line.Span, ref next));
                continue;
            }
            int length = line.Span[next..].IndexOfAny(_separators);
            int end = length < 0 ? line.Length : next + length;
            _fields.Add(line[next..end]);
            next = end;
        }
        while (next++ < line.Length);
        return _fields.Count;
    }

    // Text after the closing quote, or no closing quote, empties the field: "a"b and "a are both illegal.
    private ReadOnlyMemory<char> Quoted(ReadOnlySpan<char> line, ref int next)
    {
        _unquoted.Clear();
        bool closed = false;
        for (next++; next < line.Length && !closed; next++)
        {
            bool quoteFollows = next + 1 < line.Length && line[next + 1] == '"';
            if (line[next] == _escape && quoteFollows)
                _unquoted.Append(line[++next]);
            else if (line[next] == '"')
                closed = true;
            else
                _unquoted.Append(line[next]);
        }

        next = SkipSpaces(line, next);
        if (closed && (next == line.Length || _separators.Contains(line[next])))
            return _unquoted.ToString().AsMemory();
        int length = line[next..].IndexOfAny(_separators);
        next = length < 0 ? line.Length : next + length;
        return default;
    }

    private int SkipSpaces(ReadOnlySpan<char> line, int start)
    {
        while (!_spaceSeparates && start < line.Length && line[start] == ' ')
            start++;
        return start;
    }
}
