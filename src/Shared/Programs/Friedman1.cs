using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Shared;

/// <summary>What is added to the target of <see cref="Friedman1"/>, in units of the noiseless target's standard deviation.</summary>
internal enum Friedman1Noise
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Normal, standard deviation 0.2.</summary>
    Normal,

    /// <summary>0.2 times Student's t with 2 degrees of freedom: its variance is infinite.</summary>
    StudentT2,

    /// <summary>Normal as above; 3 % of the rows are off by 4 to 12, up or down.</summary>
    Outliers,
}

/// <summary>One row of the problem.</summary>
internal sealed class Friedman1Row
{
    /// <summary>Ten numbers, even in [0, 1); the last five do not matter.</summary>
    [VectorType(10)]
    public float[] Features { get; set; } = [];

    /// <summary>The target with its noise: what a service would see.</summary>
    public float Label { get; set; }

    /// <summary>The target without noise: what a perfect model would say.</summary>
    public float Target { get; set; }
}

/// <summary>Friedman's first regression problem (Ann. Statist. 19, 1991): 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5, brought to
/// mean 0 and standard deviation 1.</summary>
internal static class Friedman1
{
    private const double Mean = 14.41, StandardDeviation = 4.88; // of the formula above, over even features

    /// <summary>Makes rows; the same seed gives the same rows.</summary>
    public static Friedman1Row[] Rows(int count, Friedman1Noise noise, int seed)
    {
        var random = new Random(seed);
        var rows = new Friedman1Row[count];
        for (int i = 0; i < count; i++)
        {
            float[] x = [.. Enumerable.Range(0, 10).Select(_ => random.NextSingle())];
            double formula = 10 * Math.Sin(Math.PI * x[0] * x[1]) + 20 * (x[2] - 0.5) * (x[2] - 0.5) + 10 * x[3] + 5 * x[4];
            double target = (formula - Mean) / StandardDeviation;
            rows[i] = new Friedman1Row { Features = x, Target = (float)target, Label = (float)(target + Draw(noise, random)) };
        }

        return rows;
    }

    private static double Draw(Friedman1Noise noise, Random random) => noise switch
    {
        Friedman1Noise.None => 0,
        Friedman1Noise.Normal => 0.2 * Normal(random),
        // t with 2 degrees of freedom: normal / sqrt(chi-squared(2) / 2), and chi-squared(2) / 2 is -ln of an even number.
        Friedman1Noise.StudentT2 => 0.2 * Normal(random) / Math.Sqrt(-Math.Log(1 - random.NextDouble())),
        Friedman1Noise.Outliers when random.NextDouble() < 0.03 => (random.Next(2) == 0 ? -1 : 1) * (4 + 8 * random.NextDouble()),
        Friedman1Noise.Outliers => 0.2 * Normal(random),
        _ => throw new ArgumentOutOfRangeException(nameof(noise), noise, "Not a kind of noise."),
    };

    // Box and Muller, Ann. Math. Statist. 29, 1958.
    private static double Normal(Random random)
        => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
