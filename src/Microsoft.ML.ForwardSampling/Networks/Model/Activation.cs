namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The function between two layers of a network.</summary>
public enum Activation
{
    /// <summary>max(0, x).</summary>
    ReLU,

    /// <summary>x for x &gt; 0, else 0.01 x.</summary>
    LeakyReLU,

    /// <summary>x for x &gt; 0, else exp(x) - 1.</summary>
    ELU,

    /// <summary>x times the normal distribution function of x (arXiv 1606.08415).</summary>
    GELU,

    /// <summary>x times the logistic function of x.</summary>
    SiLU,

    /// <summary>Hyperbolic tangent.</summary>
    Tanh,

    /// <summary>1 / (1 + exp(-x)).</summary>
    Sigmoid,
}

/// <summary>What normalises a hidden layer before its activation.</summary>
public enum Normalization
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Each unit over the rows of a batch (arXiv 1502.03167); scoring uses the running mean and variance.</summary>
    /// <remarks>Under selection the batch's statistics are those of the selected rows, not of the data: prefer
    /// <see cref="Layer"/>.</remarks>
    Batch,

    /// <summary>Each row over the units of the layer (arXiv 1607.06450).</summary>
    Layer,
}
