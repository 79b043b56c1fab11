using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>Kills writers until there is reason to believe the log.</summary>
internal static class CrashTest
{
    private const int SideBySide = 3;
    private const int KillsAFolder = 12;

    /// <summary>Kills at random moments: mostly up to half a second after the first acknowledgement, sometimes while the process starts.
    /// Both durability levels side by side in a folder.</summary>
    public static async Task<CrashOutcome> Run(int kills, double minutes, int seed, TextWriter output)
    {
        var random = new Random(seed);
        long started = Stopwatch.GetTimestamp();
        var total = default(CrashCounts);
        int killed = 0, recovered = 0;
        long segments = 0, torn = 0;
        bool good = true;
        while (killed < kills || Stopwatch.GetElapsedTime(started).TotalMinutes < minutes)
        {
            string folder = Directory.CreateTempSubdirectory("record-crashes-").FullName;
            var run = new CrashRun(folder);
            int inFolder = 0;
            while (inFolder < KillsAFolder && (killed < kills || Stopwatch.GetElapsedTime(started).TotalMinutes < minutes))
            {
                await Task.WhenAll(Enumerable.Range(inFolder, SideBySide).Select(writer => run.RunAndKill(
                    writer,
                    writer % 2 == 0 ? RecordDurability.ProcessCrash : RecordDurability.PowerLoss,
                    TimeSpan.FromMilliseconds(random.Next(500)),
                    fromFirstAcknowledged: random.Next(5) > 0)));
                inFolder += SideBySide;
                killed += SideBySide;
            }

            // As the crashes left it, and after the next log has finished the files.
            CrashCounts before = run.Count(out ForwardRecordReaderReport read);
            using (var log = new ForwardRecordLog<RegressionRecord>(folder))
            {
                recovered += log.Report.RecoveredSegments;
                torn += log.Report.TruncatedBytes;
            }

            CrashCounts after = run.Count(out ForwardRecordReaderReport readAgain);
            bool isGood = before.IsGood && after == before
                && (read.LostRecords, read.DamagedPlaces, readAgain.LostRecords, readAgain.DamagedPlaces, readAgain.TornBytes) == default;
            total += after;
            segments += read.Segments;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{killed} kills, {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s: {total}"));
            if (isGood)
            {
                Directory.Delete(folder, recursive: true);
            }
            else
            {
                good = false;
                output.WriteLine($"FAILED, kept in {folder}: before recovery {before}, after {after}; {readAgain}");
            }
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(good ? "OK" : "FAILED")}: {killed} kills (seed {seed}; {segments:N0} segments, {recovered:N0} finished by recovery, "
            + $"{torn:N0} torn bytes cut): {total}"));
        return new CrashOutcome(killed, total, good);
    }
}
