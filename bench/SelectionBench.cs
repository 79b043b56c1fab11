using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using Perfolizer.Horology;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Cost of one selection: every policy, windows from 64 to 1,048,576 rows, one row in ten chosen; beside NumPy and beside one read
/// of the statistics from memory.</summary>
/// <remarks>
/// Windows imitate a classifier that is mostly right: ten classes, skewed losses. Sixteen of them take turns, so that no branch predictor
/// learns one by heart and the largest come from memory, not from a cache. Called by <c>./build.sh bench selection</c>; the peer is
/// <c>bench/numpy_peer/select_rows.py</c>.
/// </remarks>
public class SelectionBench
{
    private const int Windows = 16, FeatureCount = 16;

    private static readonly Dictionary<string, IRowSelectionPolicy> s_policies = new()
    {
        ["Uniform"] = new UniformPolicy(),
        ["MeanMatching"] = new MeanMatchingPolicy(),
        ["MeanMatchingStride"] = new MeanMatchingPolicy { Refinement = MeanMatchingRefinement.Stride },
        ["LossStratified"] = new LossStratifiedPolicy(),
        ["SelectiveBackprop"] = new SelectiveBackpropPolicy(),
        ["GradientNorm"] = new GradientNormPolicy(),
        ["BalancedGradientNorm"] = new BalancedGradientNormPolicy(),
        ["TopLoss"] = new TopLossPolicy(),
        ["BottomLoss"] = new BottomLossPolicy(),
        ["Cube"] = new CubePolicy(),
        ["InfoBatch"] = new InfoBatchPolicy(),
        ["UniformFloor"] = new UniformFloorPolicy(),
        ["ReducibleLoss"] = new ReducibleLossPolicy(),
        ["GroupBudget"] = new GroupBudgetPolicy(),
        ["WeightCap"] = new WeightCapPolicy(),
        ["SelectiveBackpropStream"] = new SelectiveBackpropPolicy { History = 1024 },
        ["AdaptivePercentile"] = new AdaptivePercentilePolicy(),
        ["Assisted"] = new AssistedPolicy(),
    };

    // All cases run in this process: the same windows serve every policy.
    private static readonly Dictionary<int, WindowStatistics[]> s_windows = [];

    private WindowStatistics[] _windows = [];
    private RowSelector _selector = new(new UniformPolicy(), 1);
    private int[] _rows = [];
    private float[] _weights = [];
    private int _turn;

    /// <summary>n, rows in the window.</summary>
    [ParamsSource(nameof(Sizes))]
    public int Window { get; set; }

    /// <summary>The policy.</summary>
    [ParamsSource(nameof(Policies))]
    public string Policy { get; set; } = "";

    /// <summary>The windows' sizes.</summary>
    public static int[] Sizes { get; private set; } = [64, 640, 4096, 65_536, 1_048_576];

    /// <summary>Names of all policies.</summary>
    public static IEnumerable<string> Policies => s_policies.Keys;

