using System.Numerics;

namespace Microsoft.ML.ForwardSampling;

/// <summary>A small private random generator, the same on every machine and runtime; its state can be saved and restored.</summary>
/// <remarks>
/// <para>xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", arXiv 1805.01407), seeded by SplitMix64 as
/// its authors advise. 32 bytes of state, period 2²⁵⁶ − 1. Not for cryptography.</para>
/// <para>A mutable struct: pass it by reference, a copy repeats the same numbers. <c>default</c> is the generator of seed 0.</para>
/// </remarks>
public struct RepeatableRandom
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    /// <summary>Starts the generator of a seed. Different seeds give unrelated sequences, also seeds next to each other.</summary>
    /// <param name="seed">Any value.</param>
    public RepeatableRandom(int seed)
        : this((ulong)(uint)seed)
    {
    }

    /// <summary>Starts the generator of a seed that also says what it is for (<see cref="Records.RecordDraws"/>).</summary>
    internal RepeatableRandom(ulong seed)
    {
        _s0 = SplitMix(ref seed);
        _s1 = SplitMix(ref seed);
        _s2 = SplitMix(ref seed);
        _s3 = SplitMix(ref seed);
    }

    /// <summary>Goes on where the generator with that state stopped.</summary>
    /// <param name="state">A state read from <see cref="State"/>; the default state means seed 0.</param>
    public RepeatableRandom(RepeatableRandomState state)
    {
        _s0 = state.S0;
        _s1 = state.S1;
        _s2 = state.S2;
        _s3 = state.S3;
    }

    /// <summary>The state to save: a generator made from it continues the sequence.</summary>
    public readonly RepeatableRandomState State => new(_s0, _s1, _s2, _s3);

    /// <summary>The next 64 random bits.</summary>
    /// <returns>Uniform in [0, 2⁶⁴).</returns>
    public ulong NextUInt64()
    {
        // xoshiro never reaches the all-zero state by itself: it only comes from default(RepeatableRandom).
        if ((_s0 | _s1 | _s2 | _s3) == 0)
            this = new RepeatableRandom(0UL);

        ulong result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        ulong shifted = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>The next number of the unit interval, with 53 random bits.</summary>
    /// <returns>Uniform on the multiples of 2⁻⁵³ in [0, 1).</returns>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>The next whole number below a bound, exactly uniform.</summary>
    /// <remarks>Lemire, "Fast random integer generation in an interval", arXiv 1805.10941: one multiplication, almost never a
    /// division.</remarks>
    /// <param name="bound">Exclusive upper bound, ≥ 1.</param>
    /// <returns>Uniform in [0, <paramref name="bound"/>).</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bound"/> is below 1.</exception>
    public int NextInt(int bound)
    {
        if (bound < 1)
            ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        uint range = (uint)bound;
        ulong product = (NextUInt64() >> 32) * range;
        if ((uint)product < range)
        {
            // The first (2³² mod range) low halves would make some results one count too frequent: draw again.
            uint excess = (0u - range) % range;
            while ((uint)product < excess)
                product = (NextUInt64() >> 32) * range;
        }

        return (int)(product >> 32);
    }

    private static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
