using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Brings records and labels together by key, in whatever order they come: push events, pull rows.</summary>
/// <remarks>
/// <para>Time is the events' own; no clock is read. The watermark is the latest time pushed, or what <see cref="AdvanceTo"/> said. An
/// event's window lasts until the watermark is more than
/// <see cref="LabelJoinOptions.Wait"/> + <see cref="LabelJoinOptions.Lateness"/> after it: so long its key is remembered, a record waits
/// for labels and a label for its record. An event older than that when it is pushed is late: dropped and counted. The same pushes
/// therefore give the same rows, and pushing events again gives no row a second time, however much later.</para>
/// <para>Push takes what there is room for: when it takes less than it was given, pull rows with <see cref="Read"/> until there are none
/// and push the rest. docs/recording.md, "The join", is the contract.</para>
/// <para>An entry takes at most 40 bytes with its share of the index (multiclass 56), and the joiner 2 MiB; chunks of 16,384 entries are
/// allocated as needed and reused. No allocation per event or row. Times are kept in whole milliseconds, up to the year 2229. Not
/// thread-safe.</para>
/// </remarks>
/// <example><code>
/// var joiner = new LabelJoiner&lt;BinaryRecord&gt;(new LabelJoinOptions { Wait = TimeSpan.FromHours(6), DefaultLabel = 0 });
/// for (int taken = 0; taken &lt; labels.Length;)
/// {
///     taken += joiner.Push(labels[taken..]);
///     for (int n; (n = joiner.Read(rows)) > 0;)
///         Use(rows[..n]);
/// }
/// </code></example>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>.</typeparam>
public sealed class LabelJoiner<TRecord>
    where TRecord : struct, IForwardRecord<TRecord>
{
    private const int MostReady = 1 << 16;                  // rows that may wait to be pulled before Push takes no more
    // events whose memory is fetched, all at once, while those before them are dealt with
    private const int Ahead = 16;
    private const int HeadBytes = 56;
    private const ushort StateVersion = 1;

    private readonly PendingEntries<TRecord> _entries = new();
    private readonly PendingIndex _index = new();
    private readonly Queue<long> _ready = new();
    private readonly long[] _counts = new long[Enum.GetValues<Counted>().Length];
    private readonly long[] _published = new long[Enum.GetValues<Counted>().Length];
    private readonly long _wait;
    private readonly long _reach;
    private long _watermark = -1;
    private long _latest = -1;                              // the watermark as the events have it, without windows ended for lack of room

    /// <summary>Makes an empty joiner.</summary>
    /// <param name="options">The rules; left out, the defaults.</param>
    /// <param name="limit">How much may wait; left out, the defaults.</param>
    /// <exception cref="ArgumentException">Labels of classes cannot be summed or averaged.</exception>
    public LabelJoiner(LabelJoinOptions? options = null, PendingLimit? limit = null)
    {
        Options = options ?? new LabelJoinOptions();
        Limit = limit ?? new PendingLimit();
        if (Options.Duplicates is DuplicateLabels.Sum or DuplicateLabels.Mean && TRecord.Kind != RecordKind.Regression)
            throw new ArgumentException($"{nameof(LabelJoinOptions)}.{nameof(LabelJoinOptions.Duplicates)} must be "
                + $"{nameof(DuplicateLabels.First)} or {nameof(DuplicateLabels.Last)} for {TRecord.Kind} records: labels of classes have "
                + $"no sum or mean. Got {Options.Duplicates}.", nameof(options));
        _wait = Milliseconds(Options.Wait);
        _reach = _wait + Milliseconds(Options.Lateness);
    }

    /// <summary>The rules.</summary>
    public LabelJoinOptions Options { get; }

    /// <summary>How much may wait.</summary>
    public PendingLimit Limit { get; }

    /// <summary>The latest time pushed or advanced to, UTC; <c>default</c> before the first.</summary>
    public DateTime Watermark => _watermark < 0 ? default : new DateTime(
        Math.Min(_watermark, DateTime.MaxValue.Ticks / TimeSpan.TicksPerMillisecond) * TimeSpan.TicksPerMillisecond, DateTimeKind.Utc);

    /// <summary>What was counted so far; a snapshot.</summary>
    public LabelJoinReport Report => new()
    {
        Records = _counts[(int)Counted.Records],
        Labels = _counts[(int)Counted.Labels],
        Joined = _counts[(int)Counted.Joined],
        Defaulted = _counts[(int)Counted.Defaulted],
        Expired = _counts[(int)Counted.Expired],
        Voided = _counts[(int)Counted.Voided],
        DuplicateRecords = _counts[(int)Counted.DuplicateRecords],
        DuplicateLabels = _counts[(int)Counted.DuplicateLabels],
        LateRecords = _counts[(int)Counted.LateRecords],
        LateLabels = _counts[(int)Counted.LateLabels],
        OrphanLabels = _counts[(int)Counted.OrphanLabels],
        EndedEarly = _counts[(int)Counted.EndedEarly],
        PendingRecords = _counts[(int)Counted.PendingRecords],
        PendingEntries = _entries.Count,
        PendingBytes = _entries.Bytes + _index.Bytes,
    };

    /// <summary>Reading would give rows or make room.</summary>
    internal bool HasDue => _ready.Count > 0 || HasEnded;

    /// <summary>Takes no new key until a window ends.</summary>
    internal bool IsFull => _entries.Count >= Limit.MaximumEntries;

    private bool HasEnded => _entries.Count > 0 && !IsOpen(_entries[_entries.Head].Time);

    /// <summary>Takes records, in order, as long as there is room.</summary>
    /// <param name="records">The records; one without a time counts as of the watermark.</param>
    /// <returns>How many were taken, from the first. Fewer than given: pull rows until there are none, then push the rest; when that frees
    /// nothing either (<see cref="JoinOverflow.Refuse"/>), the watermark has to move on first.</returns>
    /// <exception cref="ArgumentException">The very first event has no time.</exception>
    public int Push(ReadOnlySpan<TRecord> records)
    {
        FetchSlots(Some(records, 0));
        for (int start = 0; start < records.Length; start += Ahead)
        {
            FetchSlots(Some(records, start + Ahead));
            Span<TRecord> some = Some(records, start);
            for (int i = 0; i < some.Length; i++)
            {
                if (!TryPush(ref some[i]))
                    return start + i;
            }
        }

        return records.Length;
    }

    /// <summary>Takes labels, in order, as long as there is room.</summary>
    /// <param name="labels">The labels; one without a time counts as of the watermark.</param>
    /// <returns>How many were taken, from the first; see <see cref="Push(ReadOnlySpan{TRecord})"/>.</returns>
    /// <exception cref="ArgumentException">The very first event has no time.</exception>
    public int Push(ReadOnlySpan<LabelEvent> labels)
    {
        FetchSlots(Some(labels, 0));
        FetchSlots(Some(labels, Ahead));
        FetchEntries(Some(labels, 0));
        for (int start = 0; start < labels.Length; start += Ahead)
        {
            FetchSlots(Some(labels, start + (2 * Ahead)));
            FetchEntries(Some(labels, start + Ahead));
            Span<LabelEvent> some = Some(labels, start);
            for (int i = 0; i < some.Length; i++)
            {
                if (!TryPush(in some[i]))
                    return start + i;
            }
        }

        return labels.Length;
    }

    /// <summary>Says that no event older than this will come any more: for streams that pause.</summary>
    /// <param name="time">The new watermark; one that is not after the present one changes nothing.</param>
    /// <exception cref="ArgumentException"><paramref name="time"/> is neither UTC nor local.</exception>
    public void AdvanceTo(DateTime time)
    {
        if (RecordTime.Checked(time).Ticks > 0)
            _ = Observe(RecordTime.Checked(time));
    }

    /// <summary>Says that nothing more will come: every window ends. What is pushed afterwards is late.</summary>
    public void Complete() => _watermark = _latest = PendingEntry.LatestTime + _reach + 1;

    /// <summary>Advances just past the oldest window; false when that ends after a moment.</summary>
    internal bool TryAdvancePastOldest(DateTime most)
    {
        long end = _entries[_entries.Head].Time + _reach + 1;
        if (end > most.Ticks / TimeSpan.TicksPerMillisecond)
            return false;
        _latest = Math.Max(_latest, end);
        _watermark = Math.Max(_watermark, _latest);
        return true;
    }

    /// <summary>Gives out rows: first those whose record and label have met, then those whose window has ended.</summary>
    /// <param name="rows">Out: filled from the start.</param>
    /// <returns>Number of rows; 0 when there are none at the moment.</returns>
    public int Read(Span<JoinedRecord> rows)
    {
        int filled = 0;
        while (filled < rows.Length)
        {
            if (_ready.TryDequeue(out long ready))
            {
                PendingEntry entry = _entries[ready];
                entry.State = (entry.State & ~EntryState.Ready) | EntryState.Done;
                if (TryGive(ready, out rows[filled]))
                    filled++;
            }
            else if (HasEnded)
            {
                if (TryEndHead(out rows[filled]))
                    filled++;
            }
            else
            {
                break;
            }
        }

        if (JoinMeters.IsListenedTo)
            Publish();
        return filled;
    }

    /// <summary>Writes the whole state: rules, counts, entries and rows not yet given out. 28 bytes an entry (multiclass 44): 1.4 GB for 50
    /// million.</summary>
    /// <param name="stream">Written from its position on. Flushing and closing it is the caller's.</param>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="IOException">The stream refuses.</exception>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        StateSections sections = Sections(stream);
        Span<byte> head = stackalloc byte[HeadBytes];
        head.Clear();
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt16LittleEndian(head[8..], StateVersion);
        head[10] = (byte)TRecord.Kind;
        head[11] = (byte)Options.Duplicates;
        BinaryPrimitives.WriteSingleLittleEndian(head[12..], Options.DefaultLabel ?? float.NaN);
        BinaryPrimitives.WriteInt64LittleEndian(head[16..], _wait);
        BinaryPrimitives.WriteInt64LittleEndian(head[24..], _reach - _wait);
        BinaryPrimitives.WriteInt64LittleEndian(head[32..], _watermark);
        BinaryPrimitives.WriteInt64LittleEndian(head[40..], _latest);
        sections.Write(head);
        sections.Write(_counts);
        _entries.Save(sections);
        sections.Write(_ready.ToArray());
    }

    /// <summary>Reads a state back.</summary>
    /// <param name="stream">At the place where <see cref="Save"/> began to write; read up to where it ended.</param>
    /// <param name="options">The rules, as they were.</param>
    /// <param name="limit">How much may wait; it may be another.</param>
    /// <returns>A joiner that goes on as the saved one would have.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="ArgumentException">The state was saved under other rules; the message names the option, its value then and
    /// now.</exception>
    /// <exception cref="InvalidDataException">The state is damaged, or of another kind of record.</exception>
    /// <exception cref="NotSupportedException">The state is of a newer format.</exception>
    public static LabelJoiner<TRecord> Load(Stream stream, LabelJoinOptions? options = null, PendingLimit? limit = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var joiner = new LabelJoiner<TRecord>(options, limit);
        joiner.Load(Sections(stream));
        return joiner;
    }

    private static ReadOnlySpan<byte> Magic => "FSRJOIN\n"u8;

    private static StateSections Sections(Stream stream) => new(stream, "The joiner's saved state");

    private static long Milliseconds(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMillisecond;

    private void Load(StateSections sections)
    {
        ReadOnlySpan<byte> head = sections.Read(HeadBytes);
        if (!head.StartsWith(Magic))
            throw sections.Damaged("it does not begin as one");
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(head[8..]);
        if (version > StateVersion)
            throw new NotSupportedException(
                $"The joiner's saved state has format version {version}, and this library reads versions up to {StateVersion}.");
        if (head[10] != (byte)TRecord.Kind)
            throw new InvalidDataException(
                $"The joiner's saved state is of {(RecordKind)head[10]} records, and {TRecord.Kind} records were asked for.");
        float label = BinaryPrimitives.ReadSingleLittleEndian(head[12..]);
        RequireSame(nameof(LabelJoinOptions.Duplicates), (DuplicateLabels)head[11], Options.Duplicates);
        RequireSame(nameof(LabelJoinOptions.DefaultLabel), float.IsNaN(label) ? null : label, Options.DefaultLabel);
        RequireSame(nameof(LabelJoinOptions.Wait), Span(sections, head[16..]), Options.Wait);
        RequireSame(nameof(LabelJoinOptions.Lateness), Span(sections, head[24..]), Options.Lateness);
        _watermark = BinaryPrimitives.ReadInt64LittleEndian(head[32..]);
        _latest = BinaryPrimitives.ReadInt64LittleEndian(head[40..]);
        long last = PendingEntry.LatestTime + _reach + 1;
        if (_watermark < -1 || _watermark > last || _latest < -1 || _latest > last)
            throw sections.Damaged($"a watermark of {_watermark} and {_latest} ms, and -1 to {last} are allowed");
        sections.ReadNumbers(_counts.Length).CopyTo(_counts);
        _counts.CopyTo(_published, 0);                      // what another process counted is not this one's
        _entries.Load(sections, int.MaxValue);
        for (long n = _entries.Head; n < _entries.End; n++)
        {
            if (!_entries[n].Is(EntryState.Unindexed))
                _index.Add(PendingIndex.Hash(_entries.KeyOf(n)), n);
        }

        foreach (long n in sections.ReadNumbers())
        {
            if (n < _entries.Head || n >= _entries.End || !_entries[n].Is(EntryState.Ready))
                throw sections.Damaged($"entry {n} is not ready");
            _ready.Enqueue(n);
        }
    }

    private static TimeSpan Span(StateSections sections, ReadOnlySpan<byte> milliseconds)
    {
        long number = BinaryPrimitives.ReadInt64LittleEndian(milliseconds);
        return number is >= 0 and <= PendingEntry.LatestTime ? TimeSpan.FromMilliseconds(number)
            : throw sections.Damaged($"a time of {number} ms, and 0 to {PendingEntry.LatestTime} are allowed");
    }

    private static void RequireSame<T>(string option, T saved, T now)
    {
        if (!EqualityComparer<T>.Default.Equals(saved, now))
            throw new ArgumentException($"{nameof(LabelJoinOptions)}.{option} must be as it was when the joiner was saved, "
                + $"{Text(saved)}. Got {Text(now)}.", "options");

        static string Text(T value) => value is null ? "null" : string.Create(CultureInfo.InvariantCulture, $"{value}");
    }

    private bool IsOpen(long time) => time + _reach >= _watermark;

    /// <summary>Moves the watermark to an event's time; gives that time in milliseconds, or the watermark for an event without
    /// one.</summary>
    private long Observe(DateTime time)
    {
        if (time.Ticks == 0)
            return _latest >= 0 ? Math.Min(_latest, PendingEntry.LatestTime)
                : throw new ArgumentException("The first event must have a time: there is no watermark yet that could stand for it.");
        long milliseconds = Math.Min(time.Ticks / TimeSpan.TicksPerMillisecond, PendingEntry.LatestTime);
        _latest = Math.Max(_latest, milliseconds);
        _watermark = Math.Max(_watermark, _latest);
        return milliseconds;
    }

    /// <summary>Up to <see cref="Ahead"/> events from one on. They are not changed: a reference that could be written to spares the copies
    /// that a call through an interface makes of what is read-only.</summary>
    private static Span<TEvent> Some<TEvent>(ReadOnlySpan<TEvent> events, int start)
        => start >= events.Length ? default
            : MemoryMarshal.CreateSpan(ref Unsafe.AsRef(in events[start]), Math.Min(Ahead, events.Length - start));

    /// <summary>With many entries no slot is in a cache, nor its page known: asking for many together makes the waits overlap.</summary>
    private void FetchSlots<TEvent>(Span<TEvent> events)
        where TEvent : struct, ILogRecord<TEvent>
    {
        foreach (ref TEvent one in events)
            _index.Prefetch(PendingIndex.Hash(one.Key));
    }

    /// <summary>The same for the entries that labels will probably meet.</summary>
    private void FetchEntries(ReadOnlySpan<LabelEvent> labels)
    {
        foreach (ref readonly LabelEvent label in labels)
            _entries.Prefetch(_entries.NumberOf(_index.Guess(PendingIndex.Hash(label.Key))));
    }

    private bool TryPush(ref TRecord record)
    {
        if (_ready.Count >= MostReady)
            return false;
        long time = Observe(record.Time);
        if (!IsOpen(time))
        {
            Count(Counted.Records);
            Count(Counted.LateRecords);
            return true;
        }

        ulong hash = PendingIndex.Hash(record.Key);
        long former = _index.Find(hash, record.Key, _entries);
        bool isKnown = former >= 0 && IsOpen(_entries[former].Time);
        if (isKnown && _entries[former].Is(EntryState.Record))
        {
            Count(Counted.Records);
            Count(Counted.DuplicateRecords);
            return true;
        }

        if (!HasRoom())
            return false;
        long n = _entries.AddRecord(ref record, time);
        Index(hash, former, n);
        Count(Counted.Records);
        Count(Counted.PendingRecords);
        if (isKnown && Math.Abs(_entries[former].Time - time) <= _wait)
        {
            PendingEntry waiting = _entries[former], entry = _entries[n];
            (entry.Label, entry.LabelCount) = (waiting.Label, waiting.LabelCount);
            waiting.State |= EntryState.Done;
            MakeReady(n);
        }

        return true;
    }

    private bool TryPush(in LabelEvent label)
    {
        if (_ready.Count >= MostReady)
            return false;
        long time = Observe(label.Time);
        ulong hash = PendingIndex.Hash(label.Key);
        long former = _index.Find(hash, label.Key, _entries);
        bool isKnown = former >= 0 && IsOpen(_entries[former].Time);
        if (isKnown)
        {
            PendingEntry entry = _entries[former];
            bool isInWindow = Math.Abs(entry.Time - time) <= _wait;
            if (isInWindow || entry.Is(EntryState.Record))
            {
                Count(Counted.Labels);
                if (isInWindow)
                    Combine(former, label.Label);
                else
                    Count(Counted.LateLabels);
                return true;
            }
        }

        if (!IsOpen(time))
        {
            Count(Counted.Labels);
            Count(Counted.LateLabels);
            return true;
        }

        if (!HasRoom())
            return false;
        long n = _entries.AddLabel(label.Key, time);
        Index(hash, former, n);
        Count(Counted.Labels);
        Combine(n, label.Label);
        return true;
    }

    private bool HasRoom()
    {
        if (!IsFull)
            return true;
        if (Limit.Overflow == JoinOverflow.EndOldestWindow)
            _watermark = Math.Max(_watermark, _entries[_entries.Head].Time + _reach + 1);
        return false;
    }

    /// <summary>Lets an entry stand for its key, instead of a former one if there is one.</summary>
    private void Index(ulong hash, long former, long n)
    {
        if (former < 0)
        {
            _index.Add(hash, n);
            return;
        }

        PendingEntry entry = _entries[former];
        entry.State |= EntryState.Unindexed;
        _index.Replace(hash, former, n);
    }

    private void Combine(long n, float label)
    {
        PendingEntry entry = _entries[n];
        int count = entry.LabelCount;
        if (count == 0)
        {
            entry.Label = label;
            entry.LabelCount = 1;
            if (entry.Is(EntryState.Record))
                MakeReady(n);
            return;
        }

        Count(Counted.DuplicateLabels);
        if (Options.Duplicates == DuplicateLabels.Last)
            entry.Label = label;
        else if (Options.Duplicates == DuplicateLabels.Sum
            || (Options.Duplicates == DuplicateLabels.Mean && count < PendingEntry.MostLabels))
            entry.Label += label;
        entry.LabelCount = Math.Min(count + 1, PendingEntry.MostLabels);
    }

    /// <summary>A record has its label: under First that is all it waits for.</summary>
    private void MakeReady(long n)
    {
        if (Options.Duplicates != DuplicateLabels.First)
            return;
        PendingEntry entry = _entries[n];
        entry.State |= EntryState.Ready;
        _ready.Enqueue(n);
    }

    private void FetchSlotsOf(long n)
    {
        for (long end = Math.Min(n + Ahead, _entries.End); n < end; n++)
            _index.Prefetch(PendingIndex.Hash(_entries.KeyOf(n)));
    }

    /// <summary>Drops the oldest entry, whose window has ended; true when that gives a row.</summary>
    private bool TryEndHead(out JoinedRecord row)
    {
        long n = _entries.Head;
        if (n % Ahead == 0)
            FetchSlotsOf(n + Ahead);
        PendingEntry entry = _entries[n];
        row = default;
        bool gives = false;
        if (!entry.Is(EntryState.Done))
        {
            if (entry.Time + _reach >= _latest)
                Count(Counted.EndedEarly);
            if (entry.Is(EntryState.Record))
                gives = TryGive(n, out row);
            else
                Count(Counted.OrphanLabels);
        }

        if (!entry.Is(EntryState.Unindexed))
            _index.Remove(PendingIndex.Hash(entry.Key), n);
        _entries.RemoveHead();
        return gives;
    }

    /// <summary>Makes a record's row of what labels it has; false when there is none, or a malformed one.</summary>
    private bool TryGive(long n, out JoinedRecord row)
    {
        PendingEntry entry = _entries[n];
        row = default;
        _counts[(int)Counted.PendingRecords]--;
        bool isDefault = entry.LabelCount == 0;
        if (isDefault && Options.DefaultLabel is null)
        {
            Count(Counted.Expired);
            return false;
        }

        float label = isDefault ? Options.DefaultLabel!.Value : Options.Duplicates == DuplicateLabels.Mean ? entry.Label / entry.LabelCount
            : entry.Label;
        TRecord record = _entries.RecordAt(n);
        if (!record.Accepts(label))
        {
            Count(Counted.Voided);
            return false;
        }

        Count(isDefault ? Counted.Defaulted : Counted.Joined);
        row = record.Join(label, isDefault);
        return true;
    }

    private void Count(Counted what) => _counts[(int)what]++;

    /// <summary>Gives the instruments what was counted since the last time.</summary>
    private void Publish()
    {
        JoinMeters.CountRecords(Take(Counted.Joined), "joined", TRecord.Kind);
        JoinMeters.CountRecords(Take(Counted.Defaulted), "defaulted", TRecord.Kind);
        JoinMeters.CountRecords(Take(Counted.Expired), "expired", TRecord.Kind);
        JoinMeters.CountRecords(Take(Counted.Voided), "voided", TRecord.Kind);
        JoinMeters.CountRecords(Take(Counted.DuplicateRecords), "duplicate", TRecord.Kind);
        JoinMeters.CountRecords(Take(Counted.LateRecords), "late", TRecord.Kind);
        JoinMeters.CountLabels(Take(Counted.LateLabels), "late", TRecord.Kind);
        JoinMeters.CountLabels(Take(Counted.OrphanLabels), "orphan", TRecord.Kind);
        JoinMeters.CountLabels(Take(Counted.DuplicateLabels), "duplicate", TRecord.Kind);

        long Take(Counted what)
        {
            long taken = _counts[(int)what] - _published[(int)what];
            _published[(int)what] = _counts[(int)what];
            return taken;
        }
    }

    private enum Counted
    {
        Records,
        Labels,
        Joined,
        Defaulted,
        Expired,
        Voided,
        DuplicateRecords,
        DuplicateLabels,
        LateRecords,
        LateLabels,
        OrphanLabels,
        EndedEarly,
        PendingRecords,
    }
}
