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
    private const string DamagedPrefix = "damaged-", DamagedExtension = ".bin";

    private readonly string _directory;
    private readonly NatsWriterOptions _options;
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, SafeFileHandle> _locks = [];
    private readonly List<OutboxFile> _files = [];
    private OutboxFile? _current;
    private uint _nextOrdinal;
    private long _bytes;
    private long _damaged;
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

    /// <summary>Places in the files where a block was damaged.</summary>
    public long DamagedBlocks => Interlocked.Read(ref _damaged);

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
        return Fill(block.File.Handle, bytes, block.Offset) == bytes.Length
            && BlockEncoding.TryReadHeader(bytes, out ShippedHeader header) && header.Id == block.Id
            && BlockEncoding.IsWhole(bytes, in header) ? bytes
            : throw new InvalidDataException($"{block.File.Path} at byte {block.Offset}: the block is damaged.");
    }

    /// <summary>Keeps what there is of a damaged block in a file of its own.</summary>
    /// <returns>The block as one that is lost.</returns>
    /// <exception cref="IOException">The disk refuses.</exception>
    public OutboxBlock SetAside(OutboxBlock block)
    {
        SetAside(block.File, block.Offset, block.Bytes);
        return block with { IsLost = true };
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
            long damaged = _damaged;
            List<OutboxBlock> own = [.. writer.Where(File.Exists).Order(StringComparer.Ordinal)
                .SelectMany(path => Scan(path, writer.Key, kind))];
            blocks.AddRange(own);
            if (_damaged > damaged)
                blocks.AddRange(Missing(own));
        }

        // A batch that was written again after a failure is there twice, perhaps once whole.
        return [.. blocks.GroupBy(block => block.Id).Select(same =>
        {
            OutboxBlock[] all = [.. same.OrderBy(block => block.IsLost)];
            foreach (OutboxBlock twice in all[1..])
                Release(twice);
            return all[0];
        }).OrderBy(block => block.Id.Writer).ThenBy(block => block.Id.Number)];
    }

    /// <summary>The numbers that are not there between a writer's blocks, where damage has taken headers too. Some were perhaps saved by a
    /// joiner before: it knows.</summary>
    private static List<OutboxBlock> Missing(List<OutboxBlock> own)
    {
        var missing = new List<OutboxBlock>();
        foreach (IGrouping<int, OutboxBlock> partition in own.GroupBy(block => block.Id.Partition))
        {
            OutboxBlock[] there = [.. partition.OrderBy(block => block.Id.Number)];
            for (int i = 1; i < there.Length; i++)
            {
                for (long number = there[i - 1].Id.Number + 1; number < there[i].Id.Number; number++)
                {
                    there[i].File.Blocks++;
                    missing.Add(new OutboxBlock(there[i].File, 0, 0, 0, there[i].Id with { Number = number }) { IsLost = true });
                }
            }
        }

        return missing;
    }

    /// <summary>The blocks of a file; those that are damaged are set aside, and lost. What a kill has cut off at the end is
    /// none.</summary>
    private List<OutboxBlock> Scan(string path, ulong writer, RecordKind kind)
    {
        var file = new OutboxFile(path, writer, File.OpenHandle(path, FileMode.Open, FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete));
        var blocks = new List<OutboxBlock>();
        long length = RandomAccess.GetLength(file.Handle), at = 0;
        byte[] bytes = new byte[BlockEncoding.MostBytes];
        while (at < length)
        {
            ReadOnlySpan<byte> there = bytes.AsSpan(0, Fill(file.Handle, bytes, at));
            bool isHeader = BlockEncoding.TryReadHeader(there, out ShippedHeader header);
            if (isHeader ? at + header.Bytes > length : there.Length < BlockEncoding.HeaderBytes)
                break;
            if (isHeader && header.Kind != kind)
                throw new InvalidDataException($"{path} at byte {at}: a block of {header.Kind} records, and {kind} records were asked for. "
                    + $"Give each writer of another kind a folder of its own.");
            bool isWhole = isHeader && BlockEncoding.IsWhole(there, in header);
            long next = isHeader ? at + header.Bytes : NextHeader(file.Handle, at + 1, length);
            if (isHeader)
                blocks.Add(new OutboxBlock(file, at, header.Bytes, header.Count, header.Id) { IsLost = !isWhole });
            if (!isWhole)
                SetAside(file, at, next - at);
            at = next;
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

    private void SetAside(OutboxFile file, long offset, long count)
    {
        string path = Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture,
            $"{DamagedPrefix}{Path.GetFileNameWithoutExtension(file.Path)}-{offset}{DamagedExtension}"));
        using var kept = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1);
        byte[] bytes = new byte[(int)Math.Min(count, BlockEncoding.MostBytes)];
        for (long done = 0; done < count;)
        {
            int read = Fill(file.Handle, bytes.AsSpan(0, (int)Math.Min(bytes.Length, count - done)), offset + done);
            if (read == 0)
                break;
            kept.Write(bytes, 0, read);
            done += read;
        }

        Interlocked.Increment(ref _damaged);
    }

    /// <summary>Where the next whole header begins; the file's end when there is none.</summary>
    private static long NextHeader(SafeFileHandle handle, long from, long length)
    {
        byte[] bytes = new byte[1 << 16];
        for (long at = from; at < length;)
        {
            ReadOnlySpan<byte> there = bytes.AsSpan(0, Fill(handle, bytes, at));
            if (there.Length < BlockEncoding.HeaderBytes)
                break;
            for (int place = 0, found; (found = there[place..].IndexOf(BlockEncoding.Magic)) >= 0; place += found + 1)
            {
                if (BlockEncoding.TryReadHeader(there[(place + found)..], out _))
                    return at + place + found;
            }

            at += there.Length - BlockEncoding.HeaderBytes + 1;     // one that is cut off here is looked at again
        }

        return length;
    }

    private static int Fill(SafeFileHandle handle, Span<byte> bytes, long offset)
    {
        int read = 0;
        for (int n; read < bytes.Length && (n = RandomAccess.Read(handle, bytes[read..], offset + read)) > 0;)
            read += n;
        return read;
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
internal sealed record OutboxBlock(OutboxFile File, long Offset, int Bytes, int Records, BlockId Id)
{
    /// <summary>It is damaged: a joiner is told so in its place.</summary>
    public bool IsLost { get; init; }
}
