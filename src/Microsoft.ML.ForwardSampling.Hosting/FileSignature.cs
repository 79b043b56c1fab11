using System.Runtime.InteropServices;

namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>Tells whether what stands behind a path is still the same file with the same content, links followed: a look that costs no
/// reading.</summary>
/// <remarks>On Linux the inode and the time of its last change are part of it: a file put over another one by rename is seen with any size
/// and time of writing, and so is a folder's link that points elsewhere now. Without them, size and time of writing decide.</remarks>
internal readonly partial record struct FileSignature(long Bytes, long WrittenAt, ulong Inode, long ChangedAt, ulong Device)
{
    /// <summary>The signature now; null when there is no file.</summary>
    public static FileSignature? Of(string path)
    {
        if (OperatingSystem.IsLinux() && TryStat(path, out FileSignature? signature))
            return signature;
        var file = new FileInfo(path);
        FileSystemInfo? target = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true);
        return target is FileInfo { Exists: true } found ? new FileSignature(found.Length, found.LastWriteTimeUtc.Ticks, 0, 0, 0) : null;
    }

    private static bool TryStat(string path, out FileSignature? signature)
    {
        const int CurrentFolder = -100, NoSuchFile = 2, NotAFolder = 20;
        const uint BasicStats = 0x7FF;
        Span<byte> result = stackalloc byte[256];           // struct statx, the same on every processor
        result.Clear();
        signature = null;
        try
        {
            if (Statx(CurrentFolder, path, 0, BasicStats, result) != 0)
                return Marshal.GetLastPInvokeError() is NoSuchFile or NotAFolder;
        }
        catch (EntryPointNotFoundException)
        {
            return false;                                   // an old C library
        }

        signature = new FileSignature(
            Bytes: MemoryMarshal.Read<long>(result[40..]),
            WrittenAt: Time(result[112..]),
            Inode: MemoryMarshal.Read<ulong>(result[32..]),
            ChangedAt: Time(result[96..]),
            Device: MemoryMarshal.Read<ulong>(result[136..]));
        return true;
    }

    private static long Time(ReadOnlySpan<byte> at)
        => (MemoryMarshal.Read<long>(at) * 1_000_000_000) + MemoryMarshal.Read<uint>(at[8..]);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> result);
}
