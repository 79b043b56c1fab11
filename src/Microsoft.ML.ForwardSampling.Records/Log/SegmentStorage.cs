using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Where a log puts its segments: the disk, or in a test something that fails on demand.</summary>
internal interface ISegmentStorage
{
    /// <summary>Makes a directory and those above it that are not there.</summary>
    void CreateDirectory(string directory, bool forced);

    /// <summary>Creates a file that must not exist yet, and holds it open so that others see it is in use.</summary>
    ISegmentFile Create(string path);

    /// <summary>Forces the directory's entries to the disk.</summary>
    void FlushDirectory(string directory);

    bool Exists(string path);

    /// <summary>Whether a process that wants to be alone with a file that is in use is refused.</summary>
    bool IsLocked(string path);
}

/// <summary>One segment being written.</summary>
internal interface ISegmentFile : IDisposable
{
    void Write(ReadOnlySpan<byte> bytes, long offset);

    void SetLength(long length);

    void FlushToDisk();
}

/// <summary>Segments on the disk.</summary>
internal sealed class DiskStorage : ISegmentStorage
{
    public static DiskStorage Instance { get; } = new();

    public void CreateDirectory(string directory, bool forced) => AtomicFile.CreateFolder(directory, forced);

    public ISegmentFile Create(string path)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            return FileLock.TryShare(file, path) ? new DiskFile(file)
                : throw new IOException($"{path} is locked by another process, which has looked at it just now.");
        }
        catch
        {
            file.Dispose();
            SegmentDirectory.TryDelete(path);
            throw;
        }
    }

    public bool Exists(string path) => File.Exists(path);

    public bool IsLocked(string path)
    {
        using SafeFileHandle? alone = FileLock.TryOpenAlone(path);
        return alone is null;
    }

    public void FlushDirectory(string directory) => AtomicFile.FlushFolder(directory);

    /// <summary>Opens a segment for reading beside its writer; null when it is gone or somebody is alone with it at the moment.</summary>
    public static SafeFileHandle? TryOpenToRead(string path, out bool exists)
    {
        exists = true;
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (FileLock.TryShare(file, path))
                return file;
            file.Dispose();
            return null;
        }
        catch (IOException) when (file is not null)
        {
            return file;                                    // no locks there: then no log is written there either
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            exists = false;
            return null;
        }
        catch (IOException e) when (FileLock.IsInUse(e))
        {
            return null;
        }
    }

    private sealed class DiskFile(SafeFileHandle handle) : ISegmentFile
    {
        public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(handle, bytes, offset);

        public void SetLength(long length) => RandomAccess.SetLength(handle, length);

        public void FlushToDisk() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }
}
