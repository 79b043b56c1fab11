namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>How much of the way from Uniform to full training a training goes: 0 is as good as the one, 1 as the other.</summary>
internal static class GapClosed
{
    /// <summary>The ratio of the mean gain to full training's, over the seeds that all three have.</summary>
    /// <remarks>Its interval is the delta method's: the spread over seeds of gain − ratio x full training's gain, in units of the mean of
    /// the latter (Cochran, Sampling Techniques, 3rd ed., section 6.4).</remarks>
    /// <param name="training">Figure by seed.</param>
    /// <param name="uniform">Uniform's.</param>
    /// <param name="full">Full training's.</param>
    /// <param name="lowerIsBetter">Whether a smaller figure is the better one.</param>
    /// <returns>Null without a common seed, or where full training is no better than Uniform: there is no gap.</returns>
    public static CompareEstimate? Of(IReadOnlyDictionary<int, double> training, IReadOnlyDictionary<int, double> uniform,
        IReadOnlyDictionary<int, double> full, bool lowerIsBetter)
    {
        int[] seeds = [.. training.Keys.Where(seed => uniform.ContainsKey(seed) && full.ContainsKey(seed)).Order()];
        if (seeds.Length == 0)
            return null;
        double sign = lowerIsBetter ? -1 : 1;
        double[] gains = [.. seeds.Select(seed => sign * (training[seed] - uniform[seed]))];
        double[] gaps = [.. seeds.Select(seed => sign * (full[seed] - uniform[seed]))];
        double gap = gaps.Average();
        if (!(gap > 0))
            return null;
        double ratio = gains.Average() / gap;
        CompareEstimate spread = CompareEstimate.Of([.. gains.Zip(gaps, (gain, whole) => (gain - (ratio * whole)) / gap)]);
        return new CompareEstimate(ratio, spread.HalfWidth);
    }
}
