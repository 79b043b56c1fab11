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
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Cost of one selection: every policy, windows from 64 to 1,048,576 rows, one row in ten chosen; beside NumPy and beside one read of the statistics from memory.</summary>
/// <remarks>
/// Windows imitate a classifier that is mostly right: ten classes, skewed losses. Sixteen of them take turns, so that no branch predictor learns one by heart
/// and the largest come from memory, not from a cache. Called by <c>./build.sh bench selection</c>; the peer is <c>bench/numpy_peer/select_rows.py</c>.
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
    [Params(64, 640, 4096, 65_536, 1_048_576)]
    public int Window { get; set; }

    /// <summary>The policy.</summary>
    [ParamsSource(nameof(Policies))]
    public string Policy { get; set; } = "";

    /// <summary>Names of all policies.</summary>
    public static IEnumerable<string> Policies => s_policies.Keys;

    /// <summary>Runs NumPy, one read of memory and every policy, and prints one table.</summary>
    /// <param name="args">Optional: medium (a longer job), then arguments for BenchmarkDotNet.</param>
    /// <returns>0; 1 when a policy is slower than its NumPy peer, allocates, or did not run.</returns>
    public static int Run(string[] args)
    {
        bool isMedium = args is ["medium", ..];
        Dictionary<(string, int), double> numpy = RunNumPy();
        var config = ManualConfig.Create(DefaultConfig.Instance)
            .AddJob((isMedium ? Job.MediumRun : Job.ShortRun).WithToolchain(InProcessEmitToolchain.Instance));
        Summary[] summaries = [.. BenchmarkSwitcher.FromTypes([typeof(SelectionBench)]).Run(["--filter", "*", .. isMedium ? args[1..] : args], config)];
        bool isGood = summaries.Length > 0;
        ReadOnce(65_536); // compiled for good by now, and again once the runtime has seen it run
        Thread.Sleep(500);

        Console.WriteLine("| Policy | Window | ns/row | NumPy, ns/row | Ratio to NumPy | Read once, ns/row | Ratio to reading | Allocated, bytes |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (BenchmarkReport report in summaries.SelectMany(summary => summary.Reports).OrderBy(report => Size(report)))
        {
            int window = Size(report);
            string policy = (string)report.BenchmarkCase.Parameters[nameof(Policy)];
            if (report.ResultStatistics is null)
            {
                Console.WriteLine($"| {policy} | {window} | did not run | | | | | |");
                isGood = false;
                continue;
            }

            double perRow = report.ResultStatistics.Mean / window;
            RecordStatistics needs = s_policies[policy].Needs;
            int values = BitOperations.PopCount((uint)(needs & ~RecordStatistics.Features)) + ((needs & RecordStatistics.Features) != 0 ? FeatureCount : 0);
            double read = values * ReadOnce(window);
            long allocated = Allocated(policy, window);
            bool hasPeer = numpy.TryGetValue((policy, window), out double peer);
            bool isSlower = hasPeer && perRow > peer;
            isGood &= !isSlower && allocated == 0;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {policy} | {window} | {perRow:F2} | {(hasPeer ? peer.ToString("F2", CultureInfo.InvariantCulture) : "")} | {(hasPeer ? (perRow / peer).ToString("F2", CultureInfo.InvariantCulture) : "")}{(isSlower ? " SLOWER" : "")} | {(read > 0 ? read.ToString("F2", CultureInfo.InvariantCulture) : "")} | {(read > 0 ? (perRow / read).ToString("F0", CultureInfo.InvariantCulture) : "")} | {allocated} |"));
        }

        Console.WriteLine(isGood ? "No policy allocates, and none is slower than its NumPy peer." : "FAILED: a policy is slower than its NumPy peer, allocates, or did not run.");
        return isGood ? 0 : 1;

        static int Size(BenchmarkReport report) => (int)report.BenchmarkCase.Parameters[nameof(Window)];
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
        var window = new SelectionWindow(Window, _selector.Scratch) { Loss = statistics.Loss, GradientNorm = statistics.GradientNorm, Label = statistics.Label, ReferenceLoss = statistics.ReferenceLoss, Group = statistics.Label, Features = statistics.Features };
        _selector.Select(in window, _rows, _weights);
        return _rows[0];
    }

    private static WindowStatistics[] WindowsOf(int size)
    {
        if (!s_windows.TryGetValue(size, out WindowStatistics[]? windows))
        {
            var random = new SelectionRandom(1UL);
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

    /// <summary>Bytes that this thread allocates in a selection, after one of each window; BenchmarkDotNet counts the process, and so itself.</summary>
    private static long Allocated(string policy, int window)
    {
        var bench = new SelectionBench { Policy = policy, Window = window };
        bench.SetUp();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Windows; i++)
            bench.Select();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Windows;
    }

    /// <summary>Nanoseconds for each value of one statistic, summed as fast as the processor can: best of 20 rounds over the same windows.</summary>
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
        using Process process = Process.Start(new ProcessStartInfo("/usr/bin/python3", [script, "--json"]) { RedirectStandardOutput = true })!;
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
            .ToDictionary(result => (result.GetProperty("rule").GetString()!, result.GetProperty("window").GetInt32()), result => result.GetProperty("nsPerRow").GetDouble());
    }

    private sealed record WindowStatistics(float[] Loss, float[] GradientNorm, int[] Label, float[] ReferenceLoss, float[] Features);
}
