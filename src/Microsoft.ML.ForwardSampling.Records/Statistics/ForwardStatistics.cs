namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>The statistics of one row, from the scores of one forward pass: pure functions, Single in and out, Double inside.</summary>
/// <remarks>
/// <para>A label is a class from 0, or negative when it is not known: then <c>Loss</c> and <c>GradientNorm</c> are NaN and the rest is
/// filled. Scores that are NaN, infinite or no probabilities give NaN in every field; nothing is thrown for a bad value.</para>
/// <para>Gradient norms are of the loss with respect to the network's output before the softmax or sigmoid: the bound that importance
/// sampling uses (Katharopoulos and Fleuret, arXiv 1803.00942), up to a factor that all rows share.</para>
/// <para>No allocation, O(K). <c>Math.Exp</c> and <c>Math.Log</c> may differ in the last bit from one platform to another.</para>
/// </remarks>
public static class ForwardStatistics
{
    /// <summary>How far the sum of K class probabilities may be from 1: rounding of many Singles, not raw scores.</summary>
    public const float ProbabilitySumTolerance = 1e-3f;

    /// <summary>
    /// Least loss, in nats, of a binary row whose recorded probability is exactly on the wrong end: 25·ln 2 ≈ 17.33,
    /// half-way between 1 and the Single next to it, where the true probability was rounded away.
    /// </summary>
    public const float SaturatedBinaryLoss = 17.328680f;

    /// <summary>
    /// Largest loss, in nats, of a multiclass row given as probabilities: 149·ln 2 ≈ 103.28. A probability of exactly 0 counts as the
    /// smallest positive Single, 2⁻¹⁴⁹.
    /// </summary>
    public const float SaturatedMulticlassLoss = 103.278931f;

    /// <summary>Squared error: loss (s − y)², gradient norm 2·|s − y|, residual s − y.</summary>
    /// <param name="score">Predicted value s.</param>
    /// <param name="label">True value y, in the same unit; NaN when it is not known.</param>
    /// <returns>All NaN unless both are finite. A loss beyond 3.4e38 is positive infinity.</returns>
    public static RegressionStatistics Regression(float score, float label)
    {
        if (!float.IsFinite(score) || !float.IsFinite(label))
            return RegressionStatistics.Unknown;
        double residual = (double)score - label;
        return new RegressionStatistics((float)(residual * residual), (float)(2 * Math.Abs(residual)), (float)residual);
    }

    /// <summary>Logistic loss from a probability p of class 1: loss −ln p(y), gradient norm |p − y|, margin |2p − 1|, entropy.</summary>
    /// <param name="probability">p in [0, 1].</param>
    /// <param name="score">The score behind it. Read only where p is exactly 0 or 1 and wrong: there p has lost its distance from the end
    /// to rounding, and the loss is ln(1 + e^|score|), at least <see cref="SaturatedBinaryLoss"/>.</param>
    /// <param name="label">1, 0, or negative when it is not known.</param>
    /// <returns>All NaN when p is outside [0, 1] or NaN, or the score is not finite.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="label"/> is above 1.</exception>
    public static ClassificationStatistics BinaryFromProbability(float probability, float score, int label)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(label, 1);
        if (!(probability >= 0 && probability <= 1) || !float.IsFinite(score))
            return ClassificationStatistics.Unknown;

        double p = probability;
        double minusLogP = -Math.Log(p);
        double minusLogQ = -LogOnePlus(-p);
        double entropy = (p > 0 ? p * minusLogP : 0) + (p < 1 ? (1 - p) * minusLogQ : 0);
        double margin = Math.Abs((2 * p) - 1);
        if (label < 0)
            return new ClassificationStatistics(float.NaN, float.NaN, (float)margin, (float)entropy);

