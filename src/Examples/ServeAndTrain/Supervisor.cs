using System.Diagnostics;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>Runs the three processes of a run, kills some with SIGKILL at random moments and starts them again, and reports at the
/// end.</summary>
internal static class Supervisor
{
    /// <summary>The roles, one process each.</summary>
    public static readonly string[] Roles = ["serve", "label", "train"];

    /// <summary>Runs to the end.</summary>
    /// <param name="run">The run; one that was stopped goes on.</param>
    /// <param name="kills">How many processes to kill, in turn.</param>
    /// <param name="output">Progress and report.</param>
    /// <param name="cancellation">Kills all three.</param>
    /// <exception cref="IOException">A process ended by itself with an error.</exception>
    /// <exception cref="InvalidDataException">Something acknowledged was lost, or something doubled.</exception>
    public static void Run(RunFolder run, int kills, TextWriter output, CancellationToken cancellation)
    {
        run.OpenStore().Dispose();                          // complains now, not in a process
        output = TextWriter.Synchronized(output);
        output.WriteLine($"{run}; {kills} kills");
        var processes = Roles.ToDictionary(role => role, role => Start(run, role, output));
        var killed = Roles.ToDictionary(role => role, _ => 0);
        var random = new Random(run.Options.Seed);
        var killAt = new Queue<(TimeSpan At, string Role)>(Moments(run, kills, random));
        long started = Stopwatch.GetTimestamp();
        long? firstServed = null;
        try
        {
            while (processes.Values.Any(process => !process.HasExited))
            {
                cancellation.WaitHandle.WaitOne(20);
                cancellation.ThrowIfCancellationRequested();
                if (processes.FirstOrDefault(pair => pair.Value.HasExited && pair.Value.ExitCode != 0) is { Value: not null } failed)
                    throw new IOException($"The process '{failed.Key}' ended with {failed.Value.ExitCode}; its messages are above.");
                if (File.Exists(run.Served))
                    firstServed ??= Stopwatch.GetTimestamp();
                if (firstServed is null || !killAt.TryPeek(out (TimeSpan At, string Role) next)
                    || Stopwatch.GetElapsedTime(firstServed.Value) < next.At)
                    continue;
                killAt.Dequeue();
                if (processes[next.Role].HasExited)
                    continue;                               // it was done
                Kill(processes[next.Role]);
                killed[next.Role]++;
                output.WriteLine($"[{next.Role}] KILLED, and started again");
                processes[next.Role] = Start(run, next.Role, output);
            }
        }
        finally
        {
            foreach (Process process in processes.Values)
                Kill(process);
        }

        output.WriteLine($"Killed: {string.Join(", ", killed.Select(pair => $"{pair.Key} {pair.Value} times"))}. After "
            + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s:");
        output.WriteLine();
        Report(run, output);
    }

    /// <summary>Counts a run and prints what was found.</summary>
    /// <exception cref="InvalidDataException">Something acknowledged was lost, or something doubled.</exception>
    public static void Report(RunFolder run, TextWriter output)
    {
        RunReport report = RunReport.Of(run);
        report.Write(output);
        if (!report.IsWhole)
            throw new InvalidDataException(report.Fault);
    }

    /// <summary>Random moments from the first order on, as long as orders would come without kills; the roles in turn.</summary>
    private static IEnumerable<(TimeSpan At, string Role)> Moments(RunFolder run, int kills, Random random)
    {
        double seconds = (double)run.Options.Rows / run.Options.Rate;
        double[] moments = [.. Enumerable.Range(0, kills).Select(_ => seconds * random.NextDouble()).Order()];
        string[] roles = [.. Roles];
        for (int i = 0; i < kills; i++)
        {
            if (i % roles.Length == 0)
                random.Shuffle(roles);
            yield return (TimeSpan.FromSeconds(moments[i]), roles[i % roles.Length]);
        }
    }

    /// <summary>Starts this program again, with a role.</summary>
    private static Process Start(RunFolder run, string role, TextWriter output)
    {
        var start = new ProcessStartInfo("dotnet",
            ["exec", typeof(Supervisor).Assembly.Location, ServeAndTrainCommand.Name, role, "--directory", run.Path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process = Process.Start(start)!;
        process.OutputDataReceived += Relay;
        process.ErrorDataReceived += Relay;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Relay(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is not null)
                output.WriteLine($"[{role}] {line.Data}");
        }
    }

    private static void Kill(Process process)
    {
        if (!process.HasExited)
            process.Kill();                                 // SIGKILL; on Windows TerminateProcess
        process.WaitForExit();
    }
}
