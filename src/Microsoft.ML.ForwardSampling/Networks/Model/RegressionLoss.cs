namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>What a regression network minimises.</summary>
public abstract record RegressionLoss
{
    private protected RegressionLoss()
    {
    }

    /// <summary>(s - y)^2: the mean is the best constant prediction.</summary>
    public static RegressionLoss Squared { get; } = new SquaredLoss();

    /// <summary>(s - y)^2 / 2 within <paramref name="delta"/>, and delta (|s - y| - delta/2) beyond: outliers pull with constant
    /// force.</summary>
    /// <param name="delta">Residual at which the loss turns from a square into a line, in standard deviations of the label, or in its unit
    /// without <see cref="NetworkTrainerOptions.NormalizeLabel"/>; (0, 1e30].</param>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public static RegressionLoss Huber(double delta = 1) => new HuberLoss(delta);
}

/// <summary>The squared error; see <see cref="RegressionLoss.Squared"/>.</summary>
internal sealed record SquaredLoss : RegressionLoss;

/// <summary>The Huber loss; see <see cref="RegressionLoss.Huber"/>.</summary>
internal sealed record HuberLoss : RegressionLoss
{
    internal HuberLoss(double delta)
        => Delta = Require.SingleInRange(delta, 0, 1e30f, nameof(HuberLoss), nameof(Delta), minInclusive: false);

    /// <summary>Residual at which the loss turns from a square into a line; see <see cref="RegressionLoss.Huber"/>.</summary>
    public double Delta { get; }
}
