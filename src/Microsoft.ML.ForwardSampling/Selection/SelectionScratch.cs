using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Memory that policies rent for the time of a choice: <c>using RentedSpan&lt;float&gt; p =
/// window.Scratch.Rent&lt;float&gt;(window.Count);</c></summary>
/// <remarks>
/// <para>A stack: what is rented last is released first, which <c>using</c> sees to. So memory that is rented belongs to its renter alone,
/// also around and inside another policy.</para>
/// <para>It grows to the largest need seen and never shrinks, so that windows after the first allocate nothing: about 50 bytes for each row
/// of the largest window, and as much again as the statistics and features that <see cref="GroupBudgetPolicy"/> sorts by group. Not
/// thread-safe: one selection at a time.</para>
/// </remarks>
public sealed class SelectionScratch
{
    private const int LineBytes = 64;
    private const int WordsPerLine = LineBytes / sizeof(ulong);
    private const int SmallestChunk = 1024;

    // All that fitted into one chunk so far is rented from _main. What does not is rented from chunks of its own, until all is released and
    // _main can be made larger.
    private ulong[] _main = [];
    private ulong[] _chunk = [];
    private int _top;
    private int _depth;
    private long _rented;
    private long _mostRented;
    private long _cutRows;
    private double _cutWeight;

    /// <summary>How many spans are rented.</summary>
    internal int Depth => _depth;

    /// <summary>Rents memory for some values. It holds what the last user left there.</summary>
    /// <typeparam name="T">A type without references.</typeparam>
    /// <param name="count">Its length, ≥ 0.</param>
    /// <returns>The memory, nobody else's until it is disposed: once, and before what was rented earlier. <c>using</c> does both.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public RentedSpan<T> Rent<T>(int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        int words = WordsFor<T>(count);
        ulong[] chunk = _chunk, from = chunk;
        int top = _top, start = top;
        if (words > chunk.Length - top)
        {
            (from, start) = (GC.AllocateUninitializedArray<ulong>(Math.Max(words, SmallestChunk)), 0);
            _chunk = from;
        }

        _top = start + words;
        _rented += words;
        _mostRented = Math.Max(_mostRented, _rented);
        Span<T> span = MemoryMarshal.CreateSpan(
            ref Unsafe.As<ulong, T>(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(from), start)), count);
        return new RentedSpan<T>(this, span, chunk, top, words, ++_depth);
    }

    /// <summary>Takes back what was rented last.</summary>
    internal void Release(ulong[] chunk, int top, int words, int depth)
    {
        if (depth != _depth)
            throw SelectionErrors.ReleasedOutOfOrder(depth, _depth);
        _depth--;
        _rented -= words;
        (_chunk, _top) = (chunk, top);
        if (_depth == 0 && _mostRented > _main.Length)
            Enlarge();
    }

    // Twice the old length, so that windows that grow row by row do not allocate each time.
    private void Enlarge() => _chunk = _main = GC.AllocateUninitializedArray<ulong>(
        (int)Math.Min(Math.Max(_mostRented, 2L * _main.Length), Array.MaxLength));

    /// <summary>Counts weights that <see cref="WeightCapPolicy"/> cut, and what that took away, where the selector finds them: also when
    /// the policy that cuts runs inside another one.</summary>
    internal void CountCuts(long rows, double weight)
    {
        _cutRows += rows;
        _cutWeight += weight;
    }

    /// <summary>What was counted since the last call.</summary>
    internal (long Rows, double Weight) TakeCuts()
    {
        (long, double) cuts = (_cutRows, _cutWeight);
        (_cutRows, _cutWeight) = (0, 0);
        return cuts;
    }

    /// <summary>Whole cache lines and one more: arrays of a power of two rows would else begin at addresses that a processor takes for each
    /// other.</summary>
    private static int WordsFor<T>(int count)
        where T : unmanaged
        => checked((int)(((long)count * Unsafe.SizeOf<T>() + 2 * LineBytes - 1) / LineBytes * WordsPerLine));
}
