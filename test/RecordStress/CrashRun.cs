using System.Collections;
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>What became of the records of killed writers.</summary>
/// <param name="Acknowledged">Records that writers had reported as acknowledged.</param>
/// <param name="Found">Different records in the log, acknowledged or not.</param>
/// <param name="Lost">Acknowledged ones that are not there.</param>
/// <param name="Duplicated">Records read more than once, every time after the first.</param>
/// <param name="Wrong">Records with another content than was written, out of order, or of nobody.</param>
public readonly record struct CrashCounts(long Acknowledged, long Found, long Lost, long Duplicated, long Wrong)
{
    /// <summary>Nothing acknowledged is lost or doubled, and nothing is there that nobody wrote.</summary>
    public bool IsGood => Lost == 0 && Duplicated == 0 && Wrong == 0;

    /// <summary>Adds counts of two folders.</summary>
    public static CrashCounts operator +(CrashCounts a, CrashCounts b)
        => new(a.Acknowledged + b.Acknowledged, a.Found + b.Found, a.Lost + b.Lost, a.Duplicated + b.Duplicated, a.Wrong + b.Wrong);

    /// <summary>The counts in one line.</summary>
    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture,
            $"acknowledged {Acknowledged:N0}, found {Found:N0}, lost {Lost:N0}, duplicated {Duplicated:N0}, wrong {Wrong:N0}");
}

/// <summary>Real processes that write into one folder and are really killed (SIGKILL on Unix, TerminateProcess on Windows), and what they
/// had been told was safe.</summary>
/// <remarks>The writing process is test/RecordWriter.</remarks>
public sealed class CrashRun(string folder)
{
    private readonly Dictionary<(int Writer, int Thread), long> _acknowledged = [];

    /// <summary>Threads of all writers that had at least one record acknowledged.</summary>
    public int Threads => _acknowledged.Count;

    /// <summary>Starts a writer and kills it.</summary>
    /// <param name="writer">Its number, another one each time.</param>
    /// <param name="durability">What it promises.</param>
    /// <param name="pause">How long it lives.</param>
    /// <param name="fromFirstAcknowledged">The pause begins when both of its threads have had something acknowledged, else when the process
    /// starts.</param>
    public async Task RunAndKill(int writer, RecordDurability durability, TimeSpan pause, bool fromFirstAcknowledged = true)
    {
        using var process = Process.Start(new ProcessStartInfo(
            "dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "RecordWriter.dll"), folder,
                writer.ToString(CultureInfo.InvariantCulture), durability.ToString()])
        { RedirectStandardOutput = true })!;
        var seen = new HashSet<int>();
        var both = new TaskCompletionSource();
        bool killed = false;
        Task reading = Task.Run(async () =>
        {
            while (await process.StandardOutput.ReadLineAsync() is string line)
            {
                // The last line may be cut off: a shorter number, which is acknowledged too.
                string[] parts = line.Split(' ');
                if (parts.Length != 2 || !long.TryParse(parts[1], CultureInfo.InvariantCulture, out long count))
                    continue;
                int thread = int.Parse(parts[0], CultureInfo.InvariantCulture);
                lock (_acknowledged)
                    _acknowledged[(writer, thread)] = Math.Max(count, _acknowledged.GetValueOrDefault((writer, thread)));
                if (seen.Add(thread) && seen.Count == 2)
                    both.TrySetResult();
            }

            if (!Volatile.Read(ref killed))
                both.TrySetException(new InvalidOperationException($"Writer {writer} ended by itself."));
        });
        if (fromFirstAcknowledged)
            await both.Task;
        await Task.Delay(pause);
        Volatile.Write(ref killed, true);
        if (process.HasExited)
            throw new InvalidOperationException($"Writer {writer} ended by itself, with code {process.ExitCode}.");
        process.Kill();
        await process.WaitForExitAsync();
        await reading;
    }

    /// <summary>Reads the folder and compares.</summary>
    /// <param name="report">What the reader counted.</param>
    public CrashCounts Count(out ForwardRecordReaderReport report)
    {
        var found = new Dictionary<(int Writer, int Thread), BitArray>();
        long different = 0, duplicated = 0, wrong = 0;
        using (var reader = new ForwardRecordReader<RegressionRecord>(folder))
        {
            var latest = new Dictionary<(int Writer, int Thread), long>();
            var records = new RegressionRecord[4096];
            for (int n; (n = reader.Read(records)) > 0;)
            {
                foreach (RegressionRecord record in records.AsSpan(0, n))
                {
                    var thread = ((int)(record.Key >> 48), (int)(record.Key >> 40) & 255);
                    long number = (long)(record.Key & ((1UL << 40) - 1));
                    if (number >= int.MaxValue / 2 || (float)number != record.Score || record.ModelVersion != record.Key >> 48)
                    {
                        wrong++;
                        continue;
                    }

                    if (!found.TryGetValue(thread, out BitArray? numbers))
                        found.Add(thread, numbers = new BitArray(1024));
                    if (number >= numbers.Length)
                        numbers.Length = (int)Math.Max(number + 1, 2L * numbers.Length);
                    if (numbers[(int)number])
                        duplicated++;
                    else
                        different++;
                    numbers[(int)number] = true;
                    if (number <= latest.GetValueOrDefault(thread, -1))
                        wrong++;                            // a thread's records come in the order of its Append calls
                    latest[thread] = number;
                }
            }

            report = reader.Report;
        }

        long acknowledged = 0, lost = 0;
        foreach ((var thread, long count) in _acknowledged)
        {
            acknowledged += count;
            BitArray numbers = found.GetValueOrDefault(thread, new BitArray(0));
            for (long number = 0; number < count; number++)
                lost += number < numbers.Length && numbers[(int)number] ? 0 : 1;
        }

        return new CrashCounts(acknowledged, different, lost, duplicated, wrong);
    }
}
