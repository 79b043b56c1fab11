using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Turns gradients into weight updates. One fused pass over the memory of a CPU tensor; tensor operations on any other
/// device.</summary>
/// <remarks>
/// torch's own optimizers make about ten passes over a tensor of weights for one Adam step; the fused kernels here make one.
/// State is a tensor of the parameter's shape and device, so it can be carried to the next run.
/// TorchSharp hands a Scalar's handle to torch without keeping the Scalar alive, so that a temporary one may be collected before torch
/// reads it: every Scalar here is a local that is disposed after its use.
/// </remarks>
internal abstract class Optimizer : IDisposable
{
    private Tensor[][]? _state;

    /// <summary>Steps made so far, over all runs that shared this state.</summary>
    public long StepsTaken { get; private set; }

    /// <summary>State tensors a parameter needs.</summary>
    public abstract int StateTensors { get; }

    /// <summary>Makes one step.</summary>
    /// <param name="parameters">What is updated.</param>
    /// <param name="gradients">One gradient per parameter; null where a parameter took no part in the loss.</param>
    /// <param name="learningRate">Step size, schedule included.</param>
    /// <param name="gradientScale">Factor of every gradient, below 1 when the gradient is clipped.</param>
    public void Step(IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor?> gradients, float learningRate, float gradientScale)
    {
        _state ??= CreateState(parameters);
        Advance(learningRate);
        for (int i = 0; i < parameters.Count; i++)
        {
            if (gradients[i] is not { } gradient)
                continue;
            Tensor parameter = parameters[i];
            if (parameter.device_type == DeviceType.CPU && parameter.dtype == ScalarType.Float32)
                UpdateInMemory(Floats(parameter), Floats(gradient.is_contiguous() ? gradient : gradient.contiguous()), _state[i],
                    gradientScale);
            else
                UpdateByTensors(parameter, Scale(gradient, gradientScale), _state[i]);
        }
    }

    /// <summary>Counts a step and computes what is the same for all parameters of it; whoever calls this updates the weights by the
    /// optimizer's rule.</summary>
    public void Advance(float learningRate)
    {
        StepsTaken++;
        BeginStep(learningRate);
    }

    /// <summary>The state tensors of each parameter, made where there are none yet.</summary>
    public Tensor[][] StateOf(IReadOnlyList<Tensor> parameters) => _state ??= CreateState(parameters);

    /// <summary>Takes over a copy of another optimizer's state when both are alike; otherwise starts afresh.</summary>
    /// <returns>Whether the state was taken over.</returns>
    public bool TryContinueFrom(Optimizer? other, IReadOnlyList<Tensor> parameters)
    {
        if (other?._state is not { } state || other.GetType() != GetType() || state.Length != parameters.Count
            || other.StateTensors != StateTensors)
            return false;
        for (int i = 0; i < state.Length; i++)
            if (state[i].Any(t => !t.shape.AsSpan().SequenceEqual(parameters[i].shape)))
                return false;
        using IDisposable noGrad = no_grad();
        _state = [.. state.Select((tensors, i) => tensors.Select(
            t => zeros(t.shape, t.dtype, parameters[i].device).copy_(t).DetachFromDisposeScope()).ToArray())];
        StepsTaken = other.StepsTaken;
        return true;
    }

    public void Dispose()
    {
        foreach (Tensor tensor in _state?.SelectMany(t => t) ?? [])
            tensor.Dispose();
        _state = null;
    }

    /// <summary>Computes what is the same for all parameters of a step.</summary>
    protected abstract void BeginStep(float learningRate);

    protected abstract void UpdateInMemory(Span<float> weights, ReadOnlySpan<float> gradient, Tensor[] state, float gradientScale);

    protected abstract void UpdateByTensors(Tensor weights, Tensor gradient, Tensor[] state);

    /// <summary>The elements of a contiguous CPU tensor.</summary>
    protected internal static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    private static Tensor Scale(Tensor gradient, float factor)
    {
        using Scalar scale = factor;
        return factor == 1f ? gradient : gradient.mul(scale);
    }

    private Tensor[][] CreateState(IReadOnlyList<Tensor> parameters)
        => [.. parameters.Select(p => Enumerable.Range(0, StateTensors)
            .Select(_ => zeros(p.shape, p.dtype, p.device).DetachFromDisposeScope()).ToArray())];
}

