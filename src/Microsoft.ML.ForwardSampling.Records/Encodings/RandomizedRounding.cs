namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Rounds numbers to a Qn.m fixed-point grid at random, so that the rounded value is right on average.</summary>
/// <remarks>
/// <para>Qn.m has a sign bit, n integer bits and m fraction bits: 1 + n + m bits, step 2⁻ᵐ, range [−2ⁿ, 2ⁿ − 2⁻ᵐ]. A value between two grid
/// points a and a + step becomes a + step with probability (value − a) / step, else a: E[rounded] = value, and a grid point stays as it is.
/// One random number a value that is not on the grid.</para>
/// <para>A value outside the range becomes the nearer end, which is a bias: such values are counted in <see cref="Clamped"/>. NaN becomes 0
/// and is counted there too.</para>
/// <para>Same seed, same values in the same order: same result. Not thread-safe. No allocation.
/// Source: Golovin, Sculley, McMahan and Young, "Large-Scale Learning with Less RAM via Randomization", ICML 2013.</para>
/// </remarks>
public sealed class RandomizedRounding
{
    private readonly double _scale;
    private readonly double _step;
    private RepeatableRandom _random;

    /// <summary>Starts a rounding.</summary>
    /// <param name="integerBits">n in [0, 15].</param>
    /// <param name="fractionBits">m in [0, 15]; at least one of the two is above 0.</param>
    /// <param name="seed">Any value; it alone decides the random numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number of bits is out of its range, or n + m is outside [1, 30].</exception>
    public RandomizedRounding(int integerBits, int fractionBits, int seed)
        : this(integerBits, fractionBits, RecordDraws.Start(DrawPurpose.Rounding, seed))
    {
    }

    internal RandomizedRounding(int integerBits, int fractionBits, RepeatableRandom random)
    {
        IntegerBits = Require.InRange(integerBits, 0, 15, nameof(RandomizedRounding), nameof(integerBits));
        FractionBits = Require.InRange(fractionBits, 0, 15, nameof(RandomizedRounding), nameof(fractionBits));
        _ = Require.InRange(integerBits + fractionBits, 1, 30, nameof(RandomizedRounding), "integerBits + fractionBits");
        _scale = 1 << fractionBits;
        _step = 1 / _scale;
        Smallest = -(1 << (integerBits + fractionBits));
        Largest = (1 << (integerBits + fractionBits)) - 1;
        _random = random;
    }

    /// <summary>Integer bits n, without the sign.</summary>
    public int IntegerBits { get; }

    /// <summary>Fraction bits m.</summary>
    public int FractionBits { get; }

    /// <summary>Bits that one code takes: 1 + n + m.</summary>
    public int Bits => 1 + IntegerBits + FractionBits;

    /// <summary>Distance between neighbours on the grid, 2⁻ᵐ.</summary>
    public double Step => _step;

    /// <summary>Least value, −2ⁿ.</summary>
    public double Minimum => Smallest * _step;

    /// <summary>Largest value, 2ⁿ − 2⁻ᵐ.</summary>
    public double Maximum => Largest * _step;

    /// <summary>Values so far that were outside [<see cref="Minimum"/>, <see cref="Maximum"/>], or NaN.</summary>
    public long Clamped { get; private set; }

    private int Smallest { get; }

    private int Largest { get; }

    /// <summary>Rounds a value to the grid at random.</summary>
    /// <param name="value">Any number; NaN counts as clamped and gives 0.</param>
    /// <returns>A multiple of <see cref="Step"/> in [<see cref="Minimum"/>, <see cref="Maximum"/>].</returns>
    public double Round(double value) => Encode(value) * _step;

    /// <summary>Rounds a value to the grid at random and gives its code, value / <see cref="Step"/>.</summary>
    /// <param name="value">Any number; NaN counts as clamped and gives 0.</param>
    /// <returns>A whole number of <see cref="Bits"/> bits, two's complement.</returns>
    public int Encode(double value)
    {
        double scaled = value * _scale;                     // exact: a power of two
        if (!(scaled >= Smallest && scaled <= Largest))
        {
            Clamped++;
            return double.IsNaN(scaled) ? 0 : scaled < 0 ? Smallest : Largest;
        }

        double below = Math.Floor(scaled);
        double above = scaled - below;                      // exact, in [0, 1)
        return (int)below + (above > 0 && _random.NextDouble() < above ? 1 : 0);
    }

    /// <summary>The value of a code.</summary>
    /// <param name="code">What <see cref="Encode(double)"/> returned.</param>
    /// <returns><paramref name="code"/>·<see cref="Step"/>.</returns>
    public double Decode(int code) => code * _step;

    /// <summary>Rounds values to codes of at most 16 bits.</summary>
    /// <param name="values">Any numbers.</param>
    /// <param name="codes">Out, at least as long as <paramref name="values"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="codes"/> is shorter than <paramref name="values"/>.</exception>
    /// <exception cref="InvalidOperationException">A code of this format takes more than 16 bits.</exception>
    public void Encode(ReadOnlySpan<float> values, Span<short> codes)
    {
        if (Bits > 16)
            throw new InvalidOperationException($"A code of Q{IntegerBits}.{FractionBits} takes {Bits} bits, and the codes have 16.");
        if (codes.Length < values.Length)
            throw new ArgumentException($"There are {values.Length} values and room for {codes.Length} codes.", nameof(codes));
        for (int i = 0; i < values.Length; i++)
            codes[i] = (short)Encode(values[i]);
    }
}
