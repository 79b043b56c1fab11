using System.Diagnostics;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>One of the ways that are compared.</summary>
/// <param name="Name">As the table says it.</param>
/// <param name="Run">Does the work once and gives the seconds that count.</param>
internal sealed record Way(string Name, Func<double> Run)
{
    /// <summary>Seconds by the clock.</summary>
    public static Way Timed(string name, Action run) => new(name, () => Turns.Seconds(run));

    /// <summary>Seconds by the clock of work that waits for servers.</summary>
    public static Way Timed(string name, Func<Task> run) => new(name, () => Turns.SecondsAsync(run).GetAwaiter().GetResult());

    /// <summary>Seconds of the processor, all threads: other work on the machine hardly touches them.</summary>
    public static Way OfProcessor(string name, Action run) => new(name, () => Turns.SecondsOfProcessor(run));
}

/// <summary>What a way took.</summary>
/// <param name="Name">The way's.</param>
/// <param name="Seconds">Of each round, in their order.</param>
internal sealed record Taken(string Name, double[] Seconds)
{
    public double Best { get; } = Seconds.Min();

    public double Median { get; } = Turns.Median(Seconds).Middle;
}

/// <summary>Compares ways in rounds in which all of them take turns, so that what else the machine does meets all alike.</summary>
internal static class Turns
{
    /// <summary>Runs all ways.</summary>
    /// <param name="rounds">Rounds that count, at least 1.</param>
    /// <param name="ways">The ways.</param>
    /// <param name="warmUps">Rounds before them that do not count.</param>
    /// <param name="before">Called before each run, outside its time, with the way's place.</param>
    /// <param name="after">Called after each run, outside its time, with the way's place.</param>
    /// <returns>One for each way, in their order.</returns>
    public static Taken[] Run(int rounds, IReadOnlyList<Way> ways, int warmUps = 1, Action<int>? before = null, Action<int>? after = null)
    {
        var seconds = new double[ways.Count][];
        for (int way = 0; way < ways.Count; way++)
            seconds[way] = new double[rounds];
        for (int round = -warmUps; round < rounds; round++)
        {
            for (int turn = 0; turn < ways.Count; turn++)
            {
                // Each way is as often first as last.
                int way = (turn + round + warmUps) % ways.Count;
                before?.Invoke(way);
                double taken = ways[way].Run();
                if (round >= 0)
                    seconds[way][round] = taken;
                after?.Invoke(way);
            }
        }

        return [.. ways.Select((way, i) => new Taken(way.Name, seconds[i]))];
    }

    public static double Seconds(Action run)
    {
        long start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public static async Task<double> SecondsAsync(Func<Task> run)
    {
        long start = Stopwatch.GetTimestamp();
        await run();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public static double SecondsOfProcessor(Action run)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        run();
        return (Environment.CpuUsage.TotalTime - start).TotalSeconds;
    }

    /// <summary>The median and its 95 % interval by order statistics.</summary>
    public static (double Middle, double Low, double High) Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int half = (int)Math.Ceiling(0.98 * Math.Sqrt(sorted.Length)), middle = sorted.Length / 2;
        return (sorted[middle], sorted[Math.Max(0, middle - half)], sorted[Math.Min(sorted.Length - 1, middle + half)]);
    }
}
