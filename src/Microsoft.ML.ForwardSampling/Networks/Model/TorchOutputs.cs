using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>A forward pass by torch that also leaves the norms of the last hidden layer's activations.</summary>
internal static class TorchOutputs
{
    /// <summary>A network's outputs, and of one that was built from options the norm of what enters its last layer.</summary>
    /// <param name="network">In evaluation mode.</param>
    /// <param name="features">Shape [rows, features].</param>
    /// <param name="activationNorms">Out, length rows; or empty.</param>
    public static Tensor Of(nn.Module<Tensor, Tensor> network, Tensor features, Span<float> activationNorms)
    {
        if (activationNorms.IsEmpty)
            return network.call(features);
        var perceptron = (MultilayerPerceptron)network;
        Tensor hidden = perceptron.Hidden(features);
        ReadOnlySpan<float> values = Optimizer.Floats(hidden.cpu().contiguous());
        int width = (int)hidden.shape[1];
        for (int row = 0; row < activationNorms.Length; row++)
            activationNorms[row] = (float)Math.Sqrt(WindowSums.SumOfSquares(values.Slice(row * width, width)));
        return perceptron.Last(hidden);
    }
}
