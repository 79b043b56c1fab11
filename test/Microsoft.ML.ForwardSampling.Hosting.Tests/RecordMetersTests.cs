using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Hosting.Tests;

public sealed class RecordMetersTests : IDisposable
{
    private static readonly DateTime s_time = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Appended_TwoLogsAndOneOfLabels_SumsByKindAlsoAfterClosing()
    {
        using var measured = new Measured();
        using (var first = new ForwardRecordLog<BinaryRecord>(_folder.File("first")))
        using (var second = new ForwardRecordLog<BinaryRecord>(_folder.File("second")))
        using (var labels = new ForwardRecordLog<LabelEvent>(_folder.File("labels")))
        {
            first.Append([.. Enumerable.Range(0, 100).Select(Record)]);
            second.Append([.. Enumerable.Range(0, 50).Select(Record)]);
            _ = labels.Append(new LabelEvent(1, 1, s_time));
            first.Flush();
            second.Flush();
            labels.Flush();
            Check();
        }

        Check();

        void Check()
        {
            measured.Look();
            Assert.Equal(150, measured.Gained("forward_sampling.record.appended{kind=binary}"));
            Assert.Equal(150, measured.Gained("forward_sampling.record.acknowledged{kind=binary}"));
            Assert.Equal(1, measured.Gained("forward_sampling.record.appended{kind=label}"));
            Assert.Equal(0, measured.Now("forward_sampling.record.pending{kind=binary}"));
            Assert.Equal(0, measured.Now("forward_sampling.record.acknowledgement_lag{kind=binary}"));
        }
    }

    [Fact]
    public void Lag_RecordsWaitInMemory_GrowsUntilTheyAreAcknowledged()
    {
        using var measured = new Measured();
        using var log = new ForwardRecordLog<RegressionRecord>(_folder.File("log"),
            new ForwardRecordLogOptions { FlushInterval = TimeSpan.FromHours(1) });
        log.Append([new RegressionRecord(1, 0.5f), new RegressionRecord(2, 0.5f), new RegressionRecord(3, 0.5f)]);
        Thread.Sleep(30);

        measured.Look();
        Assert.Equal(3, measured.Now("forward_sampling.record.pending{kind=regression}"));
        Assert.Equal(0, measured.Gained("forward_sampling.record.acknowledged{kind=regression}"));
        Assert.InRange(measured.Now("forward_sampling.record.acknowledgement_lag{kind=regression}")!.Value, 0.02, 3600);

        log.Flush();
        measured.Look();
        Assert.Equal(0, measured.Now("forward_sampling.record.pending{kind=regression}"));
        Assert.Equal(0, measured.Now("forward_sampling.record.acknowledgement_lag{kind=regression}"));
    }

    [Fact]
    public void ThinnedDroppedAndFailures_AreThoseOfTheReport()
    {
        const int Records = 300_000;                        // the last block fills at one record in 32,768
        using var measured = new Measured();
        var writer = new HeldWriter();
        for (int i = 0; i < Records; i++)
            _ = writer.Append(Record(i));
        RecordWriterReport held = writer.Report;
        writer.Release(failFirst: true);
        writer.Dispose();
        Assert.True(held.Thinned > 0 && held.Dropped > 0);

        RecordWriterReport report = writer.Report;
        measured.Look();
        Assert.Equal(Records, report.Appended + report.Thinned + report.Dropped);
        Assert.Equal(report.Appended, measured.Gained("forward_sampling.record.appended{kind=binary}"));
        Assert.Equal(report.Appended, measured.Gained("forward_sampling.record.acknowledged{kind=binary}"));
        Assert.Equal(report.Thinned, measured.Gained("forward_sampling.record.thinned{kind=binary}"));
        Assert.Equal(report.Dropped, measured.Gained("forward_sampling.record.dropped{kind=binary}"));
        Assert.Equal(1, measured.Gained("forward_sampling.record.write_failures{kind=binary}"));
    }

