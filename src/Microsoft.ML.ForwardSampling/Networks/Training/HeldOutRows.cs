namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Which rows of each pass are kept from training, to stop early by: a draw of its own for each, the same in every pass.</summary>
/// <param name="share">Of the rows; (0, 1).</param>
/// <param name="seed">Decides which.</param>
internal sealed class HeldOutRows(double share, int seed)
{
    private readonly ulong _limit = (ulong)(share * (double)ulong.MaxValue);

    /// <summary>Whether a row is held out.</summary>
    /// <param name="row">Its number in the pass, from 0.</param>
    public bool Contains(long row)
    {
        // SplitMix64 at its row-th state: Steele, Lea, Flood, OOPSLA 2014.
        ulong bits = (ulong)(uint)seed + ((ulong)(row + 1) * 0x9E3779B97F4A7C15);
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return (bits ^ (bits >> 31)) < _limit;
    }

    /// <summary>The rows of a part that are held out, or the others, as positions in it.</summary>
    /// <param name="first">Number of its first row in the pass.</param>
    /// <param name="count">Its rows.</param>
    /// <param name="held">Which of the two.</param>
    public int[] In(long first, int count, bool held)
        => [.. Enumerable.Range(0, count).Where(row => Contains(first + row) == held)];
}
