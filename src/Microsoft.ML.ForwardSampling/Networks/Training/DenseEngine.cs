using System.Runtime.Intrinsics;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Steps of a fully connected network on plain memory: no tensor is made, no gradient of a weight is written down.</summary>
/// <remarks>
/// A step has two parts with one meeting of the threads between them. In the first each thread takes some of the rows through all layers,
/// forwards and back. In the second each takes some of the weights, and sums and uses up their gradients register by register: a weight and
/// its optimizer state are read and written once. Every sum is made by one thread in a fixed order: the same seed gives the same bits on
/// any number of threads.
/// </remarks>
internal sealed unsafe class DenseEngine : TrainingEngine
{
    private const int MostRows = 1024;
    private const long SmallestShare = 1 << 17; // multiply-adds: below, meeting takes as long as the work that a thread would be spared
    private const int InputsPerUnit = 10 * DenseKernel.TileRows; // of work on weights

    private readonly NetworkModel _model;
    private readonly TaskHead _head;
    private readonly Activation _activation;
    private readonly Optimizer _optimizer;
    private readonly float? _gradientLimit;
    private readonly Layer[] _layers;
    private readonly ThreadTeam _team;
    private readonly Action<int> _passRows;
    private readonly Action<int> _scoreRows;
    private readonly Action<int> _useGradients;
    private readonly Action<int> _storeGradients;
    private readonly Action<int> _useStoredGradients;
    private readonly Action<int> _transpose;
    private readonly long _weightCount;
    private readonly int _features;
    private readonly int _featureStride;
    private readonly AlignedFloats _batch;
    private readonly AlignedFloats _one = new(1);
    private readonly AlignedFloats _zeros;
    private readonly float[] _labels;
    private readonly float[] _weights;
    private readonly float[] _rowLosses;
    private float[] _packed = [];

    // For scoring, made when first asked for: most runs are short and score nothing.
    private AlignedFloats? _scored;
    private AlignedFloats[] _scoredOutputs = [];
    private float[] _outputs = [];

    private int _members = 1;
    private int _rows;
    private float _gradientScale = 1f;
    private double _lossSum;
    private int _losses;

    public DenseEngine(NetworkModel model, NetworkTrainerOptions options)
    {
        _model = model;
        _head = model.Head;
        _optimizer = model.Optimizer!;
        _gradientLimit = options.MaximumGradientNorm;
        NetworkArchitecture architecture = model.Architecture!;
        _activation = architecture.Activation;
        _features = architecture.Inputs;
        _featureStride = DenseKernel.OddLines(_features);
        MostRowsPerScoring = RowBlocks.RowsFor(_features, MostRows);
        int[] sizes = [architecture.Inputs, .. architecture.HiddenLayers, architecture.Outputs];
        _layers = new Layer[sizes.Length - 1];
        for (int i = 0; i < _layers.Length; i++)
            _layers[i] = new Layer(sizes[i], sizes[i + 1], options.BatchRows, _optimizer.StateTensors,
                keepsInput: i < _layers.Length - 1 && ActivationFunctions.DerivativeNeedsInput(_activation),
                keepsGradient: _gradientLimit is not null, passesGradientOn: i > 0);
        _batch = new AlignedFloats((long)options.BatchRows * _featureStride);
        _one.Span[0] = 1f;
        _weightCount = _layers.Sum(layer => (long)layer.Weights.Length);
        _zeros = new AlignedFloats(_layers.Max(layer => layer.Panels) * DenseKernel.PanelWidth);
        _labels = new float[options.BatchRows];
        _weights = new float[options.BatchRows];
        _rowLosses = new float[options.BatchRows];
        _team = new ThreadTeam(Math.Clamp(options.Threads ?? TorchSettings.UsersThreads, 1, Environment.ProcessorCount));
        _passRows = PassRows;
        _scoreRows = ScoreRows;
        _useGradients = UseGradients;
        _storeGradients = StoreGradients;
        _useStoredGradients = UseStoredGradients;
        _transpose = Transpose;
        CopyFromModel();
        Transpose(0);
    }

    public override int MostRowsPerScoring { get; }

    /// <summary>Whether a network can be trained here: built from options, on the CPU, with nothing between its layers but the
    /// activation.</summary>
    public static bool CanTrain(NetworkModel model)
        => model is
        {
            Architecture: { Normalization: Normalization.None, Dropout: 0f }, Device.type: DeviceType.CPU,
            Optimizer: Adam or AdaMod or Sgd
        };

