namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>What tests say about one member of their groups.</summary>
internal static class GroupPosterior
{
    /// <summary>The logarithm of how much likelier a positive row than a negative one is to be in a group of that logit.</summary>
    /// <remarks>The network is trained on as many positive groups as negative ones, so that exp(logit) is how much likelier the logit is of
    /// a positive group. A positive row's group is positive; a negative row's is with q = 1 − (1 − prevalence)^(m − 1), by its other
    /// members: the ratio is exp(logit) / (1 − q + q exp(logit)).</remarks>
    /// <param name="logit">Of the group.</param>
    /// <param name="members">m, 1 or more.</param>
    /// <param name="prevalence">Share of positive rows, in (0, 1).</param>
    public static float LogRatio(float logit, int members, double prevalence)
    {
        double noneOfTheOthers = Math.Pow(1 - prevalence, members - 1);
        return (float)-Math.Log((noneOfTheOthers * Math.Exp(-logit)) + (1 - noneOfTheOthers));
    }

    /// <summary>The probability that the row is positive, by Bayes' rule.</summary>
    /// <param name="logRatio">The sum of <see cref="LogRatio"/> over tests with other neighbours in each.</param>
    /// <param name="prevalence">Share of positive rows, in (0, 1).</param>
    public static float Probability(float logRatio, double prevalence)
        => (float)(1 / (1 + ((1 - prevalence) / prevalence * Math.Exp(-logRatio))));
}
