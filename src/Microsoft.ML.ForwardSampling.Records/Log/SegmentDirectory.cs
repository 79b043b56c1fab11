using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a log does with the segments of others when it is opened and when it begins a new one: finishing those of crashed writers,
/// deleting old ones.</summary>
internal static class SegmentDirectory
{
    /// <summary>Finishes the segments whose writer is gone: cuts an incomplete end, keeps every whole block, adds the end mark. A segment
    /// in use, finished, or of a newer format is left alone.</summary>
    public static (int Segments, long TruncatedBytes) Recover(string directory)
    {
        int segments = 0;
        long truncated = 0;
        Span<byte> end = stackalloc byte[BlockFormat.HeaderBytes];
        foreach (FileInfo info in new DirectoryInfo(directory).EnumerateFiles("*" + SegmentFormat.Extension))
        {
            if (!SegmentFormat.TryParse(info.Name, out ulong writer, out _))
                continue;
            using SafeFileHandle? file = FileLock.TryOpenAlone(info.FullName);
            if (file is null || !NeedsEnd(file, writer))
                continue;

            long length = RandomAccess.GetLength(file);
            BlockHeader last = default;
            var scanner = new BlockScanner();
            scanner.MoveTo(SegmentFormat.HeaderBytes);
            while (scanner.TryNext(file, length, out BlockHeader header, out _))
            {
                if (header.Writer == writer)
                    last = header;
            }

            if (last.Bytes == 0 && length <= SegmentFormat.HeaderBytes)
            {
                // The writer ended before its first block: there is nothing to keep. Deleted while nobody else can have it.
                TryDelete(info.FullName);
            }
            else if (last.Bytes > 0)
            {
                BlockFormat.WriteEnd(end, last.Kind, last.RecordBytes, writer, last.FirstSequence + last.Count);
                RandomAccess.SetLength(file, scanner.Offset);
                RandomAccess.Write(file, end, scanner.Offset);
            }
            else
            {
                continue; // no whole block, but bytes that might interest somebody: readers count them
            }

            segments++;
            truncated += length - Math.Min(length, scanner.Offset);
        }

        return (segments, truncated);
    }

    /// <summary>Deletes finished segments that are too old, and the oldest while all together are too large.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="options">What is too old, and too much.</param>
    /// <param name="now">The present, by whatever says that it is earliest.</param>
    /// <returns>Files deleted, and files that only a named reader kept.</returns>
    public static (int Deleted, int Kept) Retain(string directory, ForwardRecordLogOptions options, DateTime now)
    {
        if (options.RetentionBytes is null && options.RetentionAge is null)
            return (0, 0);
        (FileInfo File, DateTime Written, long Length)[] files =
            [.. new DirectoryInfo(directory).EnumerateFiles("*" + SegmentFormat.Extension)
            .Where(f => SegmentFormat.TryParse(f.Name, out _, out _) && f.Exists)
            .Select(f => (f, f.LastWriteTimeUtc, f.Length))
            .OrderBy(f => f.LastWriteTimeUtc).ThenBy(f => f.f.Name, StringComparer.Ordinal)];
        long bytes = files.Sum(f => f.Length);
        (DateTime pauseBegins, TimeSpan pause) = options.RetentionAge is TimeSpan most
            ? Pause([.. files.Select(f => f.Written)], now, most) : default;
        // Looked at after the listing: a file that a reader has come to since is read, and one that is new is not in the list.
        ForwardRecordPosition?[] readers = ReaderPositions.Load(directory, options.KeepUnread);
        int deleted = 0, kept = 0;
        foreach ((FileInfo file, DateTime written, long length) in files)
        {
            TimeSpan age = now - written - (written <= pauseBegins ? pause : TimeSpan.Zero);
            bool tooMuch = bytes > options.RetentionBytes, tooOld = age > options.RetentionAge;
            if (!tooMuch && !tooOld)
                continue;
            if (readers.Length > 0 && SegmentFormat.TryParse(file.Name, out ulong writer, out uint ordinal)
                && !Array.TrueForAll(readers, reader => ReaderPositions.HasRead(reader, writer, ordinal)))
            {
                kept++;
                continue;
            }

            // Deleted while nobody else can have it.
            using SafeFileHandle? alone = FileLock.TryOpenAlone(file.FullName);
            if (alone is not null && TryDelete(file.FullName))
            {
                bytes -= length;
                deleted++;
            }
        }

        return (deleted, kept);
    }

    /// <summary>The longest time in which nothing was written, when it is longer than files are kept: a clock that jumps ahead looks like
    /// that, and it must not end the time of all files at once. So it counts for none of them.</summary>
    /// <remarks>A file from the future says that it was later already: then it is not the present that is ahead.</remarks>
    private static (DateTime Begins, TimeSpan Length) Pause(DateTime[] written, DateTime now, TimeSpan age)
    {
        DateTime begins = default;
        TimeSpan longest = age;
        for (int i = 0; i < written.Length; i++)
        {
            if (written[i] - now > TimeSpan.FromMinutes(1))
                return default;
            TimeSpan pause = (i + 1 < written.Length && written[i + 1] < now ? written[i + 1] : now) - written[i];
            if (pause >= longest && pause > age)
                (begins, longest) = (written[i], pause);
        }

        return longest > age ? (begins, longest) : default;
    }

    /// <summary>Deletes a file; false when the system refuses, which is no reason to stop writing records.</summary>
    public static bool TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool NeedsEnd(SafeFileHandle file, ulong writer)
    {
        long length = RandomAccess.GetLength(file);
        Span<byte> bytes = stackalloc byte[SegmentFormat.HeaderBytes];
        if (SegmentFormat.IsNewer(bytes[..RandomAccess.Read(file, bytes, 0)]))
            return false;
        int read = RandomAccess.Read(file, bytes, Math.Max(0, length - BlockFormat.HeaderBytes));
        return !(BlockFormat.TryReadHeader(bytes[..read], out BlockHeader header) && header.IsEnd && header.Writer == writer);
    }
}
