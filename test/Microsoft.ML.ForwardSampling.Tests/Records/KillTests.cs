using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordStress;

namespace Microsoft.ML.ForwardSampling.Tests.Records;

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
            Assert.InRange(log.Report.RecoveredSegments, 1, writers); // later writers finished the files of earlier ones, on a busy machine also of the one beside them
        Assert.Equal(before, run.Count(out report));
        Assert.Equal((0, 0, 0, 0), (report.LostRecords, report.DuplicateRecords, report.DamagedPlaces, report.TornBytes));
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
