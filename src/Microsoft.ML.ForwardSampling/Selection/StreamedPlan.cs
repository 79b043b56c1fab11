
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>A policy's rule over an input of any length: passes over the statistics that leave a few numbers, then one pass that decides row by row.</summary>
/// <remarks>Immutable after the last pass; draws of several cursors may then run at once.</remarks>
internal abstract class StreamedPlan
{
    private double _sum;

    /// <summary>N, rows of the input. After the first pass.</summary>
    public long Rows { get; private set; }

    /// <summary>Rows whose statistic is NaN or infinite; it counts as the mean of the others.</summary>
    public long RepairedRows { get; private set; }

    /// <summary>b, rows to choose.</summary>
    public long Budget { get; private set; }

    /// <summary>Mean of the finite values; 0 where there are none.</summary>
    protected double Mean { get; private set; }

    /// <summary>Passes after the first, which counts.</summary>
    public abstract int Passes { get; }

    /// <summary>The plan of a policy.</summary>
    /// <exception cref="ArgumentException">The policy's rule needs all rows at once; the message names those that do not.</exception>
    public static StreamedPlan For(IRowSelectionPolicy policy) => policy switch
    {
        UniformPolicy => new StreamedUniform(),
        TopLossPolicy => new StreamedExtremes(largest: true),
        BottomLossPolicy => new StreamedExtremes(largest: false),
        InfoBatchPolicy infoBatch => new StreamedInfoBatch(infoBatch),
        LossStratifiedPolicy => new StreamedLossStrata(),
        GradientNormPolicy => new StreamedProportional(evenShare: 0),
        BalancedGradientNormPolicy balanced => new StreamedProportional(balanced.UniformShare),
        _ => throw new ArgumentException(
            $"Policy {policy.Name} cannot select from a stream: its rule needs all rows of a window at once, or remembers windows. "
            + "Uniform, LossStratified, GradientNorm, BalancedGradientNorm, InfoBatch, TopLoss and BottomLoss can; or use SelectRows, in windows.",
            nameof(policy)),
    };

    /// <summary>The statistics that a plan reads: a stream has no order by loss, so BalancedGradientNorm needs no more than the norm.</summary>
    public static RecordStatistics Reads(IRowSelectionPolicy policy) => policy is BalancedGradientNormPolicy ? RecordStatistics.GradientNorm : policy.Needs;

    /// <summary>One row of the first pass.</summary>
    public void Count(float value)
    {
        Rows++;
        if (float.IsFinite(value))
            _sum += value;
        else
            RepairedRows++;
    }

    /// <summary>The end of the first pass.</summary>
    public void EndCount(SelectionBudget budget)
    {
        Mean = Rows == RepairedRows ? 0 : _sum / (Rows - RepairedRows);
        Budget = Rows == 0 ? 0 : budget.ForAll(Rows);
    }

    /// <summary>The value that counts.</summary>
    public float Repair(float value) => float.IsFinite(value) ? value : (float)Mean;

    /// <summary>One row of a later pass.</summary>
    /// <param name="pass">0 … Passes − 1.</param>
    /// <param name="value">The policy's statistic, finite.</param>
    /// <param name="label">Its class, −1 where it has none.</param>
    public abstract void Observe(int pass, float value, int label);

    /// <summary>The end of a later pass.</summary>
    public abstract void EndPass(int pass);

    /// <summary>Starts the pass that decides.</summary>
    public abstract StreamedDraw Start(RepeatableRandom random);
}
