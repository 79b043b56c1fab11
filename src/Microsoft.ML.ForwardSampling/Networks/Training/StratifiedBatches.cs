namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Deals rows into batches so that each batch has one row of every stratum of neighbours, in label and then in what the forward
/// pass said.</summary>
/// <remarks>
/// <para>m rows, sorted by (label, key), and batches of b' rows: K = ⌈m/b'⌉ batches; the row of rank r goes to batch π_t(r mod K), with t =
/// ⌊r/K⌋ and π_t a fresh random permutation for each run t of K neighbours. So a batch holds exactly one row of each whole run. Every row's
/// batch is uniform over the K, so that the expectation of a batch's mean is the mean of all rows where batches have the same size.</para>
/// <para>Stratification: Cochran, Sampling Techniques (1977), chapter 5. Dealt batches of it: ours. One sort, O(m log m); memory for m
/// rows, kept.</para>
/// </remarks>
internal sealed class StratifiedBatches
{
    private ulong[] _keys = [];
    private int[] _order = [];
    private int[] _dealt = [];
    private int[] _batches = [];
    private int[] _fills = [];
    private int _width;

    /// <summary>Number of batches of the latest dealing.</summary>
    public int Count { get; private set; }

    /// <summary>Deals rows into batches.</summary>
    /// <param name="rows">Length m: each row's place in <paramref name="labels"/> and <paramref name="keys"/>.</param>
    /// <param name="labels">The class at each place. Empty for a regression.</param>
    /// <param name="keys">What to sort by within a label, at each place; NaN comes last. Empty: by label alone.</param>
    /// <param name="batchRows">Most rows of a batch.</param>
    /// <param name="random">Draws the permutations.</param>
    public void Deal(ReadOnlySpan<int> rows, ReadOnlySpan<float> labels, ReadOnlySpan<float> keys, int batchRows, Random random)
    {
        int m = rows.Length;
        Count = (m + batchRows - 1) / batchRows;
        Grow(m, Count);
        Sort(rows, labels, keys, random);

        // Batch k has the places from k·⌈m/K⌉ on, and leaves one empty where the last run gave it none.
        _width = Count == 0 ? 0 : (m + Count - 1) / Count;
        Span<int> fills = _fills.AsSpan(0, Count), batches = _batches.AsSpan(0, Count);
        for (int k = 0; k < Count; k++)
            (fills[k], batches[k]) = (0, k);
        for (int start = 0; start < m; start += Count)
        {
            random.Shuffle(batches);
            int end = Math.Min(Count, m - start);
            for (int i = 0; i < end; i++)
            {
                int batch = batches[i];
                _dealt[(batch * _width) + fills[batch]++] = _order[start + i];
            }
        }

        // Batches are equal in law but for their size: their order is drawn too.
        random.Shuffle(batches);
    }

    /// <summary>One batch's rows, as positions in the rows that were dealt.</summary>
    /// <param name="n">In [0, <see cref="Count"/>), in the order in which to use them.</param>
    public ReadOnlySpan<int> Batch(int n)
    {
        int batch = _batches[n];
        return _dealt.AsSpan(batch * _width, _fills[batch]);
    }

    private void Sort(ReadOnlySpan<int> rows, ReadOnlySpan<float> labels, ReadOnlySpan<float> keys, Random random)
    {
        int m = rows.Length;
        Span<int> order = _order.AsSpan(0, m);
        for (int i = 0; i < m; i++)
            order[i] = i;
        random.Shuffle(order);                              // ties, and all rows where there is nothing to sort by
        if (labels.IsEmpty && keys.IsEmpty)
            return;
        Span<ulong> sortKeys = _keys.AsSpan(0, m);
        for (int i = 0; i < m; i++)
        {
            int row = rows[order[i]];
            sortKeys[i] = (ulong)Ordered(labels.IsEmpty ? 0 : labels[row]) << 32 | Ordered(keys.IsEmpty ? 0 : keys[row]);
        }

        sortKeys.Sort(order);
    }

    /// <summary>A number that is larger where the value is; NaN last, −0 as 0.</summary>
    private static uint Ordered(float value)
    {
        if (float.IsNaN(value))
            return uint.MaxValue;
        uint bits = BitConverter.SingleToUInt32Bits(value + 0f);
        return (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
    }

    private void Grow(int rows, int batches)
    {
        if (_order.Length < rows)
        {
            int length = (int)Math.Min(Math.Max(rows, 2L * _order.Length), Array.MaxLength);
            (_order, _keys) = (new int[length], new ulong[length]);
        }

        // A batch may have one place more than it fills.
        if (_dealt.Length < rows + batches)
            _dealt = new int[Math.Min(Math.Max(rows + (long)batches, 2L * _dealt.Length), Array.MaxLength)];
        if (_batches.Length < batches)
            (_batches, _fills) = (new int[Math.Max(batches, 2 * _batches.Length)], new int[Math.Max(batches, 2 * _fills.Length)]);
    }
}
