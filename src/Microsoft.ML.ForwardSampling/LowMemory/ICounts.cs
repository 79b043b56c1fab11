using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>How often each coefficient was seen, which gives its learning rate α / √(count + 1). A struct, as
/// <see cref="ICoefficients"/>.</summary>
internal interface ICounts
{
    double Rate(int index);

    /// <summary>Counts one row.</summary>
    /// <param name="index">Which coefficient.</param>
    /// <param name="weight">The row's weight: as many rows. > 0.</param>
    /// <param name="random">Uniform on the whole numbers of 40 bits.</param>
    void Count(int index, double weight, ulong random);
}

/// <summary>Counters of 8 bits that grow at random: bytes of <see cref="RandomizedCounter"/>.</summary>
/// <remarks>Golovin, Sculley, McMahan and Young's step for a row of weight 1. Ours for others: from the estimate e to e + weight, to the
/// neighbours of which the counter goes with the chances that make its mean that.</remarks>
internal readonly struct RandomizedCounts : ICounts
{
    public const int RandomBits = 40;

    private static readonly double[] s_estimates =
        [.. Enumerable.Range(0, 256).Select(code => new RandomizedCounter((byte)code).Estimate)];

    /// <summary>Chance of going on from each code at one event, in 2⁻⁴⁰.</summary>
    private static readonly ulong[] s_chances =
        [.. Enumerable.Range(0, 256).Select(code => code == 255 ? 0 : (ulong)Math.Ceiling(Math.Pow(RandomizedCounter.Base, -(code + 1))
            * (1UL << RandomBits)))];

    private readonly byte[] _codes;
    private readonly double[] _rates;
    private readonly ulong[] _chances;

    /// <param name="codes">The counters.</param>
    /// <param name="learningRate">α.</param>
    /// <param name="leastRate">Rates stop falling here: a step below the grid's is mostly rounding.</param>
    public RandomizedCounts(byte[] codes, double learningRate, double leastRate)
    {
        _codes = codes;
        _chances = s_chances;
        _rates = Array.ConvertAll(s_estimates, estimate => Math.Max(leastRate, learningRate / Math.Sqrt(estimate + 1)));
    }

    public double Rate(int index) => _rates[_codes[index]];

    public void Count(int index, double weight, ulong random)
    {
        int code = _codes[index];
        if (weight != 1)
            _codes[index] = Advance(code, weight, random);
        else if (random < _chances[code])
            _codes[index] = (byte)(code + 1);
    }

    private static byte Advance(int code, double weight, ulong random)
    {
        double target = s_estimates[code] + weight;
        while (code < 255 && s_estimates[code + 1] <= target)
            code++;
        if (code == 255)
            return 255;
        double chance = (target - s_estimates[code]) / (s_estimates[code + 1] - s_estimates[code]);
        return (byte)(random < chance * (1UL << RandomBits) ? code + 1 : code);
    }
}
