
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Takes the rows of lowest loss: a control, and a trimmed loss for regressions ridden with outliers.</summary>
/// <remarks>
/// <para>The b smallest losses, weight 1. Rows that tie at the cut are drawn evenly; where none tie, the choice is a function of the window
/// alone and the generator is not used. A row above the cut has no chance at all: neither the window's mean loss nor its gradient is
/// preserved.</para>
/// <para>At small budgets it trains on what the model already gets right. On classification it collapses; the guide has the figures.</para>
/// <para>Needs Forward.Loss. O(n), no allocation after the first window of a size.</para>
/// <para>Source: Min-k Loss SGD, arXiv 2001.03316, in a window of any size with any budget. Guide: docs/policies/bottom-loss.md.</para>
/// </remarks>
public sealed record BottomLossPolicy : IRowSelectionPolicy
{
    /// <inheritdoc/>
    public string Name => "BottomLoss";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.Loss;

    /// <inheritdoc/>
    public bool IsUnbiased => false;

    /// <inheritdoc/>
    public StreamedPlan NewStreamedPlan() => new StreamedExtremes(largest: false);

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        ExtremeRows.Choose(window.Loss, largest: false, ref random, rows, window.Scratch);
        weights.Fill(1);
    }
}
