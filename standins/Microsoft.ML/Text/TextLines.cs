namespace Microsoft.ML.Data;

internal static class TextLines
{
    /// <summary>The lines that hold data, with their number in their file; blank lines, lines in // and a file's leading lines in # hold none.</summary>
    public static IEnumerable<(long Number, string Text)> Read(IMultiStreamSource source, bool skipHeader)
    {
        for (int file = 0; file < source.Count; file++)
        {
            using var reader = source.OpenTextReader(file);
            bool atStart = true;
            long number = 0;
            while (reader.ReadLine() is { } text)
            {
                number++;
                if (text.Length == 0 || text.StartsWith("//", StringComparison.Ordinal) || (atStart && text[0] == '#'))
                    continue;
                if (!atStart || !skipHeader)
                    yield return (number, text);
                atStart = false;
            }
        }
    }
}
