using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>Damages log files at random and reads them.</summary>
internal static class Fuzz
{
    /// <returns>0 when every file was read within the limits.</returns>
    public static int Run(int files, int seed, string keep, TextWriter output)
    {
        long started = Stopwatch.GetTimestamp();
        using var fuzzer = new LogFuzzer(seed);
        int done = 0;
        using var finished = new ManualResetEventSlim();
        var watch = new Thread(() =>
        {
            // A hang cannot be interrupted: say which file it is and end.
            long last = -1;
            while (!finished.Wait(LogFuzzer.HangLimit))
            {
                if (last == Volatile.Read(ref done))
                {
                    output.WriteLine($"FAILED: file {last} of seed {seed} is not read after {LogFuzzer.HangLimit.TotalSeconds} s. Kept: {fuzzer.Keep(keep)}");
                    Environment.Exit(1);
                }

                last = Volatile.Read(ref done);
            }
        })
        { IsBackground = true };
        watch.Start();
        int failures = 0;
        for (; done < files && failures < 10; Volatile.Write(ref done, done + 1))
        {
            if (fuzzer.Next() is { } failure)
            {
                failures++;
                output.WriteLine($"FAILED: file {done} of seed {seed}: {failure}\nKept: {fuzzer.Keep(keep)}");
            }

            if ((done + 1) % 20_000 == 0)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done + 1:N0} files, {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
        }

        finished.Set();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(failures == 0 ? "OK" : "FAILED")}: {done:N0} files (seed {seed}), {failures} failures: {fuzzer.Summary}; {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
        return failures == 0 ? 0 : 1;
    }
}
