
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Draws rows with the chances of <see cref="BalancedGradientNormPolicy"/> so that the weighted totals of several statistics match
/// the window's at once.</summary>
/// <remarks>
/// <para>p[i] = min(1, c·((1−e)·g[i]/Σg + e/n)), c solved so that Σp = b; a draw by the cube method; weight[i] = (b/n)/p[i]. Balanced are,
/// in this order: the number of rows (exactly), the sum of weights, the loss, the margin if asked for, and each class's sum of weights.
/// What cannot come out exactly with whole rows is missed by as many rows as there are statistics, whatever the size of the window, the
/// last of the list first.</para>
/// <para>Rows come in by ascending gradient norm: neighbours compete, which spreads the draw along the norm as well, and what is left to
/// round at the end are rows of small weight. Beyond 32 classes, neighbouring labels are balanced together.</para>
/// <para>Needs Forward.GradientNorm, and what it balances. O(n·q²) for q statistics, no allocation after the first window of a size. At
/// most one random number a row.</para>
/// <para>Source: J.-C. Deville and Y. Tillé, Biometrika 91(4), 2004; G. Chauvet and Y. Tillé, Computational Statistics 21, 2006. Its use
/// here is ours. Guide: docs/policies/cube.md.</para>
/// </remarks>
public sealed record CubePolicy : IRowSelectionPolicy
{
    /// <summary>Share e of the probability spread evenly: the floor under every row's chance, and 1/e the ceiling of its weight.</summary>
    /// <value>[0, 1], dimensionless; default 0.2. 0: weights unbounded. 1: even chances, weight 1, still balanced.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double UniformShare { get; init => field = Require.InRange(value, 0, 1, nameof(CubePolicy)); } = 0.2;

    /// <summary>Whether the total loss is balanced.</summary>
    /// <value>Default true.</value>
    public bool BalanceLoss { get; init; } = true;

    /// <summary>Whether the total margin is balanced. The window must hold the margin then; a regression has none.</summary>
    /// <value>Default false.</value>
    public bool BalanceMargin { get; init; }

    /// <summary>Whether each class's share is balanced. A window without classes does without either way.</summary>
    /// <value>Default true.</value>
    public bool BalanceClasses { get; init; } = true;

    /// <inheritdoc/>
    public string Name => "Cube";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.GradientNorm
        | (BalanceLoss ? RecordStatistics.Loss : 0)
        | (BalanceMargin ? RecordStatistics.Margin : 0)
        | (BalanceClasses ? RecordStatistics.Label : 0);

    /// <inheritdoc/>
    public bool IsUnbiased => true;

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        using RentedSpan<float> rented = window.Scratch.Rent<float>(window.Count);
        Span<float> p = rented;
        // In Single: the same seed draws the rows that it has always drawn.
        InclusionProbabilities.Solve(window.GradientNorm, (float)UniformShare, rows.Length, p);

        ReadOnlySpan<float> loss = BalanceLoss ? window.Loss : [];
        ReadOnlySpan<float> margin = BalanceMargin ? window.Margin : [];
        ReadOnlySpan<int> label = BalanceClasses ? window.Label : [];
        using RentedSpan<int> order = RowOrder.ByValue(window.GradientNorm, window.Scratch);
        CubeDraw.Choose(p, loss, margin, label, order, ref random, rows, window.Scratch);
        InclusionProbabilities.Weigh(p, rows, weights);
    }
}
