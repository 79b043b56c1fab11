namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Probabilities in two bytes: code c, with e = c / 2048 and f = c mod 2048, is 2⁻ᵉ·(1 − f/4096).</summary>
/// <remarks>Code 0 is 1; a larger code is a smaller probability; adding 2048 halves it exactly. Rounding to the nearest code moves a
/// probability by at most one part in 4,096.</remarks>
public static class KeepingProbability
{
    /// <summary>Least probability that a caller may give, 2⁻¹⁶, so that a full writer's halvings still have a code.</summary>
    public const float Least = 1f / 65536;

    /// <summary>Added to a code, halves its probability.</summary>
    internal const int Halving = 2048;

    /// <summary>Halvings that a full writer may add: code of 2⁻¹⁶ plus these stays within two bytes.</summary>
    internal const int MostHalvings = 15;

    /// <summary>The probability of a code.</summary>
    /// <param name="code">Any value.</param>
    /// <returns>In (0, 1].</returns>
    public static float Decode(ushort code) => (4096 - (code & 2047)) * BitConverter.Int32BitsToSingle((127 - 12 - (code >> 11)) << 23);

    /// <summary>The code nearest to a probability.</summary>
    /// <param name="probability">In [<see cref="Least"/>, 1].</param>
    /// <returns>The code.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public static ushort Encode(float probability) => Checked(probability, nameof(KeepingProbability), nameof(probability));

    /// <summary>Checks and encodes a probability that a caller gave.</summary>
    internal static ushort Checked(float probability, string owner, string parameter = "keepingProbability")
    {
        Require.InRange(probability, Least, 1f, owner, parameter);
        if (probability == 1)
            return 0;
        int exponent = 127 - 1 - (BitConverter.SingleToInt32Bits(probability) >> 23);   // probability in [2^-(e+1), 2^-e)
        float fraction = probability * BitConverter.Int32BitsToSingle((127 + 12 + exponent) << 23);   // in [2048, 4096)
        return (ushort)((exponent << 11) + 4096 - (int)MathF.Round(fraction));
    }
}
