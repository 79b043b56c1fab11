namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>When training ends before its last step: the validation loss has stopped falling.</summary>
/// <remarks>Needs validation data (<c>Fit(data, validationData)</c>) or <see cref="NetworkTrainerOptions.HeldOutShare"/>. The weights of
/// the best evaluation are put back at the end, also when the loss has become infinite since. A pipeline, CrossValidate and SelectThen call
/// Fit(data) alone: there rows must be held out.</remarks>
public sealed record EarlyStopping
{
    /// <summary>Evaluations without improvement after which training stops.</summary>
    /// <value>[1, 1000000]; default 3.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int Patience { get; init => field = Require.InRange(value, 1, 1_000_000, nameof(EarlyStopping)); } = 3;

    /// <summary>How far the mean validation loss must fall for <see cref="Patience"/> to count anew. The best weights are kept however
    /// small their lead.</summary>
    /// <value>[0, 3.4e38], in units of the loss; default 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or NaN.</exception>
    public double MinimumImprovement { get; init => field = Require.InRange(value, 0, float.MaxValue, nameof(EarlyStopping)); }

    /// <summary>Steps between two evaluations; null: one at the end of each epoch.</summary>
    /// <value>[1, 2147483647] steps, or null (the default).</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int? EveryNSteps { get; init => field = value is { } n ? Require.InRange(n, 1, int.MaxValue, nameof(EarlyStopping)) : null; }
}
