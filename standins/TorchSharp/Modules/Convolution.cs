using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Two-dimensional convolution over (rows, channels, height, width), zeros beyond the edge.</summary>
public sealed class Conv2d : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly long[] _geometry;
    private readonly long _groups;

    internal Conv2d(long inputs, long outputs, (long, long) kernel, (long, long) stride, (long, long) padding, (long, long) dilation, PaddingModes mode, long groups, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(Conv2d))
    {
        if (mode != PaddingModes.Zeros)
            throw new NotSupportedException($"The stand-in's Conv2d pads with zeros only. Got PaddingModes.{mode}.");
        _geometry = [stride.Item1, stride.Item2, padding.Item1, padding.Item2, dilation.Item1, dilation.Item2];
        _groups = groups;
        _weight = new Parameter(empty([outputs, inputs / groups, kernel.Item1, kernel.Item2], dtype, device));
        register_parameter("weight", _weight);
        nn.init.kaiming_uniform_(_weight, Math.Sqrt(5));
        if (!hasBias)
            return;
        _bias = new Parameter(empty(outputs, dtype, device));
        register_parameter("bias", _bias);
        double bound = 1 / Math.Sqrt(nn.init.CalculateFanInAndFanOut(_weight).fanIn);
        nn.init.uniform_(_bias, -bound, bound);
    }

    public override unsafe Tensor forward(Tensor input)
    {
        fixed (long* geometry = _geometry)
            return Tensor.Wrap(Native.ts_conv2d(input.Handle, _weight.Handle, _bias?.Handle ?? 0, geometry, _groups));
    }
}

/// <summary>Largest value of each patch.</summary>
public sealed class MaxPool2d : nn.Module<Tensor, Tensor>
{
    private readonly long[] _geometry;
    private readonly bool _ceil;

    internal MaxPool2d((long, long) kernel, (long, long) stride, (long, long) padding, (long, long) dilation, bool ceil) : base(nameof(MaxPool2d))
    {
        _geometry = [kernel.Item1, kernel.Item2, stride.Item1, stride.Item2, padding.Item1, padding.Item2, dilation.Item1, dilation.Item2];
        _ceil = ceil;
    }

    public override unsafe Tensor forward(Tensor tensor)
    {
        fixed (long* geometry = _geometry)
            return Tensor.Wrap(Native.ts_max_pool2d(tensor.Handle, geometry, _ceil ? 1 : 0));
    }
}
