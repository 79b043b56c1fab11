using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>y = x·Wᵀ + b.</summary>
public sealed class Linear : nn.Module<Tensor, Tensor>
{
    private Parameter _weight;
    private Parameter? _bias;

    internal Linear(long inputs, long outputs, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(Linear))
    {
        // Both uniform in ±1/√inputs, from the global generator.
        _weight = new Parameter(empty(outputs, inputs, dtype, device));
        register_parameter("weight", _weight);
        nn.init.kaiming_uniform_(_weight, Math.Sqrt(5));
        if (!hasBias)
            return;
        _bias = new Parameter(empty(outputs, dtype, device));
        register_parameter("bias", _bias);
        double bound = inputs > 0 ? 1 / Math.Sqrt(inputs) : 0;
        nn.init.uniform_(_bias, -bound, bound);
    }

    public Parameter? weight
    {
        get => _weight;
        set => Replace("weight", _weight = value ?? throw new ArgumentNullException(nameof(value), "weight cannot be set to 'null'"));
    }

    public Parameter? bias
    {
        get => _bias;
        set => Replace("bias", _bias = value ?? throw new ArgumentNullException(nameof(value), "bias cannot be set to 'null'"));
    }

    public override Tensor forward(Tensor tensor) => nn.functional.linear(tensor, _weight, _bias);
}