/// <summary>Stochastic gradient descent: v = mu v + g; w -= lr v (or lr (g + mu v) with Nesterov's look-ahead).</summary>
internal sealed class Sgd(SgdOptions options) : Optimizer
{
    private float _rate;

    /// <summary>The step's rule for a register's worth of weights.</summary>
    public SgdUpdate<TVector, TLanes> OnRegisters<TVector, TLanes>(float gradientScale)
        where TLanes : struct, ILanes<TVector>
        => new((float)options.Momentum, options.Nesterov, (float)options.WeightDecay, gradientScale, _rate);

    public override int StateTensors => options.Momentum > 0 ? 1 : 0;

    protected override void BeginStep(float learningRate) => _rate = learningRate;

    protected override void UpdateInMemory(Span<float> weights, ReadOnlySpan<float> gradient, Tensor[] state, float gradientScale)
    {
        float decay = (float)options.WeightDecay, momentum = (float)options.Momentum, rate = _rate;
        if (momentum == 0f)
        {
            for (int i = 0; i < weights.Length; i++)
                weights[i] -= rate * (gradient[i] * gradientScale + decay * weights[i]);
            return;
        }

        Span<float> velocity = Floats(state[0])[..weights.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            float g = gradient[i] * gradientScale + decay * weights[i];
            float v = velocity[i] = momentum * velocity[i] + g;
            weights[i] -= rate * (options.Nesterov ? g + momentum * v : v);
        }
    }

    protected override void UpdateByTensors(Tensor weights, Tensor gradient, Tensor[] state)
    {
        using Scalar decay = (float)options.WeightDecay, momentum = (float)options.Momentum, step = -_rate, one = 1f;
        Tensor g = options.WeightDecay > 0 ? gradient.add(weights, decay) : gradient;
        if (options.Momentum > 0)
        {
            Tensor velocity = state[0].mul_(momentum).add_(g, one);
            g = options.Nesterov ? g.add(velocity, momentum) : velocity;
        }

        weights.add_(g, step);
    }
}

/// <summary>Adam (arXiv 1412.6980, algorithm 1) and, with decoupled decay, AdamW (arXiv 1711.05101, algorithm 2).</summary>
internal sealed class Adam(float beta1, float beta2, float epsilon, float weightDecay, bool decoupled) : Optimizer
{
    private float _stepSize;
    private float _secondScale;
    private float _shrink;

    /// <summary>The step's rule for a register's worth of weights.</summary>
    public AdamUpdate<TVector, TLanes> OnRegisters<TVector, TLanes>(float gradientScale)
        where TLanes : struct, ILanes<TVector>
        => new(beta1, beta2, decoupled ? 0f : weightDecay, _shrink, gradientScale, _stepSize, _secondScale, epsilon);

    public override int StateTensors => 2;

