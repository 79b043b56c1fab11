using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Stable orders of a window's rows by radix sort: O(n), no comparison, no allocation after warm-up.</summary>
/// <remarks>
/// A key is the value's order-preserving bit pattern above the row position, eight bytes in all, so that each pass moves one word.
/// Digits are bytes, least significant first; a digit in which all keys agree (the exponent, often) costs no pass.
/// </remarks>
internal static class RowOrder
{
    private const int Buckets = 256;

    /// <summary>Rows by ascending value; −0 equals 0. The values are finite (NaN would sort by its bits).</summary>
    public static ReadOnlySpan<int> ByValue(ReadOnlySpan<float> values, SelectionScratch scratch)
    {
        Span<ulong> keys = SortedKeys(values, scratch);
        Span<int> order = scratch.Order(values.Length);
        for (int i = 0; i < order.Length; i++)
            order[i] = (int)keys[i];
        return order;
    }

    /// <summary>The values in ascending order.</summary>
    public static void Sort(ReadOnlySpan<float> values, Span<float> sorted, SelectionScratch scratch)
    {
        Span<ulong> keys = SortedKeys(values, scratch);
        for (int i = 0; i < keys.Length; i++)
            sorted[i] = values[(int)keys[i]];
    }

    /// <summary>Rows by ascending label, then value. By value alone when there are no labels.</summary>
    public static ReadOnlySpan<int> ByLabelThenValue(ReadOnlySpan<int> labels, ReadOnlySpan<float> values, SelectionScratch scratch)
    {
        if (labels.IsEmpty)
            return ByValue(values, scratch);

        int min = labels[0], max = labels[0];
        foreach (int label in labels)
        {
            min = Math.Min(min, label);
            max = Math.Max(max, label);
        }

        uint span = (uint)max - (uint)min;
        if (span == 0)
            return ByValue(values, scratch);

        Span<ulong> keys = SortedKeys(values, scratch);
        Span<int> order = scratch.Order(values.Length);
        if (span < Buckets)
        {
            // The usual case, up to 256 classes: one counting pass that writes the order itself.
            Span<int> starts = stackalloc int[Buckets];
            starts.Clear();
            foreach (int label in labels)
                starts[label - min]++;
            CountsToStarts(starts);
            foreach (ulong key in keys)
            {
                int row = (int)key;
                order[starts[labels[row] - min]++] = row;
            }

            return order;
        }

        for (int i = 0; i < keys.Length; i++)
        {
            uint row = (uint)keys[i];
            keys[i] = (ulong)((uint)labels[(int)row] - (uint)min) << 32 | row;
        }

        // Keys live in one of the two buffers after an unknown number of passes.
        Span<ulong> other = Unsafe.AreSame(ref keys[0], ref scratch.Keys(keys.Length)[0]) ? scratch.OtherKeys(keys.Length) : scratch.Keys(keys.Length);
        keys = SortByUpperHalf(keys, other);
        for (int i = 0; i < order.Length; i++)
            order[i] = (int)keys[i];
        return order;
    }

    /// <summary>Rows by ascending label alone; rows of one label keep their order.</summary>
    public static ReadOnlySpan<int> ByLabel(ReadOnlySpan<int> labels, SelectionScratch scratch)
    {
        Span<ulong> keys = scratch.Keys(labels.Length);
        for (int i = 0; i < keys.Length; i++)
            keys[i] = (ulong)(uint)(labels[i] ^ int.MinValue) << 32 | (uint)i;
        keys = SortByUpperHalf(keys, scratch.OtherKeys(keys.Length));
        Span<int> order = scratch.Order(labels.Length);
        for (int i = 0; i < order.Length; i++)
            order[i] = (int)keys[i];
        return order;
    }

    private static Span<ulong> SortedKeys(ReadOnlySpan<float> values, SelectionScratch scratch)
    {
        Span<ulong> keys = scratch.Keys(values.Length);
        for (int i = 0; i < keys.Length; i++)
        {
            // + 0f turns −0 into 0. Positive floats get their sign bit set, negative ones all bits flipped: unsigned order is numeric order.
            int bits = BitConverter.SingleToInt32Bits(values[i] + 0f);
            uint ordered = (uint)(bits ^ (bits >> 31 | int.MinValue));
            keys[i] = (ulong)ordered << 32 | (uint)i;
        }

        return SortByUpperHalf(keys, scratch.OtherKeys(keys.Length));
    }

    /// <summary>Sorts by the upper 32 bits, stably; returns whichever of the two buffers holds the result.</summary>
    private static Span<ulong> SortByUpperHalf(Span<ulong> keys, Span<ulong> other)
    {
        Span<int> counts = stackalloc int[4 * Buckets];
        counts.Clear();
        Span<int> counts0 = counts[..Buckets], counts1 = counts.Slice(Buckets, Buckets), counts2 = counts.Slice(2 * Buckets, Buckets), counts3 = counts[(3 * Buckets)..];
        foreach (ulong key in keys)
        {
            counts0[(byte)(key >> 32)]++;
            counts1[(byte)(key >> 40)]++;
            counts2[(byte)(key >> 48)]++;
            counts3[(byte)(key >> 56)]++;
        }

        for (int digit = 0; digit < 4; digit++)
        {
            int shift = 32 + 8 * digit;
            Span<int> starts = counts.Slice(digit * Buckets, Buckets);
            if (starts[(byte)(keys[0] >> shift)] == keys.Length)
                continue;
            CountsToStarts(starts);
            foreach (ulong key in keys)
                other[starts[(byte)(key >> shift)]++] = key;
            Span<ulong> swap = keys;
            keys = other;
            other = swap;
        }

        return keys;
    }

    private static void CountsToStarts(Span<int> counts)
    {
        int start = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            int count = counts[i];
            counts[i] = start;
            start += count;
        }
    }
}
