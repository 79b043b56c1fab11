using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Joins a directory of records with a directory of labels, also while both are being written, and goes on after a restart where
/// it was saved.</summary>
/// <remarks>
/// <para>Both logs are read side by side and merged by time into a <see cref="LabelJoiner{TRecord}"/>. <see cref="Save"/> writes the two
/// places in the logs, the joiner's state and the number of rows given out into one file, at once: written under another name, forced to
/// the disk and renamed. A process killed at any moment goes on from its last save; nothing is lost, and the rows given out since then come
/// again. So each row has its effect once when the consumer replaces by <see cref="JoinedRecord.Key"/>, or keeps what it has made of rows
/// beyond <see cref="SavedRows"/> aside, also over a restart.</para>
/// <para>A state belongs to one join at a time: a second one is refused while the first is open, wherever it runs. A file with .lock behind
/// its name stays beside the state; it is empty, and locked while a join is open.</para>
/// <para>Not thread-safe. Memory: the joiner's, two readers' and about 1 MiB.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>, as was
/// written.</typeparam>
public sealed class ForwardRecordJoin<TRecord> : IDisposable
    where TRecord : struct, IForwardRecord<TRecord>
{
    private const ushort StateVersion = 2;                // 1 has no watermark asked for
    private const int HeadBytes = 24;
    private const int MostPositionBytes = 1 << 28;

    private readonly IRecordReader<TRecord> _records;
    private readonly IRecordReader<LabelEvent> _labels;
    private readonly LabelJoiner<TRecord> _joiner;
    private readonly JoinFeed<TRecord> _feed;
    private readonly SafeFileHandle? _lock;
    // the watermark that the caller asked for, once what the logs hold now is pushed
    private DateTime _advance;
    private bool _completes;
    private readonly Lock _disposing = new();
    private bool _disposed;

    /// <summary>Begins a join of two logs, or goes on with the one that was saved.</summary>
    /// <param name="recordDirectory">Folder of the records' log; it need not exist yet.</param>
    /// <param name="labelDirectory">Folder of the labels' log, another one; it need not exist yet.</param>
    /// <param name="statePath">File that <see cref="Save"/> writes; if it is there, the join goes on from it. Null: begin at the oldest
    /// records and never save.</param>
    /// <param name="options">The rules; left out, the defaults.</param>
    /// <param name="limit">How much may wait in memory; left out, the defaults.</param>
    /// <exception cref="ArgumentException">A folder is empty, both are the same, or the state was saved under other rules.</exception>
    /// <exception cref="InvalidDataException">The state is damaged, or of another kind of record.</exception>
    /// <exception cref="NotSupportedException">The state is of a newer format.</exception>
    /// <exception cref="IOException">The state cannot be read, its folder cannot be written, or another join has it in use.</exception>
    public ForwardRecordJoin(string recordDirectory, string labelDirectory, string? statePath = null, LabelJoinOptions? options = null,
        PendingLimit? limit = null)
        : this(Reading<TRecord>(recordDirectory, nameof(recordDirectory)),
            Reading<LabelEvent>(labelDirectory, nameof(labelDirectory), recordDirectory), statePath, options, limit)
    {
    }

    /// <summary>Begins a join of whatever two readers read, or goes on with the one that was saved.</summary>
    /// <param name="openRecords">Opens the reader of records, at its beginning (null) or at a position that such a reader had saved. The
    /// join disposes of it.</param>
    /// <param name="openLabels">The same for labels.</param>
    /// <param name="statePath">File that <see cref="Save"/> writes; if it is there, the join goes on from it. Null: begin anew and never
    /// save.</param>
    /// <param name="options">The rules; left out, the defaults.</param>
    /// <param name="limit">How much may wait in memory; left out, the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="openRecords"/> or <paramref name="openLabels"/> is null.</exception>
    /// <exception cref="ArgumentException">The state was saved under other rules.</exception>
    /// <exception cref="InvalidDataException">The state is damaged, or of another kind of record.</exception>
    /// <exception cref="NotSupportedException">The state is of a newer format.</exception>
    /// <exception cref="IOException">The state cannot be read, its folder cannot be written, or another join has it in use.</exception>
    public ForwardRecordJoin(Func<byte[]?, IRecordReader<TRecord>> openRecords, Func<byte[]?,
        IRecordReader<LabelEvent>> openLabels, string? statePath = null, LabelJoinOptions? options = null, PendingLimit? limit = null)
    {
        ArgumentNullException.ThrowIfNull(openRecords);
        ArgumentNullException.ThrowIfNull(openLabels);
        StatePath = statePath is null ? null : Path.GetFullPath(statePath);

        byte[]? records = null, labels = null;
        StateSections? sections = null;
        _lock = StatePath is null ? null : Lock(StatePath);
        try
        {
            ushort version = 0;
            using FileStream? stream = StatePath is not null && File.Exists(StatePath)
                ? new FileStream(StatePath, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16) : null;
            if (stream is not null)
            {
                sections = new StateSections(stream, StatePath!);
                Rows = SavedRows = ReadHead(sections, out version);
                records = sections.ReadUpTo(MostPositionBytes).ToArray();
                labels = sections.ReadUpTo(MostPositionBytes).ToArray();
                _joiner = LabelJoiner<TRecord>.Load(stream, options, limit);
            }

            _joiner ??= new LabelJoiner<TRecord>(options, limit);
            _records = openRecords(records);
            _labels = openLabels(labels);
            _feed = new JoinFeed<TRecord>(_joiner, to => _records.Read(to), to => _labels.Read(to));
            if (sections is not null)
            {
                _feed.Records.Load(sections);
                _feed.Labels.Load(sections);
                long asked = version > 1 ? BinaryPrimitives.ReadInt64LittleEndian(sections.Read(sizeof(long))) : 0;
                _completes = asked > DateTime.MaxValue.Ticks;
                _advance = new DateTime(Math.Clamp(asked, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Full path of the file that <see cref="Save"/> writes, or null.</summary>
    public string? StatePath { get; }

    /// <summary>Rows given out since the join began, over all restarts up to the last save.</summary>
    public long Rows { get; private set; }

    /// <summary>The <see cref="Rows"/> of the state that is in the file: those before come never again, those after come again when the
    /// join ends here.</summary>
    public long SavedRows { get; private set; }

    /// <summary>Where the state goes: the disk, or in a test something that fails.</summary>
    internal ISegmentStorage Storage { get; init; } = DiskStorage.Instance;

    /// <summary>What the joiner counted, over all restarts up to the last save.</summary>
    public LabelJoinReport Report => _joiner.Report;

    /// <summary>What this object's reader of records counted.</summary>
    public RecordReaderReport RecordReport => _records.Report;

    /// <summary>What this object's reader of labels counted.</summary>
    public RecordReaderReport LabelReport => _labels.Report;

    private static ReadOnlySpan<byte> Magic => "FSRJSTA\n"u8;

    /// <summary>Reads what the logs hold now and gives out the rows that are due. An error comes after the rows that were due before it,
    /// and again until its cause is gone: nothing is lost by catching it.</summary>
    /// <param name="rows">Out: filled from the start.</param>
    /// <returns>Number of rows, at most the length of <paramref name="rows"/>. 0 when there is nothing new at the moment.</returns>
    /// <exception cref="NotSupportedException">A log's file is of a newer format.</exception>
    /// <exception cref="InvalidDataException">A log's file holds records of another kind.</exception>
    /// <exception cref="IOException">A log's file cannot be read.</exception>
    /// <exception cref="ObjectDisposedException">The join is closed.</exception>
    public int Read(Span<JoinedRecord> rows)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        DateTimeOffset? began = JoinMeters.Begin();
        int filled = 0;
        while (true)
        {
            filled += _joiner.Read(rows[filled..]);
            try
            {
                if (filled == rows.Length || !(_feed.TryPush() || TryAdvance()))
                    break;
            }
            catch (Exception) when (filled > 0)
            {
                break;                                      // these first: the next call meets the error again
            }
        }

        Rows += filled;
        JoinMeters.EndSpan(began, filled, TRecord.Kind);
        return filled;
    }

    /// <summary>Says that no event older than this will come any more, so that windows end although the logs pause. What the logs hold
    /// already still counts: <see cref="Read"/> pushes it first.</summary>
    /// <param name="time">For a live join: now, less what the writers may lag behind. One before the watermark changes nothing.</param>
    /// <exception cref="ArgumentException"><paramref name="time"/> is neither UTC nor local.</exception>
    public void AdvanceTo(DateTime time)
    {
        time = RecordTime.Checked(time);
        _advance = time > _advance ? time : _advance;
    }

    /// <summary>Says that nothing more will come, for logs that are closed: <see cref="Read"/> gives what they still hold, then the rest of
    /// the rows.</summary>
    public void Complete() => _completes = true;

    /// <summary>Name under which each save tells the logs of both directories how far the saved state has read, for
    /// <see cref="ForwardRecordLogOptions.KeepUnread"/>. Readers of anything but segment files are told nothing.</summary>
    /// <value>1 to 100 of the characters a-z, 0-9, '-', '_' and '.', not beginning with '.'; default null: nothing is told.</value>
    /// <exception cref="ArgumentException">Empty, longer, or of other characters.</exception>
    public string? ReaderName { get; init => field = value is null ? null : ReaderPositions.Checked(value, nameof(ReaderName)); }

    /// <summary>Writes the state: either the former file stays, or the new one is whole.</summary>
    /// <remarks>One error comes after the new file has taken its place: the disk refuses to keep its name. <see cref="SavedRows"/> then
    /// counts this save, which is good unless the machine itself stops.</remarks>
    /// <exception cref="InvalidOperationException">No file was named.</exception>
    /// <exception cref="IOException">The file cannot be written; the former one is as it was, unless the message says that the state is
    /// saved.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder is not writable, or not readable, for this user; the former file is as it
    /// was.</exception>
    public void Save()
    {
        if (StatePath is null)
            throw new InvalidOperationException("The join was made without a file for its state: name one in the constructor.");
        Storage.CreateDirectory(Path.GetDirectoryName(AtomicFile.Target(StatePath))!, forced: true);
        bool isSaved = false;
        try
        {
            AtomicFile.Replace(StatePath, Write, Storage.FlushDirectory, renamed: () =>
            {
                isSaved = true;
                SavedRows = Rows;
            });
        }
        catch (Exception e) when (isSaved && (e is IOException or UnauthorizedAccessException))
        {
            throw new IOException($"The state is saved in {StatePath} and counts from now on, {SavedRows} rows; but the folder could not "
                + $"be forced to the disk, so that after a power failure the former state may be there. {e.Message}", e);
        }

        // Afterwards: a crash in between leaves positions that keep more than the state needs.
        if (ReaderName is null)
            return;
        try
        {
            (_records as ForwardRecordReader<TRecord>)?.SavePositionAs(ReaderName);
            (_labels as ForwardRecordReader<LabelEvent>)?.SavePositionAs(ReaderName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The state is saved in {StatePath} and counts from now on, {SavedRows} rows; but how far it has read "
                + $"could not be told to the logs, which keep more files for '{ReaderName}' until the next save. {e.Message}", e);
        }
    }

    /// <summary>Closes the files. Nothing is saved. A second call waits for the first.</summary>
    public void Dispose()
    {
        lock (_disposing)
        {
            if (!_disposed)
                Close();
        }
    }

    private void Close()
    {
        _disposed = true;
        try
        {
            _records?.Dispose();                            // null where opening failed
        }
        finally
        {
            try
            {
                _labels?.Dispose();
            }
            finally
            {
                _lock?.Dispose();                           // last: whoever goes on with the state finds all of it closed
            }
        }
    }

    /// <summary>Makes this join the only one of its state. The lock stands beside the state itself, so that a link to it is the same
    /// state.</summary>
    private static SafeFileHandle Lock(string statePath)
    {
        string target = AtomicFile.Target(statePath);
        AtomicFile.CreateFolder(Path.GetDirectoryName(target)!, forced: true);
        SafeFileHandle held = FileLock.TryTake(target + ".lock")
            ?? throw new IOException($"The state {statePath} is in use by another join, of this process or another one, which has locked "
                + $"{target}.lock: two would each give out all rows, and save over each other. Dispose of the other one first, or give "
                + $"this one a state of its own.");
        AtomicFile.Sweep(target);
        SweepFormer(target + ".new");
        return held;
    }

    /// <summary>Deletes what the first versions of this library left behind when they were killed while they saved; another file of that
    /// name stays.</summary>
    private static void SweepFormer(string path)
    {
        try
        {
            bool isOurs;
            using (FileStream stream = File.OpenRead(path))
            {
                Span<byte> head = stackalloc byte[16];
                head = head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
                isOurs = head.Length == 0 || (head.Length == 16 && head[8..].StartsWith(Magic));
            }

            if (isOurs)
                File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Moves the watermark as the caller asked, when the logs give nothing more; false when that was done already.</summary>
    private bool TryAdvance()
    {
        if (!_completes && _advance == default)
            return false;
        // Full, so that the logs may hold more: their events must not be late, so one window makes room at a time.
        if (_joiner.IsFull && _joiner.TryAdvancePastOldest(_completes ? DateTime.MaxValue : _advance))
            return true;
        if (_completes)
            _joiner.Complete();
        else
            _joiner.AdvanceTo(_advance);
        (_completes, _advance) = (false, default);
        return true;
    }

    /// <summary>Opens a log's folder, which is checked now: before the state, and before another folder is opened.</summary>
    private static Func<byte[]?, IRecordReader<T>> Reading<T>(string directory, string parameter, string? other = null)
        where T : struct, ILogRecord<T>
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory, parameter);
        directory = Path.GetFullPath(directory);
        if (other is not null && Path.TrimEndingDirectorySeparator(directory) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(other)))
            throw new ArgumentException($"Records and labels need a directory each. Got {directory} for both.", parameter);
        return position => new ForwardRecordReader<T>(directory, position);
    }

    private void Write(Stream stream)
    {
        var sections = new StateSections(stream, StatePath!);
        Span<byte> head = stackalloc byte[HeadBytes];
        head.Clear();
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt16LittleEndian(head[8..], StateVersion);
        BinaryPrimitives.WriteInt64LittleEndian(head[16..], Rows);
        sections.Write(head);
        sections.Write(_records.SavePosition());
        sections.Write(_labels.SavePosition());
        _joiner.Save(stream);
        sections.Write(_feed.Records.ToArray());
        sections.Write(_feed.Labels.ToArray());
        Span<byte> asked = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(asked, _completes ? long.MaxValue : _advance.Ticks);
        sections.Write(asked);
    }

    private static long ReadHead(StateSections sections, out ushort version)
    {
        ReadOnlySpan<byte> head = sections.Read(HeadBytes);
        if (!head.StartsWith(Magic))
            throw sections.Damaged("it does not begin as the state of a join");
        version = BinaryPrimitives.ReadUInt16LittleEndian(head[8..]);
        return version <= StateVersion
            ? BinaryPrimitives.ReadInt64LittleEndian(head[16..])
            : throw new NotSupportedException(
                $"The state of the join has format version {version}, and this library reads versions up to {StateVersion}.");
    }
}
