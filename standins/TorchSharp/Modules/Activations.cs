using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>max(x, 0).</summary>
public sealed class ReLU : nn.Module<Tensor, Tensor>
{
    private readonly bool _inplace;

    internal ReLU(bool inplace) : base(nameof(ReLU)) => _inplace = inplace;

    public override Tensor forward(Tensor tensor) => nn.functional.relu(tensor, _inplace);
}

/// <summary>x, and a small slope below zero.</summary>
public sealed class LeakyReLU : nn.Module<Tensor, Tensor>
{
    private readonly (double slope, bool inplace) _options;

    internal LeakyReLU(double slope, bool inplace) : base(nameof(LeakyReLU)) => _options = (slope, inplace);

    public override Tensor forward(Tensor tensor) => nn.functional.leaky_relu(tensor, _options.slope, _options.inplace);
}

/// <summary>x, and alpha·(exp(x) − 1) below zero.</summary>
public sealed class ELU : nn.Module<Tensor, Tensor>
{
    private readonly (double alpha, bool inplace) _options;

    internal ELU(double alpha, bool inplace) : base(nameof(ELU)) => _options = (alpha, inplace);

    public override Tensor forward(Tensor tensor) => nn.functional.elu(tensor, _options.alpha, _options.inplace);
}

/// <summary>x·Φ(x).</summary>
public sealed class GELU : nn.Module<Tensor, Tensor>
{
    internal GELU() : base(nameof(GELU)) { }

    public override Tensor forward(Tensor tensor) => tensor.gelu();
}

/// <summary>x·sigmoid(x).</summary>
public sealed class SiLU : nn.Module<Tensor, Tensor>
{
    internal SiLU() : base(nameof(SiLU)) { }

    public override Tensor forward(Tensor tensor) => tensor.silu();
}

/// <summary>Hyperbolic tangent.</summary>
public sealed class Tanh : nn.Module<Tensor, Tensor>
{
    internal Tanh() : base(nameof(Tanh)) { }

    public override Tensor forward(Tensor tensor) => tensor.tanh();
}

/// <summary>1/(1 + exp(−x)).</summary>
public sealed class Sigmoid : nn.Module<Tensor, Tensor>
{
    internal Sigmoid() : base(nameof(Sigmoid)) { }

    public override Tensor forward(Tensor tensor) => tensor.sigmoid();
}

/// <summary>The input, unchanged.</summary>
public sealed class Identity : nn.Module<Tensor, Tensor>
{
    internal Identity() : base(nameof(Identity)) { }

    public override Tensor forward(Tensor tensor) => tensor.alias();
}

/// <summary>Joins a run of dimensions into one.</summary>
public sealed class Flatten : nn.Module<Tensor, Tensor>
{
    private readonly (long start, long end) _dims;

    internal Flatten(long start, long end) : base(nameof(Flatten)) => _dims = (start, end);

    public override Tensor forward(Tensor tensor) => tensor.flatten(_dims.start, _dims.end);
}

/// <summary>Zeroes a share of the elements while training and scales the rest up.</summary>
public sealed class Dropout : nn.Module<Tensor, Tensor>
{
    private readonly (double share, bool inplace) _options;

    internal Dropout(double share, bool inplace) : base(nameof(Dropout)) => _options = (share, inplace);

    public override Tensor forward(Tensor tensor) => nn.functional.dropout(tensor, _options.share, training, _options.inplace);
}
