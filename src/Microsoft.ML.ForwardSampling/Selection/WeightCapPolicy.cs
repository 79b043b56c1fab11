
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Runs another policy and cuts the weights it gives: less noise in a step, for a bias towards the rows that policy
/// prefers.</summary>
/// <remarks>
/// <para>weight = min(w, MaximumWeight), w the inner policy's; which rows are chosen does not change. What is cut is not given to other
/// rows: for values that are ≥ 0 the weighted mean is then never above the inner policy's, and by Σ (w − cap)⁺·x / b below it.</para>
/// <para>Biased as soon as a weight is cut, so never called unbiased. Cuts are counted in <see cref="SelectionReport.CappedRows"/> and
/// <see cref="SelectionReport.CappedWeight"/>.</para>
/// <para>Needs what the inner policy needs. O(b) on top of it, no allocation, no random number.</para>
/// <para>Source: truncated importance sampling (Ionides, J. Comput. Graph. Stat. 17, 2008), with a cap that is given instead of one that
/// grows with the number of rows. Guide: docs/policies/weight-cap.md.</para>
/// </remarks>
public sealed record WeightCapPolicy : IRowSelectionPolicy
{
    /// <summary>The policy that chooses and weighs.</summary>
    /// <value>Default <see cref="GradientNormPolicy"/>, whose weights have no bound of their own.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public IRowSelectionPolicy Inner { get; init => field = Require.NotNull(value, nameof(WeightCapPolicy)); } = new GradientNormPolicy();

    /// <summary>Largest weight that a row keeps.</summary>
    /// <value>[1, 1000000], dimensionless; default 5, the ceiling of <see cref="BalancedGradientNormPolicy"/>'s weights.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 1000000], or NaN.</exception>
    public double MaximumWeight { get; init => field = Require.InRange(value, 1, 1_000_000, nameof(WeightCapPolicy)); } = 5;

    /// <inheritdoc/>
    public string Name => "WeightCap";

    /// <inheritdoc/>
    public RecordStatistics Needs => Inner.Needs;

    /// <inheritdoc/>
    public bool IsUnbiased => false;

    /// <inheritdoc/>
    public PolicyState? NewState() => Inner.NewState();

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        Inner.Select(in window, ref random, rows, weights);
        long rowsCut = 0;
        double weightCut = 0;
        foreach (ref float weight in weights)
        {
            if (weight > MaximumWeight)
            {
                rowsCut++;
                weightCut += (double)weight - MaximumWeight;
                weight = (float)MaximumWeight;
            }
        }

        window.Scratch.CountCuts(rowsCut, weightCut);
    }
}
