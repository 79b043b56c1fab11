using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>Damages log files and states of joins at random and reads them.</summary>
internal static class Fuzz
{
    /// <returns>0 when every file was read within the limits.</returns>
    public static int Run(int files, int seed, string keep, TextWriter output)
    {
        long started = Stopwatch.GetTimestamp();
        const int StateEvery = 5;                           // one in five is the state of a join
        using var fuzzer = new LogFuzzer(seed);
        using var states = new StateFuzzer(seed);
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
                    output.WriteLine($"FAILED: file {last} of seed {seed} is not read after {LogFuzzer.HangLimit.TotalSeconds} s. Kept: "
                        + $"{Keep((int)last)}");
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
            if ((IsState(done) ? states.Next() : fuzzer.Next()) is { } failure)
            {
                failures++;
                output.WriteLine($"FAILED: file {done} of seed {seed}: {failure}\nKept: {Keep(done)}");
            }

            if ((done + 1) % 20_000 == 0)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{done + 1:N0} files, {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
        }

        finished.Set();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(failures == 0 ? "OK" : "FAILED")}: {done:N0} files (seed {seed}), {failures} failures: {fuzzer.Summary}; "
            + $"{states.Summary}; {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
        return failures == 0 ? 0 : 1;

        static bool IsState(int file) => file % StateEvery == StateEvery - 1;

        string Keep(int file) => IsState(file) ? states.Keep(keep) : fuzzer.Keep(keep);
    }
}
