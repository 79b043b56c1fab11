namespace Microsoft.ML.ForwardSampling;

/// <summary>What the K numbers in a multiclass model's score column mean.</summary>
public enum MulticlassScores
{
    /// <summary>Class probabilities: none negative, sum 1. What ML.NET's SdcaMaximumEntropy, LbfgsMaximumEntropy and LightGbm
    /// give.</summary>
    Probabilities,

    /// <summary>Raw scores; the probabilities are their softmax. What SdcaNonCalibrated, NaiveBayes and many imported networks
    /// give.</summary>
    Logits,
}
