namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>How a trainer holds the features of a row, and so what a step costs.</summary>
/// <remarks>Sparse rows are for networks built from options without normalisation or dropout, on the CPU. Scores are the same bits either
/// way; a trained network scores sparse vectors as sparse however it was trained.</remarks>
public enum FeatureStorage
{
    /// <summary>Sparse where the feature column has 4,096 slots or more of which, over the first 256 rows, at most one in sixteen is not
    /// zero, and the network can be trained so; else dense.</summary>
    Auto,

    /// <summary>Every value of a row.</summary>
    Dense,

    /// <summary>The values that are not zero. A step costs in proportion to them: it updates, decays and takes into the optimizer's state
    /// only the first layer's weights of slots that some row of the batch has, and leaves those of others as they are (as torch's
    /// SparseAdam does). Features far from unit scale are scaled, but nothing is subtracted from them.</summary>
    Sparse,
}
