using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Looks into the directory of a <see cref="ForwardRecordLog{TRecord}"/> without taking part in it.</summary>
/// <remarks>Nothing there is changed, and nothing locked (on Windows a file that is being looked at cannot be deleted by retention or
/// finished by recovery until the look is over): logs may write, and readers read, at the same time. Kinds of records need not be known,
/// and may differ from file to file.</remarks>
public static class ForwardRecordDirectory
{
    /// <summary>Reads every segment file to its present end.</summary>
    /// <param name="directory">Folder of the segment files.</param>
    /// <param name="cancellationToken">Ends it between two blocks.</param>
    /// <returns>What is there. A file that cannot be read, or is none of a log's, is named among
    /// <see cref="ForwardRecordDirectoryReport.OtherFiles"/>. One that is deleted meanwhile is left out.</returns>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder must not be listed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static ForwardRecordDirectoryReport Inspect(string directory, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        var folder = new DirectoryInfo(directory);
        if (!folder.Exists)
            throw new DirectoryNotFoundException(File.Exists(directory)
                ? $"{folder.FullName} is a file: give the folder that holds the segment files." : $"{folder.FullName} does not exist.");

        var inspector = new SegmentInspector();
        List<ForwardRecordSegment> segments = [];
        List<ForwardRecordOtherFile> others = [];
        List<(FileInfo File, string Name)> readers = [];
        foreach (FileInfo file in folder.EnumerateFiles().OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            if (ReaderPositions.TryParse(file.Name, out string reader))
            {
                readers.Add((file, reader));
                continue;
            }

            if (!SegmentFormat.TryParse(file.Name, out ulong writer, out uint ordinal))
            {
                others.Add(new ForwardRecordOtherFile(file.Name, "its name is not that of a segment file"));
                continue;
            }

            try
            {
                using SafeFileHandle handle = UnlockedFile.Open(file.FullName);
                if (inspector.Inspect(handle, file, writer, ordinal, out string refusal, cancellationToken) is { } segment)
                    segments.Add(segment);
                else
                    others.Add(new ForwardRecordOtherFile(file.Name, refusal));
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // Retention, or the writer of a segment without records, has deleted it since it was listed.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
            {
                others.Add(new ForwardRecordOtherFile(file.Name, $"it cannot be read: {e.Message}"));
            }
        }

        return new ForwardRecordDirectoryReport
        {
            Directory = folder.FullName,
            Segments = segments,
            Readers = [.. readers.Select(r => ReaderPositions.Inspect(r.File, r.Name, segments))],
            OtherFiles = others,
        };
    }
}
