namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>How the rows that get a backward pass are put together into the batches of steps.</summary>
public enum BatchComposition
{
    /// <summary>In the order of the pass, which <see cref="NetworkTrainerOptions.Shuffle"/> shuffles.</summary>
    Shuffled,

    /// <summary>
    /// Each batch gets one row of every stratum of neighbours by label and recorded loss (<c>Forward.Loss</c>; a regression: by signed
    /// <c>Forward.Residual</c>, or, without that column, by its label), dealt by chance. A batch's mean stays unbiased and varies less. The
    /// rows of a pass are dealt together (a part at a time where they do not fit in memory), and with
    /// <see cref="NetworkTrainerOptions.Selection"/> the rows chosen from each window, by the statistics they were chosen by.
    /// </summary>
    Stratified,
}
