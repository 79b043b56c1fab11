using System.Buffers.Binary;
using System.Numerics;

namespace Microsoft.ML.ForwardSampling;

/// <summary>CRC-32C (Castagnoli, RFC 3720): the processor's instruction where it has one.</summary>
/// <remarks>The instruction begins one word a cycle and takes three: so three lanes are summed side by side, and put together by a
/// multiplication of polynomials.</remarks>
internal static class Crc32C
{
    private const int LaneBytes = 4096;
    private const uint Polynomial = 0x82F63B78;             // reflected, as the instruction has it: the highest bit is x⁰

    private static readonly uint s_pastLane = PowerOfX(8 * LaneBytes);

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        for (; bytes.Length >= 3 * LaneBytes; bytes = bytes[(3 * LaneBytes)..])
        {
            ReadOnlySpan<byte> first = bytes[..LaneBytes], second = bytes.Slice(LaneBytes, LaneBytes),
                third = bytes.Slice(2 * LaneBytes, LaneBytes);
            uint secondCrc = 0, thirdCrc = 0;
            for (int i = 0; i <= LaneBytes - sizeof(ulong); i += sizeof(ulong))
            {
                crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(first[i..]));
                secondCrc = BitOperations.Crc32C(secondCrc, BinaryPrimitives.ReadUInt64LittleEndian(second[i..]));
                thirdCrc = BitOperations.Crc32C(thirdCrc, BinaryPrimitives.ReadUInt64LittleEndian(third[i..]));
            }

            crc = Multiply(Multiply(crc, s_pastLane) ^ secondCrc, s_pastLane) ^ thirdCrc;
        }

        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte rest in bytes)
            crc = BitOperations.Crc32C(crc, rest);
        return ~crc;
    }

    /// <summary>x to a power, modulo the polynomial: what a sum is multiplied by when as many zero bits follow.</summary>
    private static uint PowerOfX(int exponent)
    {
        uint power = 1u << 31, square = 1u << 30;           // x⁰ and x¹
        for (; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
                power = Multiply(power, square);
            square = Multiply(square, square);
        }

        return power;
    }

    private static uint Multiply(uint a, uint b)
    {
        uint product = 0;
        for (; a != 0; a <<= 1)
        {
            product ^= b & (uint)((int)a >> 31);
            b = (b >> 1) ^ (Polynomial & (0 - (b & 1)));
        }

        return product;
    }
}
