using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class ForwardRecordLogTests
{
    [Fact]
    public void Append_ManyThreads_EachThreadsRecordsComeOnceAndInOrder()
    {
        const int Threads = 4, PerThread = 30_000;
        using var folder = new LogFolder();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small with { SegmentBytes = 256 << 10 }))
        {
            Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, t =>
            {
                for (int i = 0; i < PerThread; i++)
                    log.Append(new RegressionRecord(((ulong)t << 32) | (uint)i, i));
            });
            log.Flush();
            Assert.Equal(Threads * PerThread, log.Acknowledged);
            Assert.True(log.Report.Segments > 5);
        }

        ulong[] keys = folder.Keys(out ForwardRecordReaderReport report);
        Assert.Equal(Threads * PerThread, keys.Length);
        for (int t = 0; t < Threads; t++)
            Assert.Equal(LogFolder.Range((ulong)t << 32, PerThread), keys.Where(k => (int)(k >> 32) == t));
        Assert.Equal((0, 0, 0, 0), (report.LostRecords, report.DuplicateRecords, report.DamagedPlaces, report.TornBytes));
    }

    [Fact]
    public void Reader_WhileLogWrites_SeesEachAcknowledgedRecordOnce()
    {
        const int Count = 20_000;
        using var folder = new LogFolder();
        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small with { SegmentBytes = 64 << 10 });
        var seen = new List<ulong>();
        for (int i = 0; i < Count; i++)
        {
            log.Append(new RegressionRecord((ulong)i, i));
            if (i % 1777 == 0)
            {
                log.Flush();
                seen.AddRange(LogFolder.ReadAll(reader).Select(r => r.Key));
                Assert.Equal(i + 1, seen.Count);
            }
        }

        log.Flush();
        seen.AddRange(LogFolder.ReadAll(reader).Select(r => r.Key));
        Assert.Equal(LogFolder.Range(0, Count), seen);
        Assert.Equal((0, 0, 0, 0), (reader.Report.LostRecords, reader.Report.TornBytes, reader.Report.DamagedPlaces,
            reader.Report.DeletedRecords));
    }

    [Fact]
    public async Task ReadAsync_WaitsForTheNextRecord()
    {
        using var folder = new LogFolder();
        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { FlushInterval = TimeSpan.FromMilliseconds(5) });
        var records = new RegressionRecord[4];
        ValueTask<int> reading = reader.ReadAsync(records, TimeSpan.FromMilliseconds(2), TestContext.Current.CancellationToken);
        log.Append(new RegressionRecord(77, 1)); // nobody flushes: the interval does
        Assert.Equal(1, await reading);
        Assert.Equal(77u, records[0].Key);
        using var cancelled = new CancellationTokenSource(20);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await reader.ReadAsync(records, TimeSpan.FromMilliseconds(2), cancelled.Token));
    }

    [Fact]
    public void Logs_SideBySide_EachHasFilesOfItsOwn()
    {
        using var folder = new LogFolder();
        using (var a = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
        using (var b = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
        {
            for (ulong i = 0; i < 500; i++)
            {
                a.Append(new RegressionRecord(i, 0));
                b.Append(new RegressionRecord(1000 + i, 0));
            }

            a.Flush();
            using var c = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small); // recovery must leave a and b alone
            Assert.Equal(0, c.Report.RecoveredSegments);
            a.Append(new RegressionRecord(500, 0));
        }

        Assert.Equal(2, folder.Files.Length); // c wrote nothing and left nothing
        Assert.Equal([.. LogFolder.Range(0, 501), .. LogFolder.Range(1000, 500)], folder.Keys(out _).Order());
    }

    [Fact]
    public void Append_WithoutTime_GetsTheClocksTime_AlsoWhenItGoesBackwards()
    {
        using var folder = new LogFolder();
        var clock = new ManualClock(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small with { TimeProvider = clock }))
        {
            log.Append(new RegressionRecord(1, 0));
            clock.Now -= TimeSpan.FromHours(1);
            log.Append(new RegressionRecord(2, 0));
            log.Flush();
            Assert.Equal(1, log.Report.Segments);
        }

        RegressionRecord[] read = folder.Read(out _);
        Assert.Equal(new DateTime(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc), read[0].Time, TimeSpan.FromSeconds(0.45));
        Assert.Equal(new DateTime(2026, 5, 1, 11, 0, 0, DateTimeKind.Utc), read[1].Time);
    }

    /// <summary>Records share a look at the clock, but not for long: half of the pause is what a busy machine may keep the log's thread
    /// from taking the look back.</summary>
    [Fact]
    public void Append_WithoutTime_LooksAtTheClockAgainAfterAPause()
    {
        using var folder = new LogFolder();
        DateTime before = DateTime.UtcNow, after;
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
        {
            for (ulong key = 0; key < 10; key++)
                log.Append(new RegressionRecord(key, 0));
            Thread.Sleep(400);
            log.Append(new RegressionRecord(10, 0));
            log.Append([new RegressionRecord(11, 0), new RegressionRecord(12, 0)]);
            after = DateTime.UtcNow;
        }

        RegressionRecord[] read = folder.Read(out _);
        Assert.All(read, r => Assert.InRange(r.Time, before - TimeSpan.FromMilliseconds(1), after + TimeSpan.FromMilliseconds(1)));
        Assert.All(read.Skip(10), r => Assert.InRange(r.Time - read[9].Time, TimeSpan.FromMilliseconds(200), after - before));
    }

    /// <summary>Records whose times are far off become blocks of their own, so that those around them keep theirs; also when the disk
    /// refuses between two of these blocks.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void Append_WildTimes_LeaveTheOthersTheirs(int writesUntilTheDiskRefuses)
    {
        using var folder = new LogFolder();
        var start = new DateTime(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);
        RegressionRecord[] records = [.. Enumerable.Range(0, 60).Select(i => new RegressionRecord((ulong)i, i, (ulong)(i % 3), i switch
        {
            0 => DateTime.UnixEpoch,
            20 => new DateTime(9999, 12, 31, 23, 59, 59, DateTimeKind.Utc),
            41 => start.AddHours(1.5),
            _ => start.AddMilliseconds(i),
        }))];
        int writes = 0;
        var storage = new FaultyStorage();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small, storage))
        {
            storage.Before = what =>
            {
                if (what == "write" && writes++ == writesUntilTheDiskRefuses)
                    throw new IOException("Input/output error");
            };
            log.Append(records);
            log.Flush();
            Assert.Equal(6, log.Report.Blocks);
        }

        Assert.Equal(6 + 1 + 1, writes);                    // the refused one, and the end mark
        RegressionRecord[] read = folder.Read(out _);
        Assert.Equal(records.Select(r => (r.Key, r.Score, r.ModelVersion)), read.Select(r => (r.Key, r.Score, r.ModelVersion)));
        Assert.All(records.Zip(read), pair => Assert.Equal(pair.First.Time, pair.Second.Time, TimeSpan.FromMilliseconds(0.01)));
    }

    /// <summary>Where every other record would have to be cut off, the block stays whole, and its times are exact to 1/8190 of its
    /// span.</summary>
    [Fact]
    public void Append_TimesAllOver_OneBlock()
    {
        using var folder = new LogFolder();
        var start = new DateTime(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);
        RegressionRecord[] records = [.. Enumerable.Range(0, 60)
            .Select(i => new RegressionRecord((ulong)i, i, 0, start.AddHours(i * 7 % 60)))];
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
        {
            log.Append(records);
            log.Flush();
            Assert.Equal(1, log.Report.Blocks);
        }

        Assert.All(records.Zip(folder.Read(out _)),
            pair => Assert.Equal(pair.First.Time, pair.Second.Time, TimeSpan.FromHours(59) / 8190 + TimeSpan.FromTicks(1)));
    }

    [Fact]
    public void SegmentAge_Reached_NextSegment()
    {
        using var folder = new LogFolder();
        var clock = new ManualClock(DateTimeOffset.UnixEpoch);
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { TimeProvider = clock, SegmentAge = TimeSpan.FromMinutes(1) }))
        {
            log.Append(new RegressionRecord(1, 0));
            log.Flush();
            clock.Elapsed += TimeSpan.FromSeconds(59);
            log.Append(new RegressionRecord(2, 0));
            log.Flush();
            Assert.Equal(1, log.Report.Segments);
            clock.Elapsed += TimeSpan.FromSeconds(1);
            log.Append(new RegressionRecord(3, 0));
            log.Flush();
            Assert.Equal(2, log.Report.Segments);
        }

        Assert.Equal(LogFolder.Range(1, 3), folder.Keys(out _));
    }

    [Fact]
    public void RetentionBytes_Exceeded_OldestFinishedFilesGo_AndAFollowerCountsThem()
    {
        using var folder = new LogFolder();
        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        var options = LogFolder.Small with { SegmentBytes = 4096, RetentionBytes = 12_000 };
        long total = 0;
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, options))
        {
            log.Append(new RegressionRecord(0, 0));
            log.Flush();
            total += LogFolder.ReadAll(reader).Length;
            for (ulong i = 1; i < 5000; i++)
            {
                log.Append(new RegressionRecord(i, 0));
                if (i % 50 == 0)
                    log.Flush();
            }

            log.Flush();
            Assert.True(log.Report.DeletedSegments > 3);
            Assert.True(folder.Files.Sum(f => new FileInfo(f).Length) <= 12_000 + 4096);
        }

        RegressionRecord[] rest = LogFolder.ReadAll(reader);
        Assert.Equal(4999u, rest[^1].Key);
        Assert.Equal(5000, total + rest.Length + reader.Report.DeletedRecords);
        Assert.Equal(0, reader.Report.LostRecords);
    }

    [Fact]
    public void RetentionAge_Exceeded_OldFilesGo_FutureOnesStay()
    {
        using var folder = new LogFolder();
        string old = folder.Write(0, 5), future = folder.Write(5, 5);
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-3));
        File.SetLastWriteTimeUtc(future, DateTime.UtcNow.AddDays(3));
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small with { RetentionAge = TimeSpan.FromDays(2) });
        Assert.Equal(1, log.Report.DeletedSegments);
        Assert.Equal((false, true), (File.Exists(old), File.Exists(future)));
    }

    /// <summary>A clock that is 31 days ahead, from the start or from one moment to the next, ends the time of no file.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RetentionAge_ClockJumpsAhead_NothingIsDeleted(bool whileOpen)
    {
        using var folder = new LogFolder();
        folder.Write(0, 5);
        folder.Write(5, 5);
        var clock = new ManualClock(DateTimeOffset.UtcNow) { Elapsed = TimeSpan.FromHours(5) };
        if (!whileOpen)
            clock.Now += TimeSpan.FromDays(31);
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { SegmentBytes = 4096, RetentionAge = TimeSpan.FromDays(30), TimeProvider = clock });
        clock.Now += TimeSpan.FromDays(31);
        for (ulong i = 0; i < 2000; i++)
            log.Append(LogFolder.Record(i));
        log.Flush();
        Assert.True(log.Report.Segments > 3);
        Assert.Equal(0, log.Report.DeletedSegments);
    }

    /// <summary>The machine's clock was wrong when it started, so that the new file's own time is wrong too: what looks like a pause counts
    /// for no file, and what had been too old before it still goes.</summary>
    [Fact]
    public void RetentionAge_LongPause_DoesNotCount()
    {
        using var folder = new LogFolder();
        string[] files = [.. Enumerable.Range(0, 4).Select(i => folder.Write((ulong)i * 5, 5))];
        for (int i = 0; i < 4; i++)
            File.SetLastWriteTimeUtc(files[i], DateTime.UtcNow.AddDays(-31 - i));
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { RetentionAge = TimeSpan.FromDays(2.5) }))
            Assert.Equal(1, log.Report.DeletedSegments);
        Assert.Equal([true, true, true, false], files.Select(File.Exists));

        // Another log, while the first file of the new time is there.
        File.SetLastWriteTimeUtc(folder.Write(100, 1), DateTime.UtcNow.AddHours(-1));
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { RetentionAge = TimeSpan.FromDays(2.5) }))
            Assert.Equal(0, log.Report.DeletedSegments);

        // Time goes on: 2 days and 14 hours later.
        foreach (string file in folder.Files)
            File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(file).AddDays(-1));
        string later = folder.Write(200, 1);
        File.SetLastWriteTimeUtc(later, DateTime.UtcNow);
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { RetentionAge = TimeSpan.FromDays(2.5) }))
            Assert.Equal(1, log.Report.DeletedSegments);
    }

    /// <summary>A writer all of whose files are deleted before they were read to their end leaves no number that tells what is missing: it
    /// is counted itself.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public void Files_DeletedBeforeTheirEndWasRead_TheWriterIsCounted(int readBefore, bool fromPosition)
    {
        using LogFolder folder = new(), elsewhere = new();
        string whole = elsewhere.Write(0, 5, 5), path = Path.Combine(folder.Path, Path.GetFileName(whole));
        byte[] bytes = File.ReadAllBytes(whole);
        File.WriteAllBytes(path, bytes[..^80]);
        var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        try
        {
            Assert.Equal(readBefore, reader.Read(new RegressionRecord[Math.Max(1, readBefore)].AsSpan(0, readBefore)));
            if (readBefore == 0)
                Assert.Equal(5, LogFolder.ReadAll(reader).Length);          // all that is whole, and no end

            if (fromPosition)
            {
                byte[] position = reader.SavePosition();
                reader.Dispose();
                reader = new ForwardRecordReader<RegressionRecord>(folder.Path, position);
            }

            File.Delete(path);
            _ = LogFolder.ReadAll(reader);
            Assert.Equal((1, 0, 0), (reader.Report.VanishedWriters, reader.Report.DeletedRecords, reader.Report.LostRecords));
            Assert.Equal(24, reader.SavePosition().Length);
            _ = LogFolder.ReadAll(reader);
            Assert.Equal(1, reader.Report.VanishedWriters);

            // It comes back, with all that it has: nothing twice, and no longer counted. The other reader had given out only three.
            string next = Path.Combine(folder.Path, SegmentFormat.FileName(BitConverter.ToUInt64(bytes, 16), 1));
            File.WriteAllBytes(next, bytes);
            Assert.Equal(fromPosition ? 7 : 5, LogFolder.ReadAll(reader).Length);
            Assert.Equal(0, reader.Report.VanishedWriters);
        }
        finally
        {
            reader.Dispose();
        }
    }

    [Fact]
    public void Files_DeletedAfterTheirEndWasRead_OrEmpty_AreNotCounted()
    {
        using var folder = new LogFolder();
        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        string path = folder.Write(0, 5);
        using (new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
            Assert.Equal(5, LogFolder.ReadAll(reader).Length);      // this one closes without a record, and takes its file away
        File.Delete(path);
        _ = LogFolder.ReadAll(reader);
        Assert.Equal(0, reader.Report.VanishedWriters);
    }

    [Fact]
    public async Task PowerLoss_AcknowledgesOnlyAfterFsync_OneForAllThatWait()
    {
        using var folder = new LogFolder();
        var storage = new FaultyStorage();
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { Durability = RecordDurability.PowerLoss }, storage);
        Assert.Equal(["directory", "directory", "create", "write", "flush", "flush directory"], storage.Diary);
        using var hold = new ManualResetEventSlim();
        long acknowledgedAtFsync = -1;
        storage.Before = what =>
        {
            if (what == "flush")
            {
                hold.Wait();
                acknowledgedAtFsync = log.Acknowledged;
            }
        };
        log.Append(new RegressionRecord(1, 0));
        Task first = log.FlushAsync();
        Assert.True(SpinWait.SpinUntil(() => storage.Diary.Length == 7, 5000)); // written, not forced
        Assert.Equal((false, 0), (first.IsCompleted, log.Acknowledged));
        Task[] more = [.. Enumerable.Range(0, 8).Select(i =>
        {
            log.Append(new RegressionRecord((ulong)i, 0));
            return log.FlushAsync();
        })];
        hold.Set();
        await Task.WhenAll([first, .. more]);
        Assert.Equal(["write", "flush", "write", "flush"], storage.Diary[6..]);
        Assert.Equal((1, 9), (acknowledgedAtFsync, log.Acknowledged));
    }

    [Fact]
    public void ProcessCrash_NeverForces()
    {
        using var folder = new LogFolder();
        var storage = new FaultyStorage();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small, storage))
        {
            log.Append(new RegressionRecord(1, 0));
            log.Flush();
        }

        Assert.DoesNotContain(storage.Diary, what => what.StartsWith("flush", StringComparison.Ordinal));
    }

    /// <summary>Disk full in the middle of a block, for a while.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DiskFull_FlushThrows_NothingIsLostOrDoubledOnceThereIsRoom(bool truncatingFails)
    {
        using var folder = new LogFolder();
        var storage = new FaultyStorage { HalfWritten = 100 };
        bool full = false;
        storage.Before = what =>
        {
            if (full && (what is "write" or "create" || (truncatingFails && what == "length")))
                throw new IOException("No space left on device");
        };
        ForwardRecordLogReport report;
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small, storage))
        {
            log.Append(LogFolder.Record(0));
            log.Flush();
            full = true;
            for (ulong i = 1; i < 300; i++)
                log.Append(LogFolder.Record(i));
            IOException e = Assert.Throws<IOException>(() => log.Flush());
            Assert.Equal($"The log in {folder.Path} cannot write: No space left on device 299 records wait in memory and are tried again.",
                e.Message);
            Assert.Equal((1, "No space left on device"), (log.Acknowledged, log.Report.Failure));
            full = false;
            Assert.True(SpinWait.SpinUntil(() => log.Acknowledged == 300, 5000)); // by itself, after RetryInterval
            log.Append(LogFolder.Record(300));
            log.Flush();
            report = log.Report;
        }

        Assert.Null(report.Failure);
        Assert.Equal(truncatingFails ? 1 : 0, report.AbandonedSegments);
        Assert.Equal(LogFolder.Range(0, 301), folder.Keys(out ForwardRecordReaderReport read));
        Assert.Equal((0, 0, truncatingFails ? 100 : 0), (read.LostRecords, read.DuplicateRecords, read.TornBytes));
    }

    [Fact]
    public void Fsync_Fails_SegmentIsAbandonedAndItsRecordsWrittenAgain_ReaderDropsDoubles()
    {
        using var folder = new LogFolder();
        int failing = 0;
        var storage = new FaultyStorage
        {
            Before = what =>
            {
                if (what == "flush" && failing > 0)
                {
                    failing--;
                    throw new IOException("Input/output error");
                }
            },
        };
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { Durability = RecordDurability.PowerLoss }, storage))
        {
            log.Append(LogFolder.Record(0));
            log.Flush();
            failing = 1;
            for (ulong i = 1; i < 200; i++)
                log.Append(LogFolder.Record(i));
            log.Flush();
            Assert.Equal(1, log.Report.AbandonedSegments);
        }

        Assert.Equal(LogFolder.Range(0, 200), folder.Keys(out ForwardRecordReaderReport read));
        Assert.Equal(0, read.LostRecords);
        Assert.InRange(read.DuplicateRecords, 1, 199);
    }

    [Fact]
    public void DiskFull_AtDispose_SaysHowManyAreLost()
    {
        using var folder = new LogFolder();
        var storage = new FaultyStorage();
        var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small, storage);
        log.Append(LogFolder.Record(0));
        storage.Before = _ => throw new IOException("No space left on device");
        Assert.Equal(
            $"The log in {folder.Path} was closed while the disk refused: 1 of 1 records were never acknowledged and are lost. No space "
                + $"left on device",
            Assert.Throws<IOException>(log.Dispose).Message);
        log.Dispose();
        Assert.Throws<ObjectDisposedException>(() => log.Append(LogFolder.Record(1)));
        Assert.Throws<ObjectDisposedException>(() => log.Flush());
    }

    /// <summary>Who calls Dispose as the second may take what was acknowledged by then for all there is.</summary>
    [Fact]
    public async Task Dispose_Twice_TheSecondWaitsForTheFirst()
    {
        using var folder = new LogFolder();
        using ManualResetEventSlim writing = new(), hold = new();
        var storage = new FaultyStorage();
        var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small, storage);
        storage.Before = what =>
        {
            if (what == "write")
            {
                writing.Set();
                hold.Wait();
            }
        };
        log.Append(LogFolder.Record(0));
        Task first = Task.Run(log.Dispose);
        writing.Wait(TestContext.Current.CancellationToken);
        Task[] later = [Task.Run(log.Dispose), log.DisposeAsync().AsTask()];
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.All(later, task => Assert.False(task.IsCompleted));
        hold.Set();
        await Task.WhenAll([first, .. later]);
        Assert.Equal(1, log.Acknowledged);
    }

    [Fact]
    public void DirectoryRemoved_InUse_MadeAgainAndGoesOn()
    {
        using var folder = new LogFolder();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
        {
            log.Append(LogFolder.Record(0));
            log.Flush();
            Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not delete a file in use.");
            Directory.Delete(folder.Path, recursive: true);
            for (ulong i = 1; i < 100; i++)
                log.Append(LogFolder.Record(i));
            log.Flush();
            Assert.Equal((100, 1), (log.Acknowledged, log.Report.AbandonedSegments));
        }

        Assert.Equal(LogFolder.Range(1, 99), folder.Keys(out _)); // the first one went with the directory
    }

    [Fact]
    public void Directory_NotWritable_ConstructorThrows()
    {
        using var folder = new LogFolder();
        string file = Path.Combine(folder.Path, "a file");
        File.WriteAllText(file, "");
        Assert.ThrowsAny<IOException>(() => new ForwardRecordLog<RegressionRecord>(Path.Combine(file, "below")));
        var readOnly = new FaultyStorage
        { Before = what => { if (what == "create") throw new UnauthorizedAccessException("Access to the path is denied."); } };
        Assert.Throws<UnauthorizedAccessException>(() => new ForwardRecordLog<RegressionRecord>(folder.Path, null, readOnly));
        Assert.Throws<ArgumentException>(() => new ForwardRecordLog<RegressionRecord>(" "));
    }

    /// <summary>As when another log's recovery is alone with the new file for a moment.</summary>
    [Fact]
    public void Create_FailsOnce_NextNameIsTaken()
    {
        using var folder = new LogFolder();
        bool failed = false;
        var storage = new FaultyStorage
        {
            Before = what =>
            {
                if (what == "create" && !failed)
                {
                    failed = true;
                    throw new IOException("The process cannot access the file because it is being used by another process.");
                }
            },
        };
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small, storage))
            log.Append(LogFolder.Record(0));
        Assert.EndsWith("-00000001.fsl", Assert.Single(folder.Files), StringComparison.Ordinal);
        Assert.Equal([0u], folder.Keys(out _));
    }

    [Fact]
    public void Header_CannotBeWritten_NoEmptyFilesStay()
    {
        using var folder = new LogFolder();
        var storage = new FaultyStorage { Before = what => { if (what == "write") throw new IOException("No space left on device"); } };
        Assert.Throws<IOException>(() => new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small, storage));
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void Block_MemoryFull_AppendWaits_TokenAndRefusalEndIt()
    {
        using var folder = new LogFolder();
        using var hold = new ManualResetEventSlim();
        bool refuse = false;
        var storage = new FaultyStorage();
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small with { MemoryBytes = 4096 }, storage);
        storage.Before = what =>
        {
            if (what == "write")
            {
                hold.Wait();
                if (refuse)
                    throw new IOException("Input/output error");
            }
        };
        using var soon = new CancellationTokenSource(100);
        int taken = 0;
        Assert.ThrowsAny<OperationCanceledException>((Action)(() =>
        {
            for (; ; taken++)
                log.Append(LogFolder.Record((ulong)taken), soon.Token);
        }));
        Assert.Equal(4096 / 16, taken);
        refuse = true;
        hold.Set();
        IOException e = Assert.Throws<IOException>(() => log.Append(LogFolder.Record(999)));
        Assert.StartsWith($"The log in {folder.Path} cannot write: Input/output error 256 records wait", e.Message,
            StringComparison.Ordinal);
        refuse = false;
        log.Flush();
        Assert.Equal(256, log.Acknowledged);
    }

    [Fact]
    public void DropAndRecord_SlowDisk_KeptRecordsStandForAllOfThem()
    {
        const int Count = 60_000;
        using var folder = new LogFolder();
        using var hold = new ManualResetEventSlim();
        var storage = new FaultyStorage();
        ForwardRecordLogReport report;
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { Overflow = RecordOverflow.DropAndRecord, Seed = 1 }, storage))
        {
            storage.Before = what => { if (what == "write") hold.Wait(); };
            for (ulong i = 0; i < Count; i++)
                log.Append(new RegressionRecord(i, 1, keepingProbability: 0.5f));
            report = log.Report;
            hold.Set();
        }

        RegressionRecord[] read = folder.Read(out _);
        Assert.Equal((Count, 0), (report.Appended + report.Thinned, report.Dropped));
        Assert.Equal(report.Appended, read.Length);
        Assert.InRange(report.Appended, 2048, 4096);        // memory holds 4,096
        Assert.Equal(0.5f, read[0].KeepingProbability);
        Assert.True(read[^1].KeepingProbability < 0.05f);
        double estimate = read.Sum(r => 0.5 / r.KeepingProbability),
            variance = read.Sum(r => (0.5 / r.KeepingProbability) * ((0.5 / r.KeepingProbability) - 1));
        Assert.InRange(estimate, Count - (4 * Math.Sqrt(variance)), Count + (4 * Math.Sqrt(variance)));
        Assert.True(variance > 0 && Math.Sqrt(variance) < 0.1 * Count);
    }

    [Fact]
    public void DropAndRecord_DiskStandsStill_MemoryStaysBoundedAndDropsAreCounted()
    {
        using var folder = new LogFolder();
        using var hold = new ManualResetEventSlim();
        var storage = new FaultyStorage();
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { Overflow = RecordOverflow.DropAndRecord, MemoryBytes = 4096 }, storage);
        storage.Before = what => { if (what == "write") hold.Wait(); };
        for (ulong i = 0; log.Report.Dropped == 0; i++)
        {
            for (int k = 0; k < 1000; k++)
                log.Append(LogFolder.Record(i));
        }

        Assert.Equal(256, log.Report.Appended);
        hold.Set();
    }

    [Fact]
    public void Append_AfterWarmUp_AllocatesNothing()
    {
        using var folder = new LogFolder();
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path);
        Fill(log);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Fill(log);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Fill(ForwardRecordLog<RegressionRecord> log)
        {
            for (ulong i = 0; i < 50_000; i++)
                log.Append(new RegressionRecord(i, 1));
        }
    }

    /// <summary>A place is filled once its time is not 0: no clock may make it 0, and one that throws must not leave a place
    /// empty.</summary>
    [Fact]
    public void Clock_AtTheBeginningOfTime_OrThrowing_LeavesNoEmptyPlace()
    {
        using var folder = new LogFolder();
        var clock = new ManualClock(DateTimeOffset.MinValue);
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small with { TimeProvider = clock }))
        {
            log.Append(new RegressionRecord(0, 0));
            log.Append([new RegressionRecord(1, 0)]);
            clock.Fails = true;
            Assert.Throws<NotSupportedException>(() => log.Append(new RegressionRecord(9, 0)));
            Assert.Throws<NotSupportedException>(() => log.Append([new RegressionRecord(9, 0)]));
            log.Append(new RegressionRecord(2, 0, time: new DateTime(5, DateTimeKind.Utc)));
            clock.Fails = false;
            log.Flush();
        }

        Assert.Equal([(0UL, 1L), (1UL, 1L), (2UL, 5L)], folder.Read(out _).Select(r => (r.Key, r.Time.Ticks)));
    }

    /// <summary>Threads, model versions, single records and batches against each other, with blocks so small that they close all the time:
    /// the returned number is the place in the file.</summary>
    [Fact]
    public void Append_ManyThreads_NumberIsThePlaceAndNothingIsLostOrTorn()
    {
        const int Threads = 6, Each = 4000;
        using var folder = new LogFolder();
        var numbers = new long[Threads][];
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path,
            LogFolder.Small with { MemoryBytes = 4096, FlushInterval = TimeSpan.FromMilliseconds(1) }))
        {
            Thread[] threads = [.. Enumerable.Range(0, Threads).Select(t => new Thread(() =>
            {
                numbers[t] = new long[Each];
                var batch = new RegressionRecord[7];
                for (int i = 0; i < Each;)
                {
                    if (t % 2 == 1 && i % 50 == 0)
                    {
                        for (int b = 0; b < batch.Length; b++)
                            batch[b] = Make(t, i + b);
                        _ = log.Append(batch);
                        for (int b = 0; b < batch.Length && i < Each; b++)
                            numbers[t][i++] = -1;
                        continue;
                    }

                    numbers[t][i] = log.Append(Make(t, i));
                    i++;
                    if (i % 500 == 0)
                        log.Flush();
                }
            }))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            log.Flush();
            Assert.Equal(log.Report.Appended, log.Acknowledged);
        }

        RegressionRecord[] read = folder.Read(out ForwardRecordReaderReport report);
        Assert.Equal((0, 0, 0), (report.LostRecords, report.DuplicateRecords, report.DamagedPlaces));
        Assert.All(read, r => Assert.Equal(((float)(r.Key & 0xFFFF), (r.Key >> 32) + (r.Key % 3)), (r.Score, r.ModelVersion)));
        for (int t = 0; t < Threads; t++)
        {
            Assert.Equal([.. read.Where(r => r.Key >> 32 == (ulong)t).Select(r => (int)(r.Key & 0xFFFF)).Take(Each)],
                Enumerable.Range(0, Each));
            for (int i = 0; i < Each; i++)
                Assert.True(numbers[t][i] == -1 || read[numbers[t][i] - 1].Key == Make(t, i).Key);
        }

        static RegressionRecord Make(int thread, int i) => new(((ulong)thread << 32) | (uint)i, i,
            (ulong)thread + ((((ulong)thread << 32) | (uint)i) % 3));
    }

    [Fact]
    public void Append_ManyModelVersions_AllComeBack()
    {
        using var folder = new LogFolder();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
        {
            for (ulong i = 0; i < 400; i++)
                log.Append(new RegressionRecord(i, 0, i % 40));
        }

        RegressionRecord[] read = folder.Read(out _);
        Assert.Equal(LogFolder.Range(0, 400), read.Select(r => r.Key));
        Assert.All(read, r => Assert.Equal(r.Key % 40, r.ModelVersion));
    }

    [Fact]
    public async Task DisposeAsync_WritesWhatIsInMemory()
    {
        using var folder = new LogFolder();
        await using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
            log.Append(LogFolder.Record(5));
        Assert.Equal([5u], folder.Keys(out _));
    }

    [Fact]
    public void Reader_OfNoDirectory_ReadsNothingUntilThereIsOne()
    {
        using var folder = new LogFolder();
        Directory.Delete(folder.Path);
        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        Assert.Equal(0, reader.Read(new RegressionRecord[3]));
        Directory.CreateDirectory(folder.Path);
        folder.Write(0, 3);
        Assert.Equal(3, reader.Read(new RegressionRecord[3]));
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.Read(new RegressionRecord[3]));
    }

    private sealed class ManualClock(DateTimeOffset start) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = start;

        public TimeSpan Elapsed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public bool Fails { get; set; }

        public override DateTimeOffset GetUtcNow() => Fails ? throw new NotSupportedException() : Now;

        public override long GetTimestamp() => Elapsed.Ticks;
    }
}
