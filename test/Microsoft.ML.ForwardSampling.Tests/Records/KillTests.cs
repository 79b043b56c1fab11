using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tests.Records;

/// <summary>Real processes, really killed: SIGKILL on Unix, TerminateProcess on Windows.</summary>
public class KillTests
{
    [Theory]
    [InlineData(RecordDurability.ProcessCrash, 4)]
    [InlineData(RecordDurability.PowerLoss, 2)]
    public async Task Killed_WhileWriting_EveryAcknowledgedRecordIsThereOnce(RecordDurability durability, int rounds)
    {
        using var folder = new LogFolder();
        var acknowledged = new Dictionary<(int Writer, int Thread), long>();
        var random = new Random(23);
        for (int round = 0; round < rounds; round += 2)
        {
            // Two writers side by side, killed at different moments.
            int pause = random.Next(20, 150);
            await Task.WhenAll(RunAndKill(round, pause), RunAndKill(round + 1, pause + random.Next(100)));
        }

        Assert.Equal(2 * rounds, acknowledged.Count);
        Check(folder.Read(out ForwardRecordReaderReport report));
        Assert.Equal((0, 0, 0), (report.LostRecords, report.DuplicateRecords, report.DamagedPlaces));

        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path))
            Assert.InRange(log.Report.RecoveredSegments, 2, rounds); // later writers finished the files of earlier ones
        Check(folder.Read(out report));
        Assert.Equal((0, 0, 0, 0), (report.LostRecords, report.DuplicateRecords, report.DamagedPlaces, report.TornBytes));

        void Check(RegressionRecord[] records)
        {
            foreach (var group in records.GroupBy(r => ((int)(r.Key >> 48), (int)(r.Key >> 40) & 255)))
            {
                ulong[] numbers = [.. group.Select(r => r.Key & ((1UL << 40) - 1))];
                Assert.Equal(LogFolder.Range(0, numbers.Length), numbers);
                Assert.True(numbers.Length >= acknowledged[group.Key]);
                Assert.All(group, r => Assert.Equal(((ulong)r.Score, (ulong)group.Key.Item1), (r.Key & ((1UL << 40) - 1), r.ModelVersion)));
            }

            Assert.Equal(2 * rounds, records.Select(r => r.Key >> 40).Distinct().Count());
        }

        async Task RunAndKill(int writer, int pause)
        {
            using var process = Process.Start(new ProcessStartInfo(
                "dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "RecordWriter.dll"), folder.Path, writer.ToString(CultureInfo.InvariantCulture), durability.ToString()])
            { RedirectStandardOutput = true })!;
            var seen = new HashSet<int>();
            var both = new TaskCompletionSource();
            Task reading = Task.Run(async () =>
            {
                while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is string line)
                {
                    string[] parts = line.Split(' ');
                    if (parts.Length != 2 || !long.TryParse(parts[1], CultureInfo.InvariantCulture, out long count))
                        continue;
                    int thread = int.Parse(parts[0], CultureInfo.InvariantCulture);
                    lock (acknowledged)
                        acknowledged[(writer, thread)] = Math.Max(count, acknowledged.GetValueOrDefault((writer, thread)));
                    if (seen.Add(thread) && seen.Count == 2)
                        both.SetResult();
                }

                both.TrySetException(new InvalidOperationException("The writer ended by itself."));
            });
            await both.Task;
            await Task.Delay(pause);
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            await reading;
        }
    }
}
