using static TorchSharp.torch;
using static TorchSharp.torch.optim;

namespace TorchSharp.Modules;

/// <summary>What the optimizers share: the group of parameters, its state, zeroing of gradients, Adam's update.</summary>
public abstract class OptimizerHelper : Optimizer
{
    private protected Parameter[] Learned { get; private set; } = [];
    private protected OptimizerState[] States { get; private set; } = [];
    private protected double LearningRate => _parameter_groups[0].LearningRate;

    private protected void Begin(IEnumerable<Parameter> parameters, OptimizerOptions options, Func<Parameter, OptimizerState> state)
    {
        options.InitialLearningRate = options.LearningRate!.Value;
        Learned = [.. parameters];
        States = [.. Learned.Select(state)];
        _parameter_groups.Add(new ParamGroup { Parameters = Learned, Options = options });
    }

    private protected static void Require(bool valid, string message)
    {
        if (!valid)
            throw new ArgumentException(message);
    }

    private protected static Tensor? Evaluate(Func<Tensor>? closure)
    {
        using IDisposable grad = enable_grad();
        return closure?.Invoke();
    }

    /// <summary>Fills every gradient that exists with zeros.</summary>
    public override unsafe void zero_grad()
    {
        nint[] handles = Tensor.Handles(Learned);
        fixed (nint* h = handles)
            Native.Check(Native.ts_zero_grad(h, handles.Length));
    }

    private protected unsafe void AdamStep(double beta1, double beta2, double eps, double decay, bool decoupled, bool maximize)
    {
        int count = Learned.Length;
        nint[] handles = Tensor.Handles(Learned), averages = new nint[count], squares = new nint[count], maxima = new nint[count];
        long[] steps = new long[count];
        for (int i = 0; i < count; i++)
        {
            (Tensor average, Tensor square, Tensor? maximum, long step) = States[i].Moments;
            (averages[i], squares[i], maxima[i], steps[i]) = (average.Handle, square.Handle, maximum?.Handle ?? 0, step);
        }
        fixed (nint* h = handles, a = averages, s = squares, m = maxima)
        fixed (long* n = steps)
            Native.Check(Native.ts_adam(h, a, s, m, n, count, LearningRate, beta1, beta2, eps, decay, decoupled ? 1 : 0, maximize ? 1 : 0));
        for (int i = 0; i < count; i++)
            States[i].Moments = States[i].Moments with { step = steps[i] };
    }

    private protected static void CheckAdam(double lr, double beta1, double beta2, double eps, double decay)
    {
        Require(lr >= 0, $"Invalid learning rate: {lr}");
        Require(eps >= 0, $"Invalid ε: {eps}");
        Require(beta1 is >= 0 and < 1, $"Invalid beta1: {beta1}");
        Require(beta2 is >= 0 and < 1, $"Invalid beta2: {beta2}");
        Require(decay >= 0, $"Invalid weight_decay value: {decay}");
    }

    public virtual StateDictionary state_dict()
    {
        var dictionary = new StateDictionary();
        dictionary.Options.Add(_parameter_groups[0].Options);
        dictionary.State.AddRange(States);
        return dictionary;
    }

    public virtual void load_state_dict(StateDictionary state_dict)
    {
        Require(state_dict.State.Count == States.Length, "Invalid optimizer state -- different number of states.");
        _parameter_groups[0].Options.LoadStateDict(state_dict.Options[0]);
        for (int i = 0; i < States.Length; i++)
            States[i].LoadStateDict(state_dict.State[i]);
    }

    private protected void DisposeStates()
    {
        foreach (OptimizerState state in States)
            (state as IDisposable)?.Dispose();
        States = [];
    }
}

/// <summary>Options of a group that can change between steps; the rest is fixed in the optimizer.</summary>
public class OptimizerOptions
{
    public double? LearningRate { get; set; }
    public double InitialLearningRate { get; set; }

    public virtual void LoadStateDict(OptimizerOptions source) => (LearningRate, InitialLearningRate) = (source.LearningRate, source.InitialLearningRate);
}

/// <summary>Parameters that share options.</summary>
public class ParamGroup : ILearningRateController
{
    public IEnumerable<Parameter> Parameters { get; set; } = [];
    public OptimizerOptions Options { get; set; } = new();
    public double LearningRate { get => Options.LearningRate!.Value; set => Options.LearningRate = value; }
    public double InitialLearningRate { get => Options.InitialLearningRate; set => Options.InitialLearningRate = value; }
}

/// <summary>What an optimizer remembers of one parameter.</summary>
public abstract class OptimizerState
{
    private protected OptimizerState() { }

    /// <summary>Adam's memory.</summary>
    internal virtual (Tensor average, Tensor square, Tensor? maximum, long step) Moments { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public abstract void LoadStateDict(OptimizerState source);

    private protected static Tensor Zeros(Tensor like) => zeros_like(like).DetachFromDisposeScope();

    private protected static Tensor? Copy(Tensor? old, Tensor? source)
    {
        old?.Dispose();
        using IDisposable noGrad = no_grad();
        return source?.clone().DetachFromDisposeScope();
    }
}
