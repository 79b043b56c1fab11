using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Gradient descent with momentum.</summary>
public class SGD : OptimizerHelper
{
    private readonly double _momentum, _dampening, _decay;
    private readonly bool _nesterov, _maximize;

    public SGD(IEnumerable<Parameter> parameters, double lr, double momentum = 0.0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
    {
        Require(lr >= 0, $"Invalid learning rate: {lr}");
        Require(momentum >= 0, $"Invalid momentum value: {momentum}");
        Require(weight_decay >= 0, $"Invalid weight_decay value: {weight_decay}");
        Require(!nesterov || (momentum > 0 && dampening == 0), "Nesterov momentum requires a momentum and zero dampening");
        (_momentum, _dampening, _decay, _nesterov, _maximize) = (momentum, dampening, weight_decay, nesterov, maximize);
        Begin(parameters, new OptimizerOptions { LearningRate = lr }, _ => new State());
    }

    public override unsafe Tensor? step(Func<Tensor>? closure = null)
    {
        Tensor? loss = Evaluate(closure);
        nint[] handles = Tensor.Handles(Learned);
        nint[] buffers = [.. States.Select(s => ((State)s).momentum_buffer?.Handle ?? 0)];
        fixed (nint* h = handles, b = buffers)
            Native.Check(Native.ts_sgd(h, b, handles.Length, LearningRate, _momentum, _dampening, _decay, _nesterov ? 1 : 0, _maximize ? 1 : 0));
        for (int i = 0; i < buffers.Length; i++)
        {
            if (buffers[i] != 0)
                ((State)States[i]).momentum_buffer ??= new Tensor(buffers[i]).DetachFromDisposeScope();
        }
        return loss;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            DisposeStates();
    }

    /// <summary>The running gradient; null until the first step with momentum.</summary>
    public sealed class State : OptimizerState, IDisposable
    {
        public Tensor? momentum_buffer;

        internal State() { }

        public override void LoadStateDict(OptimizerState source) => momentum_buffer = Copy(momentum_buffer, ((State)source).momentum_buffer);

        public void Dispose() => momentum_buffer?.Dispose();
    }
}
