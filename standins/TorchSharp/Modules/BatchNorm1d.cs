using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Batch normalisation of (rows, features): the batch's own mean and variance while training, running ones otherwise.</summary>
public sealed class BatchNorm1d : nn.Module<Tensor, Tensor>
{
    private readonly Parameter? _weight, _bias;
    private readonly Tensor? _mean, _variance, _batches;
    private readonly double _momentum, _eps;

    internal BatchNorm1d(long features, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype) : base(nameof(BatchNorm1d))
    {
        (_momentum, _eps) = (momentum, eps);
        if (affine)
        {
            register_parameter("weight", _weight = new Parameter(ones(features, dtype, device)));
            register_parameter("bias", _bias = new Parameter(zeros(features, dtype, device)));
        }
        if (track)
        {
            AddBuffer("running_mean", _mean = zeros(features, dtype, device));
            AddBuffer("running_var", _variance = ones(features, dtype, device));
            AddBuffer("num_batches_tracked", _batches = zeros([], int64, device));
        }
    }

    public override Tensor forward(Tensor tensor)
    {
        if (tensor.Dimensions is < 2 or > 3)
            throw new ArgumentException($"Invalid number of dimensions for BatchNorm argument: {tensor.Dimensions}");
        if (training)
            _batches?.add_(1);
        return nn.functional.batch_norm(tensor, _mean, _variance, _weight, _bias, training || _mean is null, _momentum, _eps);
    }
}
