using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling;

/// <summary>Locks by which one process sees that another has a file in use: share modes on Windows, elsewhere flock, which a process loses
/// with its last handle, however it ends.</summary>
/// <remarks>.NET takes the same locks when it opens a file, but none where DOTNET_SYSTEM_IO_DISABLEFILELOCKING is set, none for writing on
/// NFS and SMB, and it does not say so when the file system has none. So they are asked for here once more; to a file that .NET has locked
/// this changes nothing.</remarks>
internal static partial class FileLock
{
    private const int Shared = 1, Exclusive = 2, NoWaiting = 4;
    private const int Interrupted = 4, LinuxWouldBlock = 11, AppleWouldBlock = 35;

    /// <summary>Says that the file is in use; several may say so.</summary>
    /// <returns>False while somebody is alone with it.</returns>
    /// <exception cref="IOException">The file system has no locks.</exception>
    public static bool TryShare(SafeFileHandle file, string path) => TryLock(file, path, Shared);

    /// <summary>Asks to be alone with the file.</summary>
    /// <returns>False while somebody has it in use.</returns>
    /// <exception cref="IOException">The file system has no locks.</exception>
    public static bool TryExclude(SafeFileHandle file, string path) => TryLock(file, path, Exclusive);

    /// <summary>Opens a file for somebody who must be alone with it, and may delete it; null while another has it in use, it is gone, or
    /// the system refuses.</summary>
    public static SafeFileHandle? TryOpenAlone(string path, FileMode mode = FileMode.Open)
    {
        SafeFileHandle? file = null;
        try
        {
            // On Windows nobody may read or write beside this handle, and its owner may still delete the file.
            file = File.OpenHandle(path, mode, FileAccess.ReadWrite, OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None);
            if (TryExclude(file, path))
                return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }

        file?.Dispose();
        return null;
    }

    /// <summary>Takes a lock that has a file of its own, which stays behind; null while another has it. Let go of it by closing the
    /// handle.</summary>
    /// <exception cref="IOException">The file cannot be made, or its lock does not lock.</exception>
    public static SafeFileHandle? TryTake(string path)
    {
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            if (!TryExclude(file, path))
            {
                file.Dispose();
                return null;
            }

            using SafeFileHandle? second = TryOpenAlone(path);
            if (second is not null)
                throw new IOException($"{path} is a lock that locks nobody out: the file system grants it twice. Use a file on a local "
                    + $"disk, or on a share whose locks work.");
            return file;
        }
        catch (IOException e) when (file is null && IsInUse(e))
        {
            return null;
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Whether a file could not be opened because of somebody else's lock.</summary>
    public static bool IsInUse(IOException e)
    {
        const int SharingViolation = unchecked((int)0x80070020);
        return e.HResult is SharingViolation or LinuxWouldBlock or AppleWouldBlock;
    }

    private static bool TryLock(SafeFileHandle file, string path, int operation)
    {
        if (OperatingSystem.IsWindows())
            return true;                                    // the share mode is the lock
        while (Flock(file, operation | NoWaiting) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error is LinuxWouldBlock or AppleWouldBlock)
                return false;
            if (error != Interrupted)
                throw new IOException($"{path} cannot be locked: the file system refuses with error {error}, "
                    + $"{Marshal.GetPInvokeErrorMessage(error)}.");
        }

        return true;
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
