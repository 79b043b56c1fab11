namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>Mean difference of pairs with its 95 % interval (Student's t).</summary>
/// <param name="Mean">Mean of first minus second.</param>
/// <param name="Low">Lower end; NaN for one pair.</param>
/// <param name="High">Upper end; NaN for one pair.</param>
/// <param name="Pairs">Number of pairs.</param>
internal sealed record PairedDifference(double Mean, double Low, double High, int Pairs)
{
    /// <summary>Chance of a mean at least as far from zero if the pairs differed by noise alone: the two-sided paired t test. NaN for one pair.</summary>
    public required double PValue { get; init; }

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
        double error = Statistics.StandardDeviation(differences) / Math.Sqrt(differences.Length);
        double half = Statistics.StudentT95(differences.Length - 1) * error;

        // Pairs that all differ by the same amount leave no room for noise; equal ones, none for a difference.
        double p = error == 0 ? (mean == 0 ? 1 : 0) : Statistics.StudentTTwoSided(mean / error, differences.Length - 1);
        return new PairedDifference(mean, mean - half, mean + half, differences.Length) { PValue = p };
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

    /// <summary>Chance that Student's t is at least as far from zero as a value, on either side; NaN for no degree of freedom.</summary>
    /// <remarks>The finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4.</remarks>
    /// <param name="t">The value.</param>
    /// <param name="degreesOfFreedom">Degrees of freedom; below 1: NaN.</param>
    public static double StudentTTwoSided(double t, int degreesOfFreedom)
    {
        if (degreesOfFreedom < 1 || double.IsNaN(t))
            return double.NaN;
        double angle = Math.Atan(Math.Abs(t) / Math.Sqrt(degreesOfFreedom));
        (double sine, double cosine) = Math.SinCos(angle);
        bool isOdd = degreesOfFreedom % 2 == 1;
        double term = isOdd ? cosine : 1, sum = degreesOfFreedom == 1 ? 0 : term;
        for (int k = isOdd ? 3 : 2; k <= degreesOfFreedom - 2; k += 2)
        {
            term *= cosine * cosine * (k - 1) / k;
            sum += term;
        }

        double within = isOdd ? 2 / Math.PI * (angle + sine * sum) : sine * sum;
        return Math.Clamp(1 - within, 0, 1);
    }

    /// <summary>Holm's adjustment (Scand. J. Statist. 6, 1979): the chance of even one false difference among all tests stays below the level at which the adjusted values are read.</summary>
    /// <param name="pValues">One value for each test; NaN (no test) stays NaN and counts for nothing.</param>
    public static double[] Holm(IReadOnlyList<double> pValues)
    {
        double[] adjusted = [.. pValues];
        int[] order = [.. Enumerable.Range(0, adjusted.Length).Where(i => !double.IsNaN(adjusted[i])).OrderBy(i => pValues[i])];
        double largest = 0;
        for (int rank = 0; rank < order.Length; rank++)
        {
            largest = Math.Max(largest, Math.Min(1, (order.Length - rank) * pValues[order[rank]]));
            adjusted[order[rank]] = largest;
        }

        return adjusted;
    }
}
