namespace Microsoft.ML.Data;

/// <summary>128 bits that name a row of a view, the same in every pass over it.</summary>
public readonly struct DataViewRowId : IComparable<DataViewRowId>, IEquatable<DataViewRowId>
{
    public readonly ulong Low;
    public readonly ulong High;

    public DataViewRowId(ulong low, ulong high)
    {
        Low = low;
        High = high;
    }

    public DataViewRowId Fork() => new(Mix(Low + 0x9E3779B97F4A7C15), Mix(High ^ Low));
    public DataViewRowId Next() => new(Mix(Low + 1), Mix(High + 0x9E3779B97F4A7C15 ^ Low));
    public DataViewRowId Combine(DataViewRowId other) => new(Mix(Low ^ Mix(other.Low)), Mix(High ^ Mix(other.High + Low)));
    public int CompareTo(DataViewRowId other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);
    public bool Equals(DataViewRowId other) => Low == other.Low && High == other.High;
    public override bool Equals(object? obj) => obj is DataViewRowId other && Equals(other);
    public override int GetHashCode() => HashCode.Combine(Low, High);
    public override string ToString() => $"{High:x16}{Low:x16}";

    // The finalizer of SplitMix64: every input bit reaches every output bit.
    internal static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
