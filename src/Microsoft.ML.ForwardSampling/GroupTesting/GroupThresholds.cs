namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Chooses the threshold of each round for a wanted recall.</summary>
/// <remarks>Every round may lose the same number of validation positives; it is the largest with which the rounds together still find
/// the wanted share; a row lost in one round is often one that another would have lost. What is left to lose, the last round may: its
/// threshold decides about false positives.</remarks>
internal static class GroupThresholds
{
    /// <summary>The thresholds and the recall with them.</summary>
    /// <param name="logits">For each round, the logit of the group of each positive row, the same order of rows in each.</param>
    /// <param name="wantedRecall">In (0, 1].</param>
    public static (float[] Thresholds, double Recall) Choose(IReadOnlyList<float[]> logits, double wantedRecall)
    {
        int positives = logits[0].Length;
        float[][] sorted = [.. logits.Select(round => round.Order().ToArray())];
        int least = 0, most = positives - 1;            // the lowest logit passes where none may be lost
        while (least < most)
        {
            int lost = (least + most + 1) / 2;
            if (Recall(logits, At(sorted, lost)) >= wantedRecall)
                least = lost;
            else
                most = lost - 1;
        }

        float[] thresholds = At(sorted, least);
        float[] found = [.. Found(logits, thresholds).Select(row => logits[^1][row]).Order()];
        int spare = found.Length - (int)Math.Ceiling((wantedRecall * positives) - 1e-9);
        if (spare > 0)
            thresholds[^1] = MathF.BitDecrement(found[spare]);
        return (thresholds, Recall(logits, thresholds));
    }

    private static float[] At(float[][] sorted, int lost) => [.. sorted.Select(round => MathF.BitDecrement(round[lost]))];

    private static double Recall(IReadOnlyList<float[]> logits, float[] thresholds)
        => (double)Found(logits, thresholds).Count() / logits[0].Length;

    private static IEnumerable<int> Found(IReadOnlyList<float[]> logits, float[] thresholds)
        => Enumerable.Range(0, logits[0].Length).Where(row => logits.Zip(thresholds).All(round => round.First[row] > round.Second));
}
