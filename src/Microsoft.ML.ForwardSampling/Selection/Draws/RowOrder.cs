using System.Numerics;
using System.Numerics.Tensors;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Stable orders of a window's rows by radix sort: O(n), no allocation after warm-up.</summary>
/// <remarks>
/// A row is one word: label above value above row position, each as a number from 0 in no more bits than it needs, so that one sort by
/// unsigned order does all. Digits are sorted by from the least significant one, but only those of the uppermost bits: a few more bits than
/// it takes to count the rows leave next to no neighbours in wrong order, which an insertion sort puts right. Where it would have too much
/// to do (all values alike but for an outlier), the lower bits are sorted by as well.
/// </remarks>
internal static class RowOrder
{
    private const int SpareBits = 6;
    private const int MostDigitBits = 10;

    /// <summary>Rows by ascending value; −0 equals 0. The values are finite (with a NaN among them the order is any one).</summary>
    public static RentedSpan<int> ByValue(ReadOnlySpan<float> values, SelectionScratch scratch)
    {
        RentedSpan<int> order = scratch.Rent<int>(values.Length);
        using RentedSpan<ulong> memory = scratch.Rent<ulong>(values.Length), otherMemory = scratch.Rent<ulong>(values.Length);
        Span<ulong> keys = memory, other = otherMemory;
        int rowBits = BitsFor((uint)values.Length - 1), bits = rowBits + FillValues(values, rowBits, keys);
        Sort(ref keys, ref other, rowBits, bits, scratch);
        TakeRows(keys, rowBits, order);
        return order;
    }

    /// <summary>The values in ascending order.</summary>
    public static void Sort(ReadOnlySpan<float> values, Span<float> sorted, SelectionScratch scratch)
    {
        using RentedSpan<int> rented = ByValue(values, scratch);
        ReadOnlySpan<int> order = rented;
        for (int i = 0; i < order.Length; i++)
            sorted[i] = values[order[i]];
    }

    /// <summary>Rows by ascending label, then value. By value alone when there are no labels.</summary>
    public static RentedSpan<int> ByLabelThenValue(ReadOnlySpan<int> labels, ReadOnlySpan<float> values, SelectionScratch scratch)
    {
        if (labels.IsEmpty)
            return ByValue(values, scratch);

        RentedSpan<int> rented = scratch.Rent<int>(values.Length);
        Span<int> order = rented;
        using RentedSpan<ulong> memory = scratch.Rent<ulong>(values.Length), otherMemory = scratch.Rent<ulong>(values.Length);
        Span<ulong> keys = memory, other = otherMemory;
        int rowBits = BitsFor((uint)values.Length - 1), labelBits = LabelBits(labels, out int least);
        int valueBits = FillValues(values, rowBits, keys);
        if (rowBits + valueBits + labelBits <= 64)
        {
            AddLabels(labels, least, rowBits + valueBits, keys);
            Sort(ref keys, ref other, rowBits, rowBits + valueBits + labelBits, scratch);
            TakeRows(keys, rowBits, order);
            return rented;
        }

        // Thousands of classes in a very large window: by value first, then the ranks by label.
        Sort(ref keys, ref other, rowBits, rowBits + valueBits, scratch);
        TakeRows(keys, rowBits, order);
        for (int rank = 0; rank < keys.Length; rank++)
            keys[rank] = (ulong)(uint)(labels[order[rank]] - least) << rowBits | (uint)rank;
        Sort(ref keys, ref other, rowBits, rowBits + labelBits, scratch);
        foreach (ref ulong key in keys)
            key = (uint)order[(int)key & (1 << rowBits) - 1];
        TakeRows(keys, rowBits, order);
        return rented;
    }

    /// <summary>Rows by ascending label alone; rows of one label keep their order.</summary>
    public static RentedSpan<int> ByLabel(ReadOnlySpan<int> labels, SelectionScratch scratch)
    {
        RentedSpan<int> order = scratch.Rent<int>(labels.Length);
        using RentedSpan<ulong> memory = scratch.Rent<ulong>(labels.Length), otherMemory = scratch.Rent<ulong>(labels.Length);
        Span<ulong> keys = memory, other = otherMemory;
        int rowBits = BitsFor((uint)labels.Length - 1), labelBits = LabelBits(labels, out int least);
        for (int i = 0; i < keys.Length; i++)
            keys[i] = (ulong)(uint)(labels[i] - least) << rowBits | (uint)i;
        Sort(ref keys, ref other, rowBits, rowBits + labelBits, scratch);
        TakeRows(keys, rowBits, order);
        return order;
    }

