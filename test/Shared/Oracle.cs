namespace Microsoft.ML.ForwardSampling.Tests;

/// <summary>Slow and plain versions of what the library computes fast.</summary>
internal static class Oracle
{
    /// <summary>p[i] = min(1, c·x[i]) with Σp = b: the number of capped rows is found by trying each, largest sizes first.</summary>
    public static double[] InclusionProbabilities(IReadOnlyList<float> sizes, double evenShare, int budget)
    {
        int n = sizes.Count;
        double total = sizes.Sum(size => Math.Max(0.0, size));
        if (total == 0)
            return [.. Enumerable.Repeat((double)budget / n, n)];
        double[] x = [.. sizes.Select(size => (1 - evenShare) * Math.Max(0.0, size) / total + evenShare / n)];
        int[] descending = [.. Enumerable.Range(0, n).OrderByDescending(i => x[i])];
        for (int capped = 0; capped <= budget; capped++)
        {
            double rest = descending.Skip(capped).Sum(i => x[i]);
            double[] p = new double[n];
            foreach (int i in descending.Take(capped))
                p[i] = 1;
            if (rest == 0)
            {
                foreach (int i in descending.Skip(capped))
                    p[i] = (double)(budget - capped) / (n - capped);
                return p;
            }

            double c = (budget - capped) / rest;
            if (capped == budget || c * x[descending[capped]] < 1 + 1e-12)
            {
                foreach (int i in descending.Skip(capped))
                    p[i] = Math.Min(1, c * x[i]);
                return p;
            }
        }

        throw new InvalidOperationException("Not reached: the largest b rows can all be capped.");
    }

    /// <summary>Chance of each row to be among b, when rows come up in random order and each is accepted with its chance until b are; if
    /// all have come up, the rest is drawn from the rejected by <see cref="SuccessiveSampling"/>. All orders and outcomes
    /// enumerated.</summary>
    public static double[] AcceptingInRandomOrder(double[] accept, int budget)
    {
        var chances = new double[accept.Length];
        Visit([.. Enumerable.Range(0, accept.Length)], [], [], 1);
        return chances;

        void Visit(int[] left, int[] accepted, int[] rejected, double chance)
        {
            if (chance == 0)
                return;
            if (accepted.Length == budget || left.Length == 0)
            {
                foreach (int row in accepted)
                    chances[row] += chance;
                if (accepted.Length < budget)
                {
                    double[] rest = SuccessiveSampling([.. rejected.Select(row => accept[row])], budget - accepted.Length);
                    for (int i = 0; i < rest.Length; i++)
                        chances[rejected[i]] += chance * rest[i];
                }

                return;
            }

            foreach (int row in left)
            {
                int[] others = [.. left.Where(other => other != row)];
                Visit(others, [.. accepted, row], rejected, chance * accept[row] / left.Length);
                Visit(others, accepted, [.. rejected, row], chance * (1 - accept[row]) / left.Length);
            }
        }
    }

    /// <summary>Chance of each item to be among b drawn one after the other in proportion to weight: all orders enumerated.</summary>
    public static double[] SuccessiveSampling(double[] weights, int budget)
    {
        var chances = new double[weights.Length];
        Draw([], 1);
        return chances;

        void Draw(List<int> drawn, double chance)
        {
            if (drawn.Count == budget)
            {
                drawn.ForEach(item => chances[item] += chance);
                return;
            }

            int[] left = [.. Enumerable.Range(0, weights.Length).Except(drawn)];
            double total = left.Sum(item => weights[item]);
            foreach (int item in left)
                Draw([.. drawn, item], chance * (total == 0 ? 1.0 / left.Length : weights[item] / total));
        }
    }

    /// <summary>Asserts that a frequency over independent draws is its probability, within four standard errors.</summary>
    public static void AssertFrequency(double expected, int hits, int draws, string what)
    {
        double error = 4 * Math.Sqrt(expected * (1 - expected) / draws) + 1e-9;
        Assert.True(Math.Abs((double)hits / draws - expected) <= error,
            $"{what}: frequency {(double)hits / draws:F5} in {draws} draws, expected {expected:F5} ± {error:F5}.");
    }
}
