using System.Buffers.Binary;
using System.Diagnostics;
using Microsoft.ML.ForwardSampling.RecordStress;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>Real processes, really killed: the short version of <c>./build.sh crashtest</c>.</summary>
public class KillTests
{
    [Theory]
    [InlineData(RecordDurability.ProcessCrash, 4)]
    [InlineData(RecordDurability.PowerLoss, 2)]
    public async Task Killed_WhileWriting_EveryAcknowledgedRecordIsThereOnce(RecordDurability durability, int writers)
    {
        using var folder = new LogFolder();
        var run = new CrashRun(folder.Path);
        var random = new Random(23);
        for (int writer = 0; writer < writers; writer += 2)
        {
            // Two writers side by side, killed at different moments.
            int pause = random.Next(20, 150);
            await Task.WhenAll(
                run.RunAndKill(writer, durability, TimeSpan.FromMilliseconds(pause)),
                run.RunAndKill(writer + 1, durability, TimeSpan.FromMilliseconds(pause + random.Next(100))));
        }

        Assert.Equal(2 * writers, run.Threads);
        CrashCounts before = run.Count(out ForwardRecordReaderReport report);
        Assert.True(before.IsGood && before.Found >= before.Acknowledged && before.Acknowledged > 0, before.ToString());
        Assert.Equal((0, 0, 0), (report.LostRecords, report.DuplicateRecords, report.DamagedPlaces));

        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path))
            // later writers finished the files of earlier ones, on a busy machine also of the one beside them
            Assert.InRange(log.Report.RecoveredSegments, 1, writers);
        Assert.Equal(before, run.Count(out report));
        Assert.Equal((0, 0, 0, 0), (report.LostRecords, report.DuplicateRecords, report.DamagedPlaces, report.TornBytes));
    }

    /// <summary>Two logs are written while a process joins them, is killed, begins again where it was saved, is killed …</summary>
    [Fact]
    public async Task Killed_WhileJoining_EveryRecordIsJoinedOnceWithItsLabel()
    {
        const int Kills = 5;
        using LogFolder folder = new(), records = new(), labels = new();
        using var stop = new CancellationTokenSource();
        Task<int> writing = Task.Run(() => WriteUntil(stop.Token, records.Path, labels.Path));
        var random = new Random(5);
        for (int kill = 0; kill < Kills; kill++)
        {
            using Process process = StartJoin(folder.Path, records.Path, labels.Path);
            Assert.NotNull(await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            Task<string> rest = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await Task.Delay(random.Next(100), TestContext.Current.CancellationToken);
            Assert.False(process.HasExited);
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            await rest;
        }

        await stop.CancelAsync();
        int written = await writing;
        long before = new FileInfo(Path.Combine(folder.Path, "joined")).Length / 12;
        File.WriteAllText(Path.Combine(folder.Path, "end"), "");
        using Process last = StartJoin(folder.Path, records.Path, labels.Path);
        await last.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await last.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, last.ExitCode);
        Assert.InRange(before, 1, written);
        byte[] joined = File.ReadAllBytes(Path.Combine(folder.Path, "joined"));
        var rows = joined.Chunk(12).Select(row => (Key: BinaryPrimitives.ReadUInt64LittleEndian(row),
            Label: BinaryPrimitives.ReadSingleLittleEndian(row.AsSpan(8)))).Order();
        Assert.Equal(Enumerable.Range(0, written).Select(i => ((ulong)i, LabelOf(i))), rows);
    }

    private static Process StartJoin(string folder, string records, string labels) => Process.Start(new ProcessStartInfo(
        "dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "RecordWriter.dll"), "join", folder, records, labels])
    { RedirectStandardOutput = true })!;

    private static float LabelOf(int i) => i % 3 == 0 ? -1 : i % 1000;

    /// <summary>A record every 10 ms of its own time; two thirds get a label, up to 10 s later, some of them twice.</summary>
    private static int WriteUntil(CancellationToken stop, string recordFolder, string labelFolder)
    {
        const int AtOnce = 100, Latest = 1000;
        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        ForwardRecordLogOptions options = LogFolder.Small with { SegmentBytes = 64 << 10 };
        using var records = new ForwardRecordLog<RegressionRecord>(recordFolder, options);
        using var labels = new ForwardRecordLog<LabelEvent>(labelFolder, options);
        var known = new PriorityQueue<int, int>();
        int written = 0;
        for (bool last = false; !last;)
        {
            last = stop.IsCancellationRequested;
            for (int i = 0; i < AtOnce; i++, written++)
            {
                records.Append(new RegressionRecord((ulong)written, 1, time: start.AddMilliseconds(10 * written)));
                for (int copies = written % 3 == 0 ? 0 : written % 7 == 0 ? 2 : 1; copies > 0; copies--)
                    known.Enqueue(written, written + (written * 7919 % Latest));
            }

            records.Flush();
            while (known.TryPeek(out int row, out int at) && (last || at < written))
            {
                labels.Append(new LabelEvent((ulong)row, LabelOf(row), start.AddMilliseconds(10 * at)));
                known.Dequeue();
            }

            labels.Flush();
            if (!last)
                Thread.Sleep(3);
        }

        return written;
    }

    /// <summary>The judge finds what it is there for.</summary>
    [Fact]
    public void Count_LostDoubledAndForeignRecords_AreSeen()
    {
        using var folder = new LogFolder();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path))
        {
            foreach (ulong key in (ulong[])[0, 1, 1, 3])
                log.Append(new RegressionRecord((2UL << 48) | key, key, 2));
            log.Append(new RegressionRecord((2UL << 48) | 4, 5, 2));
        }

        CrashCounts counts = new CrashRun(folder.Path).Count(out _);
        Assert.Equal(new CrashCounts(0, 3, 0, 1, 2), counts);
        Assert.False(counts.IsGood);
    }
}
