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

    /// <summary>Inputs from which on rows may be sparse.</summary>
    public const int WideInputs = 4096;

    private readonly NetworkArchitecture _architecture;
    private readonly Layer[] _layers;
    private readonly float[][] _tables;
    private readonly int _widest;

    /// <param name="architecture">Sizes and functions.</param>
    /// <param name="weight">Values of a weight by its name in <see cref="MultilayerPerceptron"/>.</param>
    public DenseNetwork(NetworkArchitecture architecture, Func<string, float[]> weight)
    {
        _architecture = architecture;
        int[] sizes = [architecture.FirstInputs, .. architecture.HiddenLayers, architecture.Outputs];
        _layers = new Layer[sizes.Length - 1];
        for (int i = 0; i < _layers.Length; i++)
            _layers[i] = CreateLayer(i, sizes[i], sizes[i + 1], weight);
        _widest = _layers.Max(layer => layer.Stride);
        _tables = [.. architecture.Embeddings.Select((_, i) => weight($"{MultilayerPerceptron.TableName(i)}.weight"))];
    }

    /// <summary>Whether rows are to be given as their values that are not zero: their keys stand for embeddings, or they are so wide that
    /// most of them have few.</summary>
    public bool TakesSparse => _tables.Length > 0 || _architecture.Inputs >= WideInputs;

    /// <summary>Whether whole rows may be given too.</summary>
    public bool TakesWhole => _tables.Length == 0;

    /// <summary>Buffers of one caller.</summary>
    public sealed class Scratch(DenseNetwork network)
    {
        internal float[] Current { get; } = new float[RowsPerPass * network._widest];

        internal float[] Next { get; } = new float[RowsPerPass * network._widest];

        internal SparseRows Embedded { get; } = new();
    }

    /// <summary>The outputs of the last layer, before any softmax.</summary>
    /// <param name="features">Shape [rows, inputs].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="outputs">Out, shape [rows, outputs].</param>
    /// <param name="scratch">Used by this call alone.</param>
    /// <param name="activationNorms">Out, length rows: the norm of what enters the last layer; or empty.</param>
    public void Forward(ReadOnlySpan<float> features, int rows, Span<float> outputs, Scratch scratch, Span<float> activationNorms = default)
    {
        Layer first = _layers[0];
        for (int start = 0; start < rows; start += RowsPerPass)
        {
            int count = Math.Min(RowsPerPass, rows - start);
            ReadOnlySpan<float> input = features.Slice(start * first.Inputs, count * first.Inputs);
            Span<float> norms = activationNorms.IsEmpty ? [] : activationNorms.Slice(start, count);
            if (_layers.Length == 1)
                NormRows(input, first.Inputs, first.Inputs, norms);
            fixed (float* x = input, weights = first.Weights, bias = first.Bias, y = scratch.Current)
                DenseKernel.Forward(x, first.Inputs, weights, bias, y, first.Stride, count, first.Inputs, first.Panels);
            FinishPass(count, outputs[(start * _architecture.Outputs)..], scratch, norms);
        }
    }

    /// <summary>The same for rows of which the values that are not zero are given; the same bits.</summary>
    /// <param name="features">The rows.</param>
    /// <param name="outputs">Out, shape [rows, outputs].</param>
    /// <param name="scratch">Used by this call alone.</param>
    /// <param name="activationNorms">Out, length rows: the norm of what enters the last layer; or empty.</param>
    public void Forward(SparseRows features, Span<float> outputs, Scratch scratch, Span<float> activationNorms = default)
    {
        Layer first = _layers[0];
        if (_tables.Length > 0)
            features = Embed(features, scratch.Embedded);
        for (int start = 0; start < features.Count; start += RowsPerPass)
        {
            int count = Math.Min(RowsPerPass, features.Count - start);
            Span<float> norms = activationNorms.IsEmpty ? [] : activationNorms.Slice(start, count);
            for (int row = 0; _layers.Length == 1 && row < norms.Length; row++)
                norms[row] = (float)Math.Sqrt(WindowSums.SumOfSquares(features.ValuesOf(start + row)));
            fixed (int* slots = features.Slots)
            fixed (float* values = features.Values, weights = first.Weights, bias = first.Bias, y = scratch.Current)
            {
                for (int row = 0; row < count; row++)
                {
                    int at = features.Start(start + row);
                    DenseKernel.ForwardSparse(slots + at, values + at, features.LengthOf(start + row), weights, bias,
                        y + row * first.Stride, first.Inputs, first.Panels);
                }
            }

            FinishPass(count, outputs[(start * _architecture.Outputs)..], scratch, norms);
        }
    }

    /// <summary>Puts the keys' values in the place of the keys, which are the last inputs.</summary>
    private SparseRows Embed(SparseRows rows, SparseRows embedded)
    {
        embedded.Clear();
        for (int row = 0; row < rows.Count; row++)
        {
            embedded.Add(rows, row, _architecture.Features);
            int slot = _architecture.Features;
            for (int i = 0; i < _tables.Length; i++)
            {
                int width = _architecture.Embeddings[i].Width, key = (int)rows.ValueOf(row, _architecture.Features + i);
                _tables[i].AsSpan(key * width, width).CopyTo(embedded.Extend(slot, width));
                slot += width;
            }
        }

        return embedded;
    }

    /// <summary>The way from the first layer's sums, which are the scratch's current ones, to the outputs.</summary>
    private void FinishPass(int count, Span<float> outputs, Scratch scratch, Span<float> norms)
    {
        float[] current = scratch.Current, next = scratch.Next;
        for (int i = 1; i < _layers.Length; i++)
        {
            Layer below = _layers[i - 1], layer = _layers[i];
            ActivateRows(below, current, count);
            if (i == _layers.Length - 1)
                NormRows(current, below.Stride, layer.Inputs, norms);
            fixed (float* x = current, weights = layer.Weights, bias = layer.Bias, y = next)
                DenseKernel.Forward(x, below.Stride, weights, bias, y, layer.Stride, count, layer.Inputs, layer.Panels);
            (current, next) = (next, current);
        }

        for (int row = 0; row < count; row++)
            current.AsSpan(row * _layers[^1].Stride, _architecture.Outputs).CopyTo(outputs[(row * _architecture.Outputs)..]);
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
