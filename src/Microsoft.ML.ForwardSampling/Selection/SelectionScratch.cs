namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reusable memory of a selection: it grows to the largest window seen and never shrinks, so that windows after the first allocate nothing.</summary>
/// <remarks>At most about 100 bytes for each row of the largest window, and 150 more around <see cref="GroupBudgetPolicy"/>. Not thread-safe: one selection at a time.</remarks>
public sealed class SelectionScratch
{
    private float[] _probabilities = [];
    private int[] _items = [];
    private int[] _order = [];
    private ulong[] _keys = [];
    private ulong[] _otherKeys = [];
    private int[] _counts = [];
    private ulong[] _marks = [];
    private double[] _weights = [];
    private double[] _tree = [];
    private readonly float[][] _gathered = [.. RecordedStatistic.All.Select(_ => Array.Empty<float>())];
    private float[] _gatheredFeatures = [];
    private int[] _gatheredLabels = [];
    private int[] _gatheredGroups = [];
    private int[] _sizes = [];
    private double[] _shares = [];
    private SelectionScratch? _nested;
    private long _cutRows;
    private double _cutWeight;
    private readonly float[][] _repaired = [.. RecordedStatistic.All.Select(_ => Array.Empty<float>())];

    private readonly SelectionScratch? _outer;

    /// <summary>Makes scratch memory that is empty until first used.</summary>
    public SelectionScratch()
    {
    }

    private SelectionScratch(SelectionScratch outer) => _outer = outer;

    /// <summary>Memory for one probability a row. It holds what the last user left there.</summary>
    /// <param name="count">Its length, ≥ 0.</param>
    /// <returns>The same memory at every call, until a longer one is asked for.</returns>
    public Span<float> Probabilities(int count) => Grow(ref _probabilities, count);

    /// <summary>Memory for one position or rank a row. It holds what the last user left there.</summary>
    /// <param name="count">Its length, ≥ 0.</param>
    /// <returns>The same memory at every call, until a longer one is asked for.</returns>
    public Span<int> Items(int count) => Grow(ref _items, count);

    /// <summary>The order that <see cref="SelectionWindow.OrderByLoss"/> returns; used by nothing else.</summary>
    internal Span<int> Order(int count) => Grow(ref _order, count);

    /// <summary>Sort keys.</summary>
    internal Span<ulong> Keys(int count) => Grow(ref _keys, count);

    /// <summary>Sort keys' other half: a radix pass reads one and writes the other.</summary>
    internal Span<ulong> OtherKeys(int count) => Grow(ref _otherKeys, count);

    /// <summary>How many keys have each value of a digit.</summary>
    internal Span<int> Counts(int values) => Grow(ref _counts, values);

    /// <summary>Words of a set of rows; see <see cref="RowSet"/>.</summary>
    internal Span<ulong> Marks(int words) => Grow(ref _marks, words);

    /// <summary>One draw weight a rank.</summary>
    internal Span<double> Weights(int count) => Grow(ref _weights, count);

    /// <summary>The sums of <see cref="WithoutReplacementDraw"/>.</summary>
    internal Span<double> Tree(int count) => Grow(ref _tree, count);

    /// <summary>A repaired copy of one statistic, by its index in the table.</summary>
    internal Span<float> Repaired(int statistic, int count) => Grow(ref _repaired[statistic], count);

    /// <summary>One statistic in the order of <see cref="GroupBudgetPolicy"/>'s groups, by its index in the table.</summary>
    internal Span<float> Gathered(int statistic, int count) => Grow(ref _gathered[statistic], count);

    /// <summary>The features in that order.</summary>
    internal Span<float> GatheredFeatures(int count) => Grow(ref _gatheredFeatures, count);

    /// <summary>Classes in the order of the groups.</summary>
    internal Span<int> GatheredLabels(int count) => Grow(ref _gatheredLabels, count);

    /// <summary>Groups in their order.</summary>
    internal Span<int> GatheredGroups(int count) => Grow(ref _gatheredGroups, count);

    /// <summary>Rows of each group.</summary>
    internal Span<int> Sizes(int groups) => Grow(ref _sizes, groups);

    /// <summary>Budget of each group before rounding.</summary>
    internal Span<double> Shares(int groups) => Grow(ref _shares, groups);

    /// <summary>Memory for a policy that runs inside another one while that one's own memory is in use.</summary>
    internal SelectionScratch Nested => _nested ??= new SelectionScratch(this);

    /// <summary>Counts weights that <see cref="WeightCapPolicy"/> cut, and what that took away, where the selector finds them: also when the policy that cuts runs inside another one.</summary>
    internal void CountCuts(long rows, double weight)
    {
        SelectionScratch root = this;
        while (root._outer is { } outer)
            root = outer;
        root._cutRows += rows;
        root._cutWeight += weight;
    }

    /// <summary>What was counted since the last call.</summary>
    internal (long Rows, double Weight) TakeCuts()
    {
        (long, double) cuts = (_cutRows, _cutWeight);
        (_cutRows, _cutWeight) = (0, 0);
        return cuts;
    }

    private static Span<T> Grow<T>(ref T[] buffer, int count)
    {
        // Twice the old length, so that windows that grow row by row do not allocate each time.
        if (buffer.Length < count)
            buffer = new T[Math.Max(count, (int)Math.Min(2L * buffer.Length, Array.MaxLength))];
        return buffer.AsSpan(0, count);
    }
}
