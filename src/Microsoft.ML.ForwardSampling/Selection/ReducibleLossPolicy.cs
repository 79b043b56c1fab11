using System.Numerics.Tensors;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Takes the rows whose loss is furthest above a reference model's: what is still to be learned, and can be.</summary>
/// <remarks>
/// <para>The b largest values of loss − reference loss, weight 1. Rows that tie at the cut are drawn evenly; where none tie, the choice is
/// a function of the window alone and the generator is not used. A row that both models get wrong (noise) and a row that both get right
/// (known) rank low. Neither the window's mean loss nor its gradient is preserved.</para>
/// <para>Needs Forward.Loss (the model in training) and Forward.ReferenceLoss (a model that does not change meanwhile: one trained on
/// held-out rows, or the deployed one, whose recorded loss costs nothing). O(n), no allocation after the first window of a size.</para>
/// <para>Source: RHO-LOSS, arXiv 2206.07137; ours: the deployed model as the reference. Guide: docs/policies/reducible-loss.md.</para>
/// </remarks>
public sealed record ReducibleLossPolicy : IRowSelectionPolicy
{
    /// <inheritdoc/>
    public string Name => "ReducibleLoss";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.Loss | RecordStatistics.ReferenceLoss;

    /// <inheritdoc/>
    public bool IsUnbiased => false;

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        using RentedSpan<float> rented = window.Scratch.Rent<float>(window.Count);
        Span<float> reducible = rented;
        TensorPrimitives.Subtract(window.Loss, window.ReferenceLoss, reducible);
        ExtremeRows.Choose(reducible, largest: true, ref random, rows, window.Scratch);
        weights.Fill(1);
    }
}