    public override void Fill(RowPool pool, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights, int start)
    {
        CopyFeatures(pool, rows, _batch.Span[(start * _featureStride)..]);
        for (int i = 0; i < rows.Length; i++)
        {
            _labels[start + i] = pool.Labels[rows[i]];
            _weights[start + i] = (weights.IsEmpty ? 1f : weights[i]) * (pool.Weighted ? pool.Weights[rows[i]] : 1f);
        }
    }

    public override void Step(int rows, float learningRate)
    {
        _rows = rows;
        _optimizer.Advance(learningRate);
        Share(_passRows);
        if (_gradientLimit is { } limit)
        {
            Share(_storeGradients);
            double norm = Math.Sqrt(_layers.Sum(layer => layer.SumOfSquaredGradients()));
            _gradientScale = norm > limit ? (float)(limit / norm) : 1f;
            Share(_useStoredGradients);
            Share(_transpose);
        }
        else
        {
            Share(_useGradients);
        }

        _lossSum += TensorPrimitives.Dot(_rowLosses.AsSpan(0, rows), _weights.AsSpan(0, rows)) / rows;
        _losses++;
    }

    public override ReadOnlySpan<float> RowLosses(int rows) => _rowLosses.AsSpan(0, rows);

    public override ReadOnlySpan<float> FeatureValues(int rows)
    {
        if (_packed.Length < rows * _features)
            _packed = new float[rows * _features];
        for (int row = 0; row < rows; row++)
            _batch.Span.Slice(row * _featureStride, _features).CopyTo(_packed.AsSpan(row * _features));
        return _packed.AsSpan(0, rows * _features);
    }

    public override void CopyClasses(Span<int> classes)
    {
        for (int i = 0; i < classes.Length; i++)
            classes[i] = (int)_labels[i];
    }

    public override float? TakeMeanLoss()
    {
        if (_losses == 0)
            return null;
        float mean = (float)(_lossSum / _losses);
        (_lossSum, _losses) = (0, 0);
        return mean;
    }

    public override ReadOnlySpan<float> Score(RowPool pool, ReadOnlySpan<int> rows, Span<float> activationNorms = default)
    {
        if (_scored is null)
        {
            _scored = new AlignedFloats((long)MostRowsPerScoring * _featureStride);
            _scoredOutputs = [.. _layers.Select(layer => new AlignedFloats((long)MostRowsPerScoring * layer.Stride))];
            _outputs = new float[MostRowsPerScoring * _head.Outputs];
        }

        CopyFeatures(pool, rows, _scored.Span);
        _rows = rows.Length;
        Share(_scoreRows);
        for (int row = 0; row < activationNorms.Length; row++)
        {
            ReadOnlySpan<float> entering = _layers.Length == 1 ? _scored.Span.Slice(row * _featureStride, _features)
                : _layers[^2].Row(_scoredOutputs[^2], row);
            activationNorms[row] = (float)Math.Sqrt(WindowSums.SumOfSquares(entering));
        }

        return _outputs.AsSpan(0, rows.Length * _head.Outputs);
    }

    public override (double Loss, double Weight) Evaluate(RowPool pool, ReadOnlySpan<int> rows)
    {
        ReadOnlySpan<float> outputs = Score(pool, rows);
        double sum = 0, weights = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            float weight = pool.Weighted ? pool.Weights[rows[i]] : 1f;
            weights += weight;
            sum += weight * _head.RowLoss(outputs.Slice(i * _head.Outputs, _head.Outputs), pool.Labels[rows[i]]);
        }

