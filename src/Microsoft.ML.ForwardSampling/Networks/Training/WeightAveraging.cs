namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The trained network gets the running mean of the weights over the last steps instead of those of the last one.</summary>
/// <remarks>
/// <para>Under a constant learning rate the weights of single steps circle around what they have learned, and their mean is better than
/// any of them; under a rate that falls to near 0 there is nothing left to average. On data that drift the mean lags behind.</para>
/// <para>Steps are made with the weights themselves. Validation, early stopping and the returned model take the mean: it is scored,
/// recorded and saved. Training that goes on from a model in memory goes on with both; from a loaded one, with the mean.</para>
/// <para>Source: averaged stochastic gradient descent (Polyak and Juditsky 1992), with an exponential window.</para>
/// </remarks>
public sealed record WeightAveraging
{
    /// <summary>What is kept of the mean at each step. Until 1 / (1 − Decay) steps are made it is the plain mean of all.</summary>
    /// <value>(0, 1); default 0.98, a window of about 50 steps.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Decay
    {
        get; init => field = Require.SingleInRange(value, 0, 1, nameof(WeightAveraging), minInclusive: false, maxInclusive: false);
    } = 0.98;

    /// <summary>What is kept at a step.</summary>
    /// <param name="stepsBefore">Steps that are in the mean already.</param>
    internal float KeepAt(long stepsBefore) => Math.Min((float)Decay, stepsBefore / (stepsBefore + 1f));
}
