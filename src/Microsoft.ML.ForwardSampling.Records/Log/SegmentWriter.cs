using System.Security.Cryptography;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Writes blocks into segment files one after the other and begins new files; used by the log's one writing thread.</summary>
internal sealed class SegmentWriter
{
    private readonly string _directory;
    private readonly ForwardRecordLogOptions _options;
    private readonly ISegmentStorage _storage;
    private readonly RecordKind _kind;
    private readonly int _recordBytes;
    private readonly DateTime _opened;
    private readonly long _openedAt;
    private readonly byte[] _scratch = new byte[SegmentFormat.HeaderBytes];
    private ISegmentFile? _file;
    private string _path = "";
    private uint _nextOrdinal;
    private long _length;
    private long _committed;
    private long _begun;

    public SegmentWriter(string directory, ForwardRecordLogOptions options, ISegmentStorage storage, RecordKind kind, int recordBytes)
    {
        (_directory, _options, _storage, _kind, _recordBytes) = (directory, options, storage, kind, recordBytes);
        Span<byte> id = stackalloc byte[8];
        RandomNumberGenerator.Fill(id);
        Id = BitConverter.ToUInt64(id);
        (_opened, _openedAt) = (options.TimeProvider.GetUtcNow().UtcDateTime, options.TimeProvider.GetTimestamp());
    }

    /// <summary>Random name of this writer: no two share a file.</summary>
    public ulong Id { get; }

    /// <summary>Number of the first record not yet written. An abandoned segment takes it back to the first one not yet
    /// committed.</summary>
    public long Written { get; private set; }

    public long Bytes { get; private set; }

    public long Blocks { get; private set; }

    public int Segments { get; private set; }

    public int Abandoned { get; private set; }

    public int Deleted { get; private set; }

    /// <summary>Files that the latest check left only because a named reader has not read them.</summary>
    public int Kept { get; private set; }

    /// <summary>Begins a segment unless one is open.</summary>
    public void Open()
    {
        const int Attempts = 3;                             // another log's recovery may be alone with a file that has no content yet
        for (int attempt = 1; _file is null; attempt++)
        {
            try
            {
                Create();
            }
            catch (IOException) when (attempt < Attempts)
            {
            }
        }
    }

    /// <summary>Requires that the lock of the open segment locks: on the file itself, because no setting and no kind of file system tells
    /// for sure.</summary>
    /// <exception cref="IOException">Another process would take the segment for that of a crashed one.</exception>
    public void RequireLock()
    {
        if (!_storage.IsLocked(_path))
            throw new IOException($"No log can be written in {_directory}: file locks do not lock there, so that the next log would take "
                + $"this one's file for that of a crashed process, and cut or delete it while it is being written. Use a directory on a "
                + $"local disk, or on a share whose locks work.");
    }

    /// <summary>Deletes what is too old or too much.</summary>
    /// <remarks>What is too old is too old by all that tells the time: the clock, the clock at opening and the time that has really passed
    /// since, and the file system, which may be another machine.</remarks>
    public void Retain()
    {
        TimeProvider time = _options.TimeProvider;
        DateTime now = time.GetUtcNow().UtcDateTime, steady = _opened + time.GetElapsedTime(_openedAt),
            there = File.GetLastWriteTimeUtc(_path);
        now = steady < now ? steady : now;
        (int deleted, Kept) = SegmentDirectory.Retain(_directory, _options, there < now ? there : now);
        Deleted += deleted;
    }

    /// <summary>Adds a block whole or not at all.</summary>
    /// <param name="block">The sealed block.</param>
    /// <param name="nextSequence">Number of the first record after it.</param>
    public void Write(ReadOnlySpan<byte> block, long nextSequence)
    {
        if (_file is not null && (_length + block.Length + BlockFormat.HeaderBytes > _options.SegmentBytes || IsOld()))
            Finish();
        if (_file is null)
        {
            Open();
            Retain();
        }

        try
        {
            _file!.Write(block, _length);
        }
        catch
        {
            // A half-written block must not stay in front of later ones.
            try
            {
                _file!.SetLength(_length);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Abandon();
            }

            throw;
        }

        _length += block.Length;
        Written = nextSequence;
        Bytes += block.Length;
        Blocks++;
    }

    /// <summary>Makes what was written as durable as promised; when this throws, <see cref="Written"/> says from where to write
    /// again.</summary>
    public void Commit()
    {
        if (_file is null)
            return;
        if (_options.Durability == RecordDurability.PowerLoss)
        {
            try
            {
                _file.FlushToDisk();
            }
            catch
            {
                Abandon(); // after a failed fsync the system may have forgotten the pages: forcing the same file again proves nothing
                throw;
            }
        }

        if (!_storage.Exists(_path))
        {
            Abandon();
            throw new IOException($"{_path} was deleted while it was in use.");
        }

        _committed = Written;
    }

    /// <summary>Closes a segment that has become old, so that readers and retention are done with it.</summary>
    public void FinishIfOld()
    {
        if (_file is not null && _length > SegmentFormat.HeaderBytes && IsOld())
            Finish();
    }

    /// <summary>Writes the end mark and closes the segment; one without records is deleted.</summary>
    public void Finish()
    {
        if (_file is null)
            return;
        if (_length == SegmentFormat.HeaderBytes)
        {
            _file.Dispose();
            _file = null;
            SegmentDirectory.TryDelete(_path);
            return;
        }

        try
        {
            BlockFormat.WriteEnd(_scratch, _kind, _recordBytes, Id, Written);
            _file.Write(_scratch, _length);
            Bytes += _scratch.Length;
            Commit();
        }
        catch
        {
            if (_file is not null)
                Abandon();
            throw;
        }

        _file.Dispose();
        _file = null;
    }

    private void Create()
    {
        _storage.CreateDirectory(_directory, _options.Durability == RecordDurability.PowerLoss);
        // a name is used once, also when creating fails half-way
        string path = Path.Combine(_directory, SegmentFormat.FileName(Id, _nextOrdinal++));
        ISegmentFile file = _storage.Create(path);
        try
        {
            SegmentFormat.WriteHeader(_scratch, _kind, _recordBytes, Id, _nextOrdinal - 1, _options.TimeProvider.GetUtcNow().UtcDateTime);
            file.Write(_scratch, 0);
            if (_options.Durability == RecordDurability.PowerLoss)
            {
                file.FlushToDisk();
                _storage.FlushDirectory(_directory);
            }
        }
        catch
        {
            file.Dispose();
            SegmentDirectory.TryDelete(path);               // or a full disk would collect empty files
            throw;
        }

        (_file, _path, _length) = (file, path, SegmentFormat.HeaderBytes);
        _begun = _options.TimeProvider.GetTimestamp();
        Bytes += SegmentFormat.HeaderBytes;
        Segments++;
    }

    private bool IsOld() => _options.TimeProvider.GetElapsedTime(_begun) >= _options.SegmentAge;

    /// <summary>Leaves an open segment as it is.</summary>
    public void Close() => _file?.Dispose();

    private void Abandon()
    {
        Written = _committed;
        _file!.Dispose();
        _file = null;
        Abandoned++;
    }
}
