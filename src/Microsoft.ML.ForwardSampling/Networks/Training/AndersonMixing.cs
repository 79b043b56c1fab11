using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Anderson mixing around the optimizer: now and then the weights jump to that combination of the last stretches' beginnings and
/// ends at which the stretches would move least.</summary>
/// <remarks>
/// <para>A stretch is a pass, or <see cref="EveryNSteps"/> steps, from weights x to weights G(x). With the moves F = G(x) − x of the last
/// <see cref="Window"/> stretches in rows, (F Fᵀ + λ I) z = 1, α = z / Σz, and the candidate is Σ α ((1 − β) x + β G(x)). It is taken where
/// the loss is lower there than at the weights reached, on up to 1,024 of the rows at hand; else training goes on from those. The optimizer
/// keeps its state.</para>
/// <para>Keeps two copies of the weights for each stretch of the window, and scores the rows twice a stretch
/// (<see cref="TrainingReport.ForwardRows"/> counts them). Source: Anderson, Journal of the ACM 12, 1965; regularised as by Scieur,
/// d'Aspremont and Bach, arXiv 1606.04133. The guide, with where it does not pay: docs/optimizers.md.</para>
/// </remarks>
public sealed record AndersonMixing
{
    /// <summary>Stretches that are mixed at most. 1: with <see cref="Mixing"/> 1 the optimizer's own steps.</summary>
    /// <value>[1, 64] stretches; default 5.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int Window { get; init => field = Require.InRange(value, 1, 64, nameof(AndersonMixing)); } = 5;

    /// <summary>Steps of a stretch; null: a pass over the data. The move of a few steps is mostly the noise of their batches: take few
    /// only where a batch is most of the rows.</summary>
    /// <value>[1, 2147483647] steps, or null (the default).</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int? EveryNSteps
    {
        get; init => field = value is { } steps ? Require.InRange(steps, 1, int.MaxValue, nameof(AndersonMixing)) : null;
    }

    /// <summary>λ in units of the trace of F Fᵀ. Larger: all stretches alike.</summary>
    /// <value>[1e-12, 1e6]; default 0.001.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Regularization { get; init => field = Require.InRange(value, 1e-12, 1e6, nameof(AndersonMixing)); } = 1e-3;

    /// <summary>β: from 0, the stretches' beginnings, to 1, their ends.</summary>
    /// <value>[0, 1]; default 1.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Mixing { get; init => field = Require.InRange(value, 0, 1, nameof(AndersonMixing)); } = 1;
}
