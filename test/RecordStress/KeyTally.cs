using System.Collections;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>Which of the writers' keys were selected: a key is its writer's number, and the record's in the low bits.</summary>
/// <param name="writers">Numbers of all writers.</param>
/// <param name="numberBits">Bits below the writer's number.</param>
internal sealed class KeyTally(IEnumerable<int> writers, int numberBits)
{
    private readonly HashSet<int> _writers = [.. writers];
    private readonly Dictionary<int, BitArray> _keys = [];

    public long Found { get; private set; }

    public long Duplicated { get; private set; }

    /// <summary>Counts a key.</summary>
    /// <returns>False: of no writer that there is.</returns>
    public bool Add(ulong key)
    {
        int writer = (int)(key >> numberBits), number = (int)(key & int.MaxValue);
        if (!_writers.Contains(writer))
            return false;
        BitArray there = _keys.TryGetValue(writer, out BitArray? known) ? known : _keys[writer] = new BitArray(1 << 16);
        if (number >= there.Length)
            there.Length = Math.Max(number + 1, 2 * there.Length);
        Duplicated += there[number] ? 1 : 0;
        Found += there[number] ? 0 : 1;
        there[number] = true;
        return true;
    }

    /// <summary>How many of a writer's first records were not selected.</summary>
    public long Missing(int writer, long acknowledged)
    {
        BitArray there = _keys.GetValueOrDefault(writer, new BitArray(0));
        long missing = 0;
        for (long number = 0; number < acknowledged; number++)
            missing += number < there.Length && there[(int)number] ? 0 : 1;
        return missing;
    }
}
