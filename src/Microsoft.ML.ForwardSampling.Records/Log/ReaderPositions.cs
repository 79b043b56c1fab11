namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>How far named readers have read, as files NAME.position beside the segments.</summary>
internal static class ReaderPositions
{
    /// <summary>How the file of a reader ends.</summary>
    public const string Extension = ".position";

    private const int LongestName = 100;

    /// <summary>Requires a name that is the same file on every system, whatever its case.</summary>
    /// <exception cref="ArgumentException">Empty, too long or of other characters.</exception>
    public static string Checked(string? name, string parameter)
        => IsName(name)
            ? name!
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
        => [.. names.Select(name => Load(Path.Combine(directory, name + Extension), out _))];

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

    /// <summary>Whether a file is one of a reader's.</summary>
    public static bool TryParse(string fileName, out string reader)
    {
        reader = fileName.EndsWith(Extension, StringComparison.Ordinal) ? fileName[..^Extension.Length] : "";
        return IsName(reader);
    }

    /// <summary>How far a reader is.</summary>
    /// <param name="file">Its file.</param>
    /// <param name="name">Its name.</param>
    /// <param name="segments">What there is to read, looked at before its file.</param>
    public static ForwardRecordNamedReader Inspect(FileInfo file, string name, IReadOnlyList<ForwardRecordSegment> segments)
    {
        ForwardRecordPosition? position = Load(file.FullName, out string? problem);
        ForwardRecordSegment[] unread = [.. segments.Where(s => !HasRead(position, s.Writer, s.Ordinal))];
        return new ForwardRecordNamedReader
        {
            Name = name,
            Kind = position?.Kind,
            SavedAt = file.LastWriteTimeUtc,
            Places = [.. (position?.Writers ?? []).Where(p => (p.State & PlaceState.Begun) != 0)
                .Select(p => new ForwardRecordReaderPlace(p.Writer, p.Ordinal, p.Offset))],
            UnreadSegments = [.. unread.Select(s => s.Name)],
            UnreadRecords = unread.Sum(s => Unread(position, s)),
            Problem = problem,
        };
    }

    /// <summary>Records of a file that a reader has not been given.</summary>
    private static long Unread(ForwardRecordPosition? position, ForwardRecordSegment segment)
    {
        foreach (WriterPosition place in position?.Writers ?? [])
        {
            if (place.Writer == segment.Writer && place.Ordinal == segment.Ordinal && (place.State & PlaceState.Begun) != 0
                && place.NextSequence >= 0)
                return Math.Clamp(segment.NextSequence - place.NextSequence, 0, segment.Records);
        }

        return segment.Records;
    }

    private static bool IsName(string? name)
        => name is { Length: > 0 and <= LongestName } && name[0] != '.'
            && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.');

    private static ForwardRecordPosition? Load(string path, out string? problem)
    {
        problem = null;
        try
        {
            return ForwardRecordPosition.Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or NotSupportedException)
        {
            problem = e.Message;
            return null;
        }
    }
}
