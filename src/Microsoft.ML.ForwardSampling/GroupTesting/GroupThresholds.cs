namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Chooses the threshold of each round for a wanted recall.</summary>
/// <remarks>Each round but the last may lose the same number of validation positives, and the last what then is left to lose. Of all these
/// numbers the one that takes the fewest tests is chosen, among those with no more false positives than one test a row with the same
/// recall; where none is as good, the one with the fewest.</remarks>
internal static class GroupThresholds
{
    /// <summary>The thresholds and the recall with them.</summary>
    /// <param name="logits">For each round, the logit of every row's group.</param>
    /// <param name="labels">Whether each row is positive; at least one is.</param>
    /// <param name="groupSizes">Rows of a group in each round.</param>
    /// <param name="wantedRecall">In (0, 1].</param>
    public static (float[] Thresholds, double Recall) Choose(IReadOnlyList<float[]> logits, ReadOnlySpan<bool> labels,
        IReadOnlyList<int> groupSizes, double wantedRecall)
    {
        int[] positives = Positives(labels);
        float[][] sorted = [.. logits.Select(round => positives.Select(row => round[row]).Order().ToArray())];
        int mayLose = positives.Length - (int)Math.Ceiling((wantedRecall * positives.Length) - 1e-9);
        float alone = MathF.BitDecrement(sorted[^1][mayLose]);
        long mostFalse = logits.Count == 1 ? long.MaxValue : CountFalse(logits[^1], labels, alone);
        (float[] Thresholds, bool IsWorse, long False, long Tests)? best = null;
        for (int lost = 0; lost <= mayLose; lost++)
        {
            float[] thresholds = [.. sorted.Select(round => MathF.BitDecrement(round[lost]))];
            thresholds[^1] = float.NegativeInfinity;
            float[] found = [.. positives.Where(row => IsFound(logits, thresholds, row)).Select(row => logits[^1][row]).Order()];
            int spare = found.Length - (positives.Length - mayLose);
            if (spare < 0)
                break;                                  // and so with every larger number
            thresholds[^1] = MathF.BitDecrement(found[spare]);
            (long falsePositives, long tests) = Count(logits, labels, groupSizes, thresholds);
            bool isWorse = falsePositives > mostFalse;
            if (best is not { } b || (isWorse ? (1, falsePositives, tests) : (0, tests, 0))
                .CompareTo(b.IsWorse ? (1, b.False, b.Tests) : (0, b.Tests, 0)) < 0)
                best = (thresholds, isWorse, falsePositives, tests);
        }

        float[] chosen = best!.Value.Thresholds;
        return (chosen, (double)positives.Count(row => IsFound(logits, chosen, row)) / positives.Length);
    }

    private static bool IsFound(IReadOnlyList<float[]> logits, float[] thresholds, int row)
    {
        for (int round = 0; round < thresholds.Length; round++)
        {
            if (!(logits[round][row] > thresholds[round]))
                return false;
        }

        return true;
    }

    private static int[] Positives(ReadOnlySpan<bool> labels)
    {
        var positives = new List<int>();
        for (int row = 0; row < labels.Length; row++)
        {
            if (labels[row])
                positives.Add(row);
        }

        return [.. positives];
    }

    private static long CountFalse(float[] logits, ReadOnlySpan<bool> labels, float threshold)
    {
        long count = 0;
        for (int row = 0; row < labels.Length; row++)
            count += !labels[row] && logits[row] > threshold ? 1 : 0;
        return count;
    }

    /// <summary>False positives, and tests: one for the first row of each group whose earlier tests were positive.</summary>
    private static (long False, long Tests) Count(IReadOnlyList<float[]> logits, ReadOnlySpan<bool> labels, IReadOnlyList<int> groupSizes,
        float[] thresholds)
    {
        long falsePositives = 0, tests = 0;
        for (int row = 0; row < labels.Length; row++)
        {
            int round = 0;
            for (bool isOpen = true; isOpen && round < thresholds.Length; round += isOpen ? 1 : 0)
            {
                tests += row % groupSizes[round] == 0 ? 1 : 0;
                isOpen = logits[round][row] > thresholds[round];
            }

            falsePositives += round == thresholds.Length && !labels[row] ? 1 : 0;
        }

        return (falsePositives, tests);
    }
}
