namespace Microsoft.ML.Trainers;

/// <summary>One weight a feature and a bias.</summary>
public abstract class LinearModelParameters
{
    private protected LinearModelParameters(LinearModel model) => (Weights, Bias) = (model.Weights[0], model.Biases[0]);

    public IReadOnlyList<float> Weights { get; }
    public float Bias { get; protected set; }
}

/// <summary>Linear parameters that predict a number.</summary>
public abstract class RegressionModelParameters : LinearModelParameters
{
    private protected RegressionModelParameters(LinearModel model) : base(model) { }
}

/// <summary>Parameters of linear regression.</summary>
public sealed class LinearRegressionModelParameters : RegressionModelParameters
{
    internal LinearRegressionModelParameters(LinearModel model) : base(model) { }
}

/// <summary>Parameters of a linear classifier with two classes.</summary>
public sealed class LinearBinaryModelParameters : LinearModelParameters
{
    internal LinearBinaryModelParameters(LinearModel model) : base(model) { }
}

/// <summary>Parameters of multinomial logistic regression.</summary>
public sealed class MaximumEntropyModelParameters
{
    internal MaximumEntropyModelParameters() { }
}