        double loss = label == 1 ? minusLogP : minusLogQ;
        if (double.IsPositiveInfinity(loss))
            loss = Math.Max(SaturatedBinaryLoss, SoftPlus(label == 1 ? -(double)score : score));
        double gradient = label == 1 ? 1 - p : p;
        return new ClassificationStatistics((float)loss, (float)gradient, (float)margin, (float)entropy);
    }

    /// <summary>Logistic loss from a logit z, with p = 1/(1 + e^−z): loss ln(1 + e^∓z), gradient norm |p − y|, margin |2p − 1|,
    /// entropy.</summary>
    /// <remarks>Exact to Single precision at every finite z: each quantity comes from e^−|z|, never from 1 − p.</remarks>
    /// <param name="score">Log-odds z of class 1.</param>
    /// <param name="label">1, 0, or negative when it is not known.</param>
    /// <returns>All NaN when the score is not finite.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="label"/> is above 1.</exception>
    public static ClassificationStatistics BinaryFromScore(float score, int label)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(label, 1);
        if (!float.IsFinite(score))
            return ClassificationStatistics.Unknown;

        double size = Math.Abs((double)score);
        double odds = Math.Exp(-size);
        double less = odds / (1 + odds);                    // probability of the less likely class
        double entropy = LogOnePlus(odds) + (size * less);
        double margin = (1 - odds) / (1 + odds);
        if (label < 0)
            return new ClassificationStatistics(float.NaN, float.NaN, (float)margin, (float)entropy);

        bool right = (label == 1) == (score >= 0);
        double loss = right ? LogOnePlus(odds) : size + LogOnePlus(odds);
        double gradient = right ? less : 1 / (1 + odds);
        return new ClassificationStatistics((float)loss, (float)gradient, (float)margin, (float)entropy);
    }

    /// <summary>
    /// Cross-entropy from K class probabilities: loss −ln p[y], gradient norm √(Σp² − 2·p[y] + 1), margin p(1) − p(2), entropy −Σ p·ln p.
    /// </summary>
    /// <param name="probabilities">p, length K ≥ 1; none negative, sum 1 within <see cref="ProbabilitySumTolerance"/>. Used as they are,
    /// not rescaled.</param>
    /// <param name="label">Class y in [0, K), or negative when it is not known.</param>
    /// <param name="withEntropy">False: the entropy, which takes K logarithms, is NaN.</param>
    /// <returns>All NaN when the values are not such probabilities. The loss is at most <see cref="SaturatedMulticlassLoss"/>.
    /// For K = 1 the margin is p[0].</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="label"/> is K or more.</exception>
    public static ClassificationStatistics MulticlassFromProbabilities(
        ReadOnlySpan<float> probabilities, int label, bool withEntropy = true)
    {
        ThrowIfBeyond(label, probabilities.Length);
        double sum = 0, othersSquared = 0;
        float top = 0, next = 0;
        for (int k = 0; k < probabilities.Length; k++)
        {
            float p = probabilities[k];
            if (!(p >= 0))                                  // also NaN
                return ClassificationStatistics.Unknown;
            sum += p;
            if (k != label)
                othersSquared += (double)p * p;
            if (p > top)
                (top, next) = (p, top);
            else if (p > next)
                next = p;
        }

        if (!(Math.Abs(sum - 1) <= ProbabilitySumTolerance))  // also an infinite sum, and K = 0
            return ClassificationStatistics.Unknown;

        double entropy = double.NaN;
        if (withEntropy)
        {
            entropy = 0;
            foreach (float p in probabilities)
            {
                if (p > 0)
                    entropy -= p * Math.Log(p);
            }

            entropy = Math.Max(0, entropy);                 // a sum a little above 1 must not turn it negative
        }

        float margin = top - next;
        if (label < 0)
            return new ClassificationStatistics(float.NaN, float.NaN, margin, (float)entropy);

        double own = probabilities[label];
        double loss = Math.Max(0, -Math.Log(Math.Max(own, float.Epsilon)));
        double gradient = Math.Sqrt(othersSquared + ((1 - own) * (1 - own)));
        return new ClassificationStatistics((float)loss, (float)gradient, margin, (float)entropy);
    }

    /// <summary>
    /// Cross-entropy from K logits z, with p = softmax(z): loss ln Σe^z − z[y], gradient norm √(Σp² − 2·p[y] + 1), margin p(1) − p(2),
    /// entropy.
    /// </summary>
    /// <remarks>The largest logit is subtracted first, so that no finite input overflows; 1 − p[y] is the sum of the others, so that
    /// nothing cancels.</remarks>
    /// <param name="logits">z, length K ≥ 1.</param>
    /// <param name="label">Class y in [0, K), or negative when it is not known.</param>
    /// <returns>All NaN when a logit is NaN or infinite, or there is none. For K = 1 the margin is 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="label"/> is K or more.</exception>
    public static ClassificationStatistics MulticlassFromLogits(ReadOnlySpan<float> logits, int label)
    {
        ThrowIfBeyond(label, logits.Length);
        float top = float.NegativeInfinity, next = float.NegativeInfinity;
        foreach (float z in logits)
        {
            if (!float.IsFinite(z))
                return ClassificationStatistics.Unknown;
            if (z > top)
                (top, next) = (z, top);
            else if (z > next)
                next = z;
        }

        if (logits.IsEmpty)
            return ClassificationStatistics.Unknown;

        double sum = 0, weighted = 0, others = 0, othersSquared = 0;
        for (int k = 0; k < logits.Length; k++)
        {
            double shifted = (double)logits[k] - top;       // ≤ 0
            double e = Math.Exp(shifted);
            sum += e;
            weighted += e * shifted;
            if (k != label)
            {
                others += e;
                othersSquared += e * e;
            }
        }

        double logSum = Math.Log(sum);
        double entropy = Math.Max(0, logSum - (weighted / sum));
        double margin = (1 - Math.Exp((double)next - top)) / sum;
        if (label < 0)
            return new ClassificationStatistics(float.NaN, float.NaN, (float)margin, (float)entropy);

        // With the label on top, ln Σe^z − z[y] = ln(1 + others): the form that keeps a tiny loss.
        double loss = logits[label] == top ? LogOnePlus(others) : logSum - ((double)logits[label] - top);
        double gradient = Math.Sqrt(othersSquared + (others * others)) / sum;
        return new ClassificationStatistics((float)loss, (float)gradient, (float)margin, (float)entropy);
    }

    /// <summary>ln(1 + x) for x > −1 that keeps its precision near 0, where 1 + x would drop x.</summary>
    private static double LogOnePlus(double x) => Math.Abs(x) < 1e-5 ? x - (x * x / 2) : Math.Log(1 + x);

    /// <summary>ln(1 + e^x) without overflow.</summary>
    private static double SoftPlus(double x) => Math.Max(x, 0) + LogOnePlus(Math.Exp(-Math.Abs(x)));

    private static void ThrowIfBeyond(int label, int classes)
    {
        if (label >= classes && label >= 0)
            throw new ArgumentOutOfRangeException(nameof(label), label,
                $"The label must be below the number of scores, {classes}, or negative when it is not known.");
    }
}
