using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>y = x·Wᵀ + b.</summary>
public sealed class Linear : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;

    internal Linear(long inputs, long outputs, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(Linear))
    {
        // Both uniform in ±1/√inputs, from the global generator.
        double bound = inputs > 0 ? 1 / Math.Sqrt(inputs) : 0;
        _weight = new Parameter(empty(outputs, inputs, dtype, device).uniform_(-bound, bound));
        register_parameter("weight", _weight);
        if (!hasBias)
            return;
        _bias = new Parameter(empty(outputs, dtype, device).uniform_(-bound, bound));
        register_parameter("bias", _bias);
    }

    public override Tensor forward(Tensor tensor) => nn.functional.linear(tensor, _weight, _bias);
}
