using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Finds a joiner's entry by its key: open addressing with linear probing, 8 bytes a slot: 32 bits of the key's hash and 32 of the entry's number.</summary>
/// <remarks>256 tables that grow one at a time, by a quarter, outside the managed heap, so that a table left behind is free at once: an entry takes at most 8 / 0.68 bytes.
/// Removing shifts back: there are no tombstones.</remarks>
internal sealed unsafe class PendingIndex
{
    private const int TableBits = 8;
    private const double MostFull = 0.85;
    private const double Growth = 1.25;

    private readonly Table[] _tables = new Table[1 << TableBits];

    public PendingIndex()
    {
        foreach (ref Table table in _tables.AsSpan())
            Begin(ref table, 16);
    }

    ~PendingIndex()
    {
        foreach (Table table in _tables)
            NativeMemory.Free(table.Slots);
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
        Table table = TableOf(hash);
        uint tag = Tag(hash);
        long found = -1;
        for (uint i = Home(tag, table.Length); table.Slots[i] != 0; i = Next(i, table.Length))
        {
            if ((uint)(table.Slots[i] >> 32) != tag)
                continue;
            long n = entries.NumberOf((uint)table.Slots[i]);
            if (entries.KeyOf(n) == key)
            {
                found = n;
                break;
            }
        }

        GC.KeepAlive(this);                                 // the finalizer frees the slots
        return found;
    }

    /// <summary>Adds an entry whose key is not there.</summary>
    public void Add(ulong hash, long n)
    {
        ref Table table = ref TableOf(hash);
        if (table.Count >= table.Limit)
            Grow(ref table);
        Place(table, Slot(hash, n));
        table.Count++;
        GC.KeepAlive(this);
    }

    /// <summary>Lets another entry stand for a key.</summary>
    public void Replace(ulong hash, long former, long n)
    {
        Table table = TableOf(hash);
        table.Slots[Find(table, Slot(hash, former))] = Slot(hash, n);
        GC.KeepAlive(this);
    }

    /// <summary>Removes an entry that is there.</summary>
    public void Remove(ulong hash, long n)
    {
        ref Table table = ref TableOf(hash);
        uint hole = Find(table, Slot(hash, n));
        for (uint i = Next(hole, table.Length); table.Slots[i] != 0; i = Next(i, table.Length))
        {
            // What is as far from its home as the hole is from it may fill the hole.
            uint home = Home((uint)(table.Slots[i] >> 32), table.Length);
            if (Distance(home, i, table.Length) >= Distance(hole, i, table.Length))
            {
                table.Slots[hole] = table.Slots[i];
                hole = i;
            }
        }

        table.Slots[hole] = 0;
        table.Count--;
        GC.KeepAlive(this);
    }

    /// <summary>Asks the processor to fetch the slot of a key that will be looked up soon: with many entries no slot is in a cache.</summary>
    public void Prefetch(ulong hash)
    {
        Table table = TableOf(hash);
        if (Sse.IsSupported)
            Sse.Prefetch0(table.Slots + Home(Tag(hash), table.Length));
    }

    /// <summary>Low half of the number of the entry that a key probably has, 0 for none: for fetching it ahead.</summary>
    public uint Guess(ulong hash)
    {
        Table table = TableOf(hash);
        uint guess = (uint)table.Slots[Home(Tag(hash), table.Length)];
        GC.KeepAlive(this);
        return guess;
    }

    private static uint Tag(ulong hash) => Math.Max(1, (uint)hash);      // never 0, so that no slot in use is 0

    private static ulong Slot(ulong hash, long n) => ((ulong)Tag(hash) << 32) | (uint)n;

    private static uint Home(uint tag, uint length) => (uint)(((ulong)tag * length) >> 32);

    private static uint Next(uint i, uint length) => i + 1 == length ? 0 : i + 1;

    private static uint Distance(uint from, uint to, uint length) => to >= from ? to - from : to - from + length;

    private static uint Find(Table table, ulong slot)
    {
        uint i = Home((uint)(slot >> 32), table.Length);
        while (table.Slots[i] != slot)
            i = Next(i, table.Length);
        return i;
    }

    private static void Place(Table table, ulong slot)
    {
        uint i = Home((uint)(slot >> 32), table.Length);
        while (table.Slots[i] != 0)
            i = Next(i, table.Length);
        table.Slots[i] = slot;
    }

    private ref Table TableOf(ulong hash) => ref _tables[hash >> (64 - TableBits)];

    private void Begin(ref Table table, uint length)
    {
        table.Slots = (ulong*)NativeMemory.AllocZeroed(length, sizeof(ulong));
        table.Length = length;
        table.Limit = (uint)(length * MostFull);
        Bytes += length * sizeof(ulong);
    }

    private void Grow(ref Table table)
    {
        Table former = table;
        Begin(ref table, (uint)(former.Length * Growth));
        for (uint i = 0; i < former.Length; i++)
        {
            if (former.Slots[i] != 0)
                Place(table, former.Slots[i]);
        }

        NativeMemory.Free(former.Slots);
        Bytes -= former.Length * sizeof(ulong);
    }

    private struct Table
    {
        public ulong* Slots;
        public uint Length;
        public uint Limit;
        public uint Count;
    }
}