    /// <summary>Runs NumPy, one read of memory and every policy, and prints two tables: all figures, and those of
    /// docs/benchmarks.md.</summary>
    /// <param name="args">Optional: the windows' sizes (default 64 640 4096 65536 1048576), then arguments for BenchmarkDotNet.</param>
    /// <returns>0; 1 when a policy is slower than its NumPy peer, allocates, or did not run.</returns>
    public static int Run(string[] args)
    {
        int sizes = args.TakeWhile(arg => int.TryParse(arg, CultureInfo.InvariantCulture, out _)).Count();
        if (sizes > 0)
            Sizes = [.. args[..sizes].Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))];
        Dictionary<(string, int), double> numpy = RunNumPy();
        // Short iterations, the best of them counts, as for NumPy: work beside it on the machine then shows least.
        Job job = Job.Default.WithWarmupCount(3).WithIterationCount(9).WithIterationTime(TimeInterval.FromMilliseconds(150))
            .WithToolchain(InProcessEmitToolchain.Instance);
        Summary[] summaries = [.. BenchmarkSwitcher.FromTypes([typeof(SelectionBench)])
            .Run(["--filter", "*", .. args[sizes..]], ManualConfig.Create(DefaultConfig.Instance).AddJob(job))];
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < 2;)
            ReadOnce(65_536); // until it is compiled for good
        Dictionary<int, double> readOnce = Sizes.ToDictionary(size => size, ReadOnce);

        Figures[] figures = [.. summaries.SelectMany(summary => summary.Reports)
            .OrderBy(report => (int)report.BenchmarkCase.Parameters[nameof(Window)]).Select(report => FiguresOf(report, numpy, readOnce))];
        var all = new Table("Policy", "Window", "ns/row", "NumPy, ns/row", "Ratio to NumPy", "Read once, ns/row", "Ratio to reading",
            "Allocated, bytes");
        foreach (Figures f in figures)
            all.Add(f.Policy, $"{f.Window}", Number(f.PerRow, "F2"), Number(f.NumPy, "F2"),
                $"{Number(f.PerRow / f.NumPy, "F2")}{(f.PerRow > f.NumPy ? " SLOWER" : "")}", Number(f.Read, "F2"),
                Number(f.PerRow / f.Read, "F0"), $"{f.Allocated}");
        all.Print();

        int[] shown = [4096, 1_048_576];
        Console.WriteLine("For docs/benchmarks.md:\n");
        var table = new Table("Policy", "4,096 rows, ns/row", "times faster than NumPy", "times one read", "1,048,576 rows, ns/row",
            "times faster than NumPy", "times one read");
        foreach (IGrouping<string, Figures> policy in figures.Where(f => shown.Contains(f.Window)).GroupBy(f => f.Policy)
            .OrderBy(group => group.First().PerRow))
        {
            IEnumerable<Figures?> cells = shown.Select(window => policy.SingleOrDefault(f => f.Window == window));
            table.Add([policy.Key, .. cells.SelectMany(f => f is null ? ["", "", ""] : (string[])
                [Number(f.PerRow, f.PerRow < 10 ? "F1" : "F0"), Number(f.NumPy / f.PerRow, "F0"), Number(f.PerRow / f.Read, "F0")])]);
        }

        table.Print();
        bool isGood = figures.Length > 0 && figures.All(f => double.IsFinite(f.PerRow) && f.Allocated == 0 && !(f.PerRow > f.NumPy));
        Console.WriteLine(isGood ? "No policy allocates, and none is slower than its NumPy peer."
            : "FAILED: a policy is slower than its NumPy peer, allocates, or did not run.");
        return isGood ? 0 : 1;

        static string Number(double value, string format) => double.IsFinite(value)
            ? value.ToString(format, CultureInfo.InvariantCulture) : "";
    }

    /// <summary>Makes the windows.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _windows = WindowsOf(Window);
        int budget = new SelectionBudget().For(Window, Window);
        _rows = new int[budget];
        _weights = new float[budget];
        _selector = new RowSelector(s_policies[Policy], 1);
        for (int i = 0; i < Windows; i++)
            Select();
    }

    /// <summary>One selection.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int Select()
    {
        WindowStatistics statistics = _windows[_turn++ & (Windows - 1)];
        var window = new SelectionWindow(Window, _selector.Scratch)
        {
            Loss = statistics.Loss,
            GradientNorm = statistics.GradientNorm,
            Label = statistics.Label,
            ReferenceLoss = statistics.ReferenceLoss,
            Group = statistics.Label,
            Features = statistics.Features
        };
        _selector.Select(in window, _rows, _weights);
        return _rows[0];
    }

    private static Figures FiguresOf(BenchmarkReport report, Dictionary<(string, int), double> numpy, Dictionary<int, double> readOnce)
    {
        int window = (int)report.BenchmarkCase.Parameters[nameof(Window)];
        string policy = (string)report.BenchmarkCase.Parameters[nameof(Policy)];
        RecordStatistics needs = s_policies[policy].Needs;
        int values = BitOperations.PopCount((uint)(needs & ~RecordStatistics.Features))
            + ((needs & RecordStatistics.Features) != 0 ? FeatureCount : 0);
        return new Figures(
            policy,
            window,
            report.ResultStatistics is { } statistics ? statistics.Min / window : double.NaN,
            numpy.GetValueOrDefault((policy, window), double.NaN),
            values == 0 ? double.NaN : values * readOnce[window],
            Allocated(policy, window));
    }

    private static WindowStatistics[] WindowsOf(int size)
    {
        if (!s_windows.TryGetValue(size, out WindowStatistics[]? windows))
        {
            var random = new RepeatableRandom(1);
            s_windows[size] = windows = new WindowStatistics[Windows];
            var features = new float[FeatureCount * size]; // the same for every window
            foreach (ref float feature in features.AsSpan())
                feature = (float)random.NextDouble();
            for (int w = 0; w < Windows; w++)
            {
                windows[w] = new WindowStatistics(new float[size], new float[size], new int[size], new float[size], features);
                for (int i = 0; i < size; i++)
                {
                    double miss = Math.Pow(random.NextDouble(), 2);
                    windows[w].Loss[i] = (float)-Math.Log(1 - 0.999999 * miss);
                    windows[w].GradientNorm[i] = (float)(1.2 * miss);
                    windows[w].Label[i] = random.NextInt(10);
                    windows[w].ReferenceLoss[i] = windows[w].Loss[i] * (float)random.NextDouble();
                }
            }
        }

        return windows;
    }

    /// <summary>Bytes that this thread allocates in a selection, after one of each window; BenchmarkDotNet counts the process, and so
    /// itself.</summary>
    private static long Allocated(string policy, int window)
    {
        var bench = new SelectionBench { Policy = policy, Window = window };
        bench.SetUp();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Windows; i++)
            bench.Select();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Windows;
    }

    /// <summary>Nanoseconds for each value of one statistic, summed as fast as the processor can: best of 20 rounds over the same
    /// windows.</summary>
    private static double ReadOnce(int size)
    {
        WindowStatistics[] windows = WindowsOf(size);
        int repeats = Math.Max(1, (1 << 20) / size / Windows);
        double best = double.PositiveInfinity;
        float sink = 0;
        for (int round = 0; round < 20; round++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int repeat = 0; repeat < repeats; repeat++)
            {
                foreach (WindowStatistics window in windows)
                    sink += TensorPrimitives.Sum<float>(window.Loss);
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / repeats / Windows / size);
        }

        GC.KeepAlive(sink);
        return best;
    }

    private static Dictionary<(string, int), double> RunNumPy()
    {
        string script = Path.Combine(Environment.CurrentDirectory, "bench", "numpy_peer", "select_rows.py");
        using Process process = Process.Start(
            new ProcessStartInfo("/usr/bin/python3", [script, "--json", "--windows",
            .. Sizes.Select(size => size.ToString(CultureInfo.InvariantCulture))])
            { RedirectStandardOutput = true })!;
        string last = "";
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (!line.StartsWith('{'))
                Console.WriteLine(line);
            last = line;
        }

        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{script} ended with {process.ExitCode}.");
        using JsonDocument json = JsonDocument.Parse(last);
        return json.RootElement.GetProperty("results").EnumerateArray()
            .ToDictionary(result => (result.GetProperty("rule").GetString()!, result.GetProperty("window").GetInt32()),
                result => result.GetProperty("nsPerRow").GetDouble());
    }

    /// <summary>Of one policy and size: best ns/row, NumPy's, those of one read of the policy's statistics (NaN where there is none), and
    /// bytes allocated in a selection.</summary>
    private sealed record Figures(string Policy, int Window, double PerRow, double NumPy, double Read, long Allocated);

    private sealed record WindowStatistics(float[] Loss, float[] GradientNorm, int[] Label, float[] ReferenceLoss, float[] Features);
}
