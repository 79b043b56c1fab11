namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Reusable memory of a selection: it grows to the largest window seen and never shrinks, so that windows after the first allocate nothing.</summary>
/// <remarks>At most about 100 bytes for each row of the largest window. Not thread-safe: one selection at a time.</remarks>
public sealed class SelectionScratch
{
    private float[] _probabilities = [];
    private int[] _items = [];
    private int[] _order = [];
    private ulong[] _keys = [];
    private ulong[] _otherKeys = [];
    private ulong[] _marks = [];
    private double[] _weights = [];
    private double[] _tree = [];
    private readonly float[][] _repaired = [[], [], [], []];

    /// <summary>Makes scratch memory that is empty until first used.</summary>
    public SelectionScratch()
    {
    }

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

    /// <summary>Words of a set of rows; see <see cref="RowSet"/>.</summary>
    internal Span<ulong> Marks(int words) => Grow(ref _marks, words);

    /// <summary>One draw weight a rank.</summary>
    internal Span<double> Weights(int count) => Grow(ref _weights, count);

    /// <summary>The sums of <see cref="WithoutReplacementDraw"/>.</summary>
    internal Span<double> Tree(int count) => Grow(ref _tree, count);

    /// <summary>A repaired copy of one statistic; slot 0…3.</summary>
    internal Span<float> Repaired(int slot, int count) => Grow(ref _repaired[slot], count);

    private static Span<T> Grow<T>(ref T[] buffer, int count)
    {
        // Twice the old length, so that windows that grow row by row do not allocate each time.
        if (buffer.Length < count)
            buffer = new T[Math.Max(count, (int)Math.Min(2L * buffer.Length, Array.MaxLength))];
        return buffer.AsSpan(0, count);
    }
}