    protected override void BeginStep(float learningRate)
    {
        _stepSize = (float)(learningRate / (1 - Math.Pow(beta1, StepsTaken)));
        _secondScale = (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, StepsTaken)));
        _shrink = decoupled ? 1f - learningRate * weightDecay : 1f;
    }

    protected override void UpdateInMemory(Span<float> weights, ReadOnlySpan<float> gradient, Tensor[] state, float gradientScale)
    {
        int n = weights.Length;
        ref float w = ref MemoryMarshal.GetReference(weights);
        ref float g = ref MemoryMarshal.GetReference(gradient[..n]);
        ref float m = ref MemoryMarshal.GetReference(Floats(state[0])[..n]);
        ref float v = ref MemoryMarshal.GetReference(Floats(state[1])[..n]);
        float added = decoupled ? 0f : weightDecay;

        int i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var shrink = new Vector<float>(_shrink);
            var addedDecay = new Vector<float>(added);
            var scale = new Vector<float>(gradientScale);
            var keep1 = new Vector<float>(beta1);
            var take1 = new Vector<float>(1f - beta1);
            var keep2 = new Vector<float>(beta2);
            var take2 = new Vector<float>(1f - beta2);
            var second = new Vector<float>(_secondScale);
            var eps = new Vector<float>(epsilon);
            var step = new Vector<float>(_stepSize);
            for (; i <= n - Vector<float>.Count; i += Vector<float>.Count)
            {
                nuint at = (nuint)i;
                Vector<float> weight = Vector.LoadUnsafe(ref w, at);
                Vector<float> grad = Vector.LoadUnsafe(ref g, at) * scale + addedDecay * weight;
                Vector<float> mean = keep1 * Vector.LoadUnsafe(ref m, at) + take1 * grad;
                Vector<float> square = keep2 * Vector.LoadUnsafe(ref v, at) + take2 * grad * grad;
                mean.StoreUnsafe(ref m, at);
                square.StoreUnsafe(ref v, at);
                (weight * shrink - step * mean / (Vector.SquareRoot(square) * second + eps)).StoreUnsafe(ref w, at);
            }
        }

        for (; i < n; i++)
        {
            ref float weight = ref Unsafe.Add(ref w, i);
            float grad = Unsafe.Add(ref g, i) * gradientScale + added * weight;
            float mean = Unsafe.Add(ref m, i) = beta1 * Unsafe.Add(ref m, i) + (1f - beta1) * grad;
            float square = Unsafe.Add(ref v, i) = beta2 * Unsafe.Add(ref v, i) + (1f - beta2) * grad * grad;
            weight = weight * _shrink - _stepSize * mean / (MathF.Sqrt(square) * _secondScale + epsilon);
        }
    }

    protected override void UpdateByTensors(Tensor weights, Tensor gradient, Tensor[] state)
    {
        using Scalar decay = weightDecay, keep1 = beta1, take1 = 1f - beta1, keep2 = beta2, take2 = 1f - beta2;
        using Scalar shrink = _shrink, second = _secondScale, eps = epsilon, one = 1f, step = -_stepSize;
        Tensor g = !decoupled && weightDecay > 0f ? gradient.add(weights, decay) : gradient;
        Tensor mean = state[0].mul_(keep1).add_(g, take1);
        Tensor square = state[1].mul_(keep2).addcmul_(g, g, take2);
        if (_shrink != 1f)
            weights.mul_(shrink);
        weights.addcdiv_(mean, square.sqrt().mul_(second).add_(eps, one), step);
    }
}

/// <summary>AdaMod (arXiv 1910.12249, algorithm 1): Adam whose step size of each weight is at most its own running mean. Decoupled
/// decay.</summary>
internal sealed class AdaMod(float beta1, float beta2, float beta3, float epsilon, float weightDecay) : Optimizer
{
    private float _stepSize;
    private float _shrink;

    /// <summary>The step's rule for a register's worth of weights.</summary>
    public AdaModUpdate<TVector, TLanes> OnRegisters<TVector, TLanes>(float gradientScale)
        where TLanes : struct, ILanes<TVector>
        => new(beta1, beta2, beta3, _shrink, gradientScale, _stepSize, epsilon);

    public override int StateTensors => 3;

    protected override void BeginStep(float learningRate)
    {
        _stepSize = (float)(learningRate * Math.Sqrt(1 - Math.Pow(beta2, StepsTaken)) / (1 - Math.Pow(beta1, StepsTaken)));
        _shrink = 1f - learningRate * weightDecay;
    }

    protected override void UpdateInMemory(Span<float> weights, ReadOnlySpan<float> gradient, Tensor[] state, float gradientScale)
    {
        Span<float> means = Floats(state[0])[..weights.Length], squares = Floats(state[1])[..weights.Length],
            bounds = Floats(state[2])[..weights.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            float g = gradient[i] * gradientScale;
            float mean = means[i] = beta1 * means[i] + (1f - beta1) * g;
            float square = squares[i] = beta2 * squares[i] + (1f - beta2) * g * g;
            float size = _stepSize / (MathF.Sqrt(square) + epsilon);
            float bound = bounds[i] = beta3 * bounds[i] + (1f - beta3) * size;
            weights[i] = weights[i] * _shrink - Math.Min(size, bound) * mean;
        }
    }

    protected override void UpdateByTensors(Tensor weights, Tensor gradient, Tensor[] state)
    {
        using Scalar keep1 = beta1, take1 = 1f - beta1, keep2 = beta2, take2 = 1f - beta2, keep3 = beta3, take3 = 1f - beta3;
        using Scalar shrink = _shrink, step = _stepSize, eps = epsilon, one = 1f, minus = -1f;
        Tensor mean = state[0].mul_(keep1).add_(gradient, take1);
        Tensor square = state[1].mul_(keep2).addcmul_(gradient, gradient, take2);
        Tensor size = square.sqrt().add_(eps, one).reciprocal_().mul_(step);
        Tensor bound = state[2].mul_(keep3).add_(size, take3);
        if (_shrink != 1f)
            weights.mul_(shrink);
        weights.addcmul_(minimum(size, bound), mean, minus);
    }
}
