namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Probabilities in two bytes: code c, with e = c / 2048 and f = c mod 2048, is 2⁻ᵉ·(1 − f/4096).</summary>
/// <remarks>Code 0 is 1; a larger code is a smaller probability; adding 2048 halves it exactly. Rounding to the nearest code moves a probability by at most one part in 4,096.</remarks>
internal static class KeepingProbability
{
    /// <summary>Added to a code, halves its probability.</summary>
    public const int Halving = 2048;

    /// <summary>Least probability that a caller may give, so that <see cref="MostHalvings"/> more still have a code.</summary>
    public const float Least = 1f / 65536;

    /// <summary>Halvings that the log may add: code of 2⁻¹⁶ plus these stays within two bytes.</summary>
    public const int MostHalvings = 15;

    public static float Decode(ushort code) => (4096 - (code & 2047)) * BitConverter.Int32BitsToSingle((127 - 12 - (code >> 11)) << 23);

    public static ushort Encode(float probability)
    {
        if (probability == 1)
            return 0;
        int exponent = 127 - 1 - (BitConverter.SingleToInt32Bits(probability) >> 23);   // probability in [2^-(e+1), 2^-e)
        float fraction = probability * BitConverter.Int32BitsToSingle((127 + 12 + exponent) << 23);   // in [2048, 4096)
        return (ushort)((exponent << 11) + 4096 - (int)MathF.Round(fraction));
    }

    /// <summary>Checks and encodes a probability that a caller gave.</summary>
    public static ushort Checked(float probability, string owner)
        => Encode(Require.InRange(probability, Least, 1f, owner, "keepingProbability"));
}
