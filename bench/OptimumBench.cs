using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>How near MeanMatching comes to the best subset there is: against the mixed-integer solver CBC, in windows of 100 and 1,000
/// rows, one in ten chosen.</summary>
/// <remarks>
/// The solver minimises |mean loss of the chosen − mean loss of the window| in units of the window's s.d. and may stop once it is within
/// 1e-7 of 0, or after the time limit with the best it has; its residual is computed here from the rows it chose. Called by <c>./build.sh
/// bench optimum</c>, which installs Debian's coinor-cbc.
/// </remarks>
internal static class OptimumBench
{
    private const double Allowed = 1e-6;

    /// <summary>Prints one line a window and a summary.</summary>
    /// <param name="args">Optional: windows of each kind (default 5), seconds that the solver gets for one (default 20).</param>
    /// <returns>0 when every residual, with KeptShare 0 and by default, is within 1e-6 s.d. of the solver's, else 1.</returns>
    public static int Run(string[] args)
    {
        int windows = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5;
        int seconds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 20;
        string folder = Directory.CreateTempSubdirectory("optimum-bench-").FullName;
        bool holds = true;
        try
        {
            Console.WriteLine("Residual of the mean in units of the window's s.d.; one row in ten chosen; CBC stops at 1e-7 or after "
                + seconds + " s.");
            var table = new Table("losses", "window", "CBC", "MeanMatching, KeptShare 0", "MeanMatching", "CBC, s", "KeptShare 0, us",
                "MeanMatching, us", "faster");
            foreach (int n in (int[])[100, 1000])
            {
                foreach (bool skewed in (bool[])[true, false])
                    holds &= Compare(table, n, skewed, windows, seconds, folder);
            }

            table.Print();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Console.WriteLine(holds
            ? "Every residual is within 1e-6 s.d. of the solver's."
            : "FAILED: a residual is more than 1e-6 s.d. above the solver's.");
        return holds ? 0 : 1;
    }

    private static bool Compare(Table table, int n, bool skewed, int windows, int seconds, string folder)
    {
        int b = n / 10;
        var random = new RepeatableRandom(7);
        (double Cbc, double Pure, double Usual) worst = default, time = default;
        double worstGap = double.NegativeInfinity;
        for (int w = 0; w < windows; w++)
        {
            float[] loss = Losses(n, skewed, ref random);
            int[] solved = [];
            time.Cbc += Turns.Seconds(() => solved = Solve(loss, b, seconds, folder));

            double cbc = Residual(loss, solved);
            (double pure, double pureSeconds) = Ours(new MeanMatchingPolicy { KeptShare = 0 }, loss, b, w);
            (double usual, double usualSeconds) = Ours(new MeanMatchingPolicy(), loss, b, w);
            time.Pure += pureSeconds;
            time.Usual += usualSeconds;
            worst = (Math.Max(worst.Cbc, cbc), Math.Max(worst.Pure, pure), Math.Max(worst.Usual, usual));
            worstGap = Math.Max(worstGap, Math.Max(pure, usual) - cbc);
        }

        string name = skewed ? "skewed" : "normal";
        table.Add(name, $"{n}", $"{worst.Cbc:E1}", $"{worst.Pure:E1}", $"{worst.Usual:E1}", $"{time.Cbc / windows:F2}",
            $"{time.Pure / windows * 1e6:F1}", $"{time.Usual / windows * 1e6:F1}", $"{time.Cbc / time.Pure:N0} times");
        return worstGap <= Allowed;
    }

    /// <summary>Residual of one choice, and seconds of one: the mean of 200 after a warm-up.</summary>
    private static (double Residual, double Seconds) Ours(MeanMatchingPolicy policy, float[] loss, int b, int seed)
    {
        const int repeats = 200;
        var rows = new int[b];
        var weights = new float[b];
        var selector = new RowSelector(policy, seed);
        selector.Select(loss.Length, rows, weights, loss: loss);
        double residual = Residual(loss, rows);
        for (int i = 0; i < repeats; i++)
            selector.Select(loss.Length, rows, weights, loss: loss);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < repeats; i++)
            selector.Select(loss.Length, rows, weights, loss: loss);
        return (residual, Stopwatch.GetElapsedTime(start).TotalSeconds / repeats);
    }

    private static double Residual(float[] loss, int[] rows)
    {
        double mean = loss.Average(value => (double)value), deviation = Math.Sqrt(loss.Average(value => (value - mean) * (value - mean)));
        return Math.Abs(SelectionDiagnostics.LossResidual(loss, rows)) / deviation;
    }

    private static float[] Losses(int n, bool skewed, ref RepeatableRandom random)
    {
        var loss = new float[n];
        for (int i = 0; i < n; i++)
        {
            double u = random.NextDouble(), v = random.NextDouble();
            loss[i] = (float)(skewed ? -Math.Log(1 - 0.999999 * u * u) : 10 + Math.Sqrt(-2 * Math.Log(1 - u)) * Math.Cos(2 * Math.PI * v));
        }

        return loss;
    }

    /// <summary>min t with −t ≤ Σ x·z ≤ t, Σ z = b, z ∈ {0, 1}; x = 1000·(loss − mean)/s.d., so that the solver's own tolerances (1e-7 of a
    /// constraint) do not matter.</summary>
    private static int[] Solve(float[] loss, int b, int seconds, string folder)
    {
        double mean = loss.Average(value => (double)value), deviation = Math.Sqrt(loss.Average(value => (value - mean) * (value - mean)));
        var terms = new StringBuilder();
        for (int i = 0; i < loss.Length; i++)
            terms.Append(CultureInfo.InvariantCulture,
                $" {(loss[i] < mean ? '-' : '+')} {Math.Abs(1000 * (loss[i] - mean) / deviation):F12} z{i}\n");
        string names = string.Join("\n", Enumerable.Range(0, loss.Length).Select(i => $"z{i}"));
        string count = string.Join("\n+ ", Enumerable.Range(0, loss.Length).Select(i => $"z{i}"));
        string model = Path.Combine(folder, "window.lp"), solution = Path.Combine(folder, "window.txt");
        File.WriteAllText(model, $"Minimize\nobj: t\nSubject To\nabove:{terms} - t <= 0\nbelow:{terms} + t >= 0\nbudget: {count} = "
            + $"{b}\nBinaries\n{names}\nEnd\n");
        File.Delete(solution);

        var start = new ProcessStartInfo("cbc") { RedirectStandardOutput = true };
        foreach (string argument in (string[])[model, "sec", $"{seconds}", "ratio", "0", "allow",
            string.Create(CultureInfo.InvariantCulture, $"{1000 * b * 1e-7:R}"), "solve", "solution", solution])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        int[] rows = !File.Exists(solution) ? [] :
        [
            .. File.ReadLines(solution).Skip(1)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(parts => parts.Length >= 3 && parts[1][0] == 'z' && double.Parse(parts[2], CultureInfo.InvariantCulture) > 0.5)
                .Select(parts => int.Parse(parts[1].AsSpan(1), CultureInfo.InvariantCulture)),
        ];
        return rows.Length == b ? rows : throw new InvalidOperationException($"CBC chose {rows.Length} rows instead of {b}:\n{output}");
    }
}
