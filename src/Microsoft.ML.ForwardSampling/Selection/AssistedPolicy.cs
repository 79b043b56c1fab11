using System.Numerics.Tensors;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>For rows without a record: a small model beside the network learns which rows have a high loss, and those are drawn more
/// often.</summary>
/// <remarks>
/// <para>v[i] = m + (1 − m)·σ(W·x[i] + U[y[i]]) with m = <see cref="MinimumProbability"/>; b rows drawn one after the other in proportion
/// to v, without replacement. Weight 1: the window's mean is deliberately <i>not</i> preserved.</para>
/// <para>The assistant (W, U) starts at 0, so that the first draws are even. After each training step it makes one step of logistic
/// regression on the trained rows, whose target is whether the loss is above a running mean of the steps' mean losses.</para>
/// <para>Needs the features, the label where rows have classes, and <see cref="RowSelector.ReportTraining"/>: the trainer's own selection
/// gives all three, a filter over a data view cannot. O(n·d + b·log n) a window, O(m·d) a step of m rows; no allocation after the first
/// window of a size and the last new class. Exponentials and sums follow the machine's vector width in their last bit.</para>
/// <para>Source: AutoAssist, arXiv 1905.03381; ours: the fixed budget. Guide: docs/policies/assisted.md.</para>
/// </remarks>
public sealed record AssistedPolicy : IRowSelectionPolicy
{
    /// <summary>m, the acceptance of a row that the assistant is sure is easy.</summary>
    /// <value>[0, 1], dimensionless; default 0.3, as in the paper's code. 1: an even draw.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double MinimumProbability { get; init => field = Require.InRange(value, 0, 1, nameof(AssistedPolicy)); } = 0.3;

    /// <summary>Step size of the assistant, on the mean gradient of the trained rows.</summary>
    /// <value>[0, 1], dimensionless; default 0.01, as in the paper's code. 0: it never learns.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double LearningRate { get; init => field = Require.InRange(value, 0, 1, nameof(AssistedPolicy)); } = 0.01;

    /// <summary>Share of the running mean loss that a training step keeps; the rest is the step's mean.</summary>
    /// <value>[0, 1], dimensionless; default 0.75, as in the paper's code. 0: rows are compared within their step. 1: with the first
    /// step.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [0, 1], or NaN.</exception>
    public double RunningFactor { get; init => field = Require.InRange(value, 0, 1, nameof(AssistedPolicy)); } = 0.75;

    /// <inheritdoc/>
    public string Name => "Assisted";

    /// <inheritdoc/>
    public RecordStatistics Needs => RecordStatistics.Features | RecordStatistics.Label;

    /// <inheritdoc/>
    public bool IsUnbiased => false;

    /// <inheritdoc/>
    public PolicyState NewState() => new LossAssistant(LearningRate, RunningFactor);

    /// <inheritdoc/>
    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(this, in window, rows, weights);
        using RentedSpan<double> rented = window.Scratch.Rent<double>(window.Count);
        Span<double> acceptance = rented;
        window.GetState<LossAssistant>().Predict(window.Features, window.Label, acceptance);
        TensorPrimitives.Multiply(acceptance, 1 - MinimumProbability, acceptance);
        TensorPrimitives.Add(acceptance, MinimumProbability, acceptance);
        WithoutReplacementDraw.Choose(acceptance, ref random, rows, window.Scratch);
        RowSet.Sort(window.Count, rows, window.Scratch);
        weights.Fill(1);
    }
}
