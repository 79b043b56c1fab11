namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>How gradients become weight updates: one of <see cref="SgdOptions"/>, <see cref="AdamOptions"/>,
/// <see cref="AdamWOptions"/> and <see cref="AdaModOptions"/>.</summary>
public abstract record OptimizerOptions
{
    private protected OptimizerOptions(double learningRate) => LearningRate = learningRate;

    /// <summary>Step size before the schedule's factor.</summary>
    /// <value>(0, 10], dimensionless.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double LearningRate { get; init => field = Require.SingleInRange(value, 0, 10, GetType().Name, minInclusive: false); }

    /// <summary>Pull towards zero: added to the gradient as WeightDecay x weight, or, for AdamW and AdaMod, applied to the weight
    /// itself.</summary>
    /// <value>[0, 1]; default 0, for <see cref="AdamWOptions"/> 0.01.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double WeightDecay { get; init => field = Require.InRange(value, 0, 1, GetType().Name); }

    internal abstract Optimizer Create();
}

/// <summary>Stochastic gradient descent with optional momentum.</summary>
public sealed record SgdOptions : OptimizerOptions
{
    /// <summary>Learning rate 0.01, momentum 0.9.</summary>
    public SgdOptions()
        : base(0.01)
    {
    }

    /// <summary>Share of the previous step that is kept: v = Momentum v + g.</summary>
    /// <value>[0, 1); default 0.9.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Momentum { get; init => field = Require.SingleInRange(value, 0, 1, nameof(SgdOptions), maxInclusive: false); } = 0.9;

    /// <summary>Whether the step looks ahead along the momentum: g + Momentum v instead of v.</summary>
    public bool Nesterov { get; init; }

    internal override Optimizer Create() => new Sgd(this);
}

/// <summary>Adam (arXiv 1412.6980): steps scaled by running means of the gradient and of its square.</summary>
public sealed record AdamOptions : OptimizerOptions
{
    /// <summary>Learning rate 0.001.</summary>
    public AdamOptions()
        : base(0.001)
    {
    }

    /// <summary>Decay of the gradient's running mean.</summary>
    /// <value>[0, 1); default 0.9.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Beta1 { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdamOptions), maxInclusive: false); } = 0.9;

    /// <summary>Decay of the squared gradient's running mean.</summary>
    /// <value>[0, 1); default 0.999.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Beta2 { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdamOptions), maxInclusive: false); } = 0.999;

    /// <summary>Added to the denominator so that it is never zero.</summary>
    /// <value>(0, 1]; default 1e-8.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Epsilon { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdamOptions), minInclusive: false); } = 1e-8;

    internal override Optimizer Create() => new Adam((float)Beta1, (float)Beta2, (float)Epsilon, (float)WeightDecay, decoupled: false);
}

/// <summary>Adam with weight decay applied to the weights and not to the gradient (arXiv 1711.05101).</summary>
public sealed record AdamWOptions : OptimizerOptions
{
    /// <summary>Learning rate 0.001, weight decay 0.01.</summary>
    public AdamWOptions()
        : base(0.001)
        => WeightDecay = 0.01;

    /// <summary>Decay of the gradient's running mean.</summary>
    /// <value>[0, 1); default 0.9.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Beta1 { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdamWOptions), maxInclusive: false); } = 0.9;

    /// <summary>Decay of the squared gradient's running mean.</summary>
    /// <value>[0, 1); default 0.999.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Beta2 { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdamWOptions), maxInclusive: false); } = 0.999;

    /// <summary>Added to the denominator so that it is never zero.</summary>
    /// <value>(0, 1]; default 1e-8.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Epsilon { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdamWOptions), minInclusive: false); } = 1e-8;

    internal override Optimizer Create() => new Adam((float)Beta1, (float)Beta2, (float)Epsilon, (float)WeightDecay, decoupled: true);
}

/// <summary>AdaMod (arXiv 1910.12249): Adam, but no weight's step size exceeds its own running mean over the steps so far, so that a
/// learning rate that is far too large for Adam does little harm. Decoupled weight decay.</summary>
/// <remarks>It warms up by itself: the running mean starts at 0. One more value is kept for each weight than for Adam. With a learning rate
/// that suits Adam it gains nothing: docs/optimizers.md.</remarks>
public sealed record AdaModOptions : OptimizerOptions
{
    /// <summary>Learning rate 0.001.</summary>
    public AdaModOptions()
        : base(0.001)
    {
    }

    /// <summary>Decay of the gradient's running mean.</summary>
    /// <value>[0, 1); default 0.9.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Beta1 { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdaModOptions), maxInclusive: false); } = 0.9;

    /// <summary>Decay of the squared gradient's running mean.</summary>
    /// <value>[0, 1); default 0.999.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Beta2 { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdaModOptions), maxInclusive: false); } = 0.999;

    /// <summary>Decay of the step sizes' running mean, the bound. 0: no bound, which is AdamW.</summary>
    /// <value>[0, 1); default 0.999, a memory of about 1,000 steps.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Beta3 { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdaModOptions), maxInclusive: false); } = 0.999;

    /// <summary>Added to the denominator so that it is never zero.</summary>
    /// <value>(0, 1]; default 1e-8.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Epsilon { get; init => field = Require.SingleInRange(value, 0, 1, nameof(AdaModOptions), minInclusive: false); } = 1e-8;

    internal override Optimizer Create() => new AdaMod((float)Beta1, (float)Beta2, (float)Beta3, (float)Epsilon, (float)WeightDecay);
}
