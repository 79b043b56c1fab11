using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class LabelJoinerTests
{
    private static readonly DateTime s_start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Events of few keys; times go on, and back and forth by up to twice the lateness and half the window.</summary>
    private static readonly Gen<Event[]> s_events = Gen.ListOf(
        from key in Gen.Choose(1, 8)
        from back in Gen.Choose(0, 40)
        from isRecord in Gen.Elements(true, false)
        from label in Gen.Frequency((12, Gen.Choose(0, 9).Select(x => (float)x)), (1, Gen.Constant(float.NaN)),
            (1, Gen.Constant(float.PositiveInfinity)))
        select new Event((ulong)key, back, isRecord, label)).Select(list => list.ToArray()).Resize(120);

    public static TheoryData<DuplicateLabels, bool> Rules => new(
        from rule in Enum.GetValues<DuplicateLabels>()
        from hasDefault in new[] { false, true }
        select (rule, hasDefault));

    [Theory]
    [MemberData(nameof(Rules))]
    public void Rows_AnyEventsPulledAtAnyTime_AreThoseOfTheContract(DuplicateLabels rule, bool hasDefault)
        => Properties.Hold(s_events.Zip(Gen.Choose(1, 20)), input =>
        {
            (Event[] events, int every) = input;
            LabelJoinOptions options = Options(rule) with { DefaultLabel = hasDefault ? 5 : null };
            var naive = new NaiveJoin(options);
            var joiner = new LabelJoiner<RegressionRecord>(options);
            var rows = new List<JoinedRecord>();
            for (int i = 0; i < events.Length; i++)
            {
                Event one = events[i];
                DateTime time = TimeOf(i, one);
                if (one.IsRecord)
                {
                    naive.Push(Record(one, time));
                    Assert.Equal(1, joiner.Push([Record(one, time)]));
                }
                else
                {
                    naive.Push(new LabelEvent(one.Key, one.Label, time));
                    Assert.Equal(1, joiner.Push([new LabelEvent(one.Key, one.Label, time)]));
                }

                if (i % every == 0)
                    Pull(joiner, rows);
                Assert.True(joiner.Report.IsBalanced);
            }

            naive.Complete();
            joiner.Complete();
            Pull(joiner, rows);
            Assert.Equal(naive.Rows.Order(), rows.Select(r => (r.Key, r.Label, r.IsDefaultLabel)).Order());
            LabelJoinReport report = joiner.Report;
            Assert.True(report.IsBalanced);
            Assert.Equal(
                (naive.DuplicateRecords, naive.DuplicateLabels, naive.LateRecords, naive.LateLabels, naive.Orphans, naive.Voided,
                    naive.Expired, 0L),
                (report.DuplicateRecords, report.DuplicateLabels, report.LateRecords, report.LateLabels, report.OrphanLabels,
                    report.Voided, report.Expired, report.PendingEntries));
        });

    [Fact]
    public void Rows_OrderWithinTheLateness_DoesNotMatter()
        => Properties.Hold(Gen.Choose(0, int.MaxValue), seed =>
        {
            // One record and one label a key; each event is pushed up to 10 s after a later one.
            var random = new Random(seed);
            var events = new List<(double Pushed, Event One, DateTime Time)>();
            var expected = new List<ulong>();
            for (int i = 1; i <= 200; i++)
            {
                double record = random.NextDouble() * 600, label = record + (random.NextDouble() * 120) - 40;
                events.Add((record + (10 * random.NextDouble()), new Event((ulong)i, 0, true, 0), s_start.AddSeconds(100 + record)));
                events.Add((label + (10 * random.NextDouble()), new Event((ulong)i, 0, false, i), s_start.AddSeconds(100 + label)));
                if (Math.Abs(label - record) <= 59.99)
                    expected.Add((ulong)i);
                else if (Math.Abs(label - record) < 60.01)
                    return;                                 // the milliseconds decide
            }

            LabelJoinOptions options = Options(DuplicateLabels.First) with
            { Wait = TimeSpan.FromSeconds(60), Lateness = TimeSpan.FromSeconds(10) };
            var joiner = new LabelJoiner<RegressionRecord>(options);
            var rows = new List<JoinedRecord>();
            foreach ((double _, Event one, DateTime time) in events.OrderBy(e => e.Pushed))
            {
                if (one.IsRecord)
                    Assert.Equal(1, joiner.Push([Record(one, time)]));
                else
                    Assert.Equal(1, joiner.Push([new LabelEvent(one.Key, one.Label, time)]));
            }

            joiner.Complete();
            Pull(joiner, rows);
            Assert.Equal(expected, rows.Select(r => r.Key).Order());
        });

    [Theory]
    [InlineData(DuplicateLabels.First)]
    [InlineData(DuplicateLabels.Last)]
    public void Rows_InputsPushedTwice_ComeOnce(DuplicateLabels rule)
        => Properties.Hold(s_events, events =>
        {
            var joiner = new LabelJoiner<RegressionRecord>(Options(rule) with { DefaultLabel = 1 });
            var rows = new List<JoinedRecord>();
            for (int round = 0; round < 2; round++)
            {
                for (int i = 0; i < events.Length; i++)
                    Push(joiner, events[i], TimeOf(i, events[i]), rows);
            }

            joiner.Complete();
            Pull(joiner, rows);
            Assert.Equal(rows.Count, rows.Select(r => (r.Key, r.ScoredAt)).Distinct().Count());
            foreach (IGrouping<ulong, JoinedRecord> key in rows.GroupBy(r => r.Key))
            {
                // The same key may be scored anew once its window is over, never within it.
                DateTime[] times = [.. key.Select(r => r.ScoredAt).Order()];
                for (int i = 1; i < times.Length; i++)
                    Assert.True(times[i] - times[i - 1] > TimeSpan.Zero);
            }
        });

    [Theory]
    [InlineData(DuplicateLabels.First)]
    [InlineData(DuplicateLabels.Mean)]
    public void Load_SavedAtAnyEvent_GoesOnWithTheSameRows(DuplicateLabels rule)
        => Properties.Hold(s_events.Zip(Gen.Choose(0, 1_000_000)), input =>
        {
            (Event[] events, int where) = input;
            int split = events.Length == 0 ? 0 : where % events.Length;
            LabelJoinOptions options = Options(rule) with { DefaultLabel = 2 };
            var whole = new LabelJoiner<RegressionRecord>(options);
            var part = new LabelJoiner<RegressionRecord>(options);
            List<JoinedRecord> expected = [], actual = [];
            for (int i = 0; i < events.Length; i++)
            {
                if (i == split)
                {
                    using var stream = new MemoryStream();
                    part.Save(stream);
                    stream.Position = 0;
                    part = LabelJoiner<RegressionRecord>.Load(stream, options);
                    Assert.Equal(stream.Length, stream.Position);
                }

                Push(whole, events[i], TimeOf(i, events[i]), i % 7 == 0 ? expected : null);
                Push(part, events[i], TimeOf(i, events[i]), i % 7 == 0 ? actual : null);
            }

            whole.Complete();
            part.Complete();
            Pull(whole, expected);
            Pull(part, actual);
            Assert.Equal(expected, actual);
            Assert.Equal(whole.Report with { PendingBytes = 0 }, part.Report with { PendingBytes = 0 });
        });

    [Fact]
    public void Load_AnyByteChangedOrCut_RefusedWithAMessage()
    {
        LabelJoinOptions options = Options(DuplicateLabels.Last);
        var joiner = new LabelJoiner<RegressionRecord>(options);
        for (ulong key = 0; key < 3; key++)
            Assert.Equal(1, joiner.Push([new RegressionRecord(key, 1, 4, s_start)]));
        using var stream = new MemoryStream();
        joiner.Save(stream);
        byte[] good = stream.ToArray();
        for (int i = 0; i < good.Length; i++)
        {
            byte[] changed = [.. good];
            changed[i] ^= 0x41;
            Assert.Throws<InvalidDataException>(() => LabelJoiner<RegressionRecord>.Load(new MemoryStream(changed), options));
            Assert.Throws<InvalidDataException>(() => LabelJoiner<RegressionRecord>.Load(new MemoryStream(good[..i]), options));
        }
    }

    /// <summary>More records in a window than there is room for, and more than the join reads at once: the oldest windows end, and no
    /// record is late.</summary>
    [Fact]
    public void Run_FullUnderEndOldestWindow_GoesOn()
    {
        const int Records = 10_000;
        var options = new LabelJoinOptions { DefaultLabel = 0 };
        var limit = new PendingLimit { MaximumEntries = 1024 };
        LabelJoinReport? report = null;
        var rows = LabelJoin.Run(Enumerable.Range(0, Records).Select(
            i => new RegressionRecord((ulong)i, i, time: s_start.AddMilliseconds(i))), [], options, limit, r => report = r).ToArray();
        Assert.Equal((Records, 0), (rows.Length, report!.LateRecords));

        using LogFolder records = new(), labels = new();
        using (var log = new ForwardRecordLog<RegressionRecord>(records.Path, LogFolder.Small))
        {
            for (int i = 0; i < Records; i++)
                log.Append(new RegressionRecord((ulong)i, i, time: s_start.AddSeconds(i)));
        }

        using var join = new ForwardRecordJoin<RegressionRecord>(records.Path, labels.Path, options: options, limit: limit);
        var some = new JoinedRecord[100];
        int given = 0;
        for (int n; (n = join.Read(some)) > 0;)
            given += n;
        Assert.Equal(Records - limit.MaximumEntries, given);
    }

    [Fact]
    public void Complete_WhatIsPushedAfterwards_IsLate_AlsoWithoutATime()
    {
        var joiner = new LabelJoiner<RegressionRecord>(new LabelJoinOptions { DefaultLabel = 0 });
        joiner.Push([new RegressionRecord(1, 1, time: s_start)]);
        joiner.Complete();
        Assert.Equal(1, joiner.Push([new RegressionRecord(2, 1)]));
        Assert.Equal(1, joiner.Push([new LabelEvent(3, 1)]));
        Assert.Equal(1, joiner.Read(new JoinedRecord[3]));
        Assert.Equal((1, 1, 1, 0), (joiner.Report.LateRecords, joiner.Report.LateLabels, joiner.Report.Defaulted,
            joiner.Report.PendingEntries));
    }

    [Fact]
    public void Load_OtherRules_NamesTheOptionAndBothValues()
    {
        using var stream = new MemoryStream();
        new LabelJoiner<BinaryRecord>(new LabelJoinOptions { DefaultLabel = 0 }).Save(stream);
        stream.Position = 0;
        Assert.Equal(
            "LabelJoinOptions.DefaultLabel must be as it was when the joiner was saved, 0. Got null. (Parameter 'options')",
            Assert.Throws<ArgumentException>(() => LabelJoiner<BinaryRecord>.Load(stream)).Message);
        stream.Position = 0;
        Assert.Contains("is of Binary records, and Multiclass records were asked for",
            Assert.Throws<InvalidDataException>(() => LabelJoiner<MulticlassRecord>.Load(stream)).Message, StringComparison.Ordinal);
    }

    /// <summary>Many keys, so that chunks, tables and the ring of chunks all grow and shrink.</summary>
    [Fact]
    public void Rows_ManyKeys_EachOnceWithItsOwnRecordAndLabel()
    {
        const int Count = 150_000, Delay = 60_000;
        var joiner = new LabelJoiner<MulticlassRecord>(
            new LabelJoinOptions { Wait = TimeSpan.FromMilliseconds(Delay), Lateness = TimeSpan.FromMilliseconds(10) });
        var rows = new List<JoinedRecord>();
        for (int i = 0; i < Count + Delay; i++)
        {
            if (i < Count)
                Assert.Equal(1, joiner.Push([Made(i)]));
            if (i >= Delay)
                Assert.Equal(1, joiner.Push([new LabelEvent((ulong)(i - Delay), (i - Delay) % 4, s_start.AddMilliseconds(i))]));
            if (i % 1000 == 0)
                Pull(joiner, rows);
        }

        Pull(joiner, rows);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => Made(i).Join(i % 4)), rows);
        Assert.InRange(joiner.Report.PendingEntries, 1, 20);     // those of the last 10 ms, the lateness

        static MulticlassRecord Made(int i) => MulticlassRecord.FromLogits((ulong)i, [i % 5, i % 3, 0.5f, i % 2], (ulong)(i / 1000),
            s_start.AddMilliseconds(i), i % 2 == 0 ? 1 : 0.5f);
    }

    [Fact]
    public void Memory_PendingRecords_AtMost40BytesEachAndNothingPerEvent() =>
        CheckMemory(i => BinaryRecord.FromScore((ulong)i, 1, time: s_start.AddTicks(i)), 28, 40);

    [Fact]
    public void Memory_PendingMulticlassRecords_AtMost56BytesEachAndNothingPerEvent() =>
        CheckMemory(i => MulticlassRecord.FromProbabilities((ulong)i, [0.5f, 0.25f, 0.25f], time: s_start.AddTicks(i)), 44, 56);

    private static void CheckMemory<TRecord>(Func<int, TRecord> make, long least, long most)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        const int Count = 400_000;
        var joiner = new LabelJoiner<TRecord>();
        var rows = new JoinedRecord[16];
        for (int i = 0; i < Count; i++)
            Assert.Equal(1, joiner.Push([make(i)]));
        Assert.InRange(joiner.Report.PendingBytes, least * Count, (most * Count) + (2 << 20));

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50_000; i++)
        {
            joiner.Push([new LabelEvent((ulong)i, 1, s_start.AddSeconds(1))]);
            joiner.Read(rows);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
        Assert.Equal(50_000, joiner.Report.Joined);
    }

    [Fact]
    public void Overflow_EndOldestWindow_GivesTheOldestAndCountsIt()
    {
        var joiner = new LabelJoiner<MulticlassRecord>(new LabelJoinOptions { DefaultLabel = 2 },
            new PendingLimit { MaximumEntries = 1024 });
        var rows = new List<JoinedRecord>();
        for (int i = 0; i < 2000; i++)
        {
            MulticlassRecord record = MulticlassRecord.FromLogits((ulong)i, [1, 2, 3], time: s_start.AddSeconds(i));
            while (joiner.Push([record]) == 0)
                Pull(joiner, rows);
        }

        Assert.Equal(2000 - 1024, rows.Count);
        Assert.Equal((2000 - 1024, 1024L), (joiner.Report.EndedEarly, joiner.Report.PendingRecords));
        Assert.All(rows, r => Assert.True(r.IsDefaultLabel && r.Label == 2));

        // Their time is over: they cannot come again.
        Assert.Equal(1, joiner.Push([MulticlassRecord.FromLogits(3, [1, 2, 3], time: s_start.AddSeconds(3))]));
        Assert.Equal(1, joiner.Report.LateRecords);
    }

    [Fact]
    public void Overflow_Refuse_TakesNoNewKeyButLabelsOfKnownOnes()
    {
        var joiner = new LabelJoiner<RegressionRecord>(limit: new PendingLimit { MaximumEntries = 1024, Overflow = JoinOverflow.Refuse });
        var records = new RegressionRecord[1500];
        for (int i = 0; i < records.Length; i++)
            records[i] = new((ulong)i, i, time: s_start);
        Assert.Equal(1024, joiner.Push(records));
        Assert.Equal(0, joiner.Read(new JoinedRecord[4]));
        Assert.Equal(0, joiner.Push(records.AsSpan(1024)));
        Assert.Equal(1, joiner.Push([new LabelEvent(1, 1, s_start)]));
        Assert.Equal(0, joiner.Push([new LabelEvent(1400, 1, s_start)]));
        joiner.AdvanceTo(s_start.AddDays(2));
        var rows = new List<JoinedRecord>();
        Pull(joiner, rows);
        Assert.Equal([1UL], rows.Select(r => r.Key));
        Assert.Equal((1023L, 0L), (joiner.Report.Expired, joiner.Report.PendingEntries));
    }

    [Fact]
    public void Label_Malformed_VoidsItsRowOnly()
    {
        var joiner = new LabelJoiner<MulticlassRecord>();
        for (ulong key = 0; key < 4; key++)
            Assert.Equal(1, joiner.Push([MulticlassRecord.FromLogits(key, [1, 2, 3], time: s_start)]));
        Assert.Equal(4, joiner.Push([new LabelEvent(0, 3, s_start), new LabelEvent(1, 2, s_start), new LabelEvent(2, 0.5f, s_start),
            new LabelEvent(3, float.NaN, s_start)]));
        var rows = new List<JoinedRecord>();
        Pull(joiner, rows);
        Assert.Equal(1UL, Assert.Single(rows).Key);
        Assert.Equal(3, joiner.Report.Voided);
    }

    [Theory]
    [InlineData(DuplicateLabels.Sum)]
    [InlineData(DuplicateLabels.Mean)]
    public void Duplicates_SumOfClasses_Refused(DuplicateLabels rule)
        => Assert.Equal(
            $"LabelJoinOptions.Duplicates must be First or Last for Binary records: labels of classes have no sum or mean. Got {rule}. "
                + $"(Parameter 'options')",
            Assert.Throws<ArgumentException>(() => new LabelJoiner<BinaryRecord>(new LabelJoinOptions { Duplicates = rule })).Message);

    [Fact]
    public void Options_OutOfRange_NameRangeAndValue()
    {
        Assert.StartsWith("LabelJoinOptions.Wait must be whole milliseconds in [00:00:00.0010000, 30.00:00:00].",
            Assert.Throws<ArgumentOutOfRangeException>(() => new LabelJoinOptions { Wait = TimeSpan.FromDays(31) }).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LabelJoinOptions { Lateness = TimeSpan.FromTicks(1) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new LabelJoinOptions { DefaultLabel = float.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PendingLimit { MaximumEntries = 1023 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new LabelJoinOptions { Duplicates = (DuplicateLabels)9 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PendingLimit { Overflow = (JoinOverflow)9 });
    }

    [Fact]
    public void Push_FirstEventWithoutTime_SaysSo()
        => Assert.Equal("The first event must have a time: there is no watermark yet that could stand for it.",
            Assert.Throws<ArgumentException>(() => new LabelJoiner<RegressionRecord>().Push([new LabelEvent(1, 1)])).Message);

    /// <summary>The exception that the contract makes of out-of-order arrival.</summary>
    [Theory]
    [InlineData(0, 40, 40, true)]
    [InlineData(0, 40, 0, false)]
    [InlineData(40, 0, 0, true)]
    [InlineData(40, 0, 40, false)]
    [InlineData(0, 30, 30, true)]
    public void Labels_OfOneKeyBeforeTheirRecord_MoreThanWaitApart_OnlyTheOnePushedLastMeetsIt(int first, int second, int record,
        bool isJoined)
    {
        // waits 30 s, and 10 s for what is out of order
        var joiner = new LabelJoiner<RegressionRecord>(Options(DuplicateLabels.Last));
        joiner.Push([new LabelEvent(1, 5, s_start.AddSeconds(first)), new LabelEvent(1, 6, s_start.AddSeconds(second))]);
        joiner.Push([new RegressionRecord(1, 1, time: s_start.AddSeconds(record))]);
        joiner.Complete();
        var rows = new List<JoinedRecord>();
        Pull(joiner, rows);
        Assert.Equal(isJoined ? [6f] : [], rows.Select(r => r.Label));
        Assert.Equal((isJoined ? 0 : 1, isJoined && Math.Abs(first - second) <= 30 ? 0 : isJoined ? 1 : 2),
            (joiner.Report.Expired, joiner.Report.OrphanLabels));
    }

    [Fact]
    public void Run_LabelsWithoutTime_CountAsOfTheFirstRecord()
    {
        RegressionRecord[] records = [.. Enumerable.Range(0, 5000)
            .Select(i => new RegressionRecord((ulong)i, i, time: s_start.AddSeconds(i)))];
        IEnumerable<LabelEvent> labels = Enumerable.Range(0, 5000).Select(i => new LabelEvent((ulong)(4999 - i), -1));
        LabelJoinReport? report = null;
        IEnumerable<JoinedRecord> rows = LabelJoin.Run(records, labels, completed: r => report = r);
        JoinedRecord[] first = [.. rows];
        Assert.Equal(LogFolder.Range(0, 5000), first.Select(r => r.Key).Order());
        Assert.Equal((5000L, true), (report!.Joined, report.IsBalanced));
        Assert.Equal(first, rows);
    }

    private static LabelJoinOptions Options(DuplicateLabels rule) =>
        new() { Wait = TimeSpan.FromSeconds(30), Lateness = TimeSpan.FromSeconds(10), Duplicates = rule };

    private static DateTime TimeOf(int i, Event one) => s_start.AddSeconds((2 * i) - one.Back);

    private static RegressionRecord Record(Event one, DateTime time) => new(one.Key, one.Back, time: time);

    private static void Push(LabelJoiner<RegressionRecord> joiner, Event one, DateTime time, List<JoinedRecord>? rows)
    {
        Assert.Equal(1, one.IsRecord ? joiner.Push([Record(one, time)]) : joiner.Push([new LabelEvent(one.Key, one.Label, time)]));
        if (rows is not null)
            Pull(joiner, rows);
    }

    private static void Pull<TRecord>(LabelJoiner<TRecord> joiner, List<JoinedRecord> rows)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        var some = new JoinedRecord[5];
        for (int n; (n = joiner.Read(some)) > 0;)
            rows.AddRange(some.AsSpan(0, n));
    }

    private sealed record Event(ulong Key, int Back, bool IsRecord, float Label);

    /// <summary>A length is a claim: memory is taken for the bytes that are there.</summary>
    [Theory]
    [InlineData(1 << 28)]
    [InlineData(1 << 27)]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    public void Sections_ThatClaimMoreThanIsThere_TakeNoMemoryForIt(int length)
    {
        byte[] bytes = new byte[100_000];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => new StateSections(new MemoryStream(bytes), "The state").ReadUpTo(1 << 28));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * bytes.Length);
    }
}
