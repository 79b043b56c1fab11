namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>A loss of one score, and how far a step of gradient descent moves that score.</summary>
internal interface ILinearLoss
{
    /// <summary>Loss of a score.</summary>
    static abstract double Of(double score, double label);

    /// <summary>How much the score changes when a step of size <paramref name="reach"/> is made in infinitely many parts.</summary>
    /// <remarks>
    /// A step of size h along the gradient, at rates η[j], moves the score by h·Σ η[j]·x[j]² times the loss's slope, and past the label
    /// when that sum is large. Made in parts, each at the slope that the one before left, it is the same step where the sum is small,
    /// never goes past, and a row of weight k is k rows of weight 1 in a line. Source: Karampatziakis and Langford, "Online importance
    /// weight aware updates", UAI 2011 (arXiv 1011.1576).
    /// </remarks>
    /// <param name="score">Before the step.</param>
    /// <param name="label">The row's label.</param>
    /// <param name="reach">weight·Σ η[j]·x[j]², > 0, finite.</param>
    static abstract double Move(double score, double label, double reach);
}

/// <summary>½(score − label)².</summary>
internal readonly struct OnlineSquaredLoss : ILinearLoss
{
    public static double Of(double score, double label) => 0.5 * (score - label) * (score - label);

    // ds/dh = reach·(label − s).
    public static double Move(double score, double label, double reach) => (label - score) * (1 - Math.Exp(-reach));
}

/// <summary>ln(1 + e^−m), m = score or −score; label 1 or 0.</summary>
internal readonly struct OnlineLogisticLoss : ILinearLoss
{
    private const double Straight = 1e-6;                   // a change this small is its own first order to six digits

    public static double Of(double score, double label)
    {
        double margin = label > 0 ? score : -score;
        return margin > -36 ? Math.Log(1 + Math.Exp(-margin)) : -margin;
    }

    // dm/dh = reach / (1 + e^m), so that the change d solves d + e^m·(e^d − 1) = reach.
    public static double Move(double score, double label, double reach)
    {
        double margin = label > 0 ? score : -score;
        double odds = Math.Exp(margin);
        // Both bounds are above the solution; the left side is convex and grows, so Newton's steps fall to it and never below.
        double change = reach / (1 + odds);
        if (reach > odds)
            change = Math.Min(change, Math.Log(1 + reach / odds));
        for (int i = 0; i < 20 && change > Straight; i++)
        {
            double grown = odds * Math.Exp(change);
            double step = (change + grown - odds - reach) / (1 + grown);
            change -= step;
            if (Math.Abs(step) <= 1e-7 * change)
                break;
        }

        return label > 0 ? change : -change;
    }
}
