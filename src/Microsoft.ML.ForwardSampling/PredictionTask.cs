namespace Microsoft.ML.ForwardSampling;

/// <summary>What a model predicts, and so which statistics its forward pass leaves behind.</summary>
public enum PredictionTask
{
    /// <summary>A number. Score is a Single in the label's unit; the loss is the squared error.</summary>
    Regression,

    /// <summary>One of two classes. Score is a Single, Probability the chance of the positive class; the loss is the logistic
    /// loss.</summary>
    Binary,

    /// <summary>One of K classes. Score is a vector of K Singles; the loss is the cross-entropy of the softmax.</summary>
    Multiclass,
}
