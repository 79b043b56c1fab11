using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The scale on which a network is trained, and the way back: its weights take features and give scores as they come.</summary>
/// <remarks>Features x are trained on as (x − m)/s and labels y as (y − μ)/σ. A network of linear layers takes both into its weights: the
/// first layer's become W/s with bias b − W·(m/s), the last one's σ·W with σ·b + μ. s and σ are powers of two, so that weights lose no
/// digit on the way there and back; the two biases are kept as they were: going on in a second run gives the same bits as one long
/// run.</remarks>
internal sealed record Standardization
{
    /// <summary>Nothing is changed.</summary>
    public static Standardization None { get; } = new();

    /// <summary>m of each feature, 0 where it stays as it is; empty: all stay.</summary>
    public float[] FeatureMeans { get; init; } = [];

    /// <summary>s of each feature, a power of two; 1 where it stays as it is.</summary>
    public float[] FeatureDeviations { get; init; } = [];

    /// <summary>μ.</summary>
    public double LabelMean { get; init; }

    /// <summary>σ, a power of two.</summary>
    public double LabelDeviation { get; init; } = 1;

    /// <summary>Biases of the first and the last layer on the scale of training, noted by <see cref="Fold"/>.</summary>
    private (float[] First, float[] Last)? Biases { get; set; }

    public bool ChangesFeatures => FeatureMeans.Length > 0;

    public bool ChangesLabel => LabelMean != 0 || LabelDeviation != 1;

    /// <summary>The power of two nearest to a standard deviation; 1 where it says nothing.</summary>
    public static double PowerOfTwo(double deviation)
        => deviation > 1e-30 && deviation < 1e30 ? Math.ScaleB(1, (int)Math.Round(Math.Log2(deviation))) : 1;

    /// <summary>Puts a row's features onto the scale of training.</summary>
    public void Apply(Span<float> features)
    {
        TensorPrimitives.Subtract<float>(features, FeatureMeans, features);
        TensorPrimitives.Divide<float>(features, FeatureDeviations, features);
    }

    /// <summary>Puts a sparse row's features onto the scale of training, on which none has a mean.</summary>
    public void Apply(ReadOnlySpan<int> slots, Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] /= FeatureDeviations[slots[i]];
    }

    public float Apply(float label) => (float)((label - LabelMean) / LabelDeviation);

    /// <summary>Changes the weights of a network that takes features as they come into those of one that is trained on this
    /// scale.</summary>
    public void Unfold(NetworkModel model) => Change(model, towardsTraining: true);

    /// <summary>The other way, once training is done.</summary>
    public void Fold(NetworkModel model) => Change(model, towardsTraining: false);

    private void Change(NetworkModel model, bool towardsTraining)
    {
        if (model.Architecture is not { } architecture || !(ChangesFeatures || ChangesLabel))
            return;
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> weights = model.Weights;
        int last = architecture.HiddenLayers.Length;
        if (!towardsTraining)
            Biases = (Values(weights, 0, "bias"), Values(weights, last, "bias"));
        if (ChangesFeatures)
            ChangeFirstLayer(weights, architecture, towardsTraining);
        if (ChangesLabel && towardsTraining)
            ChangeLastLayer(weights, last, 1 / LabelDeviation, -LabelMean / LabelDeviation);
        else if (ChangesLabel)
            ChangeLastLayer(weights, last, LabelDeviation, LabelMean);
        if (towardsTraining && Biases is var (firstBias, lastBias))
        {
            Write(weights, last, "bias", lastBias);
            Write(weights, 0, "bias", firstBias);
        }
    }

    private void ChangeFirstLayer(Dictionary<string, Tensor> weights, NetworkArchitecture architecture, bool towardsTraining)
    {
        float[] weight = Values(weights, 0, "weight"), bias = Values(weights, 0, "bias");
        for (int unit = 0; unit < bias.Length; unit++)
        {
            double shift = 0;
            for (int i = 0; i < architecture.Features; i++)
            {
                ref float value = ref weight[(unit * architecture.FirstInputs) + i];
                double changed = towardsTraining ? (double)value * FeatureDeviations[i] : (double)value / FeatureDeviations[i];
                // W·m, with the weights by which features as they come are multiplied.
                shift += (towardsTraining ? value : changed) * FeatureMeans[i];
                value = (float)changed;
            }

            bias[unit] = (float)(towardsTraining ? bias[unit] + shift : bias[unit] - shift);
        }

        Write(weights, 0, "weight", weight);
        Write(weights, 0, "bias", bias);
    }

    private static void ChangeLastLayer(Dictionary<string, Tensor> weights, int layer, double scale, double shift)
    {
        float[] weight = Values(weights, layer, "weight"), bias = Values(weights, layer, "bias");
        for (int i = 0; i < weight.Length; i++)
            weight[i] = (float)(weight[i] * scale);
        for (int i = 0; i < bias.Length; i++)
            bias[i] = (float)((bias[i] * scale) + shift);
        Write(weights, layer, "weight", weight);
        Write(weights, layer, "bias", bias);
    }

    private static float[] Values(Dictionary<string, Tensor> weights, int layer, string name)
        => Optimizer.Floats(Find(weights, layer, name).detach().cpu().contiguous()).ToArray();

    private static void Write(Dictionary<string, Tensor> weights, int layer, string name, float[] values)
    {
        Tensor to = Find(weights, layer, name);
        to.copy_(tensor(values, device: CPU).reshape(to.shape));
    }

    private static Tensor Find(Dictionary<string, Tensor> weights, int layer, string name) =>
        weights[$"{MultilayerPerceptron.LayerName(layer)}.{name}"];
}
