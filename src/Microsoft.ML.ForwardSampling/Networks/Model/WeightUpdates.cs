using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Adam and AdamW on registers: the state is the mean and the mean square of the gradients.</summary>
internal readonly unsafe struct AdamUpdate<TVector, TLanes>(float beta1, float beta2, float addedDecay, float shrink, float gradientScale,
    float stepSize, float secondScale, float epsilon) : IWeightUpdate<TVector>
    where TLanes : struct, ILanes<TVector>
{
    private readonly TVector _keep1 = TLanes.All(beta1);
    private readonly TVector _take1 = TLanes.All(1f - beta1);
    private readonly TVector _keep2 = TLanes.All(beta2);
    private readonly TVector _take2 = TLanes.All(1f - beta2);
    private readonly TVector _addedDecay = TLanes.All(addedDecay);
    private readonly TVector _shrink = TLanes.All(shrink);
    private readonly TVector _scale = TLanes.All(gradientScale);
    private readonly TVector _step = TLanes.All(stepSize);
    private readonly TVector _secondScale = TLanes.All(secondScale);
    private readonly TVector _epsilon = TLanes.All(epsilon);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply(WeightMemory at, TVector gradient)
    {
        TVector weight = TLanes.Load(at.Weights);
        gradient = TLanes.MultiplyAdd(_addedDecay, weight, TLanes.Multiply(gradient, _scale));
        TVector mean = TLanes.MultiplyAdd(_keep1, TLanes.Load(at.First), TLanes.Multiply(_take1, gradient));
        TVector square = TLanes.MultiplyAdd(_keep2, TLanes.Load(at.Second), TLanes.Multiply(TLanes.Multiply(_take2, gradient), gradient));
        TLanes.Store(mean, at.First);
        TLanes.Store(square, at.Second);
        TVector change = TLanes.Divide(TLanes.Multiply(_step, mean), TLanes.MultiplyAdd(TLanes.SquareRoot(square), _secondScale, _epsilon));
        TLanes.Store(TLanes.Subtract(TLanes.Multiply(weight, _shrink), change), at.Weights);
    }
}

/// <summary>AdaMod on registers: beside Adam's state the running mean of each weight's step size, which bounds it.</summary>
internal readonly unsafe struct AdaModUpdate<TVector, TLanes>(float beta1, float beta2, float beta3, float shrink, float gradientScale,
    float stepSize, float epsilon) : IWeightUpdate<TVector>
    where TLanes : struct, ILanes<TVector>
{
    private readonly TVector _keep1 = TLanes.All(beta1);
    private readonly TVector _take1 = TLanes.All(1f - beta1);
    private readonly TVector _keep2 = TLanes.All(beta2);
    private readonly TVector _take2 = TLanes.All(1f - beta2);
    private readonly TVector _keep3 = TLanes.All(beta3);
    private readonly TVector _take3 = TLanes.All(1f - beta3);
    private readonly TVector _shrink = TLanes.All(shrink);
    private readonly TVector _scale = TLanes.All(gradientScale);
    private readonly TVector _step = TLanes.All(stepSize);
    private readonly TVector _epsilon = TLanes.All(epsilon);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply(WeightMemory at, TVector gradient)
    {
        gradient = TLanes.Multiply(gradient, _scale);
        TVector mean = TLanes.MultiplyAdd(_keep1, TLanes.Load(at.First), TLanes.Multiply(_take1, gradient));
        TVector square = TLanes.MultiplyAdd(_keep2, TLanes.Load(at.Second), TLanes.Multiply(TLanes.Multiply(_take2, gradient), gradient));
        TVector size = TLanes.Divide(_step, TLanes.Add(TLanes.SquareRoot(square), _epsilon));
        TVector bound = TLanes.MultiplyAdd(_keep3, TLanes.Load(at.Third), TLanes.Multiply(_take3, size));
        TLanes.Store(mean, at.First);
        TLanes.Store(square, at.Second);
        TLanes.Store(bound, at.Third);
        TVector change = TLanes.Multiply(TLanes.Min(size, bound), mean);
        TLanes.Store(TLanes.Subtract(TLanes.Multiply(TLanes.Load(at.Weights), _shrink), change), at.Weights);
    }
}

/// <summary>Gradient descent on registers; with momentum the state is the velocity.</summary>
internal readonly unsafe struct SgdUpdate<TVector, TLanes>(float momentum, bool nesterov, float decay, float gradientScale, float rate)
    : IWeightUpdate<TVector>
    where TLanes : struct, ILanes<TVector>
{
    private readonly TVector _momentum = TLanes.All(momentum);
    private readonly TVector _decay = TLanes.All(decay);
    private readonly TVector _scale = TLanes.All(gradientScale);
    private readonly TVector _rate = TLanes.All(rate);
    private readonly bool _hasVelocity = momentum > 0f;
    private readonly bool _nesterov = nesterov;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply(WeightMemory at, TVector gradient)
    {
        TVector weight = TLanes.Load(at.Weights);
        TVector change = TLanes.MultiplyAdd(_decay, weight, TLanes.Multiply(gradient, _scale));
        if (_hasVelocity)
        {
            TVector velocity = TLanes.MultiplyAdd(_momentum, TLanes.Load(at.First), change);
            TLanes.Store(velocity, at.First);
            change = _nesterov ? TLanes.MultiplyAdd(_momentum, velocity, change) : velocity;
        }

        TLanes.Store(TLanes.Subtract(weight, TLanes.Multiply(_rate, change)), at.Weights);
    }
}

/// <summary>Keeps the gradient instead of using it: before clipping, the norm of all of them must be known.
/// <see cref="WeightMemory.First"/> is where it goes.</summary>
internal readonly unsafe struct GradientStore<TVector, TLanes> : IWeightUpdate<TVector>
    where TLanes : struct, ILanes<TVector>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply(WeightMemory at, TVector gradient) => TLanes.Store(gradient, at.First);
}
