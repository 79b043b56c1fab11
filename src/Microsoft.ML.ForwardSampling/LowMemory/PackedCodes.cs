using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>Codes of 2 to 16 bits, one behind the other without gaps.</summary>
internal sealed class PackedCodes
{
    private const int Padding = sizeof(uint) - 1;           // a code is read as the four bytes from the one it begins in

    private readonly byte[] _bytes;
    private readonly int _bits;

    public PackedCodes(int count, int bits)
        : this(new byte[BytesFor(count, bits)], count, bits)
    {
    }

    /// <param name="bytes">As <see cref="Bytes"/> gave them; not copied.</param>
    /// <param name="count">Codes.</param>
    /// <param name="bits">Bits of each.</param>
    public PackedCodes(byte[] bytes, int count, int bits)
    {
        _bytes = bytes;
        _bits = bits;
        Count = count;
    }

    public int Count { get; }

    public byte[] Bytes => _bytes;

    public static long BytesFor(int count, int bits) => ((long)count * bits + 7) / 8 + Padding;

    public int this[int index]
    {
        get
        {
            long at = (long)index * _bits;
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan((int)(at >> 3), sizeof(uint)));
            return (int)(word << (32 - _bits - (int)(at & 7))) >> (32 - _bits);
        }

        set
        {
            long at = (long)index * _bits;
            Span<byte> place = _bytes.AsSpan((int)(at >> 3), sizeof(uint));
            int shift = (int)(at & 7);
            uint mask = ((1u << _bits) - 1) << shift;
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(place);
            BinaryPrimitives.WriteUInt32LittleEndian(place, (word & ~mask) | (((uint)value << shift) & mask));
        }
    }
}
