using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Shared;

/// <summary>One visit, and whether it ended in a click.</summary>
internal sealed class Visit
{
    /// <summary>Ten numbers in [-1, 1); the last five do not matter.</summary>
    [VectorType(10)]
    public float[] Features { get; set; } = [];

    /// <summary>About one visit in twenty ends in a click.</summary>
    public bool Label { get; set; }
}

/// <summary>A made-up rare event whose chance no straight line describes.</summary>
internal static class Visits
{
    /// <summary>Makes rows; the same seed gives the same rows.</summary>
    public static Visit[] Rows(int count, int seed)
    {
        var random = new Random(seed);
        var visits = new Visit[count];
        for (int i = 0; i < count; i++)
        {
            float[] x = [.. Enumerable.Range(0, 10).Select(_ => 2 * random.NextSingle() - 1)];
            visits[i] = new Visit { Features = x, Label = random.NextDouble() < ChanceOfClick(x) };
        }

        return visits;
    }

    /// <summary>The true chance of a click: no model can know more.</summary>
    public static double ChanceOfClick(ReadOnlySpan<float> x)
    {
        double logit = -6 + 2 * x[0] + 3 * x[1] * x[2] + 3 * Math.Abs(x[3]) + 2 * Math.Sin(4 * x[4]);
        return 1 / (1 + Math.Exp(-logit));
    }
}
