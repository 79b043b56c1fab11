using System.Numerics;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>A set of row positions, one bit a row, in scratch memory: it turns rows drawn in any order into ascending rows without a
/// sort.</summary>
internal readonly ref struct RowSet
{
    private readonly Span<ulong> _words;

    /// <param name="words">From <see cref="Rent"/>; the set is empty at first.</param>
    public RowSet(Span<ulong> words)
    {
        _words = words;
        _words.Clear();
    }

    /// <summary>Memory for a set of rows 0…count − 1.</summary>
    public static RentedSpan<ulong> Rent(int count, SelectionScratch scratch) => scratch.Rent<ulong>((count + 63) >> 6);

    /// <summary>Whether the row is in the set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(int row) => (_words[row >> 6] >> row & 1) != 0;

    /// <summary>Adds a row; no effect when it is there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int row) => _words[row >> 6] |= 1UL << row;

    /// <summary>Takes a row out; no effect when it is not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Remove(int row) => _words[row >> 6] &= ~(1UL << row);

    /// <summary>Number of rows in the set.</summary>
    public int Count()
    {
        int count = 0;
        foreach (ulong word in _words)
            count += BitOperations.PopCount(word);
        return count;
    }

    /// <summary>Replaces ranks of an order by the rows that stand there, ascending.</summary>
    public static void RanksToRows(ReadOnlySpan<int> order, Span<int> ranksThenRows, SelectionScratch scratch)
    {
        using RentedSpan<ulong> words = Rent(order.Length, scratch);
        new RowSet(words).RanksToRows(order, ranksThenRows);
    }

    /// <summary>Puts different rows of a window of count rows in ascending order.</summary>
    public static void Sort(int count, Span<int> rows, SelectionScratch scratch)
    {
        using RentedSpan<ulong> words = Rent(count, scratch);
        new RowSet(words).Sort(rows);
    }

    // Loops stand outside of the try blocks that using declarations make: inside, less is kept in registers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RanksToRows(ReadOnlySpan<int> order, Span<int> ranksThenRows)
    {
        foreach (int rank in ranksThenRows)
            Add(order[rank]);
        CopyTo(ranksThenRows);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Sort(Span<int> rows)
    {
        foreach (int row in rows)
            Add(row);
        CopyTo(rows);
    }

    /// <summary>Writes the rows in ascending order; the set has exactly rows.Length of them.</summary>
    public void CopyTo(Span<int> rows)
    {
        int next = 0;
        for (int i = 0; i < _words.Length; i++)
        {
            for (ulong word = _words[i]; word != 0; word &= word - 1)
                rows[next++] = (i << 6) + BitOperations.TrailingZeroCount(word);
        }
    }
}