    /// <summary>Writes each row's value, counted from the least one, above its position; returns the bits that takes.</summary>
    private static int FillValues(ReadOnlySpan<float> values, int rowBits, Span<ulong> keys)
    {
        uint least = ExtremeRows.KeyOf(TensorPrimitives.Min(values), 0), most = ExtremeRows.KeyOf(TensorPrimitives.Max(values), 0);
        for (int i = 0; i < keys.Length; i++)
            keys[i] = (ulong)(ExtremeRows.KeyOf(values[i], 0) - least) << rowBits | (uint)i;
        return BitsFor(most - least);
    }

    private static void AddLabels(ReadOnlySpan<int> labels, int least, int shift, Span<ulong> keys)
    {
        for (int i = 0; i < keys.Length; i++)
            keys[i] |= (ulong)(uint)(labels[i] - least) << shift;
    }

    private static int LabelBits(ReadOnlySpan<int> labels, out int least)
    {
        least = TensorPrimitives.Min(labels);
        return BitsFor((uint)(TensorPrimitives.Max(labels) - least));
    }

    private static int BitsFor(uint most) => 32 - BitOperations.LeadingZeroCount(most);

    private static void TakeRows(ReadOnlySpan<ulong> keys, int rowBits, Span<int> order)
    {
        order = order[..keys.Length];
        int mask = (1 << rowBits) - 1;
        for (int i = 0; i < keys.Length; i++)
            order[i] = (int)keys[i] & mask;
    }

    /// <summary>Sorts keys, ascending in their bits below `from`, by all their bits; nothing is set from bit `to` on. The two buffers may
    /// change places.</summary>
    private static void Sort(ref Span<ulong> keys, ref Span<ulong> other, int from, int to, SelectionScratch scratch)
    {
        using RentedSpan<int> counts = scratch.Rent<int>(1 << MostDigitBits);
        int enough = to - BitsFor((uint)keys.Length) - SpareBits;
        SortByBits(ref keys, ref other, Math.Max(from, enough), to, counts);
        if (enough > from && !TryInsert(keys))
            SortByBits(ref keys, ref other, from, to, counts);
    }

    /// <summary>Stable, by the bits from `from` to below `to`, in digits of about equal length.</summary>
    private static void SortByBits(ref Span<ulong> keys, ref Span<ulong> other, int from, int to, Span<int> counts)
    {
        if (to <= from)
            return;
        int digits = (to - from + MostDigitBits - 1) / MostDigitBits, bits = (to - from + digits - 1) / digits;
        Span<int> starts = counts[..(1 << bits)];
        ulong mask = (1UL << bits) - 1;
        for (int shift = from; shift < to; shift += bits)
        {
            starts.Clear();
            foreach (ulong key in keys)
                starts[(int)(key >> shift & mask)]++;
            int start = 0;
            foreach (ref int count in starts)
            {
                int next = start + count;
                count = start;
                start = next;
            }

            foreach (ulong key in keys)
                other[starts[(int)(key >> shift & mask)]++] = key;
            Span<ulong> swap = keys;
            keys = other;
            other = swap;
        }
    }

    /// <summary>Insertion sort, for keys in all but perfect order; gives up, and says so, when that takes more steps than there are
    /// keys.</summary>
    private static bool TryInsert(Span<ulong> keys)
    {
        int steps = keys.Length;
        ulong largest = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            ulong key = keys[i];
            if (key >= largest)
            {
                largest = key;
                continue;
            }

            int place = i;
            for (; place > 0 && keys[place - 1] > key; place--)
                keys[place] = keys[place - 1];
            keys[place] = key;
            steps -= i - place;
            if (steps < 0)
                return false;
        }

        return true;
    }
}
