using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Finds a joiner's entry by its key: open addressing by buckets, 8 bytes a slot: 32 bits of the key's hash and 32 of the entry's
/// number.</summary>
/// <remarks>A bucket is a cache line of 8 slots, filled from the front; where it is full, the next ones take what belongs to it, so that a
/// look-up mostly reads one line. 256 tables that grow one at a time, by a quarter, outside the managed heap, so that a table left behind
/// is free at once: an entry takes at most 8 / 0.68 bytes. Removing moves back what had no place: there are no tombstones.</remarks>
internal sealed unsafe class PendingIndex
{
    private const int TableBits = 8;
    private const int BucketSlots = 8;
    private const int LineBytes = BucketSlots * sizeof(ulong);
    private const ulong TagMask = 0xFFFFFFFF_00000000;
    private const double MostFull = 0.85;
    private const double Growth = 1.25;

    private readonly Table[] _tables = new Table[1 << TableBits];

    public PendingIndex()
    {
        foreach (ref Table table in _tables.AsSpan())
            Begin(ref table, 2);
    }

    ~PendingIndex()
    {
        foreach (Table table in _tables)
            NativeMemory.AlignedFree(table.Slots);
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
        for (uint b = Home(tag, table.Buckets); found < 0; b = Next(b, table.Buckets))
        {
            ulong* bucket = table.Bucket(b);
            for (uint matches = Matches(bucket, (ulong)tag << 32, TagMask); matches != 0 && found < 0; matches &= matches - 1)
            {
                long n = entries.NumberOf((uint)bucket[BitOperations.TrailingZeroCount(matches)]);
                if (entries.KeyOf(n) == key)
                    found = n;
            }

            if (!IsFull(bucket))
                break;
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
        *Find(TableOf(hash), Slot(hash, former), out _) = Slot(hash, n);
        GC.KeepAlive(this);
    }

    /// <summary>Removes an entry that is there.</summary>
    public void Remove(ulong hash, long n)
    {
        ref Table table = ref TableOf(hash);
        ulong* hole = Find(table, Slot(hash, n), out uint holed);
        bool wasFull = MoveToEnd(table.Bucket(holed), ref hole);
        for (uint b = Next(holed, table.Buckets); wasFull; b = Next(b, table.Buckets))
        {
            // What passed by the bucket with the hole when that was full may come back into it.
            ulong* bucket = table.Bucket(b);
            wasFull = IsFull(bucket);
            for (int i = 0; i < BucketSlots && bucket[i] != 0; i++)
            {
                uint home = Home((uint)(bucket[i] >> 32), table.Buckets);
                if (Distance(home, b, table.Buckets) < Distance(holed, b, table.Buckets))
                    continue;
                *hole = bucket[i];
                hole = bucket + i;
                holed = b;
                wasFull = MoveToEnd(bucket, ref hole);
                break;
            }
        }

        table.Count--;
        GC.KeepAlive(this);
    }

    /// <summary>Asks the processor to fetch the bucket of a key that will be looked up soon.</summary>
    public void Prefetch(ulong hash)
    {
        ref Table table = ref TableOf(hash);
        if (Sse.IsSupported)
            Sse.Prefetch0(table.Bucket(Home(Tag(hash), table.Buckets)));
    }

    /// <summary>Low half of the number of the entry that a key probably has, 0 for none: for fetching it ahead.</summary>
    public uint Guess(ulong hash)
    {
        ref Table table = ref TableOf(hash);
        uint tag = Tag(hash);
        ulong* bucket = table.Bucket(Home(tag, table.Buckets));
        uint matches = Matches(bucket, (ulong)tag << 32, TagMask);
        uint guess = matches == 0 ? 0 : (uint)bucket[BitOperations.TrailingZeroCount(matches)];
        GC.KeepAlive(this);
        return guess;
    }

    private static uint Tag(ulong hash) => Math.Max(1, (uint)hash);      // never 0, so that no slot in use is 0

    private static ulong Slot(ulong hash, long n) => ((ulong)Tag(hash) << 32) | (uint)n;

    private static uint Home(uint tag, uint buckets) => (uint)(((ulong)tag * buckets) >> 32);

    private static uint Next(uint b, uint buckets) => b + 1 == buckets ? 0 : b + 1;

    private static uint Distance(uint from, uint to, uint buckets) => to >= from ? to - from : to - from + buckets;

    /// <summary>A bit for each slot of a bucket that equals a value in the bits of a mask.</summary>
    private static uint Matches(ulong* bucket, ulong value, ulong mask)
    {
        Vector256<ulong> wanted = Vector256.Create(value), bits = Vector256.Create(mask);
        uint first = Vector256.Equals(Vector256.LoadAligned(bucket) & bits, wanted).ExtractMostSignificantBits();
        uint second = Vector256.Equals(Vector256.LoadAligned(bucket + 4) & bits, wanted).ExtractMostSignificantBits();
        return first | (second << 4);
    }

    private static bool IsFull(ulong* bucket) => bucket[BucketSlots - 1] != 0;

    private static ulong* Find(in Table table, ulong slot, out uint b)
    {
        for (b = Home((uint)(slot >> 32), table.Buckets); ; b = Next(b, table.Buckets))
        {
            ulong* bucket = table.Bucket(b);
            uint matches = Matches(bucket, slot, ulong.MaxValue);
            if (matches != 0)
                return bucket + BitOperations.TrailingZeroCount(matches);
        }
    }

    private static void Place(in Table table, ulong slot)
    {
        for (uint b = Home((uint)(slot >> 32), table.Buckets); ; b = Next(b, table.Buckets))
        {
            ulong* bucket = table.Bucket(b);
            if (IsFull(bucket))
                continue;
            bucket[BitOperations.TrailingZeroCount(Matches(bucket, 0, ulong.MaxValue))] = slot;
            return;
        }
    }

    /// <summary>Moves a bucket's last slot into its hole, and the hole there; true when the bucket had been full.</summary>
    private static bool MoveToEnd(ulong* bucket, ref ulong* hole)
    {
        bool wasFull = IsFull(bucket);
        int last = wasFull ? BucketSlots - 1 : BitOperations.TrailingZeroCount(Matches(bucket, 0, ulong.MaxValue)) - 1;
        *hole = bucket[last];
        hole = bucket + last;
        *hole = 0;
        return wasFull;
    }

    private ref Table TableOf(ulong hash) => ref _tables[hash >> (64 - TableBits)];

    private void Begin(ref Table table, uint buckets)
    {
        nuint bytes = (nuint)buckets * LineBytes;
        table.Slots = (ulong*)NativeMemory.AlignedAlloc(bytes, LineBytes);
        NativeMemory.Clear(table.Slots, bytes);
        table.Buckets = buckets;
        table.Limit = (uint)(buckets * BucketSlots * MostFull);
        Bytes += (long)bytes;
    }

    private void Grow(ref Table table)
    {
        Table former = table;
        Begin(ref table, (uint)Math.Ceiling(former.Buckets * Growth));
        for (uint i = 0; i < former.Buckets * BucketSlots; i++)
        {
            if (former.Slots[i] != 0)
                Place(table, former.Slots[i]);
        }

        NativeMemory.AlignedFree(former.Slots);
        Bytes -= former.Buckets * LineBytes;
    }

    private struct Table
    {
        public ulong* Slots;
        public uint Buckets;
        public uint Limit;
        public uint Count;

        public readonly ulong* Bucket(uint b) => Slots + ((nuint)b * BucketSlots);
    }
}
