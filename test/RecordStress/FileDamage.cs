namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>The ways a file of any kind is damaged.</summary>
/// <param name="random">Decides all.</param>
public sealed class FileDamage(Random random)
{
    /// <summary>Cuts the end off, takes a part out, or flips a few bits.</summary>
    /// <param name="bytes">A file; left as it is.</param>
    /// <returns>Another.</returns>
    public byte[] Break(byte[] bytes)
    {
        int at = random.Next(bytes.Length + 1), size = Math.Min(bytes.Length - at, 1 + random.Next(1 << random.Next(11)));
        switch (random.Next(3))
        {
            case 0:
                return bytes[..at];
            case 1:
                return [.. bytes[..at], .. bytes[(at + size)..]];
            default:
                bytes = [.. bytes];
                for (int flips = random.Next(8); flips >= 0 && bytes.Length > 0; flips--)
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return bytes;
        }
    }

    /// <summary>Puts another number of 1, 2, 4 or 8 bytes somewhere.</summary>
    /// <param name="bytes">A part of a file; changed in place.</param>
    public void Lie(Span<byte> bytes)
    {
        byte[] number = BitConverter.GetBytes(Number());
        int width = Math.Min(1 << random.Next(4), bytes.Length);
        number.AsSpan(0, width).CopyTo(bytes[random.Next(bytes.Length - width + 1)..]);
    }

    /// <summary>A number that a reader may stumble over.</summary>
    /// <returns>Little-endian in its lower bytes when fewer are written.</returns>
    public long Number() => random.Next(6) switch
    {
        0 => 0,
        1 => -1,
        2 => long.MaxValue,
        3 => 1L << random.Next(63),
        4 => random.Next(400),
        _ => random.NextInt64(),
    };
}
