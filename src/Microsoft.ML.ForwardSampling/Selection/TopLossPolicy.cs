
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Takes the rows of highest loss: a control, not a recommendation.</summary>
/// <remarks>
/// <para>The b largest losses, weight 1. Rows that tie at the cut are drawn evenly; where none tie, the choice is a function of the window
/// alone and the generator is not used. A row below the cut has no chance at all: neither the window's mean loss nor its gradient is
/// preserved.</para>
/// <para>Needs Forward.Loss. O(n), no allocation after the first window of a size.</para>
/// <para>Source: the opposite of Min-k Loss SGD, arXiv 2001.03316; the limit of <see cref="SelectiveBackpropPolicy"/> for large β. Guide:
/// docs/policies/top-loss.md.</para>
/// </remarks>
public sealed record TopLossPolicy : IRowSelectionPolicy
{
    /// <inheritdoc/>
    public string Name => "TopLoss";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.Loss;

    /// <inheritdoc/>
    public bool IsUnbiased => false;

    /// <inheritdoc/>
    public StreamedPlan NewStreamedPlan() => new StreamedExtremes(largest: true);

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        ExtremeRows.Choose(window.Loss, largest: true, ref random, rows, window.Scratch);
        weights.Fill(1);
    }
}
