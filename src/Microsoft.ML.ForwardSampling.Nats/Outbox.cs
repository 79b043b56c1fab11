using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>A writer's blocks on its disk, until a joiner has saved them: files <c>outbox-WRITER-ORDINAL.fsn</c>, block behind
/// block.</summary>
/// <remarks>A file <c>outbox-WRITER.lock</c> is locked while its writer lives. What dead ones left is adopted by the next that opens the
/// folder. Written by one thread; <see cref="Release"/> and reading are any thread's.</remarks>
internal sealed class Outbox : IDisposable
{
    private const string Prefix = "outbox-", Extension = ".fsn", LockExtension = ".lock";

    private readonly string _directory;
    private readonly NatsWriterOptions _options;
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, SafeFileHandle> _locks = [];
    private readonly List<OutboxFile> _files = [];
    private OutboxFile? _current;
    private uint _nextOrdinal;
    private long _bytes;
    private bool _disposed;

    /// <summary>Opens a folder, and adopts what is left there.</summary>
    /// <exception cref="IOException">The folder cannot be made or written to, or locks do not lock there.</exception>
    public Outbox(string directory, ulong writer, RecordKind kind, NatsWriterOptions options)
    {
        (_directory, Writer, _options) = (directory, writer, options);
        AtomicFile.CreateFolder(directory, forced: options.Durability == RecordDurability.PowerLoss);
        try
        {
            _locks.Add(writer, FileLock.TryTake(LockPath(writer))
                ?? throw new IOException($"{LockPath(writer)} is locked by another process."));
            Adopted = Adopt(kind);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ulong Writer { get; }

    /// <summary>Blocks of earlier writers, each writer's in the order of their numbers.</summary>
    public IReadOnlyList<OutboxBlock> Adopted { get; } = [];

    public long TornBytes { get; private set; }

    public int AdoptedWriters { get; private set; }

    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Writes blocks so that they are as safe as promised. After an exception the same may be written again.</summary>
    /// <exception cref="IOException">The disk refuses, or <see cref="NatsWriterOptions.DiskBytes"/> would be exceeded.</exception>
    public List<OutboxBlock> Write(IEnumerable<(BlockId Id, ReadOnlyMemory<byte> Bytes)> blocks)
    {
        var written = new List<OutboxBlock>();
        (BlockId Id, ReadOnlyMemory<byte> Bytes)[] all = [.. blocks];
        long sum = all.Sum(block => (long)block.Bytes.Length);
        if (Bytes + sum > _options.DiskBytes)
            throw new IOException($"The blocks that no joiner has saved take {Bytes} bytes of {_directory}, and {sum} more would exceed "
                + $"{nameof(NatsWriterOptions)}.{nameof(NatsWriterOptions.DiskBytes)}, {_options.DiskBytes}: the cluster or the joiner is "
                + $"gone, or slower than what comes.");
        if (_current is not null && _current.Length + sum > _options.FileBytes)
            Leave();
        OutboxFile file = _current ??= Begin();
        long end = file.Length;
        try
        {
            foreach ((BlockId id, ReadOnlyMemory<byte> bytes) in all)
            {
                RandomAccess.Write(file.Handle, bytes.Span, end);
                BlockEncoding.TryReadHeader(bytes.Span, out ShippedHeader header);
                written.Add(new OutboxBlock(file, end, bytes.Length, header.Count, id));
                end += bytes.Length;
            }

            if (_options.Durability == RecordDurability.PowerLoss)
                RandomAccess.FlushToDisk(file.Handle);
            if (!File.Exists(file.Path))
                throw new IOException($"{file.Path} was deleted while it was in use.");
        }
        catch
        {
            // After a failed fsync the pages may be forgotten, and behind a half-written block nothing would be found: another file.
            Leave();
            throw;
        }

        Interlocked.Add(ref _bytes, end - file.Length);
        lock (_gate)
        {
            file.Length = end;
            file.Blocks += written.Count;
        }

        return written;
    }

    /// <summary>Reads a block back.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static byte[] Read(OutboxBlock block)
    {
        byte[] bytes = new byte[block.Bytes];
        int read = 0;
        for (int n; read < bytes.Length && (n = RandomAccess.Read(block.File.Handle, bytes.AsSpan(read), block.Offset + read)) > 0;)
            read += n;
        return read == bytes.Length && BlockEncoding.TryReadHeader(bytes, out ShippedHeader header) && header.Id == block.Id
            && BlockEncoding.IsWhole(bytes, in header) ? bytes
            : throw new InvalidDataException($"{block.File.Path} at byte {block.Offset}: the block is damaged.");
    }

    /// <summary>A joiner has saved this block: a file without others is deleted.</summary>
    public void Release(OutboxBlock block)
    {
        lock (_gate)
        {
            if (--block.File.Blocks == 0 && block.File != _current && !_disposed)
                Delete(block.File);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _current = null;
            foreach (OutboxFile file in _files.ToArray())
            {
                if (file.Blocks == 0)
                    Delete(file);
            }

            _disposed = true;
            foreach (OutboxFile file in _files)
                file.Handle.Dispose();
            foreach ((ulong writer, SafeFileHandle handle) in _locks)
                Unlock(writer, handle, isEmpty: !_files.Any(file => file.Writer == writer));
        }
    }

    private string LockPath(ulong writer) => Path.Combine(_directory, $"{Prefix}{writer:x16}{LockExtension}");

    private OutboxFile Begin()
    {
        string path = Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture,
            $"{Prefix}{Writer:x16}-{_nextOrdinal++:D8}{Extension}"));
        AtomicFile.CreateFolder(_directory, forced: _options.Durability == RecordDurability.PowerLoss);
        var file = new OutboxFile(path, Writer, File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite,
            FileShare.ReadWrite | FileShare.Delete));
        lock (_gate)
            _files.Add(file);
        if (_options.Durability == RecordDurability.PowerLoss)
            AtomicFile.FlushFolder(_directory);
        return file;
    }

    private void Leave()
    {
        lock (_gate)
        {
            OutboxFile left = _current!;
            _current = null;
            if (left.Blocks == 0)
                Delete(left);
        }
    }

    /// <summary>Under the lock.</summary>
    private void Delete(OutboxFile file)
    {
        file.Handle.Dispose();
        _files.Remove(file);
        try
        {
            File.Delete(file.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next writer of the folder finds it and ships it again: the joiner knows its blocks by their numbers.
        }

        Interlocked.Add(ref _bytes, -file.Length);
        if (file.Writer != Writer && !_files.Any(other => other.Writer == file.Writer) && _locks.Remove(file.Writer, out var handle))
            Unlock(file.Writer, handle, isEmpty: true);
    }

    private void Unlock(ulong writer, SafeFileHandle handle, bool isEmpty)
    {
        if (isEmpty)
        {
            try
            {
                File.Delete(LockPath(writer));              // while it is locked: nobody else can have it
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }

        handle.Dispose();
    }

    private List<OutboxBlock> Adopt(RecordKind kind)
    {
        var blocks = new List<OutboxBlock>();
        foreach (IGrouping<ulong, string> writer in Directory.GetFiles(_directory, Prefix + "*" + Extension)
            .Where(path => TryParse(path, out _)).GroupBy(path => TryParse(path, out ulong id) ? id : 0).OrderBy(group => group.Key))
        {
            if (_locks.ContainsKey(writer.Key) || FileLock.TryTake(LockPath(writer.Key)) is not { } handle)
                continue;                                   // it lives
            _locks.Add(writer.Key, handle);
            AdoptedWriters++;
            foreach (string path in writer.Where(File.Exists).Order(StringComparer.Ordinal))
                blocks.AddRange(Scan(path, writer.Key, kind));
        }

        // A batch that was written again after a failure is there twice.
        return [.. blocks.GroupBy(block => block.Id).Select(same =>
        {
            foreach (OutboxBlock twice in same.Skip(1))
                Release(twice);
            return same.First();
        }).OrderBy(block => block.Id.Writer).ThenBy(block => block.Id.Number)];
    }

    /// <summary>The whole blocks of a file, up to the first that is none.</summary>
    private List<OutboxBlock> Scan(string path, ulong writer, RecordKind kind)
    {
        var file = new OutboxFile(path, writer, File.OpenHandle(path, FileMode.Open, FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete));
        var blocks = new List<OutboxBlock>();
        long length = RandomAccess.GetLength(file.Handle), at = 0;
        byte[] bytes = new byte[BlockEncoding.MostBytes];
        while (at < length)
        {
            int read = 0;
            for (int n; read < bytes.Length && (n = RandomAccess.Read(file.Handle, bytes.AsSpan(read), at + read)) > 0;)
                read += n;
            if (!BlockEncoding.TryReadHeader(bytes.AsSpan(0, read), out ShippedHeader header)
                || !BlockEncoding.IsWhole(bytes.AsSpan(0, read), in header))
                break;
            if (header.Kind != kind)
                throw new InvalidDataException($"{path} at byte {at}: a block of {header.Kind} records, and {kind} records were asked for. "
                    + $"Give each writer of another kind a folder of its own.");
            blocks.Add(new OutboxBlock(file, at, header.Bytes, header.Count, header.Id));
            at += header.Bytes;
        }

        TornBytes += length - at;
        (file.Length, file.Blocks) = (length, blocks.Count);
        Interlocked.Add(ref _bytes, length);
        lock (_gate)
        {
            _files.Add(file);
            if (blocks.Count == 0)
                Delete(file);
        }

        return blocks;
    }

    private static bool TryParse(string path, out ulong writer)
    {
        writer = 0;
        ReadOnlySpan<char> name = Path.GetFileNameWithoutExtension(path.AsSpan());
        return name.Length == Prefix.Length + 16 + 9 && ulong.TryParse(name.Slice(Prefix.Length, 16), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out writer);
    }
}

/// <summary>A file of blocks.</summary>
internal sealed class OutboxFile(string path, ulong writer, SafeFileHandle handle)
{
    public string Path => path;

    public ulong Writer => writer;

    public SafeFileHandle Handle => handle;

    public long Length { get; set; }

    /// <summary>Blocks that no joiner has saved yet.</summary>
    public int Blocks { get; set; }
}

/// <summary>Where a block is.</summary>
internal sealed record OutboxBlock(OutboxFile File, long Offset, int Bytes, int Records, BlockId Id);
