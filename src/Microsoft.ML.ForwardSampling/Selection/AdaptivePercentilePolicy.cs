namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Chances by a curve over the loss's percentile, and the curve by what validation shows: it tries five curves and keeps the one
/// under which the loss falls most a row.</summary>
/// <remarks>
/// <para>u[i] = the loss's percentile in its window (equal losses share the middle of theirs); size s(u) = 1 (flat), u (rising), u³
/// (steeper), 4u(1−u) (hump) or 1−u (falling); p[i] = min(1, c·((1−e)·s[i]/Σs + e/n)), c such that Σp = b; one systematic draw along
/// (label, loss). Weight 1: the window's mean is deliberately <i>not</i> preserved.</para>
/// <para>A trial is a curve used for <see cref="TrialWindows"/> windows, or more until the next <see cref="RowSelector.ReportValidation"/>;
/// its gain is the fall of the validation loss a chosen row. A round is one trial of each curve, in random order; gains are compared within
/// their round (distance from the round's mean in its standard deviations), and a round counts 0.9 of the next. The best curve is then kept
/// for <see cref="KeptTrials"/> trials. Rows chosen in trials are chosen rows like any other: they are trained on, and counted. Until the
/// first report, and for ever without one, the curve is rising.</para>
/// <para>Needs Forward.Loss, the label where rows have classes, and validation losses. O(n), no allocation after the first window of a
/// size.</para>
/// <para>Source: the idea is AdaptSB's, whose rule we have not found; curves, trials and comparison are ours. Guide:
/// docs/policies/adaptive-percentile.md.</para>
/// </remarks>
public sealed record AdaptivePercentilePolicy : IRowSelectionPolicy
{
    /// <summary>T, the windows that a curve selects from before it is judged. With one step a window, T steps.</summary>
    /// <value>[1, 65536], windows; default 4. Longer trials are judged more surely, and there are fewer of them.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 65536].</exception>
    public int TrialWindows { get; init => field = Require.InRange(value, 1, 1 << 16, nameof(AdaptivePercentilePolicy)); } = 4;

    /// <summary>Trials' lengths for which the best curve is kept between two rounds of five trials.</summary>
    /// <value>[0, 65536]; default 15: a quarter of the rows is spent on trials. 0: trials only.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 65536].</exception>
    public int KeptTrials { get; init => field = Require.InRange(value, 0, 1 << 16, nameof(AdaptivePercentilePolicy)); } = 15;

    /// <summary>Share e of the probability spread evenly, whatever the curve: the floor under every row's chance.</summary>
    /// <value>[0, 1], dimensionless; default 0.1. 1: an even draw.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double UniformShare { get; init => field = Require.InRange(value, 0, 1, nameof(AdaptivePercentilePolicy)); } = 0.1;

    /// <inheritdoc/>
    public string Name => "AdaptivePercentile";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.Loss | RecordStatistics.Label;

    /// <inheritdoc/>
    public bool IsUnbiased => false;

    /// <inheritdoc/>
    public PolicyState NewState() => new CurveTrials(TrialWindows, KeptTrials);

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        PercentileCurve curve = window.GetState<CurveTrials>().NextWindow(rows.Length, ref random);
        using RentedSpan<float> chances = window.Scratch.Rent<float>(window.Count), sizes = window.Scratch.Rent<float>(window.Count);
        Span<float> p = chances;
        using (RentedSpan<int> byLoss = window.OrderByLoss())
            FillSizes(curve, window.Loss, byLoss, sizes);
        InclusionProbabilities.Solve(sizes, UniformShare, rows.Length, p);
        using RentedSpan<int> order = window.OrderByLabelAndLoss();
        SystematicDraw.Choose(p, order, random.NextDouble(), rows, window.Scratch);
        weights.Fill(1);
    }

    private static void FillSizes(PercentileCurve curve, ReadOnlySpan<float> loss, ReadOnlySpan<int> order, Span<float> sizes)
    {
        double half = 0.5 / order.Length;
        for (int first = 0, end; first < order.Length; first = end)
        {
            float value = loss[order[first]];
            for (end = first + 1; end < order.Length && loss[order[end]] == value;)
                end++;
            float size = (float)SizeAt(curve, (first + end) * half);
            foreach (int row in order[first..end])
                sizes[row] = size;
        }
    }

    private static double SizeAt(PercentileCurve curve, double percentile) => curve switch
    {
        PercentileCurve.Flat => 1,
        PercentileCurve.Rising => percentile,
        PercentileCurve.Steeper => percentile * percentile * percentile,
        PercentileCurve.Hump => 4 * percentile * (1 - percentile),
        _ => 1 - percentile,
    };
}
