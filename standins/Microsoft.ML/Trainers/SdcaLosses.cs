namespace Microsoft.ML.Trainers;

/// <summary>A loss for regression. Here there is only the squared loss, which needs no name.</summary>
public interface ISupportSdcaRegressionLoss;

/// <summary>A loss whose dual can be maximised one row at a time.</summary>
internal interface ISdcaLoss
{
    double Loss(float output, float label);

    /// <summary>What to add to the row's dual variable; the norm is that of the row's features, scaled by its share of the model.</summary>
    float DualUpdate(float output, float label, float dual, float scaledNormSquared);

    /// <summary>The row's part of the dual objective.</summary>
    double DualLoss(float label, float dual);
}

/// <summary>(output − label)².</summary>
internal sealed class SquaredLoss : ISdcaLoss
{
    public double Loss(float output, float label) => (output - label) * (output - label);

    public float DualUpdate(float output, float label, float dual, float scaledNormSquared) => (label - output - dual / 2) / (0.5f + scaledNormSquared);

    public double DualLoss(float label, float dual) => dual * (label - dual / 4);
}

/// <summary>ln(1 + exp(−output)) for a positive label, ln(1 + exp(output)) for another.</summary>
internal sealed class LogLoss : ISdcaLoss
{
    public double Loss(float output, float label)
    {
        double margin = Sign(label) * output;
        // exp of a large positive number would overflow.
        return Math.Max(0, -margin) + Math.Log(1 + Math.Exp(-Math.Abs(margin)));
    }

    // A quarter bounds the curvature; 1 keeps the dual variable within [0, 1].
    public float DualUpdate(float output, float label, float dual, float scaledNormSquared) =>
        (Sign(label) / (1 + MathF.Exp(Sign(label) * output)) - dual) / Math.Max(1, 0.25f + scaledNormSquared);

    public double DualLoss(float label, float dual)
    {
        double share = Sign(label) * dual;
        return share is < 0 or > 1 ? double.NegativeInfinity : -(Term(share) + Term(1 - share));
    }

    private static float Sign(float label) => label > 0 ? 1 : -1;

    private static double Term(double p) => p > 0 ? p * Math.Log(p) : 0;
}
