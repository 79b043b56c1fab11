namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>How far named readers have read, as files NAME.position beside the segments.</summary>
internal static class ReaderPositions
{
    private const string Extension = ".position";
    private const int LongestName = 100;

    /// <summary>Requires a name that is the same file on every system, whatever its case.</summary>
    /// <exception cref="ArgumentException">Empty, too long or of other characters.</exception>
    public static string Checked(string? name, string parameter)
        => name is { Length: > 0 and <= LongestName } && name[0] != '.'
            && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.')
            ? name
            : throw new ArgumentException($"A reader's name has 1 to {LongestName} of the characters a-z, 0-9, '-', '_' and '.', and does "
                + $"not begin with '.'. Got {(name is null ? "null" : $"'{name}'")}.", parameter);

    /// <summary>Says how far a reader has read; the former file or the new one is there at any time.</summary>
    public static void Save(string directory, string name, byte[] position)
    {
        AtomicFile.CreateFolder(directory, forced: true);
        AtomicFile.Replace(Path.Combine(directory, name + Extension), stream => stream.Write(position), AtomicFile.FlushFolder);
    }

    /// <summary>What was said of each reader; null for one that has said nothing, or whose file cannot be made out: it counts as one that
    /// has read nothing.</summary>
    public static ForwardRecordPosition?[] Load(string directory, IReadOnlyList<string> names)
        => [.. names.Select(name => Load(Path.Combine(directory, name + Extension)))];

    /// <summary>Whether a reader is done with a file.</summary>
    public static bool HasRead(ForwardRecordPosition? position, ulong writer, uint ordinal)
    {
        foreach (WriterPosition place in position?.Writers ?? [])
        {
            if (place.Writer == writer)
                return (place.State & PlaceState.Begun) != 0
                    && (place.Ordinal > ordinal || (place.Ordinal == ordinal && (place.State & PlaceState.Left) != 0));
        }

        return false;
    }

    private static ForwardRecordPosition? Load(string path)
    {
        try
        {
            return ForwardRecordPosition.Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or NotSupportedException)
        {
            return null;
        }
    }
}
