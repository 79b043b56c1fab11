using Microsoft.ML.ForwardSampling.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Stem, pair layers or body of a group network.</summary>
internal sealed class NetworkPart : IDisposable
{
    private readonly Activation? _after;

    /// <summary>A part built from options.</summary>
    /// <param name="name">Its name in saved weights and in messages.</param>
    /// <param name="architecture">Its layers; the last one's outputs are what it gives.</param>
    /// <param name="isLast">Whether it gives the logit, which no function follows.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    public NetworkPart(string name, NetworkArchitecture architecture, bool isLast, int seed)
    {
        Name = name;
        Architecture = architecture;
        _after = isLast ? null : architecture.Activation;
        Module = new MultilayerPerceptron(architecture, CPU, seed);
        int[] sizes = [architecture.Inputs, .. architecture.HiddenLayers, architecture.Outputs];
        MultiplyAdds = sizes.Zip(sizes[1..], (inputs, outputs) => (long)inputs * outputs).Sum();
        Detach();
    }

    /// <summary>A user's module.</summary>
    public NetworkPart(string name, nn.Module<Tensor, Tensor> module, long multiplyAdds)
    {
        Name = name;
        Module = module;
        MultiplyAdds = multiplyAdds;
        Detach();
    }

    public string Name { get; }

    public nn.Module<Tensor, Tensor> Module { get; }

    /// <summary>Null for a user's module.</summary>
    public NetworkArchitecture? Architecture { get; }

    /// <summary>Of one pass of one row, pair or group.</summary>
    public long MultiplyAdds { get; }

    /// <summary>The weights as they were when they became final; null for a user's module.</summary>
    public DenseNetwork? Dense { get; private set; }

    public Dictionary<string, Tensor> Weights => Module.state_dict();

    /// <summary>A pass that can be differentiated.</summary>
    public Tensor Forward(Tensor input)
    {
        Tensor output = Module.call(input);
        return _after is { } function ? MultilayerPerceptron.Activate(function, output) : output;
    }

    /// <summary>Called once the weights are final.</summary>
    public void Freeze()
    {
        Module.eval();
        if (Architecture is null)
            return;
        Dictionary<string, Tensor> weights = Weights;
        using IDisposable noGrad = no_grad();
        Dense = new DenseNetwork(Architecture, name => Optimizer.Floats(weights[name]).ToArray());
    }

    public void Dispose() => Module.Dispose();

    // The caller's dispose scope must not take the weights with it.
    private void Detach()
    {
        foreach (Tensor weight in Weights.Values)
            weight.DetachFromDisposeScope();
    }

    /// <summary>Passes of one caller, with buffers that grow to what it needs.</summary>
    public sealed class Runner(NetworkPart part)
    {
        private readonly DenseNetwork.Scratch? _scratch = part.Dense is { } dense ? new DenseNetwork.Scratch(dense) : null;
        private float[] _outputs = [];

        /// <summary>Shape of what the last pass gave for one row.</summary>
        public long[] Shape { get; private set; } = [];

        /// <summary>Values of that.</summary>
        public int Width { get; private set; }

        /// <summary>One pass over rows.</summary>
        /// <param name="inputs">Row-major.</param>
        /// <param name="rows">How many, at least 1.</param>
        /// <param name="shape">Shape of one row.</param>
        /// <returns>Shape [rows, Width]; valid until the next pass.</returns>
        public Span<float> Run(ReadOnlySpan<float> inputs, int rows, ReadOnlySpan<long> shape)
        {
            if (part.Dense is null)
                return RunTorch(inputs, rows, shape);
            Width = part.Architecture!.Outputs;
            Shape = [Width];
            Span<float> outputs = Grow(ref _outputs, rows * Width);
            part.Dense.Forward(inputs, rows, outputs, _scratch!);
            for (int row = 0; row < rows && part._after is { } function; row++)
                ActivationFunctions.Apply(function, outputs.Slice(row * Width, Width));
            return outputs;
        }

        private Span<float> RunTorch(ReadOnlySpan<float> inputs, int rows, ReadOnlySpan<long> shape)
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            Tensor input = empty([rows, .. shape], dtype: ScalarType.Float32, device: CPU);
            inputs[..(int)input.numel()].CopyTo(Optimizer.Floats(input));
            Tensor output = part.Module.call(input).contiguous();
            part.CheckOutput(output, rows);
            Shape = output.shape[1..];
            Width = (int)(output.numel() / rows);
            Span<float> outputs = Grow(ref _outputs, rows * Width);
            Optimizer.Floats(output).CopyTo(outputs);
            return outputs;
        }
    }

    /// <summary>A user's module may give anything.</summary>
    public void CheckOutput(Tensor output, int rows)
    {
        bool isBody = Name == GroupNetwork.BodyName;
        long[] shape = output.shape;
        if (shape.Length < 2 || shape[0] != rows || (isBody && (shape.Length != 2 || shape[1] != 1)) || output.dtype != ScalarType.Float32)
            throw new InvalidOperationException($"{nameof(GroupModules)}: the {Name} must give Singles of shape "
                + $"[{rows}, {(isBody ? "1" : "…")}] for {rows} inputs. Got {output.dtype} of shape [{string.Join(", ", shape)}].");
    }

    /// <summary>The first elements of an array that is replaced by a larger one where it is too short; what was in it is lost.</summary>
    public static Span<T> Grow<T>(ref T[] array, int length)
    {
        if (array.Length < length)
            array = new T[Math.Max(length, 2 * array.Length)];
        return array.AsSpan(0, length);
    }
}
