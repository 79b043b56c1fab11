
namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>The disk, with faults on demand and a diary.</summary>
internal sealed class FaultyStorage : ISegmentStorage
{
    private readonly List<string> _diary = [];

    /// <summary>Throws, or not, before a call: "create", "write", "length", "flush".</summary>
    public Action<string>? Before { get; set; }

    /// <summary>Of the next failing write this many bytes reach the disk.</summary>
    public int HalfWritten { get; set; }

    public string[] Diary
    {
        get
        {
            lock (_diary)
                return [.. _diary];
        }
    }

    public void CreateDirectory(string directory, bool forced) =>
        Do("directory", () => DiskStorage.Instance.CreateDirectory(directory, forced));

    public bool Exists(string path) => DiskStorage.Instance.Exists(path);

    /// <summary>A file system whose locks are granted to everybody.</summary>
    public bool LocksNothing { get; set; }

    public bool IsLocked(string path) => !LocksNothing && DiskStorage.Instance.IsLocked(path);

    public void FlushDirectory(string directory) => Do("flush directory", () => DiskStorage.Instance.FlushDirectory(directory));

    public ISegmentFile Create(string path)
    {
        ISegmentFile? file = null;
        Do("create", () => file = DiskStorage.Instance.Create(path));
        return new FaultyFile(this, file!);
    }

    private void Do(string what, Action action)
    {
        Before?.Invoke(what);
        action();
        Note(what);
    }

    private void Note(string what)
    {
        lock (_diary)
            _diary.Add(what);
    }

    private sealed class FaultyFile(FaultyStorage storage, ISegmentFile file) : ISegmentFile
    {
        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            try
            {
                storage.Before?.Invoke("write");
            }
            catch
            {
                file.Write(bytes[..Math.Min(bytes.Length, storage.HalfWritten)], offset);
                throw;
            }

            file.Write(bytes, offset);
            storage.Note("write");
        }

        public void SetLength(long length) => storage.Do("length", () => file.SetLength(length));

        public void FlushToDisk() => storage.Do("flush", file.FlushToDisk);

        public void Dispose() => file.Dispose();
    }
}
