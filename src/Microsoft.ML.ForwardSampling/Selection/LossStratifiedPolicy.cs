
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Draws rows evenly, spread over classes and losses: every class and every level of difficulty gets its share of the
/// budget.</summary>
/// <remarks>
/// <para>Rows in the order of (label, loss), or of loss alone; one systematic draw with equal steps of n/b ranks; weight 1.
/// Each row's chance is exactly b/n, and any run of the order with m rows gives ⌊m·b/n⌋ or ⌈m·b/n⌉ of them.</para>
/// <para>Needs Forward.Loss, and the label where rows have classes. O(n), no allocation after the first window of a size. One random number
/// a window.</para>
/// <para>Source: systematic sampling (Madow, Ann. Math. Statist. 20, 1949); its use along the recorded loss is ours. Guide:
/// docs/policies/loss-stratified.md.</para>
/// </remarks>
public sealed record LossStratifiedPolicy : IRowSelectionPolicy
{
    /// <summary>Whether rows are ordered by class first. A window without classes is ordered by loss alone either way.</summary>
    /// <value>Default true.</value>
    public bool ByClass { get; init; } = true;

    /// <inheritdoc/>
    public string Name => "LossStratified";

    /// <inheritdoc/>
    public RecordStatistics Needs => ByClass ? RecordStatistics.Loss | RecordStatistics.Label : RecordStatistics.Loss;

    /// <inheritdoc/>
    public bool IsUnbiased => true;

    /// <inheritdoc/>
    public StreamedPlan NewStreamedPlan() => new StreamedLossStrata(ByClass);

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        using RentedSpan<int> order = ByClass ? window.OrderByLabelAndLoss() : window.OrderByLoss();
        SystematicDraw.ChooseEvenly(window.Count, random.NextInt(window.Count), rows);
        RowSet.RanksToRows(order, rows, window.Scratch);
        weights.Fill(1);
    }
}
