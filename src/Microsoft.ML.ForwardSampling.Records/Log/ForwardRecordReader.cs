using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Reads the records in a directory of segment files, also while logs write into it.</summary>
/// <remarks>
/// <para>Each record comes once. Those of one writer come in the order in which it appended them. Writers, each with files of its own, are
/// read side by side: always the one that is furthest behind, until it is a second and a block ahead of another that has something to read,
/// by record time. Damaged blocks are skipped and counted; every whole block is read.</para>
/// <para>The reader begins at the oldest segment there is, or at a position that was saved. While it is inside a file, retention of a log
/// leaves that file alone.</para>
/// <para>Not thread-safe. No allocation per record. Memory: a buffer of at most 256 KiB and one block; 1 MiB and one block for files with
/// blocks beyond 256 KiB.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/>, <see cref="MulticlassRecord"/> or
/// <see cref="LabelEvent"/>, as was written.</typeparam>
public sealed class ForwardRecordReader<TRecord> : IRecordReader<TRecord>
    where TRecord : struct, ILogRecord<TRecord>
{
    private const long InterleaveTolerance = TimeSpan.TicksPerSecond;

    private static readonly TimeSpan s_shortestPoll = TimeSpan.FromMilliseconds(1);

    private readonly TimeProvider _time;
    private readonly Dictionary<ulong, WriterPlace> _writers = [];
    private readonly List<WriterPlace> _pass = [];
    private readonly BlockScanner _scanner = new();
    private readonly byte[] _header = new byte[SegmentFormat.HeaderBytes];
    private readonly ulong[] _versions = new ulong[BlockFormat.MostVersions];
    private readonly int[] _classes = new int[BlockFormat.MostVersions];
    private byte[] _block = [];
    private BlockHeader _blockHeader;
    private int _next;
    private SafeFileHandle? _file;
    private WriterPlace? _place;
    private string _path = "";
    private long _length;
    private bool _disposed;
    private long _records;
    private long _blocks;
    private int _segments;
    private long _lost;
    private long _deleted;
    private long _duplicates;
    private long _damagedPlaces;
    private long _damagedBytes;
    private long _torn;
    private string? _latestDamage;

    /// <summary>Begins reading, or goes on where another reader was.</summary>
    /// <param name="directory">Folder of the segment files; it need not exist yet.</param>
    /// <param name="position">The other reader's <see cref="SavePosition"/>; null: begin at the oldest segment. Files deleted since are
    /// passed over; what they held is counted as deleted.</param>
    /// <param name="timeProvider">Clock for waiting; left out, the system's.</param>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty, or <paramref name="position"/> was of a reader of another
    /// kind of record.</exception>
    /// <exception cref="InvalidDataException"><paramref name="position"/> is no position, or damaged.</exception>
    /// <exception cref="NotSupportedException"><paramref name="position"/> is of a newer format.</exception>
    public ForwardRecordReader(string directory, byte[]? position = null, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        Directory = Path.GetFullPath(directory);
        _time = timeProvider ?? TimeProvider.System;
        if (position is null)
            return;
        ForwardRecordPosition saved = ForwardRecordPosition.Parse(position);
        if (saved.Kind != TRecord.Kind)
            throw new ArgumentException($"The position is of a reader of {saved.Kind} records, and {TRecord.Kind} records were asked for.",
                nameof(position));
        foreach (WriterPosition writer in saved.Writers)
        {
            var place = new WriterPlace(in writer);
            _writers.Add(writer.Writer, place);
            if ((writer.State & PlaceState.Current) != 0)
                _place = place;
        }
    }

    /// <summary>Full path of the folder.</summary>
    public string Directory { get; }

    /// <summary>What this reader counted so far; a snapshot.</summary>
    public ForwardRecordReaderReport Report => new()
    {
        Records = _records,
        Blocks = _blocks,
        Segments = _segments,
        LostRecords = _lost,
        DeletedRecords = _deleted,
        DuplicateRecords = _duplicates,
        VanishedWriters = _writers.Values.Count(p => p.HasVanished),
        DamagedPlaces = _damagedPlaces,
        DamagedBytes = _damagedBytes,
        TornBytes = _torn,
        LatestDamage = _latestDamage,
    };

    RecordReaderReport IRecordReader<TRecord>.Report => Report;

    /// <summary>Reads what is there now. An error comes after the records that were read before it, and again until its cause is gone:
    /// nothing is lost by catching it.</summary>
    /// <param name="records">Out: filled from the start.</param>
    /// <returns>Number of records read, at most the length of <paramref name="records"/>. 0 when there is nothing new at the
    /// moment.</returns>
    /// <exception cref="NotSupportedException">A file is of a newer format; the message names file, offset, version found and version
    /// allowed.</exception>
    /// <exception cref="InvalidDataException">A file holds records of another kind.</exception>
    /// <exception cref="IOException">A file cannot be read; or somebody else has had it locked for 30 s, which Read waits.</exception>
    /// <exception cref="ObjectDisposedException">The reader is closed.</exception>
    public int Read(Span<TRecord> records)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int filled = 0;
        bool listed = false;
        while (filled < records.Length)
        {
            if (_next < _blockHeader.Count)
            {
                filled += Decode(records[filled..]);
                continue;
            }

            try
            {
                if (TryNextBlock())
                    continue;
                if (filled > 0 || listed)
                    break;
                List();
                listed = true;
            }
            catch (Exception) when (filled > 0)
            {
                break;                                      // these first: the next call meets the error again
            }
        }

        _records += filled;
        return filled;
    }

    /// <summary>Reads, and while there is nothing new waits for it: the way to follow a log.</summary>
    /// <param name="records">Out: filled from the start; at least one long.</param>
    /// <param name="poll">How often to look, at least 1 ms.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Number of records read, ≥ 1.</returns>
    /// <exception cref="ArgumentException"><paramref name="records"/> is empty, or <paramref name="poll"/> below 1 ms.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="NotSupportedException">A file is of a newer format.</exception>
    /// <exception cref="InvalidDataException">A file holds records of another kind.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public async ValueTask<int> ReadAsync(Memory<TRecord> records, TimeSpan poll, CancellationToken cancellationToken = default)
    {
        if (records.IsEmpty)
            throw new ArgumentException("There must be room for at least one record.", nameof(records));
        ArgumentOutOfRangeException.ThrowIfLessThan(poll, s_shortestPoll);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read = Read(records.Span);
            if (read > 0)
                return read;
            await Task.Delay(poll, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The place after the records that were given out: another reader, told this, gives what comes next. 40 bytes for each writer
    /// whose files are there, and 24 more.</summary>
    /// <returns>Bytes with a checksum, bound to the directory's content and not to its path. Saved together with what was made of the
    /// records, they let another reader go on without loss or repetition.</returns>
    public byte[] SavePosition() => new ForwardRecordPosition(TRecord.Kind,
        [.. _writers.Values.Where(p => !p.HasVanished).OrderBy(p => p.Writer).Select(ToPosition)]).ToArray();

    /// <summary>Tells the logs of this directory that what was given out so far has been dealt with: those that name this reader in
    /// <see cref="ForwardRecordLogOptions.KeepUnread"/> keep what comes after.</summary>
    /// <remarks>Call it when what was made of the records is safe. Written as NAME.position beside the segments, and whole at any time;
    /// <c>new ForwardRecordReader(directory, File.ReadAllBytes(...))</c> goes on from it.</remarks>
    /// <param name="name">1 to 100 of the characters a-z, 0-9, '-', '_' and '.', not beginning with '.'.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty, longer, or has other characters.</exception>
    /// <exception cref="IOException">The file cannot be written; the former one is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory is not writable for this user.</exception>
    public void SavePositionAs(string name) =>
        ReaderPositions.Save(Directory, ReaderPositions.Checked(name, nameof(name)), SavePosition());

    /// <summary>Closes the file being read.</summary>
    public void Dispose()
    {
        _disposed = true;
        _file?.Dispose();
        _file = null;
    }

    private int Decode(Span<TRecord> records)
    {
        int size = TRecord.EncodedBytes;
        int count = Math.Min(records.Length, _blockHeader.Count - _next);
        ReadOnlySpan<byte> bytes = _block.AsSpan(BlockFormat.HeaderBytes + (_next * size), count * size);
        long first = _blockHeader.BaseTicks, step = _blockHeader.TicksPerStep;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> place = bytes.Slice(i * size, size);
            uint timeAndVersion = BinaryPrimitives.ReadUInt16LittleEndian(place[8..]);
            long ticks = Math.Min(DateTime.MaxValue.Ticks, first + ((timeAndVersion & 0xFFF) * step));
            int version = (int)(timeAndVersion >> 12);
            records[i] = TRecord.Read(
                BinaryPrimitives.ReadUInt64LittleEndian(place),
                _versions[version],
                _classes[version],
                new DateTime(ticks, DateTimeKind.Utc),
                BinaryPrimitives.ReadUInt16LittleEndian(place[10..]),
                place[12..]);
        }

        _next += count;
        return count;
    }

    /// <summary>Moves to the next block that holds something new; false at the end of this pass over the writers.</summary>
    private bool TryNextBlock()
    {
        while (true)
        {
            if (_file is not null && IsAhead(_place!))
                Suspend();
            if (_file is null && !TryOpenNext())
                return false;
            while (_scanner.TryNext(_file!, _length, out BlockHeader header, out ReadOnlySpan<byte> block))
            {
                if (_scanner.Damaged > 0)
                    CountDamage(_place!.Offset, _scanner.Damaged, "no whole block");
                _place!.Offset = _scanner.Offset;
                if (header.Kind != TRecord.Kind || header.RecordBytes != TRecord.EncodedBytes || header.Writer != _place.Writer)
                {
                    CountDamage(_scanner.Offset - header.Bytes, header.Bytes, "a block of another file");
                    continue;
                }

                if (Take(in header, block))
                    return true;
            }

            LeaveFile();
        }
    }

    /// <summary>Checks a block's number against what this writer has shown so far; true when there is something new in it.</summary>
    private bool Take(in BlockHeader header, ReadOnlySpan<byte> block)
    {
        WriterPlace place = _place!;
        long first = header.FirstSequence, end = first + header.Count;
        if (place.NextSequence < 0)
            place.NextSequence = place.Ordinal == 0 ? 0 : first;
        long gap = first - place.NextSequence;
        if (gap > 0 && place.Jumped)
            _deleted += gap;
        else if (gap > 0)
            _lost += gap;
        place.Jumped = false;
        place.Ended |= header.IsEnd;
        int seen = (int)Math.Clamp(-gap, 0, header.Count);
        if (!place.InsideBlock)
            _duplicates += seen;
        place.InsideBlock = false;
        if (header.IsEnd)
        {
            place.NextSequence = Math.Max(place.NextSequence, first);
            return false;
        }

        _blocks++;
        if (seen == header.Count)
            return false;
        place.NextSequence = end;
        place.LatestTicks = Math.Max(place.LatestTicks, header.BaseTicks + (BlockFormat.MostTimeSteps * header.TicksPerStep));

        if (_block.Length < block.Length)
            _block = new byte[block.Length];
        block.CopyTo(_block);
        _blockHeader = header;
        _next = seen;
        ReadOnlySpan<byte> versions = block[^(header.Versions * BlockFormat.VersionBytes)..];
        for (int i = 0; i < header.Versions; i++)
        {
            _versions[i] = BinaryPrimitives.ReadUInt64LittleEndian(versions[(i * BlockFormat.VersionBytes)..]);
            _classes[i] = BinaryPrimitives.ReadInt32LittleEndian(versions[((i * BlockFormat.VersionBytes) + 8)..]);
        }

        return true;
    }

    /// <summary>Lists the files there are and plans to visit every writer once.</summary>
    private void List()
    {
        foreach (WriterPlace place in _writers.Values)
        {
            place.IsCut |= place.HasUnread;
            place.Listed.Clear();
            place.HasFiles = false;
        }

        _pass.Clear();
        var folder = new DirectoryInfo(Directory);
        if (!folder.Exists)
            return;                                         // it may come back, as a share does
        AddFiles(folder, onlyGaps: false);
        if (_writers.Values.Any(p => p.HasGap))
            AddFiles(folder, onlyGaps: true);

        foreach (WriterPlace place in _writers.Values.OrderBy(p => p.Writer))
        {
            // One whose last file was read to its end does not come back. Another one may: its directory was deleted, and it is about to
            // make a new one.
            place.HasVanished = !place.HasFiles && place.IsCut;
            if (!place.HasFiles && !place.IsCut)
                _writers.Remove(place.Writer);
            if (place.Listed.Count > 0)
                _pass.Add(place);
        }
    }

    /// <summary>Adds the files there are to the writers' lists. While a writer goes from file to file, a listing may show a later one and
    /// not an earlier one; the listing after it shows all up to that one.</summary>
    private void AddFiles(DirectoryInfo folder, bool onlyGaps)
    {
        foreach (FileInfo file in folder.EnumerateFiles("*" + SegmentFormat.Extension))
        {
            if (!SegmentFormat.TryParse(file.Name, out ulong writer, out uint ordinal))
                continue;
            if (!_writers.TryGetValue(writer, out WriterPlace? place))
            {
                if (onlyGaps)
                    continue;
                _writers.Add(writer, place = new WriterPlace(writer));
            }

            if (onlyGaps && (place.Listed.Count == 0 || ordinal >= place.Listed.Max))
                continue;
            place.HasFiles = true;
            if (!place.IsBegun || ordinal > place.Ordinal || (ordinal == place.Ordinal && !place.Left))
                place.List(ordinal, file);
        }
    }

    /// <summary>Opens the file to go on with: the current one of the next writer in the pass, or the one after it when that is finished or
    /// gone.</summary>
    private bool TryOpenNext()
    {
        while (_pass.Count > 0)
        {
            WriterPlace place = FurthestBehind();
            if (place.Listed.Count == 0)
            {
                _pass.Remove(place);
                continue;
            }

            uint ordinal = place.Listed.Min;
            if (!place.IsBegun || ordinal != place.Ordinal)
            {
                place.Jumped = place.IsBegun && ordinal != place.Ordinal + 1;
                if (place.IsBegun && !place.Ended && !place.Left)
                    place.Jumped = true;                    // its last file was deleted before its end was read
                place.Begin(ordinal);
            }

            if (place.Ended)
            {
                place.Leave();
                continue;
            }

            _path = Path.Combine(Directory, SegmentFormat.FileName(place.Writer, ordinal));
            _file = Open(_path);
            if (_file is null)
            {
                place.IsCut |= place.HasUnread;
                place.Listed.Remove(ordinal);
                continue;
            }

            _place = place;
            place.IsCut = false;
            bool isBegun;
            try
            {
                _length = RandomAccess.GetLength(_file);
                isBegun = place.IsChecked || TryBegin(place);
            }
            catch
            {
                Suspend();
                throw;
            }

            if (!isBegun)
            {
                LeaveFile();
                continue;
            }

            _scanner.MoveTo(place.Offset);
            return true;
        }

        return false;
    }

    /// <summary>Opens a file; null when it is gone. A log that finishes or deletes it is alone with it for a moment: that is waited for,
    /// because whatever is read meanwhile of others would make its records late.</summary>
    private static SafeFileHandle? Open(string path)
    {
        const int MostMilliseconds = 30_000;
        long until = Environment.TickCount64 + MostMilliseconds;
        while (true)
        {
            SafeFileHandle? file = DiskStorage.TryOpenToRead(path, out bool exists);
            if (file is not null || !exists)
                return file;
            if (Environment.TickCount64 >= until)
                throw new IOException($"{path} cannot be read: for {MostMilliseconds / 1000} s another process has had it locked for "
                    + $"itself. Let go of the file, and read on.");
            Thread.Sleep(1);
        }
    }

    /// <summary>Looks at a file's header; false while it is not there yet.</summary>
    private bool TryBegin(WriterPlace place)
    {
        if (_length < SegmentFormat.HeaderBytes)
            return false;
        int read = RandomAccess.Read(_file!, _header, 0);
        if (SegmentFormat.Check(_header.AsSpan(0, read), TRecord.Kind, _path))
            place.Offset = SegmentFormat.HeaderBytes;       // else it is skipped as damage: the blocks behind it stand for themselves
        _segments++;
        return place.IsChecked = true;
    }

    private void LeaveFile()
    {
        _file!.Dispose();
        _file = null;
        WriterPlace place = _place!;
        if (place.Ended || place.Listed.Count > 1)
        {
            // Later files were listed before this one was read to its end: nothing more will come here.
            if (!place.Ended)
                _torn += _length - place.Offset;
            place.Leave();
        }
        else
        {
            _pass.Remove(place);
        }
    }

    private WriterPosition ToPosition(WriterPlace place)
    {
        PlaceState current = place == _place ? PlaceState.Current : PlaceState.None;
        return _next < _blockHeader.Count && place == _place
            ? place.ToPosition(_blockHeader.Count - _next, _blockHeader.Bytes, current | PlaceState.InsideBlock)
            : place.ToPosition(0, 0, current);
    }

    /// <summary>Leaves a file for later in this pass.</summary>
    private void Suspend()
    {
        _file!.Dispose();
        _file = null;
    }

    private bool IsAhead(WriterPlace place)
    {
        foreach (WriterPlace other in _pass)
        {
            if (other != place && other.LatestTicks < place.LatestTicks - InterleaveTolerance)
                return true;
        }

        return false;
    }

    /// <summary>The writer to go on with: the same one until it is ahead, then the one furthest behind.</summary>
    private WriterPlace FurthestBehind()
    {
        if (_place is not null && _pass.Contains(_place) && !IsAhead(_place))
            return _place;
        WriterPlace furthest = _pass[0];
        foreach (WriterPlace place in _pass)
        {
            if (place.LatestTicks < furthest.LatestTicks)
                furthest = place;
        }

        return furthest;
    }

    private void CountDamage(long offset, long bytes, string what)
    {
        _damagedPlaces++;
        _damagedBytes += bytes;
        _latestDamage = $"{_path} at byte {offset}: {what}. {bytes} bytes skipped; reading went on at byte {offset + bytes}.";
    }

    /// <summary>How far the files of one writer are read.</summary>
    private sealed class WriterPlace(ulong writer)
    {
        public WriterPlace(in WriterPosition position)
            : this(position.Writer)
        {
            (Offset, NextSequence, LatestTicks, Ordinal) = (position.Offset, position.NextSequence, position.LatestTicks, position.Ordinal);
            IsBegun = (position.State & PlaceState.Begun) != 0;
            IsChecked = (position.State & PlaceState.Checked) != 0;
            Ended = (position.State & PlaceState.Ended) != 0;
            Left = (position.State & PlaceState.Left) != 0;
            Jumped = (position.State & PlaceState.Jumped) != 0;
            InsideBlock = (position.State & PlaceState.InsideBlock) != 0;
        }

        private readonly Dictionary<uint, long> _seen = [];

        public ulong Writer { get; } = writer;

        /// <summary>Files there are, ascending, from the current one on.</summary>
        public SortedSet<uint> Listed { get; } = [];

        /// <summary>A file is listed and one before it is not: deleted, never made, or added while the listing was under way.</summary>
        public bool HasGap => Listed.Count > 0 && (Listed.Min > (IsBegun ? Ordinal + 1L : 0) || Listed.Max - Listed.Min >= Listed.Count);

        /// <summary>Something was there that is not read: bytes of a listed file, or the end of the current one, of which a part was
        /// read.</summary>
        public bool HasUnread => Listed.Any(o => _seen.GetValueOrDefault(o) > (IsBegun && o == Ordinal
            ? Math.Max(Offset, SegmentFormat.HeaderBytes) : SegmentFormat.HeaderBytes))
            || (IsBegun && !Ended && !Left && (InsideBlock || Offset > SegmentFormat.HeaderBytes));

        /// <summary>A file was gone when something in it was not read, and none of this writer was opened since.</summary>
        public bool IsCut { get; set; }

        /// <summary>There is no file of this writer any more, and the last one was not read to its end.</summary>
        public bool HasVanished { get; set; }

        /// <summary>The latest listing had a file of this writer, read or not.</summary>
        public bool HasFiles { get; set; }

        public bool IsBegun { get; private set; }

        public uint Ordinal { get; private set; }

        public long Offset { get; set; }

        /// <summary>The current file's header was looked at.</summary>
        public bool IsChecked { get; set; }

        /// <summary>The current file's end mark was read.</summary>
        public bool Ended { get; set; }

        /// <summary>The current file is dealt with.</summary>
        public bool Left { get; private set; }

        /// <summary>Files between the previous one and this one are missing.</summary>
        public bool Jumped { get; set; }

        public long NextSequence { get; set; } = -1;

        /// <summary>The latest time seen in this writer's blocks, in ticks.</summary>
        public long LatestTicks { get; set; } = -1;

        /// <summary>The next block was given out in part already, by the reader whose position this was.</summary>
        public bool InsideBlock { get; set; }

        /// <summary>This place, before the last records and bytes.</summary>
        public WriterPosition ToPosition(int records, int bytes, PlaceState state) => new(
            Writer,
            Offset - bytes,
            NextSequence - records,
            LatestTicks,
            Ordinal,
            state | (IsBegun ? PlaceState.Begun : 0) | (IsChecked ? PlaceState.Checked : 0) | (Ended ? PlaceState.Ended : 0) | (Left
                ? PlaceState.Left : 0) | (Jumped ? PlaceState.Jumped : 0) | (InsideBlock ? PlaceState.InsideBlock : 0));

        /// <summary>Adds a file to those that there are, with what is in it now.</summary>
        public void List(uint ordinal, FileInfo file)
        {
            if (Listed.Add(ordinal))
                _seen[ordinal] = file.Exists ? file.Length : 0;
        }

        public void Begin(uint ordinal) => (IsBegun, Ordinal, Offset, IsChecked, Ended, Left) = (true, ordinal, 0, false, false, false);

        public void Leave()
        {
            Left = true;
            Listed.Remove(Ordinal);
            _seen.Remove(Ordinal);
        }
    }
}
