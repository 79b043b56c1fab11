using System.Numerics.Tensors;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>A trained multilayer perceptron as plain arrays: scores on the CPU without torch. Immutable; many threads may use it at
/// once.</summary>
/// <remarks>
/// One call into torch for one row costs more than the row, and torch's matrix product gives a row other last bits in another batch.
/// Here a row's scores are the same bits alone, in a batch and after loading.
/// </remarks>
internal sealed unsafe class DenseNetwork
{
    /// <summary>Rows that pass through all layers together: their activations stay in the cache.</summary>
    private const int RowsPerPass = 16 * DenseKernel.TileRows;
    private const float NormalizationEpsilon = 1e-5f;

    private readonly NetworkArchitecture _architecture;
    private readonly Layer[] _layers;
    private readonly int _widest;

    /// <param name="architecture">Sizes and functions.</param>
    /// <param name="weight">Values of a weight by its name in <see cref="MultilayerPerceptron"/>.</param>
    public DenseNetwork(NetworkArchitecture architecture, Func<string, float[]> weight)
    {
        _architecture = architecture;
        int[] sizes = [architecture.Inputs, .. architecture.HiddenLayers, architecture.Outputs];
        _layers = new Layer[sizes.Length - 1];
        for (int i = 0; i < _layers.Length; i++)
            _layers[i] = CreateLayer(i, sizes[i], sizes[i + 1], weight);
        _widest = _layers.Max(layer => layer.Stride);
    }

    /// <summary>Buffers of one caller.</summary>
    public sealed class Scratch(DenseNetwork network)
    {
        internal float[] Current { get; } = new float[RowsPerPass * network._widest];

        internal float[] Next { get; } = new float[RowsPerPass * network._widest];
    }

    /// <summary>The outputs of the last layer, before any softmax.</summary>
    /// <param name="features">Shape [rows, inputs].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="outputs">Out, shape [rows, outputs].</param>
    /// <param name="scratch">Used by this call alone.</param>
    /// <param name="activationNorms">Out, length rows: the norm of what enters the last layer; or empty.</param>
    public void Forward(ReadOnlySpan<float> features, int rows, Span<float> outputs, Scratch scratch, Span<float> activationNorms = default)
    {
        for (int start = 0; start < rows; start += RowsPerPass)
        {
            int count = Math.Min(RowsPerPass, rows - start);
            ReadOnlySpan<float> input = features.Slice(start * _architecture.Inputs, count * _architecture.Inputs);
            int stride = _architecture.Inputs;
            float[] current = scratch.Current, next = scratch.Next;
            for (int i = 0; i < _layers.Length; i++)
            {
                Layer layer = _layers[i];
                if (i == _layers.Length - 1 && !activationNorms.IsEmpty)
                    NormRows(input, stride, layer.Inputs, activationNorms.Slice(start, count));
                fixed (float* x = input, weights = layer.Weights, bias = layer.Bias, y = next)
                    DenseKernel.Forward(x, stride, weights, bias, y, layer.Stride, count, layer.Inputs, layer.Panels);
                if (i < _layers.Length - 1)
                    ActivateRows(layer, next, count);
                (current, next) = (next, current);
                input = current;
                stride = layer.Stride;
            }

            for (int row = 0; row < count; row++)
                current.AsSpan(row * stride, _architecture.Outputs).CopyTo(outputs[((start + row) * _architecture.Outputs)..]);
        }
    }

    private Layer CreateLayer(int index, int inputs, int outputs, Func<string, float[]> weight)
    {
        var layer = new Layer(inputs, outputs);
        string Name(string part) => $"{MultilayerPerceptron.LayerName(index)}.{part}";
        float[] weights = weight(Name("weight"));
        float[] bias = weight(Name("bias"));
        bool hidden = index < _layers.Length - 1;
        float[]? scale = null, shift = null;
        if (hidden && _architecture.Normalization == Normalization.Batch)
        {
            // Scoring uses the running mean and variance, so the normalisation is one more linear map: fold it in.
            float[] mean = weight(Name("mean")), variance = weight(Name("variance"));
            scale = [.. weight(Name("scale")).Zip(variance, (s, v) => s / MathF.Sqrt(v + NormalizationEpsilon))];
            shift = [.. weight(Name("shift")).Select((s, i) => s - mean[i] * scale[i])];
        }
        else if (hidden && _architecture.Normalization == Normalization.Layer)
        {
            layer.Scale = weight(Name("scale"));
            layer.Shift = weight(Name("shift"));
        }

        for (int o = 0; o < outputs; o++)
            layer.Bias[o] = scale is null ? bias[o] : bias[o] * scale[o] + shift![o];
        for (int panel = 0, to = 0; panel < outputs; panel += DenseKernel.PanelWidth)
        {
            for (int k = 0; k < inputs; k++, to += DenseKernel.PanelWidth)
            {
                for (int o = panel; o < Math.Min(panel + DenseKernel.PanelWidth, outputs); o++)
                    layer.Weights[to + o - panel] = weights[o * inputs + k] * (scale is null ? 1f : scale[o]);
            }
        }

        return layer;
    }

    private void ActivateRows(Layer layer, float[] values, int rows)
    {
        // Row by row, so that a row's bits do not depend on where in a vector it stands.
        for (int row = 0; row < rows; row++)
        {
            Span<float> units = values.AsSpan(row * layer.Stride, layer.Outputs);
            if (layer.Scale is not null)
                NormalizeRow(units, layer.Scale, layer.Shift!);
            ActivationFunctions.Apply(_architecture.Activation, units);
        }
    }

    private static void NormRows(ReadOnlySpan<float> values, int stride, int width, Span<float> norms)
    {
        for (int row = 0; row < norms.Length; row++)
            norms[row] = (float)Math.Sqrt(WindowSums.SumOfSquares(values.Slice(row * stride, width)));
    }

    private static void NormalizeRow(Span<float> units, float[] scale, float[] shift)
    {
        float mean = TensorPrimitives.Sum<float>(units) / units.Length;
        TensorPrimitives.Subtract(units, mean, units);
        float variance = TensorPrimitives.SumOfSquares<float>(units) / units.Length;
        TensorPrimitives.Multiply(units, 1f / MathF.Sqrt(variance + NormalizationEpsilon), units);
        TensorPrimitives.MultiplyAdd(units, scale, shift, units);
    }

    private sealed class Layer(int inputs, int outputs)
    {
        public int Inputs => inputs;

        public int Outputs => outputs;

        public int Panels { get; } = DenseKernel.Panels(outputs);

        /// <summary>Distance of two rows of outputs.</summary>
        public int Stride { get; } = DenseKernel.Stride(outputs);

        /// <summary>In panels.</summary>
        public float[] Weights { get; } = new float[DenseKernel.Panels(outputs) * DenseKernel.PanelWidth * inputs];

        public float[] Bias { get; } = new float[DenseKernel.Panels(outputs) * DenseKernel.PanelWidth];

        public float[]? Scale { get; set; }

        public float[]? Shift { get; set; }
    }
}
