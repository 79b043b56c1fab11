using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Merges a stream of records and one of labels by their times into a joiner, with a small buffer of each.</summary>
/// <param name="joiner">Takes the events.</param>
/// <param name="readRecords">Fills an array from its start with what there is now; 0 when there is nothing.</param>
/// <param name="readLabels">The same for labels.</param>
internal sealed class JoinFeed<TRecord>(LabelJoiner<TRecord> joiner, Func<TRecord[], int> readRecords, Func<LabelEvent[], int> readLabels)
    where TRecord : struct, IForwardRecord<TRecord>
{
    public Buffered<TRecord> Records { get; } = new();

    public Buffered<LabelEvent> Labels { get; } = new();

    /// <summary>Pushes the next events of one stream, up to the next one of the other; false when there are none, or the joiner takes none
    /// and has nothing to give out that would make room.</summary>
    public bool TryPush()
    {
        Records.Refill(readRecords);
        Labels.Refill(readLabels);
        if (Records.Count == 0 || Labels.Count == 0)
            return PushRecords(Records.Count) || PushLabels(Labels.Count);

        // An event without a time counts as of the watermark, so it goes at once when there is one.
        LabelEvent label = Labels.Head;
        bool isFirst = joiner.Watermark == default;
        int records = 0;
        while (records < Records.Count && (label.Time.Ticks == 0 ? isFirst && records == 0 : Records[records].Time <= label.Time))
            records++;
        if (records > 0)
            return PushRecords(records) || PushLabels(1);
        TRecord record = Records.Head;
        int labels = 1;
        while (labels < Labels.Count && Labels[labels].Time < record.Time)
            labels++;
        return PushLabels(labels) || PushRecords(1);
    }

    private bool PushRecords(int count)
    {
        int taken = joiner.Push(Records.First(count));
        Records.Skip(taken);
        return taken > 0 || (count > 0 && joiner.HasDue);
    }

    private bool PushLabels(int count)
    {
        int taken = joiner.Push(Labels.First(count));
        Labels.Skip(taken);
        return taken > 0 || (count > 0 && joiner.HasDue);
    }

    /// <summary>Events read and not yet pushed.</summary>
    internal sealed class Buffered<TEvent>
        where TEvent : struct, ILogRecord<TEvent>
    {
        private const int Capacity = 4096;

        private static readonly int s_eventBytes = 30 + TEvent.EncodedBytes - 12;

        private readonly TEvent[] _events = new TEvent[Capacity];
        private int _next;

        public int Count { get; private set; }

        public TEvent Head => _events[_next];

        public TEvent this[int i] => _events[_next + i];

        public ReadOnlySpan<TEvent> First(int count) => _events.AsSpan(_next, count);

        public void Skip(int count)
        {
            _next += count;
            Count -= count;
        }

        public void Refill(Func<TEvent[], int> read)
        {
            if (Count > 0)
                return;
            _next = 0;
            Count = read(_events);
        }

        /// <summary>Key (8), model version (8), time (8), number of classes (4), keeping code (2) and body of each event.</summary>
        public byte[] ToArray()
        {
            byte[] bytes = new byte[Count * s_eventBytes];
            for (int i = 0; i < Count; i++)
            {
                TEvent one = this[i];
                Span<byte> place = bytes.AsSpan(i * s_eventBytes, s_eventBytes);
                BinaryPrimitives.WriteUInt64LittleEndian(place, one.Key);
                BinaryPrimitives.WriteUInt64LittleEndian(place[8..], one.ModelVersion);
                BinaryPrimitives.WriteInt64LittleEndian(place[16..], one.Time.Ticks);
                BinaryPrimitives.WriteInt32LittleEndian(place[24..], one.Classes);
                BinaryPrimitives.WriteUInt16LittleEndian(place[28..], one.KeepingCode);
                one.WriteBody(place[30..]);
            }

            return bytes;
        }

        public void Load(StateSections sections)
        {
            ReadOnlySpan<byte> bytes = sections.ReadUpTo(Capacity * s_eventBytes);
            _next = 0;
            for (Count = 0; bytes.Length >= s_eventBytes; bytes = bytes[s_eventBytes..])
            {
                _events[Count++] = TEvent.Read(
                    BinaryPrimitives.ReadUInt64LittleEndian(bytes),
                    BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
                    BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]),
                    new DateTime(Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]), 0, DateTime.MaxValue.Ticks),
                        DateTimeKind.Utc),
                    BinaryPrimitives.ReadUInt16LittleEndian(bytes[28..]),
                    bytes[30..s_eventBytes]);
            }
        }
    }
}
