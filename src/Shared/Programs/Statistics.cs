using MathNet.Numerics.Distributions;

namespace Microsoft.ML.ForwardSampling.Shared;

/// <summary>Mean difference of pairs with its 95 % interval (Student's t).</summary>
/// <param name="Mean">Mean of first minus second.</param>
/// <param name="Low">Lower end; NaN for one pair.</param>
/// <param name="High">Upper end; NaN for one pair.</param>
/// <param name="Pairs">Number of pairs.</param>
internal sealed record PairedDifference(double Mean, double Low, double High, int Pairs)
{
    /// <summary>Chance of a mean at least as far from zero if the pairs differed by noise alone: the two-sided paired t test. NaN for one
    /// pair.</summary>
    public required double PValue { get; init; }

    /// <summary>Whether the interval leaves out zero.</summary>
    public bool IsDifference => Low > 0 || High < 0;

    /// <summary>Compares two lists, element by element.</summary>
    /// <exception cref="ArgumentException">They differ in length, or are empty.</exception>
    public static PairedDifference Of(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count != second.Count || first.Count == 0)
            throw new ArgumentException($"Pairs need two lists of the same length, at least 1. Got {first.Count} and {second.Count}.",
                nameof(second));
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
    /// <summary>Sample standard deviation (divided by n - 1); NaN for fewer than two values.</summary>
    public static double StandardDeviation(IReadOnlyList<double> values)
    {
        if (values.Count < 2)
            return double.NaN;
        double mean = values.Average();
        return Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }

    /// <summary>Factor of the standard error in a two-sided 95 % interval; NaN for no degree of freedom.</summary>
    public static double StudentT95(int degreesOfFreedom)
        => degreesOfFreedom < 1 ? double.NaN : StudentT.InvCDF(0, 1, degreesOfFreedom, 0.975);

    /// <summary>Chance that Student's t is at least as far from zero as a value, on either side; NaN for no degree of freedom.</summary>
    public static double StudentTTwoSided(double t, int degreesOfFreedom)
        => degreesOfFreedom < 1 || double.IsNaN(t) ? double.NaN : 2 * StudentT.CDF(0, 1, degreesOfFreedom, -Math.Abs(t));

    /// <summary>Holm's adjustment (Scand. J. Statist. 6, 1979): the chance of even one false difference among all tests stays below the
    /// level at which the adjusted values are read.</summary>
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
