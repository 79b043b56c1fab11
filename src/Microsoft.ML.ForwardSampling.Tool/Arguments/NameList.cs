using System.Text;

namespace Microsoft.ML.ForwardSampling.Tool.Arguments;

/// <summary>Names in an option's value: a comma list, where a name with a comma may be quoted as in CSV.</summary>
internal static class NameList
{
    /// <summary>The names of a list, without spaces around them; empty ones are left out.</summary>
    public static IEnumerable<string> Split(string list) => Pieces(list).Select(piece => piece.Name).Where(name => name.Length > 0);

    /// <summary>The names of several values.</summary>
    public static IEnumerable<string> Split(IEnumerable<string>? lists) => (lists ?? []).SelectMany(Split);

    /// <summary>The names of a list where the names are known: a known one needs no quotes, whatever it holds.</summary>
    /// <param name="list">The value.</param>
    /// <param name="isKnown">Whether there is such a name.</param>
    /// <returns>Known names, the longest that fit; and what is left, as <see cref="Split(string)"/> has it.</returns>
    public static IEnumerable<string> Resolve(string list, Func<string, bool> isKnown)
    {
        (string Name, int Start, int End)[] pieces = [.. Pieces(list)];
        for (int from = 0, to; from < pieces.Length; from = to + 1)
        {
            string? name = null;
            for (to = pieces.Length - 1; to >= from; to--)
            {
                name = list[pieces[from].Start..pieces[to].End].Trim();
                if (name.Length > 0 && isKnown(name))
                    break;
                name = null;
            }

            to = Math.Max(to, from);
            name ??= pieces[from].Name;
            if (name.Length > 0)
                yield return name;
        }
    }

    private static IEnumerable<(string Name, int Start, int End)> Pieces(string list)
    {
        var name = new StringBuilder();
        for (int i = 0; i <= list.Length; i++)
        {
            int start = i;
            while (i < list.Length && char.IsWhiteSpace(list[i]))
                i++;
            int end = i < list.Length && list[i] == '"' ? Quoted(list, i, name) : -1;
            if (end >= 0)
            {
                yield return (name.ToString(), start, i = end);
                continue;
            }

            // Not quoted, or quotes that are no CSV: as it stands.
            i = list.IndexOf(',', start);
            if (i < 0)
                i = list.Length;
            yield return (list[start..i].Trim(), start, i);
        }
    }

    /// <summary>Reads a quoted name; the place of the comma after it, or -1 where the quotes do not close before one.</summary>
    private static int Quoted(string list, int i, StringBuilder name)
    {
        name.Clear();
        for (i++; i < list.Length; i++)
        {
            if (list[i] != '"')
                name.Append(list[i]);
            else if (i + 1 < list.Length && list[i + 1] == '"')
                name.Append(list[i++]);
            else
                break;
        }

        if (i >= list.Length)
            return -1;
        for (i++; i < list.Length && char.IsWhiteSpace(list[i]); i++)
        {
        }

        return i >= list.Length || list[i] == ',' ? i : -1;
    }
}
