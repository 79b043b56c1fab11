using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Rows as those of their values that are not zero, one row behind the other, growing.</summary>
/// <remarks>A zero is left out even where its vector names it: what a row is does not depend on how it was stored.</remarks>
internal sealed class SparseRows
{
    private const int FirstRows = 64;
    private const int FirstValues = 1024;

    private int[] _starts = new int[FirstRows + 1];

    /// <summary>Rows held.</summary>
    public int Count { get; private set; }

    /// <summary>Values held, of all rows.</summary>
    public int Length => _starts[Count];

    /// <summary>Slot of each value, ascending within a row.</summary>
    public int[] Slots { get; private set; } = new int[FirstValues];

    /// <summary>The values.</summary>
    public float[] Values { get; private set; } = new float[FirstValues];

    public void Clear() => Count = 0;

    /// <summary>Where a row's values begin.</summary>
    public int Start(int row) => _starts[row];

    /// <summary>How many values a row has.</summary>
    public int LengthOf(int row) => _starts[row + 1] - _starts[row];

    /// <summary>A row's values, which may be changed.</summary>
    public Span<float> ValuesOf(int row) => Values.AsSpan(_starts[row], LengthOf(row));

    /// <summary>The slots of a row's values.</summary>
    public ReadOnlySpan<int> SlotsOf(int row) => Slots.AsSpan(_starts[row], LengthOf(row));

    /// <summary>Adds a row.</summary>
    public void Add(in VBuffer<float> features)
    {
        ReadOnlySpan<float> values = features.GetValues();
        Open(values.Length);
        int to = Length;
        if (features.IsDense)
        {
            for (int slot = 0; slot < values.Length; slot++)
                to = Put(to, slot, values[slot]);
        }
        else
        {
            ReadOnlySpan<int> slots = features.GetIndices();
            for (int i = 0; i < values.Length; i++)
                to = Put(to, slots[i], values[i]);
        }

        _starts[++Count] = to;
    }

    /// <summary>Adds the first slots of another's row.</summary>
    public void Add(SparseRows from, int row, int slots)
    {
        ReadOnlySpan<int> all = from.SlotsOf(row);
        int length = all.Length, to = Length;
        while (length > 0 && all[length - 1] >= slots)
            length--;
        Open(length);
        all[..length].CopyTo(Slots.AsSpan(to));
        from.ValuesOf(row)[..length].CopyTo(Values.AsSpan(to));
        _starts[++Count] = to + length;
    }

    /// <summary>Adds a row whose zeros are kept: a step on it is one on the whole row.</summary>
    public void AddWhole(ReadOnlySpan<float> features)
    {
        Open(features.Length);
        _starts[Count + 1] = Length;
        Count++;
        features.CopyTo(Extend(0, features.Length));
    }

    /// <summary>Adds a row of one value, 1.</summary>
    public void AddOne(int slot)
    {
        Open(1);
        _starts[Count + 1] = Length;
        Count++;
        Extend(slot, 1)[0] = 1f;
    }

    /// <summary>Adds values to the last row, at slots from the one given.</summary>
    /// <returns>Where they are to be written; a zero counts like any other.</returns>
    public Span<float> Extend(int slot, int count)
    {
        int to = Length;
        Open(count);
        for (int i = 0; i < count; i++)
            Slots[to + i] = slot + i;
        _starts[Count] = to + count;
        return Values.AsSpan(to, count);
    }

    /// <summary>A row's value of a slot: 0 where it has none.</summary>
    public float ValueOf(int row, int slot)
    {
        int at = SlotsOf(row).BinarySearch(slot);
        return at < 0 ? 0f : ValuesOf(row)[at];
    }

    /// <summary>Writes a row with its zeros.</summary>
    /// <param name="row">Which.</param>
    /// <param name="features">Out: one value a slot.</param>
    public void CopyTo(int row, Span<float> features)
    {
        features.Clear();
        ReadOnlySpan<int> slots = SlotsOf(row);
        ReadOnlySpan<float> values = ValuesOf(row);
        for (int i = 0; i < slots.Length; i++)
            features[slots[i]] = values[i];
    }

    private int Put(int to, int slot, float value)
    {
        if (value == 0f)
            return to;
        Slots[to] = slot;
        Values[to] = value;
        return to + 1;
    }

    /// <summary>Makes room for a row of so many values.</summary>
    private void Open(int values)
    {
        if (Count + 2 > _starts.Length)
            _starts = Larger(_starts, Count + 2);
        long needed = (long)Length + values;
        if (needed <= Slots.Length)
            return;
        Slots = Larger(Slots, needed);
        Values = Larger(Values, needed);
    }

    private static T[] Larger<T>(T[] array, long needed)
    {
        // Every element is written before it is read.
        T[] larger = GC.AllocateUninitializedArray<T>((int)Math.Max(needed, Math.Min(2L * array.Length, Array.MaxLength)));
        array.CopyTo(larger, 0);
        return larger;
    }
}
