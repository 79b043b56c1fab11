using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling;

/// <summary>Files that are replaced as a whole: a reader sees the former one or the new one, also after a loss of power, and whose file it
/// is stays as it was.</summary>
internal static partial class AtomicFile
{
    private const string Extension = ".tmp";
    private const int IdLength = 32;

    /// <summary>Full path of the file itself: of a symbolic link, of what it points to in the end, there or not.</summary>
    /// <exception cref="IOException">The links go round in a circle.</exception>
    public static string Target(string path)
    {
        var file = new FileInfo(Path.GetFullPath(path));
        return file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }

    /// <summary>Writes a file under another name beside it, forces it to the disk, and gives it its name.</summary>
    /// <remarks>Of a symbolic link the target is replaced. Mode and, where the system allows it, owner and group of a file that is there
    /// are kept; a new one gets the default. Access lists are not taken over.</remarks>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes its content.</param>
    /// <param name="flushFolder">Forces a folder to the disk: before the renaming, so that a folder that refuses this does so before the
    /// new file counts, and after it.</param>
    /// <param name="renamed">Called when the new file has its name.</param>
    /// <exception cref="IOException">It cannot be written. The former one is as it was, unless <paramref name="renamed"/> was
    /// called.</exception>
    public static void Replace(string path, Action<Stream> write, Action<string> flushFolder, Action? renamed = null)
    {
        string target = Target(path), folder = Path.GetDirectoryName(target)!;
        string temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}{Extension}");
        FormerFile? former = FormerFile.Look(target);
        try
        {
            // Readers may have it beside this handle, because for a moment after the renaming it is the file itself.
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Read | FileShare.Delete,
                BufferSize = 1 << 16
            };
            if (former is not null && !OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var stream = new FileStream(temporary, options);
            if (FileLock.TryShare(stream.SafeFileHandle, temporary) && IsLocked(temporary))
                Sweep(target);
            write(stream);
            former?.HandOn(stream.SafeFileHandle);
            stream.Flush(flushToDisk: true);
            if (OperatingSystem.IsWindows())
                stream.Dispose();                           // elsewhere the lock says until the end that the file is not left behind
            flushFolder(folder);
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            TryDelete(temporary);                           // half written it would only take room; the error that left it is what matters
            throw;
        }

        renamed?.Invoke();
        Touch(target);
        flushFolder(folder);
    }

    /// <summary>Deletes what a process left behind that was killed while it replaced this file. What a living one is writing is locked, and
    /// stays.</summary>
    public static void Sweep(string target)
    {
        string prefix = $".{Path.GetFileName(target)}.";
        foreach (FileInfo file in new DirectoryInfo(Path.GetDirectoryName(target)!).EnumerateFiles())
        {
            string name = file.Name;
            if (name.Length != prefix.Length + IdLength + Extension.Length || !name.StartsWith(prefix, StringComparison.Ordinal)
                || !name.EndsWith(Extension, StringComparison.Ordinal)
                || !Guid.TryParseExact(name.AsSpan(prefix.Length, IdLength), "N", out _))
                continue;
            // On Windows a finished file is closed before it is renamed: that takes no minute.
            if (OperatingSystem.IsWindows() && DateTime.UtcNow - file.LastWriteTimeUtc < TimeSpan.FromMinutes(1))
                continue;
            using SafeFileHandle? alone = FileLock.TryOpenAlone(file.FullName);
            if (alone is not null)
                TryDelete(file.FullName);
        }
    }

    /// <summary>Makes a folder and those above it that are not there.</summary>
    /// <param name="folder">Full path.</param>
    /// <param name="forced">The names of the new ones are forced to the disk.</param>
    public static void CreateFolder(string folder, bool forced)
    {
        var parents = new List<string>();
        for (string? at = folder; forced && at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at))
        {
            if (Path.GetDirectoryName(at) is { } parent)
                parents.Add(parent);
        }

        Directory.CreateDirectory(folder);
        parents.ForEach(FlushFolder);
    }

    /// <summary>Forces a folder's names to the disk.</summary>
    /// <exception cref="IOException">The folder cannot be read, or the disk refuses.</exception>
    public static void FlushFolder(string folder)
    {
        // Windows keeps directory entries in its journal; elsewhere a new file's name needs an fsync of its own, which .NET does not offer.
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(folder, 0);
        if (descriptor < 0)
            throw new IOException($"Opening the directory {folder} failed with error {Marshal.GetLastPInvokeError()}.");
        int failed = Fsync(descriptor), error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        const int InvalidArgument = 22; // the file system has no fsync for directories
        if (failed != 0 && error != InvalidArgument)
            throw new IOException($"Forcing the directory {folder} to the disk failed with error {error}.");
    }

    private static bool IsLocked(string path)
    {
        using SafeFileHandle? alone = FileLock.TryOpenAlone(path);
        return alone is null;
    }

    /// <summary>A watcher for changes, such as ML.NET's PredictionEnginePool has, does not hear of a renaming: a new time of writing is
    /// what it hears of.</summary>
    private static void Touch(string target)
    {
        try
        {
            File.SetLastWriteTimeUtc(target, DateTime.UtcNow);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The file is there and whole; it was only not announced.
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "fchown")]
    private static partial int Fchown(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> result);

    /// <summary>What a file that is replaced hands on to the new one.</summary>
    private sealed class FormerFile
    {
        private const uint Unchanged = uint.MaxValue;

        private readonly UnixFileMode _mode;
        private readonly (uint User, uint Group)? _owner;

        private FormerFile(UnixFileMode mode, (uint User, uint Group)? owner) => (_mode, _owner) = (mode, owner);

        /// <summary>Null when there is none, or nothing to hand on.</summary>
        /// <exception cref="IOException">It is no ordinary file: a device or a pipe would not be written to but replaced.</exception>
        public static FormerFile? Look(string path)
        {
            if (OperatingSystem.IsWindows() || !File.Exists(path))
                return null;
            (uint User, uint Group)? owner = null;
            if (OperatingSystem.IsLinux())
            {
                const int CurrentFolder = -100, Type = 0xF000, Ordinary = 0x8000;
                const uint TypeUserGroup = 0x1 | 0x8 | 0x10;
                Span<byte> result = stackalloc byte[256];   // the same for every processor: mode at byte 28, owner at 20, group at 24
                try
                {
                    if (Statx(CurrentFolder, path, 0, TypeUserGroup, result) == 0)
                    {
                        if ((BitConverter.ToUInt16(result[28..]) & Type) != Ordinary)
                            throw new IOException($"{path} is no ordinary file: it would be replaced, not written to. Name a file.");
                        owner = (BitConverter.ToUInt32(result[20..]), BitConverter.ToUInt32(result[24..]));
                    }
                }
                catch (EntryPointNotFoundException)
                {
                    // An old C library: the group is then the new file's own.
                }
            }

            return new FormerFile(File.GetUnixFileMode(path), owner);
        }

        public void HandOn(SafeFileHandle file)
        {
            if (OperatingSystem.IsWindows())
                return;
            UnixFileMode mode = _mode;
            if (_owner is { } owner && Fchown(file, owner.User, owner.Group) != 0 && Fchown(file, Unchanged, owner.Group) != 0)
                mode &= ~GroupBits | GroupAsOthers(mode);   // another group than before gets no more than everybody
            File.SetUnixFileMode(file, mode);
        }

        private const UnixFileMode GroupBits = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

        private static UnixFileMode GroupAsOthers(UnixFileMode mode) => (UnixFileMode)(((int)mode & 7) << 3);
    }
}
