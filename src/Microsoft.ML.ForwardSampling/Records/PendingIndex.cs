namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Finds a joiner's entry by its key: open addressing with linear probing, 8 bytes a slot: 32 bits of the key's hash and 32 of the entry's number.</summary>
/// <remarks>256 tables that grow one at a time, by a quarter: an entry takes at most 8 / 0.68 bytes, and growing never holds more than 1/256 twice. Removing shifts back: there are no tombstones.</remarks>
internal sealed class PendingIndex
{
    private const int Tables = 256;
    private const double MostFull = 0.85;
    private const double Growth = 1.25;

    private readonly ulong[][] _slots = new ulong[Tables][];
    private readonly int[] _counts = new int[Tables];
    private readonly int[] _limits = new int[Tables];

    public PendingIndex()
    {
        for (int t = 0; t < Tables; t++)
            Begin(t, 16);
    }

    /// <summary>Bytes of the tables.</summary>
    public long Bytes { get; private set; }

    /// <summary>Spreads keys evenly, consecutive numbers too.</summary>
    public static ulong Hash(ulong key)
    {
        ulong h = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15;
        h = (h ^ (h >> 29)) * 0xD1B54A32D192ED03;
        return h ^ (h >> 32);
    }

    /// <summary>Number of the entry with this key, or −1.</summary>
    public long Find<TRecord>(ulong hash, ulong key, PendingEntries<TRecord> entries)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        ulong[] slots = _slots[hash >> 56];
        uint tag = Tag(hash);
        for (int i = Home(tag, slots.Length); slots[i] != 0; i = Next(i, slots.Length))
        {
            if ((uint)(slots[i] >> 32) != tag)
                continue;
            long n = entries.Head + (uint)((uint)slots[i] - (uint)entries.Head);
            if (entries.KeyOf(n) == key)
                return n;
        }

        return -1;
    }

    /// <summary>Adds an entry whose key is not there.</summary>
    public void Add(ulong hash, long n)
    {
        int t = (int)(hash >> 56);
        if (_counts[t] >= _limits[t])
            Grow(t);
        Place(_slots[t], Slot(hash, n));
        _counts[t]++;
    }

    /// <summary>Lets another entry stand for a key.</summary>
    public void Replace(ulong hash, long former, long n)
    {
        ulong[] slots = _slots[hash >> 56];
        slots[Find(slots, Slot(hash, former))] = Slot(hash, n);
    }

    /// <summary>Removes an entry that is there.</summary>
    public void Remove(ulong hash, long n)
    {
        int t = (int)(hash >> 56);
        ulong[] slots = _slots[t];
        int hole = Find(slots, Slot(hash, n));
        for (int i = Next(hole, slots.Length); slots[i] != 0; i = Next(i, slots.Length))
        {
            // What is as far from its home as the hole may fill it.
            int home = Home((uint)(slots[i] >> 32), slots.Length);
            if (Distance(home, i, slots.Length) >= Distance(hole, i, slots.Length))
            {
                slots[hole] = slots[i];
                hole = i;
            }
        }

        slots[hole] = 0;
        _counts[t]--;
    }

    private static uint Tag(ulong hash) => Math.Max(1, (uint)hash);      // never 0, so that no slot in use is 0

    private static ulong Slot(ulong hash, long n) => ((ulong)Tag(hash) << 32) | (uint)n;

    private static int Home(uint tag, int length) => (int)(((ulong)tag * (uint)length) >> 32);

    private static int Next(int i, int length) => i + 1 == length ? 0 : i + 1;

    private static int Distance(int from, int to, int length) => to >= from ? to - from : to - from + length;

    private static int Find(ulong[] slots, ulong slot)
    {
        int i = Home((uint)(slot >> 32), slots.Length);
        while (slots[i] != slot)
            i = Next(i, slots.Length);
        return i;
    }

    private static void Place(ulong[] slots, ulong slot)
    {
        int i = Home((uint)(slot >> 32), slots.Length);
        while (slots[i] != 0)
            i = Next(i, slots.Length);
        slots[i] = slot;
    }

    private void Begin(int t, int length)
    {
        _slots[t] = new ulong[length];
        _limits[t] = (int)(length * MostFull);
        Bytes += length * sizeof(ulong);
    }

    private void Grow(int t)
    {
        ulong[] former = _slots[t];
        Begin(t, (int)(former.Length * Growth));
        Bytes -= former.Length * sizeof(ulong);
        foreach (ulong slot in former)
        {
            if (slot != 0)
                Place(_slots[t], slot);
        }
    }
}
