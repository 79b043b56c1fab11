using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Mathematics;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Cost of one selection: every policy, windows from 64 to 1,048,576 rows, one row in ten chosen.</summary>
/// <remarks>
/// Windows imitate a classifier that is mostly right: ten classes, skewed losses. Sixteen of them take turns, so that no branch predictor learns one by heart.
/// Run: <c>dotnet run -c Release --project bench -- --filter *SelectionBench*</c>.
/// </remarks>
[Config(typeof(PerRow))]
[MemoryDiagnoser]
public class SelectionBench
{
    private const int Windows = 16;

    private readonly float[][] _loss = new float[Windows][];
    private readonly float[][] _gradientNorm = new float[Windows][];
    private readonly int[][] _label = new int[Windows][];
    private readonly float[][] _referenceLoss = new float[Windows][];
    private float[] _features = []; // the same for every window: 16 a row
    private RowSelector[] _selectors = [];
    private int[] _rows = [];
    private float[] _weights = [];
    private int _turn;

    /// <summary>n, rows in the window.</summary>
    [Params(64, 640, 4096, 65_536, 1_048_576)]
    public int Window { get; set; }

    /// <summary>Makes the windows, and selectors that have seen each once.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        var random = new SelectionRandom(1UL);
        for (int w = 0; w < Windows; w++)
        {
            _loss[w] = new float[Window];
            _gradientNorm[w] = new float[Window];
            _label[w] = new int[Window];
            _referenceLoss[w] = new float[Window];
            for (int i = 0; i < Window; i++)
            {
                double miss = Math.Pow(random.NextDouble(), 2);
                _loss[w][i] = (float)-Math.Log(1 - 0.999999 * miss);
                _gradientNorm[w][i] = (float)(1.2 * miss);
                _label[w][i] = random.NextInt(10);
                _referenceLoss[w][i] = _loss[w][i] * (float)random.NextDouble();
            }
        }

        _features = new float[16 * Window];
        foreach (ref float feature in _features.AsSpan())
            feature = (float)random.NextDouble();
        int budget = new SelectionBudget().For(Window, Window);
        _rows = new int[budget];
        _weights = new float[budget];
        _selectors =
        [
            new RowSelector(new UniformPolicy(), 1),
            new RowSelector(new MeanMatchingPolicy(), 1),
            new RowSelector(new MeanMatchingPolicy { Refinement = MeanMatchingRefinement.Stride }, 1),
            new RowSelector(new LossStratifiedPolicy(), 1),
            new RowSelector(new SelectiveBackpropPolicy(), 1),
            new RowSelector(new GradientNormPolicy(), 1),
            new RowSelector(new BalancedGradientNormPolicy(), 1),
            new RowSelector(new TopLossPolicy(), 1),
            new RowSelector(new BottomLossPolicy(), 1),
            new RowSelector(new CubePolicy(), 1),
            new RowSelector(new InfoBatchPolicy(), 1),
            new RowSelector(new UniformFloorPolicy(), 1),
            new RowSelector(new ReducibleLossPolicy(), 1),
            new RowSelector(new GroupBudgetPolicy(), 1),
            new RowSelector(new WeightCapPolicy(), 1),
            new RowSelector(new SelectiveBackpropPolicy { History = 1024 }, 1),
            new RowSelector(new AdaptivePercentilePolicy(), 1),
            new RowSelector(new AssistedPolicy(), 1),
        ];
        foreach (RowSelector selector in _selectors)
        {
            for (int i = 0; i < Windows; i++)
                Select(selector);
        }
    }

    /// <summary>The baseline.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark(Baseline = true)]
    public int Uniform() => Select(_selectors[0]);

    /// <summary>Swaps until the mean loss matches.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int MeanMatching() => Select(_selectors[1]);

    /// <summary>Equal steps along the loss order.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int MeanMatchingStride() => Select(_selectors[2]);

    /// <summary>Equal steps along class and loss.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int LossStratified() => Select(_selectors[3]);

    /// <summary>Successive draws by percentile of the loss.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int SelectiveBackprop() => Select(_selectors[4]);

    /// <summary>Chances by gradient norm, random order.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int GradientNorm() => Select(_selectors[5]);

    /// <summary>Chances by gradient norm with an even share, along class and loss.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int BalancedGradientNorm() => Select(_selectors[6]);

    /// <summary>The largest losses.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int TopLoss() => Select(_selectors[7]);

    /// <summary>The smallest losses.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int BottomLoss() => Select(_selectors[8]);

    /// <summary>Chances by gradient norm, totals of loss and ten classes balanced.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int Cube() => Select(_selectors[9]);

    /// <summary>Fewer rows below the mean loss.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int InfoBatch() => Select(_selectors[10]);

    /// <summary>A fifth drawn evenly, the rest by the default policy.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int UniformFloor() => Select(_selectors[11]);

    /// <summary>The largest losses above a reference.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int ReducibleLoss() => Select(_selectors[12]);

    /// <summary>The default policy within each of ten groups.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int GroupBudget() => Select(_selectors[13]);

    /// <summary>Chances by gradient norm, weights cut.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int WeightCap() => Select(_selectors[14]);

    /// <summary>Row by row, by percentile among the last 1,024 losses.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int SelectiveBackpropHistory() => Select(_selectors[15]);

    /// <summary>Chances by a curve over percentiles, along class and loss.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int AdaptivePercentile() => Select(_selectors[16]);

    /// <summary>A linear model of 16 features, then successive draws.</summary>
    /// <returns>The first chosen row.</returns>
    [Benchmark]
    public int Assisted() => Select(_selectors[17]);

    private int Select(RowSelector selector)
    {
        int w = _turn++ & (Windows - 1);
        var window = new SelectionWindow(Window, selector.Scratch) { Loss = _loss[w], GradientNorm = _gradientNorm[w], Label = _label[w], ReferenceLoss = _referenceLoss[w], Group = _label[w], Features = _features };
        selector.Select(in window, _rows, _weights);
        return _rows[0];
    }

    /// <summary>Adds the column that matters here: nanoseconds for each candidate row.</summary>
    private sealed class PerRow : ManualConfig
    {
        public PerRow() => AddColumn(new NanosecondsPerRow());
    }

    private sealed class NanosecondsPerRow : IColumn
    {
        public string Id => nameof(NanosecondsPerRow);

        public string ColumnName => "ns/row";

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public string Legend => "Mean time divided by the rows of the window";

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            Statistics? statistics = summary[benchmarkCase]?.ResultStatistics;
            return statistics is null ? "?" : (statistics.Mean / (int)benchmarkCase.Parameters[nameof(Window)]).ToString("F2", summary.GetCultureInfo());
        }

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

        public bool IsAvailable(Summary summary) => true;
    }
}
