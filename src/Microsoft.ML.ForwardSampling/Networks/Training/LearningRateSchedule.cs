namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The factor by which the learning rate is multiplied at each step.</summary>
/// <remarks>Selection keeps an exact budget in every window, so the number of steps is known before training and a schedule reaches its
/// end.</remarks>
public abstract record LearningRateSchedule
{
    /// <summary>The learning rate as given, at every step.</summary>
    public static LearningRateSchedule Constant { get; } = new ConstantSchedule();

    /// <summary>Steps over which the factor first rises from 0 to the schedule's own value, linearly.</summary>
    /// <value>[0, 2147483647] steps; default 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int WarmUpSteps { get; init => field = Require.InRange(value, 0, int.MaxValue, GetType().Name); }

    /// <summary>The factor at a step.</summary>
    /// <param name="step">0-based step of this run.</param>
    /// <param name="totalSteps">Steps this run will make, at least 1.</param>
    /// <returns>The factor of the learning rate, 0 or more.</returns>
    public float Factor(long step, long totalSteps)
    {
        float warmUp = step < WarmUpSteps ? (step + 1f) / (WarmUpSteps + 1f) : 1f;
        return warmUp * AfterWarmUp(step, totalSteps);
    }

    /// <summary>How far a run is: 0 at its first step, 1 at its last; 0 for a run of one step.</summary>
    /// <param name="step">0-based step of this run.</param>
    /// <param name="totalSteps">Steps this run will make, at least 1.</param>
    /// <returns>A share in [0, 1].</returns>
    protected static float Progress(long step, long totalSteps) => totalSteps <= 1 ? 0f
        : Math.Min(step, totalSteps - 1) / (float)(totalSteps - 1);

    /// <summary>The factor at a step, without the warm-up.</summary>
    /// <param name="step">0-based step of this run.</param>
    /// <param name="totalSteps">Steps this run will make, at least 1.</param>
    /// <returns>The factor of the learning rate, 0 or more.</returns>
    protected abstract float AfterWarmUp(long step, long totalSteps);
}

/// <summary>The same learning rate at every step.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    /// <inheritdoc/>
    protected override float AfterWarmUp(long step, long totalSteps) => 1f;
}

/// <summary>Half a cosine from 1 down to <see cref="FinalFactor"/> (arXiv 1608.03983, without restarts).</summary>
public sealed record CosineSchedule : LearningRateSchedule
{
    /// <summary>The factor at the last step.</summary>
    /// <value>[0, 1]; default 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double FinalFactor { get; init => field = Require.InRange(value, 0, 1, nameof(CosineSchedule)); }

    /// <inheritdoc/>
    protected override float AfterWarmUp(long step, long totalSteps)
        => (float)FinalFactor + (1f - (float)FinalFactor) * 0.5f * (1f + MathF.Cos(MathF.PI * Progress(step, totalSteps)));
}

/// <summary>A straight line from 1 down to <see cref="FinalFactor"/>.</summary>
public sealed record LinearSchedule : LearningRateSchedule
{
    /// <summary>The factor at the last step.</summary>
    /// <value>[0, 1]; default 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double FinalFactor { get; init => field = Require.InRange(value, 0, 1, nameof(LinearSchedule)); }

    /// <inheritdoc/>
    protected override float AfterWarmUp(long step, long totalSteps)
        => 1f - (1f - (float)FinalFactor) * Progress(step, totalSteps);
}

/// <summary>The factor drops by <see cref="Drop"/> every <see cref="EverySteps"/> steps.</summary>
public sealed record StepSchedule : LearningRateSchedule
{
    /// <summary>Steps between two drops.</summary>
    /// <value>[1, 2147483647] steps; default 1,000.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int EverySteps { get; init => field = Require.InRange(value, 1, int.MaxValue, nameof(StepSchedule)); } = 1000;

    /// <summary>What the factor is multiplied by at each drop.</summary>
    /// <value>(0, 1]; default 0.1.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Drop { get; init => field = Require.SingleInRange(value, 0, 1, nameof(StepSchedule), minInclusive: false); } = 0.1;

    /// <inheritdoc/>
    protected override float AfterWarmUp(long step, long totalSteps) => MathF.Pow((float)Drop, step / EverySteps);
}
