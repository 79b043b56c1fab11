namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Saved state of a <see cref="RowSelector"/>: with it, a resumed run selects the rows that the interrupted one would have selected.</summary>
public sealed record RowSelectorState
{
    /// <summary>Name of the policy that the state belongs to.</summary>
    public required string PolicyName { get; init; }

    /// <summary>State of the selector's generator.</summary>
    public required SelectionRandomState Random { get; init; }

    /// <summary>Counters at the time of saving.</summary>
    public required SelectionReport Report { get; init; }
}