        return (sum, weights);
    }

    public override void Average(float keep)
    {
        foreach (Layer layer in _layers)
            layer.AverageWeights(keep);
    }

    public override void ExchangeAverage()
    {
        foreach (Layer layer in _layers)
            layer.ExchangeAverage();
    }

    public override float[][] CopyWeights() =>
        [.. _layers.SelectMany(layer => new[] { layer.Weights.Span.ToArray(), layer.Bias.Span.ToArray() })];

    public override void ResumeAverage(float[][] weights)
    {
        Average(keep: 0f);
        for (int i = 0; i < _layers.Length; i++)
        {
            weights[2 * i].CopyTo(_layers[i].Weights.Span);
            weights[(2 * i) + 1].CopyTo(_layers[i].Bias.Span);
        }

        Transpose(0);
    }

    public override void KeepBestWeights()
    {
        foreach (Layer layer in _layers)
            layer.KeepBest();
    }

    public override void Finish()
    {
        foreach (Layer layer in _layers)
            layer.RestoreBest();
        CopyToModel();
        _model.Network.eval();
    }

    public override void Dispose()
    {
        _team.Dispose();
        _batch.Dispose();
        _scored?.Dispose();
        foreach (AlignedFloats output in _scoredOutputs)
            output.Dispose();
        _one.Dispose();
        _zeros.Dispose();
        foreach (Layer layer in _layers)
            layer.Dispose();
    }

    private void Share(Action<int> work)
    {
        _members = _rows * _weightCount >= SmallestShare * _team.Size ? _team.Size : 1;
        if (_members == 1)
            work(0);
        else
            _team.Run(work);
    }

    private void CopyFeatures(RowPool pool, ReadOnlySpan<int> rows, Span<float> to)
    {
        for (int i = 0; i < rows.Length; i++)
            pool.Features.AsSpan(rows[i] * _features, _features).CopyTo(to[(i * _featureStride)..]);
    }

    /// <summary>A member's part of the batch, whole tiles of it.</summary>
    private (int First, int Count) RowsOf(int member)
    {
        int tiles = (_rows + DenseKernel.TileRows - 1) / DenseKernel.TileRows;
        int first = (int)((long)tiles * member / _members) * DenseKernel.TileRows,
            end = (int)((long)tiles * (member + 1) / _members) * DenseKernel.TileRows;
        return (first, Math.Min(end, _rows) - first);
    }

    private void ScoreRows(int member)
    {
        (int first, int count) = RowsOf(member);
        if (count <= 0)
            return;
        Forward(_scored!.Pointer, first, count, forTraining: false);
        Layer last = _layers[^1];
        for (int row = first; row < first + count; row++)
            last.Row(_scoredOutputs[^1], row).CopyTo(_outputs.AsSpan(row * _head.Outputs));
    }

    private void PassRows(int member)
    {
        (int first, int count) = RowsOf(member);
        if (count <= 0)
            return;
        Forward(_batch.Pointer, first, count, forTraining: true);
        Layer last = _layers[^1];
        for (int row = first; row < first + count; row++)
            _rowLosses[row] = _head.RowLossAndGradient(last.Row(last.Output, row), _labels[row], _weights[row] / _rows,
                last.Row(last.Gradient, row));
        for (int i = _layers.Length - 1; i > 0; i--)
        {
            Layer layer = _layers[i], below = _layers[i - 1];
            DenseKernel.Forward(layer.Gradient.Pointer + (nint)first * layer.Stride, layer.Stride, layer.Transposed!.Pointer,
                _zeros.Pointer, below.Gradient.Pointer + (nint)first * below.Stride, below.Stride, count, layer.Outputs, below.Panels);
            for (int row = first; row < first + count; row++)
                ActivationFunctions.MultiplyByDerivative(_activation, below.Row(below.BeforeActivation ?? below.Output, row),
                    below.Row(below.Gradient, row));
        }
    }

    private void Forward(float* features, int first, int count, bool forTraining)
    {
        float* x = features + (nint)first * _featureStride;
        nint stride = _featureStride;
        for (int i = 0; i < _layers.Length; i++)
        {
            Layer layer = _layers[i];
            AlignedFloats output = forTraining ? layer.Output : _scoredOutputs[i];
            float* y = output.Pointer + (nint)first * layer.Stride;
            DenseKernel.Forward(x, stride, layer.Weights.Pointer, layer.Bias.Pointer, y, layer.Stride, count, layer.Inputs, layer.Panels);
            if (i < _layers.Length - 1)
            {
                if (forTraining && layer.BeforeActivation is { } before)
                    new ReadOnlySpan<float>(y, count * layer.Stride).CopyTo(before.Span[(first * layer.Stride)..]);
                for (int row = first; row < first + count; row++)
                    ActivationFunctions.Apply(_activation, layer.Row(output, row));
            }

            x = y;
            stride = layer.Stride;
        }
    }

    private void UseGradients(int member)
    {
        if (Lanes512.IsSupported)
            UseGradients<Vector512<float>, Lanes512>(member, stored: false);
        else if (Lanes256.IsSupported)
            UseGradients<Vector256<float>, Lanes256>(member, stored: false);
        else
            UseGradients<Vector128<float>, Lanes128>(member, stored: false);
    }

    private void UseStoredGradients(int member)
    {
        if (Lanes512.IsSupported)
            UseGradients<Vector512<float>, Lanes512>(member, stored: true);
        else if (Lanes256.IsSupported)
            UseGradients<Vector256<float>, Lanes256>(member, stored: true);
        else
            UseGradients<Vector128<float>, Lanes128>(member, stored: true);
    }

    private void StoreGradients(int member)
    {
        if (Lanes512.IsSupported)
            EachGradient<Vector512<float>, Lanes512, GradientStore<Vector512<float>, Lanes512>>(member, toGradients: true, default);
        else if (Lanes256.IsSupported)
            EachGradient<Vector256<float>, Lanes256, GradientStore<Vector256<float>, Lanes256>>(member, toGradients: true, default);
        else
            EachGradient<Vector128<float>, Lanes128, GradientStore<Vector128<float>, Lanes128>>(member, toGradients: true, default);
    }

    private void UseGradients<TVector, TLanes>(int member, bool stored)
        where TLanes : struct, ILanes<TVector>
    {
        if (_optimizer is Adam adam)
            Use<TVector, TLanes, AdamUpdate<TVector, TLanes>>(member, stored, adam.OnRegisters<TVector, TLanes>(_gradientScale));
        else if (_optimizer is AdaMod adaMod)
            Use<TVector, TLanes, AdaModUpdate<TVector, TLanes>>(member, stored, adaMod.OnRegisters<TVector, TLanes>(_gradientScale));
        else
            Use<TVector, TLanes, SgdUpdate<TVector, TLanes>>(member, stored,
                ((Sgd)_optimizer).OnRegisters<TVector, TLanes>(_gradientScale));
    }

    private void Use<TVector, TLanes, TUpdate>(int member, bool stored, in TUpdate update)
        where TLanes : struct, ILanes<TVector>
        where TUpdate : struct, IWeightUpdate<TVector>
    {
        if (!stored)
        {
            EachGradient<TVector, TLanes, TUpdate>(member, toGradients: false, in update);
            return;
        }

        foreach (Layer layer in _layers)
        {
            (int first, int end) = Part(member, layer.Weights.Length / TLanes.Count);
            for (int i = first; i < end; i++)
                update.Apply(layer.WeightMemory.At(i * (nint)TLanes.Count),
                    TLanes.Load(layer.WeightGradient!.Pointer + i * (nint)TLanes.Count));
            (first, end) = Part(member, layer.Bias.Length / TLanes.Count);
            for (int i = first; i < end; i++)
                update.Apply(layer.BiasMemory.At(i * (nint)TLanes.Count),
                    TLanes.Load(layer.BiasGradient!.Pointer + i * (nint)TLanes.Count));
        }
    }

    /// <summary>Gives a member's part of the gradients to the update: of each layer a run of units, which are some inputs of one
    /// panel.</summary>
    private void EachGradient<TVector, TLanes, TUpdate>(int member, bool toGradients, in TUpdate update)
        where TLanes : struct, ILanes<TVector>
        where TUpdate : struct, IWeightUpdate<TVector>
    {
        float* x = _batch.Pointer;
        nint stride = _featureStride;
        foreach (Layer layer in _layers)
        {
            WeightMemory weights = toGradients ? new WeightMemory(null, layer.WeightGradient!.Pointer, null, null) : layer.WeightMemory;
            WeightMemory biases = toGradients ? new WeightMemory(null, layer.BiasGradient!.Pointer, null, null) : layer.BiasMemory;
            int unitsPerPanel = (layer.Inputs + InputsPerUnit - 1) / InputsPerUnit;
            (int first, int end) = Part(member, layer.Panels * unitsPerPanel);
            for (int unit = first; unit < end; unit++)
            {
                (int panel, int part) = Math.DivRem(unit, unitsPerPanel);
                float* gradient = layer.Gradient.Pointer + panel * DenseKernel.PanelWidth;
                int input = part * InputsPerUnit, inputs = Math.Min(InputsPerUnit, layer.Inputs - input);
                DenseKernel.WeightGradient<TVector, TLanes, TUpdate>(gradient, layer.Stride, x + input, stride, _rows, inputs,
                    weights.At(((nint)panel * layer.Inputs + input) * DenseKernel.PanelWidth), in update);
                if (!toGradients)
                    layer.Transpose(panel, input, inputs);
                if (part == 0) // a bias is the weight of an input that is always 1
                    DenseKernel.WeightGradient<TVector, TLanes, TUpdate>(gradient, layer.Stride, _one.Pointer, 0, _rows, 1,
                        biases.At(panel * DenseKernel.PanelWidth), in update);
            }

            x = layer.Output.Pointer;
            stride = layer.Stride;
        }
    }

    private void Transpose(int member)
    {
        foreach (Layer layer in _layers)
        {
            (int first, int end) = Part(member, layer.Panels);
            for (int panel = first; panel < end; panel++)
                layer.Transpose(panel, 0, layer.Inputs);
        }
    }

    private (int First, int End) Part(int member, int count)
        => ((int)((long)count * member / _members), (int)((long)count * (member + 1) / _members));

    private void CopyFromModel() => Exchange((layer, weight, bias, state) =>
    {
        layer.ToPanels(Optimizer.Floats(weight), layer.Weights);
        Optimizer.Floats(bias).CopyTo(layer.Bias.Span);
        for (int i = 0; i < state.Weight.Length; i++)
        {
            layer.ToPanels(Optimizer.Floats(state.Weight[i]), layer.WeightState[i]);
            Optimizer.Floats(state.Bias[i]).CopyTo(layer.BiasState[i].Span);
        }
    });

    private void CopyToModel() => Exchange((layer, weight, bias, state) =>
    {
        layer.FromPanels(layer.Weights, Optimizer.Floats(weight));
        layer.Bias.Span[..layer.Outputs].CopyTo(Optimizer.Floats(bias));
        for (int i = 0; i < state.Weight.Length; i++)
        {
            layer.FromPanels(layer.WeightState[i], Optimizer.Floats(state.Weight[i]));
            layer.BiasState[i].Span[..layer.Outputs].CopyTo(Optimizer.Floats(state.Bias[i]));
        }
    });

    private void Exchange(Action<Layer, Tensor, Tensor, (Tensor[] Weight, Tensor[] Bias)> copy)
    {
        using DisposeScope scope = NewDisposeScope();
        (string Name, Tensor Value)[] parameters = [.. _model.Network.named_parameters().Select(p => (p.name, (Tensor)p.parameter))];
        Tensor[][] state = _optimizer.StateOf([.. parameters.Select(p => p.Value)]);
        for (int i = 0; i < _layers.Length; i++)
        {
            int weight = Array.FindIndex(parameters, p => p.Name == $"{MultilayerPerceptron.LayerName(i)}.weight"),
                bias = Array.FindIndex(parameters, p => p.Name == $"{MultilayerPerceptron.LayerName(i)}.bias");
            copy(_layers[i], parameters[weight].Value, parameters[bias].Value, (state[weight], state[bias]));
        }
    }

    /// <summary>One layer's weights, what the optimizer notes of each, and the buffers of a batch.</summary>
    private sealed class Layer : IDisposable
    {
        private readonly AlignedFloats?[] _bestWeights = new AlignedFloats?[2];
        private readonly AlignedFloats?[] _averages = new AlignedFloats?[2];

        public Layer(int inputs, int outputs, int rows, int states, bool keepsInput, bool keepsGradient, bool passesGradientOn)
        {
            Inputs = inputs;
            Outputs = outputs;
            Panels = DenseKernel.Panels(outputs);
            Stride = DenseKernel.Stride(outputs);
            int padded = Panels * DenseKernel.PanelWidth;
            Weights = new AlignedFloats((long)padded * inputs);
            Bias = new AlignedFloats(padded);
            WeightState = [.. Enumerable.Range(0, states).Select(_ => new AlignedFloats((long)padded * inputs))];
            BiasState = [.. Enumerable.Range(0, states).Select(_ => new AlignedFloats(padded))];
            Output = new AlignedFloats((long)rows * Stride);
            Gradient = new AlignedFloats((long)rows * Stride);
            BeforeActivation = keepsInput ? new AlignedFloats((long)rows * Stride) : null;
            WeightGradient = keepsGradient ? new AlignedFloats((long)padded * inputs) : null;
            BiasGradient = keepsGradient ? new AlignedFloats(padded) : null;
            Transposed = passesGradientOn ? new AlignedFloats((long)DenseKernel.Panels(inputs) * DenseKernel.PanelWidth * outputs) : null;
        }

        public int Inputs { get; }

        public int Outputs { get; }

        public int Panels { get; }

        public int Stride { get; }

        public AlignedFloats Weights { get; private set; }

        public AlignedFloats Bias { get; private set; }

        public AlignedFloats[] WeightState { get; }

        public AlignedFloats[] BiasState { get; }

        /// <summary>After the activation; shape [rows, Stride].</summary>
        public AlignedFloats Output { get; }

        /// <summary>Of the loss, by what stands before the activation; shape [rows, Stride]. Beyond Outputs it stays 0, and so do the
        /// weights there.</summary>
        public AlignedFloats Gradient { get; }

        public AlignedFloats? BeforeActivation { get; }

        public AlignedFloats? WeightGradient { get; }

        public AlignedFloats? BiasGradient { get; }

        /// <summary>The weights once more, in panels of inputs, for the gradient of the inputs; null for the first layer, whose inputs need
        /// none.</summary>
        public AlignedFloats? Transposed { get; }

        public WeightMemory WeightMemory => Memory(Weights, WeightState);

        public WeightMemory BiasMemory => Memory(Bias, BiasState);

        public Span<float> Row(AlignedFloats buffer, int row) => buffer.Span.Slice(row * Stride, Outputs);

        public double SumOfSquaredGradients() => (double)TensorPrimitives.SumOfSquares<float>(WeightGradient!.Span)
            + TensorPrimitives.SumOfSquares<float>(BiasGradient!.Span);

        /// <summary>Copies some inputs' weights of a panel to where the transposed ones stand.</summary>
        public void Transpose(int panel, int firstInput, int inputs)
        {
            if (Transposed is null)
                return;
            int width = DenseKernel.PanelWidth, outputs = Math.Min(width, Outputs - panel * width);
            float* from = Weights.Pointer + ((nint)panel * Inputs + firstInput) * width;
            for (int i = 0; i < inputs; i++, from += width)
            {
                float* to = Transposed.Pointer + DenseKernel.IndexOf(panel * width, firstInput + i, Outputs);
                for (int o = 0; o < outputs; o++)
                    to[o * (nint)width] = from[o];
            }
        }

        public void ToPanels(ReadOnlySpan<float> rows, AlignedFloats panels)
        {
            int width = DenseKernel.PanelWidth;
            for (int first = 0; first < Outputs; first += width)
            {
                float* to = panels.Pointer + (nint)first * Inputs;
                int outputs = Math.Min(width, Outputs - first);
                for (int input = 0; input < Inputs; input++, to += width)
                {
                    for (int output = 0; output < outputs; output++)
                        to[output] = rows[(first + output) * Inputs + input];
                }
            }
        }

        public void FromPanels(AlignedFloats panels, Span<float> rows)
        {
            int width = DenseKernel.PanelWidth;
            for (int first = 0; first < Outputs; first += width)
            {
                float* from = panels.Pointer + (nint)first * Inputs;
                int outputs = Math.Min(width, Outputs - first);
                for (int input = 0; input < Inputs; input++, from += width)
                {
                    for (int output = 0; output < outputs; output++)
                        rows[(first + output) * Inputs + input] = from[output];
                }
            }
        }

        public void AverageWeights(float keep)
        {
            Average(ref _averages[0], Weights, keep);
            Average(ref _averages[1], Bias, keep);
        }

        public void ExchangeAverage()
        {
            (Weights, _averages[0]) = (_averages[0]!, Weights);
            (Bias, _averages[1]) = (_averages[1]!, Bias);
        }

        private static void Average(ref AlignedFloats? average, AlignedFloats weights, float keep)
        {
            average ??= new AlignedFloats(weights.Length);
            if (keep == 0f)
                weights.Span.CopyTo(average.Span);
            else
                TensorPrimitives.Lerp<float>(average.Span, weights.Span, 1f - keep, average.Span);
        }

        public void KeepBest()
        {
            Weights.Span.CopyTo((_bestWeights[0] ??= new AlignedFloats(Weights.Length)).Span);
            Bias.Span.CopyTo((_bestWeights[1] ??= new AlignedFloats(Bias.Length)).Span);
        }

        public void RestoreBest()
        {
            _bestWeights[0]?.Span.CopyTo(Weights.Span);
            _bestWeights[1]?.Span.CopyTo(Bias.Span);
        }

        public void Dispose()
        {
            foreach (AlignedFloats? memory in (AlignedFloats?[])[Weights, Bias, Output, Gradient, BeforeActivation, WeightGradient,
                BiasGradient, Transposed, .. WeightState, .. BiasState, .. _bestWeights, .. _averages])
                memory?.Dispose();
        }

        private static WeightMemory Memory(AlignedFloats weights, AlignedFloats[] state)
            => new(weights.Pointer, state.Length > 0 ? state[0].Pointer : null, state.Length > 1 ? state[1].Pointer : null,
                state.Length > 2 ? state[2].Pointer : null);
    }
}
