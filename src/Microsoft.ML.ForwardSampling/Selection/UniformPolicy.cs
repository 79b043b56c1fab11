
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Draws rows evenly, without replacement, looking at no statistic: the comparator for every other policy.</summary>
/// <remarks>
/// <para>Every subset of b rows has the same chance; weight 1. O(b + n/64), no allocation after the first window of a size.</para>
/// <para>Source: Floyd's algorithm (Bentley and Floyd, CACM 30(9), 1987). Guide: docs/policies/uniform.md.</para>
/// </remarks>
public sealed record UniformPolicy : IRowSelectionPolicy
{
    /// <inheritdoc/>
    public string Name => "Uniform";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.None;

    /// <inheritdoc/>
    public bool IsUnbiased => true;

    /// <inheritdoc/>
    public StreamedPlan NewStreamedPlan() => new StreamedUniform();

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        EvenDraw.Choose(window.Count, ref random, rows, window.Scratch);
        weights.Fill(1);
    }
}