    [Fact]
    public void Join_EveryOutcome_IsCountedAsInTheReport()
    {
        using var measured = new Measured();
        var joiner = new LabelJoiner<BinaryRecord>(new LabelJoinOptions { Wait = TimeSpan.FromSeconds(10), Lateness = TimeSpan.Zero });
        Push([Record(1), Record(2), Record(2), Record(3), Record(4)]);
        Push([new LabelEvent(1, 1, s_time), new LabelEvent(2, 0, s_time), new LabelEvent(2, 1, s_time), new LabelEvent(3, 7, s_time),
            new LabelEvent(99, 1, s_time)]);
        joiner.AdvanceTo(s_time.AddMinutes(1));
        Read();
        Push([Record(5)]);
        Push([new LabelEvent(4, 1, s_time)]);
        Read();

        LabelJoinReport report = joiner.Report;
        Assert.Equal((2L, 1L, 1L, 1L, 1L), (report.Joined, report.Voided, report.Expired, report.DuplicateRecords, report.LateRecords));
        Assert.Equal((1L, 1L, 1L), (report.LateLabels, report.OrphanLabels, report.DuplicateLabels));
        foreach ((string outcome, long count) in ((string, long)[])[("joined", report.Joined), ("voided", report.Voided),
            ("expired", report.Expired), ("duplicate", report.DuplicateRecords), ("late", report.LateRecords), ("defaulted", 0)])
            Assert.Equal(count, measured.Sum($"forward_sampling.join.records{{kind=binary,outcome={outcome}}}"));
        foreach ((string outcome, long count) in ((string, long)[])[("late", report.LateLabels), ("orphan", report.OrphanLabels),
            ("duplicate", report.DuplicateLabels)])
            Assert.Equal(count, measured.Sum($"forward_sampling.join.labels{{kind=binary,outcome={outcome}}}"));

        // What a saved joiner had counted before is not counted again.
        using var state = new MemoryStream();
        joiner.Save(state);
        state.Position = 0;
        joiner = LabelJoiner<BinaryRecord>.Load(state, joiner.Options);
        joiner.Push([new BinaryRecordAt(7, s_time.AddMinutes(2)).Record]);
        joiner.Push([new LabelEvent(7, 1, s_time.AddMinutes(2))]);
        Read();
        Assert.Equal(report.Joined + 1, joiner.Report.Joined);
        Assert.Equal(report.Joined + 1, measured.Sum("forward_sampling.join.records{kind=binary,outcome=joined}"));

        void Push<T>(T[] events)
            where T : struct
            => Assert.Equal(events.Length,
                events is BinaryRecord[] records ? joiner.Push(records) : joiner.Push((LabelEvent[])(object)events));

        void Read()
        {
            var rows = new JoinedRecord[16];
            while (joiner.Read(rows) > 0)
            {
            }
        }
    }

    private static BinaryRecord Record(int key) => new BinaryRecordAt((ulong)key, s_time).Record;

    private readonly record struct BinaryRecordAt(ulong Key, DateTime Time)
    {
        public BinaryRecord Record => BinaryRecord.FromScore(Key, 0.5f, 1, Time);
    }

    /// <summary>Writes nothing until it is let go, and fails the first time then.</summary>
    private sealed class HeldWriter : BufferedRecordWriter<BinaryRecord>
    {
        private readonly ManualResetEventSlim _free = new();
        private bool _fails;

        public HeldWriter()
            : base(new RecordBufferOptions
            {
                Overflow = RecordOverflow.DropAndRecord,
                BlockRecords = 2,
                Blocks = 4,
                Seed = 1,
                RetryInterval = TimeSpan.FromMilliseconds(1),
                AttemptsAtClosing = 3,
            })
            => Start();

        public override RecordWriterReport Report => Count();

        protected override string Name => "The held writer";

        protected override string Refusal => "it was held";

        public void Release(bool failFirst)
        {
            _fails = failFirst;
            _free.Set();
        }

        protected override void WriteBatch(RecordBatch<BinaryRecord> batch)
        {
            _free.Wait();
            if (!_fails)
                return;
            _fails = false;
            throw new IOException("held");
        }
    }
}
