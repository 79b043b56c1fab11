using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>SelectRowsStreamed over 10⁸ rows as one window: seconds, nanoseconds a row, and how much memory the process took for
/// it.</summary>
/// <remarks>Rows are made on the fly (<see cref="GeneratedRows"/>), and their statistics read two to four times. Called by <c>./build.sh
/// bench largewindow</c>.</remarks>
internal static class LargeWindowBench
{
    /// <summary>Prints one line a policy.</summary>
    /// <param name="args">Optional: rows (default 100000000), then names of policies (default all that can).</param>
    /// <returns>0 when every budget is exact and the process grew by less than 64 MB, else 1.</returns>
    public static int Run(string[] args)
    {
        long rows = args.Length > 0 ? long.Parse(args[0], CultureInfo.InvariantCulture) : 100_000_000;
        var ml = new MLContext(1);
        Select(ml, new GeneratedRows(100_000, 1), new UniformPolicy()); // loads and compiles
        var data = new GeneratedRows(rows, 1);
        IRowSelectionPolicy[] policies =
            [new UniformPolicy(), new GradientNormPolicy(), new BalancedGradientNormPolicy(), new LossStratifiedPolicy(),
                new InfoBatchPolicy(), new TopLossPolicy(), new BottomLossPolicy()];
        if (args.Length > 1)
            policies = [.. policies.Where(policy => args[1..].Contains(policy.Name))];
        long before = PeakBytes();
        bool isGood = true;
        Console.WriteLine($"{rows:N0} rows as one window, 1 % chosen; the process had taken {before / 1e6:F0} MB before.");
        var table = new Table("Policy", "s", "ns/row, all passes", "chosen", "mean weight", "peak MB since the start");
        foreach (IRowSelectionPolicy policy in policies)
        {
            SelectionReport report = null!;
            double seconds = Turns.Seconds(() => report = Select(ml, data, policy));
            long grown = PeakBytes() - before;
            isGood &= report.RowsSelected == (long)Math.Round(0.01 * rows) && grown < 64_000_000;
            table.Add(policy.Name, $"{seconds:F1}", $"{seconds * 1e9 / rows:F1}", $"{report.RowsSelected:N0}", $"{report.MeanWeight:F4}",
                $"{grown / 1e6:F1}");
        }

        table.Print();
        Console.WriteLine(isGood ? "Every budget is exact, in less than 64 MB more."
            : "FAILED: a budget is not exact, or the process grew by 64 MB or more.");
        return isGood ? 0 : 1;
    }

    private static SelectionReport Select(MLContext ml, GeneratedRows data, IRowSelectionPolicy policy)
    {
        StreamedRows selected = ml.ForwardSampling().SelectRowsStreamed(data, policy,
            new StreamedSelectionOptions { Budget = 0.01, Seed = 1 });
        using DataViewRowCursor cursor = selected.GetRowCursor([selected.Schema[ForwardColumns.Weight]]);
        while (cursor.MoveNext())
        {
        }

        return selected.Report!;
    }

    private static long PeakBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
