namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>What the trainer does about features that are far from unit scale: a root mean square above 10, no value above 0.05, or a mean
/// of more than ten standard deviations.</summary>
public enum FeatureNormalization
{
    /// <summary>Such features are standardised for training, by their mean and standard deviation over the rows; the others stay as they
    /// are. The trained network takes features as they come: the change is undone in its first layer. A user's own network is left alone
    /// and told of, as by <see cref="Warn"/>.</summary>
    Auto,

    /// <summary>One warning in the log names how many there are and the worst; nothing is changed.</summary>
    Warn,

    /// <summary>Features are not looked at.</summary>
    None,
}
