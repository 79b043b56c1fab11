namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>Mean difference of pairs with its 95 % interval (Student's t).</summary>
/// <param name="Mean">Mean of first minus second.</param>
/// <param name="Low">Lower end; NaN for one pair.</param>
/// <param name="High">Upper end; NaN for one pair.</param>
/// <param name="Pairs">Number of pairs.</param>
internal sealed record PairedDifference(double Mean, double Low, double High, int Pairs)
{
    /// <summary>Whether the interval leaves out zero.</summary>
    public bool IsDifference => Low > 0 || High < 0;

    /// <summary>Compares two lists, element by element.</summary>
    /// <exception cref="ArgumentException">They differ in length, or are empty.</exception>
    public static PairedDifference Of(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count != second.Count || first.Count == 0)
            throw new ArgumentException($"Pairs need two lists of the same length, at least 1. Got {first.Count} and {second.Count}.", nameof(second));
        double[] differences = [.. first.Zip(second, (a, b) => a - b)];
        double mean = differences.Average();
        double half = Statistics.StudentT95(differences.Length - 1) * Statistics.StandardDeviation(differences) / Math.Sqrt(differences.Length);
        return new PairedDifference(mean, mean - half, mean + half, differences.Length);
    }
}

/// <summary>The few statistics that a comparison over seeds needs.</summary>
internal static class Statistics
{
    // 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom.
    private static readonly double[] Quantiles =
    [
        12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
        2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
        2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
    ];

    /// <summary>Sample standard deviation (divided by n - 1); NaN for fewer than two values.</summary>
    public static double StandardDeviation(IReadOnlyList<double> values)
    {
        if (values.Count < 2)
            return double.NaN;
        double mean = values.Average();
        return Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }

    /// <summary>Factor of the standard error in a two-sided 95 % interval; NaN for no degree of freedom.</summary>
    /// <remarks>Beyond 30 degrees of freedom the value for 30, at most 4 % too wide.</remarks>
    public static double StudentT95(int degreesOfFreedom)
        => degreesOfFreedom < 1 ? double.NaN : Quantiles[Math.Min(degreesOfFreedom, Quantiles.Length) - 1];
}
