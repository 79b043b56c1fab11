
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Draws rows in proportion to their recorded gradient-norm bound, spread over classes and losses, and weighs them so that window
/// means stay unbiased.</summary>
/// <remarks>
/// <para>p[i] = min(1, c·((1−e)·g[i]/Σg + e/n)), c solved so that Σp = b; one systematic draw along (label, loss), along loss alone where
/// rows have no classes; weight[i] = (b/n)/p[i]. Any run of that order with probabilities summing to s gives ⌊s⌋ or ⌈s⌉ rows.</para>
/// <para>Needs Forward.GradientNorm and Forward.Loss, and the label where rows have classes. O(n), no allocation after the first window of
/// a size. One random number a window. A non-finite statistic counts as the window's mean and is reported in
/// <see cref="SelectionReport.RepairedRows"/>.</para>
/// <para>Source: bound from arXiv 1803.00942; ours: even share, fixed budget, stratified draw. Guide:
/// docs/policies/balanced-gradient-norm.md.</para>
/// </remarks>
public sealed record BalancedGradientNormPolicy : IRowSelectionPolicy
{
    /// <summary>Share e of the probability spread evenly: the floor under every row's chance, and 1/e the ceiling of its weight.</summary>
    /// <value>[0, 1], dimensionless; default 0.2. 0: weights unbounded. 1: an even draw, still stratified.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double UniformShare { get; init => field = Require.InRange(value, 0, 1, nameof(BalancedGradientNormPolicy)); } = 0.2;

    /// <inheritdoc/>
    public string Name => "BalancedGradientNorm";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.GradientNorm | RecordStatistics.Loss | RecordStatistics.Label;

    /// <inheritdoc/>
    public bool IsUnbiased => true;

    /// <inheritdoc/>
    public StreamedPlan NewStreamedPlan() => new StreamedProportional((float)UniformShare);

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        using RentedSpan<float> rented = window.Scratch.Rent<float>(window.Count);
        Span<float> p = rented;
        // In Single: the same seed draws the rows that it has always drawn.
        InclusionProbabilities.Solve(window.GradientNorm, (float)UniformShare, rows.Length, p);
        using RentedSpan<int> order = window.OrderByLabelAndLoss();
        SystematicDraw.Choose(p, order, random.NextDouble(), rows, window.Scratch);
        InclusionProbabilities.Weigh(p, rows, weights);
    }
}
