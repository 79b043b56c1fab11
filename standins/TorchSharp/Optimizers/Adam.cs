using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Adam: steps scaled by running means of the gradient and its square; weight decay is added to the gradient.</summary>
public class Adam : OptimizerHelper
{
    private readonly double _beta1, _beta2, _eps, _decay;
    private readonly bool _maximize;

    public Adam(IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false)
    {
        CheckAdam(lr, beta1, beta2, eps, weight_decay);
        (_beta1, _beta2, _eps, _decay, _maximize) = (beta1, beta2, eps, weight_decay, maximize);
        Begin(parameters, new OptimizerOptions { LearningRate = lr }, p => new State(p, amsgrad));
    }

    public override Tensor? step(Func<Tensor>? closure = null)
    {
        Tensor? loss = Evaluate(closure);
        AdamStep(_beta1, _beta2, _eps, _decay, decoupled: false, _maximize);
        return loss;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            DisposeStates();
    }

    /// <summary>Steps taken, running mean of the gradient and of its square.</summary>
    public sealed class State : OptimizerState, IDisposable
    {
        public long step;
        public Tensor exp_avg = null!;
        public Tensor exp_avg_sq = null!;
        public Tensor? max_exp_avg_sq;

        internal State(Parameter parameter, bool amsgrad) => Moments = (Zeros(parameter), Zeros(parameter), amsgrad ? Zeros(parameter) : null, 0);

        internal override (Tensor average, Tensor square, Tensor? maximum, long step) Moments
        {
            get => (exp_avg, exp_avg_sq, max_exp_avg_sq, step);
            set => (exp_avg, exp_avg_sq, max_exp_avg_sq, step) = value;
        }

        public override void LoadStateDict(OptimizerState source)
        {
            var other = (State)source;
            Moments = (Copy(exp_avg, other.exp_avg)!, Copy(exp_avg_sq, other.exp_avg_sq)!, Copy(max_exp_avg_sq, other.max_exp_avg_sq), other.step);
        }

        public void Dispose()
        {
            exp_avg.Dispose();
            exp_avg_sq.Dispose();
            max_exp_avg_sq?.Dispose();
        }
    }
}
