
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Draws rows in proportion to their recorded gradient-norm bound and weighs them so that the window's mean gradient stays
/// unbiased.</summary>
/// <remarks>
/// <para>p[i] = min(1, c·g[i]), c solved so that Σp = b; one systematic draw along the rows in random order; weight[i] = (b/n)/p[i].</para>
/// <para>A row of norm 0 has p = 0 and is never chosen while b rows have a positive norm: its gradient is 0, so the mean gradient does not
/// miss it, but a mean of anything else does. Where fewer than b norms are positive, those rows are certain and the zero rows share the
/// rest evenly. Weights have no upper bound: a row whose norm is a hundredth of the mean weighs a hundred when it is chosen.</para>
/// <para>The random order makes a stream with a period (sources that take turns) harmless, and gives almost every two rows of positive p a
/// chance to be chosen together, so that the variance is near that of independent draws of fixed size. It stratifies nothing.</para>
/// <para>Needs Forward.GradientNorm. O(n), no allocation after the first window of a size.</para>
/// <para>Source: arXiv 1803.00942; ours: draw without replacement, probabilities capped at 1, fixed budget. The paper's gate, which samples
/// only while the estimated variance reduction is large enough, is not part of this policy. Guide: docs/policies/gradient-norm.md.</para>
/// </remarks>
public sealed record GradientNormPolicy : IRowSelectionPolicy
{
    /// <inheritdoc/>
    public string Name => "GradientNorm";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.GradientNorm;

    /// <inheritdoc/>
    public bool IsUnbiased => true;

    /// <inheritdoc/>
    public StreamedPlan NewStreamedPlan() => new StreamedProportional(evenShare: 0);

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        using RentedSpan<float> rented = window.Scratch.Rent<float>(window.Count);
        Span<float> p = rented;
        using RentedSpan<int> order = window.Scratch.Rent<int>(window.Count);
        InclusionProbabilities.Solve(window.GradientNorm, evenShare: 0, rows.Length, p);
        FillRandomOrder(order, ref random);
        SystematicDraw.Choose(p, order, random.NextDouble(), rows, window.Scratch);
        InclusionProbabilities.Weigh(p, rows, weights);
    }

    private static void FillRandomOrder(Span<int> order, ref RepeatableRandom random)
    {
        // Fisher and Yates, inside out.
        for (int i = 0; i < order.Length; i++)
        {
            int other = random.NextInt(i + 1);
            order[i] = order[other];
            order[other] = i;
        }
    }
}
