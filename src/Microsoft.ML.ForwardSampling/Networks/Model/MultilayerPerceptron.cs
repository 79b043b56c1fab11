using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Fully connected layers with an activation between them.</summary>
/// <remarks>Weights and dropout come from private generators: torch's global seed is neither read nor moved.</remarks>
internal sealed class MultilayerPerceptron : nn.Module<Tensor, Tensor>
{
    private readonly NetworkArchitecture _architecture;
    private readonly DenseLayer[] _layers;
    private readonly EmbeddingLayer[] _tables;
    private readonly Generator? _dropoutGenerator;

    /// <param name="architecture">Sizes and functions.</param>
    /// <param name="device">Where the weights live.</param>
    /// <param name="seed">Seed of the initial weights and of dropout.</param>
    /// <param name="isContinued">Whether the weights will be replaced by a previous model's: then none are drawn, unless dropout's seed
    /// follows them.</param>
    public MultilayerPerceptron(NetworkArchitecture architecture, Device device, int seed, bool isContinued = false)
        : base(nameof(MultilayerPerceptron))
    {
        _architecture = architecture;
        var random = new Random(seed);
        Random? weights = isContinued && architecture.Dropout == 0f ? null : random;
        int[] sizes = [architecture.FirstInputs, .. architecture.HiddenLayers, architecture.Outputs];
        _layers = new DenseLayer[sizes.Length - 1];
        for (int i = 0; i < _layers.Length; i++)
        {
            _layers[i] = new DenseLayer(sizes[i], sizes[i + 1], i < _layers.Length - 1 ? architecture.Normalization : Normalization.None,
                weights, device);
            register_module(LayerName(i), _layers[i]);
        }

        _tables = new EmbeddingLayer[architecture.Embeddings.Length];
        for (int i = 0; i < _tables.Length; i++)
        {
            _tables[i] = new EmbeddingLayer(architecture.Embeddings[i], weights, device);
            register_module(TableName(i), _tables[i]);
        }

        if (architecture.Dropout > 0f)
            _dropoutGenerator = new Generator((ulong)random.NextInt64(), device);
    }

    /// <summary>Name under which the layer's weights stand in the state dictionary: <c>layer0.weight</c> and so on.</summary>
    public static string LayerName(int layer) => $"layer{layer}";

    /// <summary>Name under which a table's weights stand in the state dictionary: <c>embedding0.weight</c> and so on.</summary>
    public static string TableName(int table) => $"embedding{table}";

    public override Tensor forward(Tensor input) => Last(Hidden(input));

    /// <summary>What enters the last layer.</summary>
    public Tensor Hidden(Tensor input)
    {
        Tensor x = _tables.Length == 0 ? input : Embed(input);
        for (int i = 0; i < _layers.Length - 1; i++)
            x = Drop(Activate(_architecture.Activation, _layers[i].forward(x)));
        return x;
    }

    /// <summary>The last layer.</summary>
    public Tensor Last(Tensor hidden) => _layers[^1].forward(hidden);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _dropoutGenerator?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The function between two layers.</summary>
    public static Tensor Activate(Activation activation, Tensor x)
    {
        // TorchSharp hands a Scalar's handle to torch without keeping the Scalar alive: every Scalar here is disposed after its use, not
        // collected before.
        using Scalar slope = 0.01f, one = 1f;
        return activation switch
        {
            Activation.ReLU => x.relu(),
            Activation.LeakyReLU => x.leaky_relu(slope),
            Activation.ELU => x.elu(one, one, one),
            Activation.GELU => x.gelu(),
            Activation.SiLU => x.silu(),
            Activation.Tanh => x.tanh(),
            Activation.Sigmoid => x.sigmoid(),
            _ => throw new InvalidOperationException($"Activation {activation} has no function."),
        };
    }

    /// <summary>Puts the keys' values in the place of the keys, which are the last columns.</summary>
    private Tensor Embed(Tensor input)
    {
        int features = _architecture.Features;
        return cat([input.narrow(1, 0, features), .. _tables.Select((table, i) => table.forward(input.select(1, features + i)))], 1);
    }

    private Tensor Drop(Tensor x)
    {
        if (!training || _dropoutGenerator is null)
            return x;
        using Scalar share = _architecture.Dropout, larger = 1f / (1f - _architecture.Dropout);
        // torch's dropout draws from the global generator; this one draws from ours.
        Tensor kept = rand(x.shape, dtype: ScalarType.Float32, device: x.device, generator: _dropoutGenerator).ge(share).@float();
        return x.mul(kept).mul(larger);
    }
}

/// <summary>A table of learned values: row 0, for a missing key, starts as zeros.</summary>
internal sealed class EmbeddingLayer : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;

    public EmbeddingLayer(EmbeddingShape shape, Random? random, Device device)
        : base(nameof(EmbeddingLayer))
    {
        Tensor values = zeros(shape.Keys + 1, shape.Width, dtype: ScalarType.Float32, device: CPU);
        if (random is not null)
        {
            // The scale of a feature of unit scale.
            foreach (ref float value in Optimizer.Floats(values)[shape.Width..])
                value = 2f * random.NextSingle() - 1f;
        }

        weight = new Parameter(TorchRuntime.Move(values, device), requires_grad: true);
        RegisterComponents();
    }

    /// <summary>The rows of keys, shape [rows, width].</summary>
    public override Tensor forward(Tensor keys) => weight.index_select(0, keys.@long());
}

/// <summary>One layer: a linear map and, if asked for, a normalisation. Its fields' names are those of the saved weights.</summary>
internal sealed class DenseLayer : nn.Module<Tensor, Tensor>
{
    private const double NormalizationEpsilon = 1e-5;
    private const double BatchMomentum = 0.1;

    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly Parameter? scale;
    private readonly Parameter? shift;
    private readonly Tensor? mean;
    private readonly Tensor? variance;

    public DenseLayer(int inputs, int outputs, Normalization normalization, Random? random, Device device)
        : base(nameof(DenseLayer))
    {
        // torch's own start for a linear layer: weights and biases uniform within 1/sqrt(inputs).
        float bound = 1f / MathF.Sqrt(inputs);
        weight = new Parameter(Uniform(random, bound, device, outputs, inputs), requires_grad: true);
        bias = new Parameter(Uniform(random, bound, device, outputs), requires_grad: true);
        if (normalization != Normalization.None)
        {
            scale = new Parameter(ones(outputs, dtype: ScalarType.Float32, device: device), requires_grad: true);
            shift = new Parameter(zeros(outputs, dtype: ScalarType.Float32, device: device), requires_grad: true);
        }

        if (normalization == Normalization.Batch)
        {
            mean = zeros(outputs, dtype: ScalarType.Float32, device: device);
            variance = ones(outputs, dtype: ScalarType.Float32, device: device);
        }

        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        Tensor x = nn.functional.linear(input, weight, bias);
        if (scale is null)
            return x;
        return mean is null
            ? nn.functional.layer_norm(x, [x.shape[1]], scale, shift, NormalizationEpsilon)
            : nn.functional.batch_norm(x, mean, variance, scale, shift, training, BatchMomentum, NormalizationEpsilon);
    }

    private static Tensor Uniform(Random? random, float bound, Device device, params long[] shape)
    {
        if (random is null)
            return zeros(shape, dtype: ScalarType.Float32, device: device);
        Tensor values = empty(shape, dtype: ScalarType.Float32, device: CPU);
        foreach (ref float value in Optimizer.Floats(values))
            value = bound * (2f * random.NextSingle() - 1f);
        return TorchRuntime.Move(values, device);
    }
}
