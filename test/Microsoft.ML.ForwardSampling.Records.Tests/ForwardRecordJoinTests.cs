using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class ForwardRecordJoinTests
{
    private const int Rows = 300;
    private static readonly DateTime s_start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly LabelJoinOptions s_options = new()
    { Wait = TimeSpan.FromSeconds(60), Lateness = TimeSpan.FromSeconds(10), DefaultLabel = 0 };

    [Fact]
    public void Labels_ThroughALog_ComeBack()
    {
        using var folder = new LogFolder();
        LabelEvent[] labels = [new(1, 2.5f, s_start), new(ulong.MaxValue, float.NaN, s_start), new(3, -1, s_start)];
        using (var log = new ForwardRecordLog<LabelEvent>(folder.Path, LogFolder.Small))
            log.Append(labels);
        using var reader = new ForwardRecordReader<LabelEvent>(folder.Path);
        Assert.Equal(labels, LogFolder.ReadAll(reader));
        Assert.Equal(4, File.ReadAllBytes(Assert.Single(folder.Files))[12]);

        using var wrong = new ForwardRecordReader<BinaryRecord>(folder.Path);
        Assert.Throws<InvalidDataException>(() => wrong.Read(new BinaryRecord[1]));
        Assert.Contains("must be Block for labels",
            Assert.Throws<ArgumentException>(() => new ForwardRecordLog<LabelEvent>(folder.Path,
            LogFolder.Small with { Overflow = RecordOverflow.DropAndRecord })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public void Position_SavedAtAnyBatch_GoesOnWithoutLossOrRepetition(int batch)
    {
        using var folder = new LogFolder();
        folder.Write(0, 30, 1, 64, 5);
        folder.Write(1000, 40, 40);
        List<ulong> whole = [.. folder.Keys(out _)], parts = [];
        var some = new RegressionRecord[batch];
        byte[]? position = null;
        while (true)
        {
            using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path, position);
            int read = reader.Read(some);
            Assert.Equal((0L, 0L, 0L), (reader.Report.LostRecords, reader.Report.DuplicateRecords, reader.Report.DeletedRecords));
            if (read == 0)
                break;
            parts.AddRange(some.AsSpan(0, read).ToArray().Select(r => r.Key));
            position = reader.SavePosition();
        }

        Assert.Equal(whole.Order(), parts.Order());
        Assert.Equal(whole.Where(k => k < 1000), parts.Where(k => k < 1000));

        // What is written afterwards follows.
        folder.Write(5000, 3);
        using var last = new ForwardRecordReader<RegressionRecord>(folder.Path, position);
        Assert.Equal([5000, 5001, 5002], LogFolder.ReadAll(last).Select(r => r.Key));
    }

    [Fact]
    public void Position_Damaged_Refused()
    {
        using var folder = new LogFolder();
        folder.Write(0, 3);
        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        reader.Read(new RegressionRecord[2]);
        byte[] good = reader.SavePosition();
        Assert.Equal(24 + 40, good.Length);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] changed = [.. good];
            changed[i] ^= 0x20;
            Assert.ThrowsAny<Exception>(() => new ForwardRecordReader<RegressionRecord>(folder.Path, changed));
            Assert.Throws<InvalidDataException>(() => new ForwardRecordReader<RegressionRecord>(folder.Path, good[..i]));
        }

        Assert.Contains("of a reader of Regression records",
            Assert.Throws<ArgumentException>(() => new ForwardRecordReader<BinaryRecord>(folder.Path, good)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Reader_SeveralWriters_AreReadSideBySide()
    {
        using var folder = new LogFolder();
        for (int writer = 0; writer < 3; writer++)
        {
            using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small);
            for (int i = 0; i < 3000; i++)
                log.Append(new RegressionRecord((ulong)i, writer, time: s_start.AddSeconds(i)));
        }

        DateTime latest = default;
        TimeSpan furthest = default;
        foreach (RegressionRecord record in folder.Read(out _))
        {
            latest = record.Time > latest ? record.Time : latest;
            furthest = latest - record.Time > furthest ? latest - record.Time : furthest;
        }

        // 64 records of a second each are a block.
        Assert.InRange(furthest.TotalSeconds, 1, (2 * 64) + 1);
    }

    /// <summary>At every batch the process ends, with or without having saved, and another goes on.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 1)]
    [InlineData(16, 3)]
    public void Join_EndedAtEveryBatch_GivesTheSameRows(int batch, int savedEvery)
    {
        using LogFolder records = new(), labels = new();
        Write(records, labels);
        JoinedRecord[] expected;
        using (var whole = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, options: s_options))
        {
            expected = ReadAll(whole);
            whole.Complete();
            expected = [.. expected, .. ReadAll(whole)];
            Assert.True(whole.Report.IsBalanced);
            Assert.Equal((Rows, Rows / 3), (expected.Length, (int)whole.Report.Defaulted));
        }

        string state = Path.Combine(records.Path, "join.state");
        var seen = new Dictionary<ulong, JoinedRecord>();
        var kept = new List<JoinedRecord>();
        var some = new JoinedRecord[batch];
        for (int round = 1; ; round++)
        {
            // The same process goes on for some batches before it saves and ends; every other one ends without saving what it read last.
            using var join = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options);
            Assert.Equal(kept.Count, join.Rows);
            int read = 0;
            for (int i = 0; i < savedEvery; i++)
            {
                int n = join.Read(some);
                read += n;
                kept.AddRange(some.AsSpan(0, n));
            }

            join.Save();
            Assert.False(File.Exists(state + ".new"));
            int unsaved = join.Read(some);
            foreach (JoinedRecord row in some.AsSpan(0, unsaved))
                seen[row.Key] = row;
            if (read == 0)
                break;
            Assert.InRange(round, 1, 2 * Rows);
        }

        using (var last = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options))
        {
            last.Complete();
            kept.AddRange(ReadAll(last));
        }

        Assert.Equal(expected, kept);
        Assert.All(seen.Values, row => Assert.Contains(row, expected));
    }

    [Fact]
    public void Join_LogsStillWritten_GoesOn()
    {
        using LogFolder records = new(), labels = new();
        using var join = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, options: s_options);
        Assert.Empty(ReadAll(join));
        Write(records, labels);
        int before = ReadAll(join).Length;
        join.AdvanceTo(s_start.AddDays(1));
        Assert.Equal(Rows, before + ReadAll(join).Length);
        Assert.Equal(Rows, join.Rows);
        Assert.Throws<InvalidOperationException>(join.Save);
    }

    /// <summary>A join that is hours behind must not take for late what its logs have held all along.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AdvanceTo_WhileTheLogsHoldMore_WaitsForIt(bool completes)
    {
        using LogFolder records = new(), labels = new();
        Write(records, labels);
        using var join = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, options: s_options);
        var rows = new JoinedRecord[1];
        int given = 0;
        for (int n = 1; n > 0; given += n)
        {
            if (completes)
                join.Complete();
            else
                join.AdvanceTo(s_start.AddDays(1));
            n = join.Read(rows);
        }

        Assert.Equal((Rows, Rows / 3, 0, 0),
            (given, (int)join.Report.Defaulted, (int)join.Report.LateRecords, (int)join.Report.LateLabels));
        Assert.Throws<ArgumentException>(() => join.AdvanceTo(new DateTime(2026, 1, 1)));
        join.Dispose();
        Assert.Throws<ObjectDisposedException>(() => join.Read(rows));
    }

    /// <summary>A job that runs now and then reads, advances, saves and ends: the next one gives out what has ended.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Save_AfterTheWatermarkWasAskedFor_KeepsIt(bool completes)
    {
        using LogFolder records = new(), labels = new();
        Write(records, labels);
        string state = Path.Combine(labels.Path, "join.state");
        var rows = new JoinedRecord[2 * Rows];
        using (var first = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options))
        {
            Assert.InRange(first.Read(rows), 1, Rows - 1);
            if (completes)
                first.Complete();
            else
                first.AdvanceTo(s_start.AddDays(1));
            first.Save();
        }

        using var second = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options);
        Assert.Equal(Rows, second.Rows + second.Read(rows));
        Assert.Equal(0, second.Report.PendingRecords);
    }

    /// <summary>A joiner that is full takes nothing until windows end: the watermark moves on only so far that there is room for what the
    /// logs hold.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AdvanceTo_WhileTheJoinerIsFull_WaitsForWhatTheLogsHold(bool completes)
    {
        const int Most = 1024, Records = 3 * Most;
        using LogFolder records = new(), labels = new();
        using (var log = new ForwardRecordLog<BinaryRecord>(records.Path, LogFolder.Small))
        {
            for (int i = 0; i < Records; i++)
                log.Append(BinaryRecord.FromScore((ulong)i, 1, 0, s_start.AddMilliseconds(i)));
        }

        using var join = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, options: s_options,
            limit: new PendingLimit { MaximumEntries = Most, Overflow = JoinOverflow.Refuse });
        var rows = new JoinedRecord[100];
        Assert.Equal(0, join.Read(rows));
        if (completes)
            join.Complete();
        else
            join.AdvanceTo(s_start.AddDays(1));
        int given = 0;
        for (int n; (n = join.Read(rows)) > 0; given += n)
        {
        }

        Assert.Equal((Records, Records, 0, 0),
            (given, (int)join.Report.Defaulted, (int)join.Report.LateRecords, (int)join.Report.PendingRecords));
    }

    /// <summary>What was read before a file that cannot be read is given out first; the error comes with the next call, as often as it is
    /// there.</summary>
    [Fact]
    public void Read_AtAFileThatCannotBeRead_LosesNothing()
    {
        using LogFolder records = new(), labels = new();
        Write(records, labels);
        string wrong = Path.Combine(records.Path, "records-ffffffffffffffff-00000000.fsl");
        File.Copy(labels.Files[0], wrong);
        using (var reader = new ForwardRecordReader<BinaryRecord>(records.Path))
        {
            var some = new BinaryRecord[Rows];
            Assert.InRange(reader.Read(some), 1, Rows);
            Assert.Throws<InvalidDataException>(() => reader.Read(some));
            long read = reader.Report.Records;
            File.Delete(wrong);
            Assert.Equal(Rows, read + LogFolder.ReadAll(reader).Length);
        }

        using var join = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, options: s_options);
        File.Copy(labels.Files[0], wrong);
        var rows = new JoinedRecord[Rows];
        int given = join.Read(rows);
        Assert.InRange(given, 1, Rows);
        Assert.Throws<InvalidDataException>(() => join.Read(rows));
        File.Delete(wrong);
        given += ReadAll(join).Length;
        join.Complete();
        Assert.Equal(Rows, given + ReadAll(join).Length);
    }

    /// <summary>As when a log that is opened finishes a crashed writer's file while a join catches up: the others must not run ahead of
    /// what is in it.</summary>
    [Fact]
    public async Task Read_WhileSomebodyIsAloneWithAFile_WaitsForIt()
    {
        using LogFolder records = new(), labels = new();
        Write(records, labels);
        using var join = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, options: s_options);
        var alone = new FileStream(labels.Files[0], FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Task release = Task.Run(async () =>
        {
            await Task.Delay(100);
            await alone.DisposeAsync();
        });
        int given = ReadAll(join).Length;
        await release;
        given += ReadAll(join).Length;
        join.Complete();
        Assert.Equal(Rows, given + ReadAll(join).Length);
        Assert.Equal((Rows / 3, 0), (join.Report.Defaulted, join.Report.LateLabels));
    }

    /// <summary>A listing that is under way while a writer goes from file to file may show a later one and not an earlier one.</summary>
    [Fact]
    public async Task Reader_WhileFilesAreAddedDuringTheListing_MissesNone()
    {
        const int Blocks = 600;
        using LogFolder source = new(), folder = new();
        for (int i = 0; i < 1500; i++)
            File.WriteAllBytes(Path.Combine(folder.Path, $"other-{i}-0123456789012345678901234567890123456789"), []);
        using (var log = new ForwardRecordLog<RegressionRecord>(source.Path, LogFolder.Small with { SegmentBytes = 4096 }))
        {
            for (int i = 0; i < Blocks; i++)
            {
                for (int k = 0; k < 62; k++)
                    log.Append(LogFolder.Record((ulong)((i * 62) + k)));
                log.Flush();
            }
        }

        string[] files = source.Files;
        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        int read = 0;
        Task writing = Task.Run(() =>
        {
            foreach (string file in files)
                File.Move(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        });
        var some = new RegressionRecord[1000];
        for (bool last = false; ;)
        {
            int n = reader.Read(some);
            read += n;
            if (n == 0 && last)
                break;
            last = n == 0 && writing.IsCompleted;
        }

        await writing;
        Assert.Equal(0, reader.Report.DeletedRecords);
        Assert.Equal(Blocks * 62, read);
    }

    /// <summary>Whatever Save meets, SavedRows says which state is in the file, and a join that begins anew agrees.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Save_FolderRefusesToBeForced_SaysWhetherItTookPlace(int refused, bool saved)
    {
        using LogFolder records = new(), labels = new();
        Write(records, labels);
        int asked = 0;
        var storage = new FaultyStorage
        {
            Before = what => _ = what == "flush directory" && ++asked == refused + 2
            ? throw new IOException("No.") : 0
        };
        string state = Path.Combine(labels.Path, "join.state");
        var rows = new JoinedRecord[50];
        using (var join = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options) { Storage = storage })
        {
            Assert.Equal(50, join.Read(rows));
            join.Save();
            Assert.Equal((50, 50), (join.Rows, join.SavedRows));
            Assert.Equal(50, join.Read(rows));
            string message = Assert.Throws<IOException>(join.Save).Message;
            Assert.Equal(saved ? $"The state is saved in {state} and counts from now on, 100 rows; but the folder could not be forced to "
                + $"the disk, so that after a power failure the former state may be there. No." : "No.", message);
            Assert.Equal((100, saved ? 100 : 50), (join.Rows, join.SavedRows));
            Assert.False(File.Exists(state + ".new"));
        }

        using var next = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options);
        Assert.Equal((saved ? 100 : 50, saved ? 100 : 50), (next.Rows, next.SavedRows));
    }

    [Fact]
    public void Join_StateDamaged_NamesTheFile()
    {
        using LogFolder records = new(), labels = new();
        string state = Path.Combine(records.Path, "join.state");
        File.WriteAllBytes(state, new byte[100]);
        Assert.StartsWith(state, Assert.Throws<InvalidDataException>(
            () => new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new ForwardRecordJoin<BinaryRecord>(records.Path, records.Path));
        Assert.Throws<ArgumentException>(
            () => new ForwardRecordJoin<BinaryRecord>(records.Path, records.Path + Path.DirectorySeparatorChar));
    }

    /// <summary>Two joins on one state would each give out all rows. The second one says so, by whichever name it comes to the
    /// state.</summary>
    [Fact]
    public void Join_OnAStateInUse_IsRefused_UntilTheFirstIsClosed()
    {
        using LogFolder records = new(), labels = new(), states = new();
        Write(records, labels);
        string state = Path.Combine(states.Path, "below", "join.state"), link = Path.Combine(states.Path, "link.state");
        File.CreateSymbolicLink(link, Path.Combine("below", "join.state"));
        var rows = new JoinedRecord[50];
        using (var first = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options))
        {
            Assert.Equal(50, first.Read(rows));
            Assert.Equal(
                $"The state {state} is in use by another join, of this process or another one, which has locked {state}.lock: two would "
                    + $"each give out all rows, and save over each other. Dispose of the other one first, or give this one a state of "
                    + $"its own.",
                Assert.Throws<IOException>(() => new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options)).Message);
            Assert.Throws<IOException>(() => new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, link, s_options));
            first.Save();
        }

        using (var next = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, link, s_options))
            Assert.Equal(50, next.Rows);

        // Whatever ends the constructor lets go of the state.
        Assert.Throws<ArgumentException>(
            () => new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options with { Wait = TimeSpan.FromSeconds(1) }));
        Assert.Throws<ArgumentException>(() => new ForwardRecordJoin<BinaryRecord>(_ => throw new ArgumentException("No."),
            _ => throw new InvalidOperationException(), state, s_options));
        using var last = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options);
        Assert.Equal(50, last.SavedRows);
    }

    /// <summary>The lock of a killed process is gone with it; that of a living one is seen, also where the runtime takes none.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Join_OnAStateOfAnotherProcess_IsRefused_UntilThatIsKilled(bool locksOff)
    {
        using LogFolder folder = new(), records = new(), labels = new();
        string state = Path.Combine(folder.Path, "join.state");
        var options = new LabelJoinOptions { Wait = TimeSpan.FromSeconds(60), Lateness = TimeSpan.FromSeconds(30), DefaultLabel = -1 };
        using (var other = new Child(locksOff, "join", folder.Path, records.Path, labels.Path))
        {
            Assert.NotNull(await other.Process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            Assert.StartsWith($"The state {state} is in use",
                Assert.Throws<IOException>(() => new ForwardRecordJoin<RegressionRecord>(records.Path, labels.Path, state, options))
                .Message, StringComparison.Ordinal);
        }

        new ForwardRecordJoin<RegressionRecord>(records.Path, labels.Path, state, options).Dispose();
    }

    /// <summary>What a killed process left beside the state goes when the next one opens it; another's file of a like name stays.</summary>
    [Fact]
    public void Join_OpenedAfterAKill_TakesAwayHalfWrittenStates()
    {
        using LogFolder records = new(), labels = new(), states = new();
        Write(records, labels);
        string state = Path.Combine(states.Path, "join.state"), left = Path.Combine(states.Path, $".join.state.{Guid.NewGuid():N}.tmp");
        using (var join = new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options))
            join.Save();
        File.WriteAllText(left, "half");
        File.WriteAllBytes(state + ".new", File.ReadAllBytes(state)[..20]);
        new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options).Dispose();
        Assert.Equal([state, state + ".lock"], Directory.GetFiles(states.Path).Order(StringComparer.Ordinal));
        File.WriteAllText(state + ".new", "somebody else's");
        new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options).Dispose();
        Assert.True(File.Exists(state + ".new"));
    }

    /// <summary>A reader that takes its time to close: who calls Dispose as the second waits, and finds the state free.</summary>
    [Fact]
    public async Task Dispose_Twice_TheSecondWaitsForTheFirst()
    {
        using LogFolder records = new(), labels = new();
        string state = Path.Combine(records.Path, "join.state");
        using var closing = new ManualResetEventSlim();
        using var hold = new ManualResetEventSlim();
        var join = new ForwardRecordJoin<BinaryRecord>(position => new SlowReader(records.Path, closing, hold),
            position => new ForwardRecordReader<LabelEvent>(labels.Path, position), state, s_options);
        Task first = Task.Run(join.Dispose);
        closing.Wait(TestContext.Current.CancellationToken);
        Task second = Task.Run(join.Dispose);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(second.IsCompleted);
        hold.Set();
        await Task.WhenAll(first, second);
        new ForwardRecordJoin<BinaryRecord>(records.Path, labels.Path, state, s_options).Dispose();
    }

    private sealed class SlowReader(string folder, ManualResetEventSlim closing, ManualResetEventSlim hold) : IRecordReader<BinaryRecord>
    {
        private readonly ForwardRecordReader<BinaryRecord> _reader = new(folder);

        public RecordReaderReport Report => _reader.Report;

        public int Read(Span<BinaryRecord> records) => _reader.Read(records);

        public ValueTask<int> ReadAsync(Memory<BinaryRecord> records, TimeSpan poll, CancellationToken cancellationToken = default) =>
            _reader.ReadAsync(records, poll, cancellationToken);

        public byte[] SavePosition() => _reader.SavePosition();

        public void Dispose()
        {
            closing.Set();
            hold.Wait();
            _reader.Dispose();
        }
    }

    private static void Write(LogFolder records, LogFolder labels)
    {
        // Two thirds of the rows get a label, up to 40 seconds later, in blocks of their own.
        using var recordLog = new ForwardRecordLog<BinaryRecord>(records.Path, LogFolder.Small);
        using var labelLog = new ForwardRecordLog<LabelEvent>(labels.Path, LogFolder.Small);
        for (int i = 0; i < Rows; i++)
            recordLog.Append(BinaryRecord.FromScore((ulong)i, i % 5, (ulong)(i / 100), s_start.AddSeconds(i)));
        for (int i = 0; i < Rows; i++)
        {
            if (i % 3 != 0)
                labelLog.Append(new LabelEvent((ulong)i, i % 2, s_start.AddSeconds(i + ((i * 7) % 40))));
        }
    }

    private static JoinedRecord[] ReadAll(ForwardRecordJoin<BinaryRecord> join)
    {
        var rows = new List<JoinedRecord>();
        var some = new JoinedRecord[11];
        for (int n; (n = join.Read(some)) > 0;)
            rows.AddRange(some.AsSpan(0, n));
        return [.. rows];
    }
}
