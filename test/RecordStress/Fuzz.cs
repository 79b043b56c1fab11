using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>Reads damaged files, one kind after the other, until there were as many as asked for.</summary>
internal static class Fuzz
{
    /// <param name="fuzzers">Each makes the next file, in turn; one that is there twice makes two of a round.</param>
    /// <param name="files">Files of all kinds together.</param>
    /// <param name="seed">To be told with a file that breaks something.</param>
    /// <param name="keep">Folder for such files.</param>
    /// <param name="output">Gets the counts.</param>
    /// <returns>0 when every file was read within the limits.</returns>
    public static int Run(IReadOnlyList<IFuzzer> fuzzers, int files, int seed, string keep, TextWriter output)
    {
        long started = Stopwatch.GetTimestamp();
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
            if (Of(done).Next() is { } failure)
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
            $"{(failures == 0 ? "OK" : "FAILED")}: {done:N0} files (seed {seed}), {failures} failures: "
            + $"{string.Join("; ", fuzzers.Distinct().Select(fuzzer => fuzzer.Summary))}; "
            + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"));
        return failures == 0 ? 0 : 1;

        IFuzzer Of(int file) => fuzzers[file % fuzzers.Count];

        string Keep(int file) => Of(file).Keep(keep);
    }
}
