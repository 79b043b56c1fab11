namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>Qn.m: a sign, n integer bits and m fraction bits; codes are whole numbers, values multiples of 2⁻ᵐ.</summary>
/// <param name="IntegerBits">n, ≥ 0.</param>
/// <param name="FractionBits">m, ≥ 1.</param>
internal readonly record struct FixedPointFormat(int IntegerBits, int FractionBits)
{
    /// <summary>Bits of a code without the sign that fit beside it in 16.</summary>
    public const int MostBits = 15;

    public int Bits => 1 + IntegerBits + FractionBits;

    /// <summary>Value of code 1; a power of two, so that code x step is exact.</summary>
    public double Step => 1.0 / (1 << FractionBits);

    public int Largest => (1 << (IntegerBits + FractionBits)) - 1;

    public int Smallest => -(1 << (IntegerBits + FractionBits));

    public override string ToString() => $"q{IntegerBits}.{FractionBits}";
}
