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
/// Sparse rows enter the first layer as the values that are not zero. Only the weights of the inputs that some row of the batch has are
/// summed, updated and decayed, and only their optimizer state moves; the bits of the others stay. A table of embeddings is a layer below
/// the first whose rows have one input each, a key.
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
    private readonly Layer[] _tables;
    private readonly Layer[] _sparseLayers = [];
    private readonly SparseInput? _sparse;
    private readonly ThreadTeam _team;
    private readonly Action<int> _passRows;
    private readonly Action<int> _scoreRows;
    private readonly Action<int> _useGradients;
    private readonly Action<int> _storeGradients;
    private readonly Action<int> _useStoredGradients;
    private readonly Action<int> _transpose;
    private readonly long _weightCount;
    private readonly int _features;     // without keys
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
    private SparseRows? _scoredRows;
    private AlignedFloats[] _scoredOutputs = [];
    private float[] _outputs = [];

    private int _members = 1;
    private int _rows;
    private float _gradientScale = 1f;
    private double _lossSum;
    private int _losses;

    /// <param name="model">A network that <see cref="CanTrain"/> accepts.</param>
    /// <param name="options">How it is trained.</param>
    /// <param name="sparse">Whether the rows come from a pool that holds them sparse.</param>
    public DenseEngine(NetworkModel model, NetworkTrainerOptions options, bool sparse = false)
    {
        _model = model;
        _head = model.Head;
        _optimizer = model.Optimizer!;
        _gradientLimit = (float?)options.MaximumGradientNorm;
        NetworkArchitecture architecture = model.Architecture!;
        _activation = architecture.Activation;
        _features = architecture.Features;
        _sparse = sparse || architecture.Embeddings.Length > 0 ? new SparseInput(architecture.FirstInputs) : null;
        _featureStride = _sparse is null ? DenseKernel.OddLines(_features) : 0;
        MostRowsPerScoring = sparse ? MostRows : RowBlocks.RowsFor(architecture.FirstInputs, MostRows);
        int[] sizes = [architecture.FirstInputs, .. architecture.HiddenLayers, architecture.Outputs];
        _layers = new Layer[sizes.Length - 1];
        for (int i = 0; i < _layers.Length; i++)
            _layers[i] = new Layer(sizes[i], sizes[i + 1], options.BatchRows, _optimizer.StateTensors, i == 0 ? _sparse : null)
            {
                BeforeActivation = i < _layers.Length - 1 && ActivationFunctions.DerivativeNeedsInput(_activation)
                    ? new AlignedFloats((long)options.BatchRows * DenseKernel.Stride(sizes[i + 1])) : null,
                KeepsGradient = _gradientLimit is not null,
                PassesGradientOn = i > 0,
            };
        _tables = [.. architecture.Embeddings.Select(table => new Layer(table.Keys + 1, table.Width, options.BatchRows,
            _optimizer.StateTensors, new SparseInput(table.Keys + 1))
        {
            IsTable = true,
            KeepsGradient = _gradientLimit is not null,
        })];
        if (_sparse is not null)
            _sparseLayers = [_layers[0], .. _tables];
        _batch = new AlignedFloats((long)options.BatchRows * _featureStride);
        _one.Span[0] = 1f;
        _weightCount = _layers.Sum(layer => layer.Sparse is null ? (long)layer.Weights.Length : 0);
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
        if (_sparse is null)
            CopyFeatures(pool, rows, _batch.Span[(start * _featureStride)..]);
        else
            AddFeatures(pool, rows, start);
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
        foreach (Layer layer in _sparseLayers)
            layer.TakeTouched(rows);
        Share(_passRows);
        if (_gradientLimit is { } limit)
        {
            Share(_storeGradients);
            double norm = Math.Sqrt(Layers.Sum(layer => layer.SumOfSquaredGradients()));
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
        {
            Span<float> to = _packed.AsSpan(row * _features, _features);
            if (_sparse is null)
                _batch.Span.Slice(row * _featureStride, _features).CopyTo(to);
            else
                _sparse.Rows.CopyTo(row, to);
        }

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
            _scoredRows = _sparse is null ? null : new SparseRows();
            _scoredOutputs = [.. _layers.Select(layer => new AlignedFloats((long)MostRowsPerScoring * layer.Stride))];
            _outputs = new float[MostRowsPerScoring * _head.Outputs];
        }

        if (_scoredRows is null)
            CopyFeatures(pool, rows, _scored.Span);
        else
            AddFeatures(pool, rows, _scoredRows);
        _rows = rows.Length;
        Share(_scoreRows);
        for (int row = 0; row < activationNorms.Length; row++)
        {
            ReadOnlySpan<float> entering = _layers.Length > 1 ? _layers[^2].Row(_scoredOutputs[^2], row)
                : _scoredRows is { } sparse ? sparse.ValuesOf(row) : _scored.Span.Slice(row * _featureStride, _features);
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
        foreach (Layer layer in Layers)
            layer.AverageWeights(keep);
    }

    public override void ExchangeAverage()
    {
        foreach (Layer layer in Layers)
            layer.ExchangeAverage();
    }

    public override float[][] CopyWeights() =>
        [.. Layers.SelectMany(layer => new[] { layer.Weights.Span.ToArray(), layer.Bias.Span.ToArray() })];

    public override void ResumeAverage(float[][] weights)
    {
        Average(keep: 0f);
        SetTrained(weights);
    }

    public override float[][] CopyTrained() => CopyWeights();

    public override void SetTrained(float[][] weights)
    {
        int i = 0;
        foreach (Layer layer in Layers)
        {
            weights[i++].CopyTo(layer.Weights.Span);
            weights[i++].CopyTo(layer.Bias.Span);
        }

        Transpose(0);
    }

    public override void KeepBestWeights()
    {
        foreach (Layer layer in Layers)
            layer.KeepBest();
    }

    public override void Finish()
    {
        foreach (Layer layer in Layers)
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
        foreach (Layer layer in Layers)
            layer.Dispose();
    }

    /// <summary>All layers, tables of embeddings last.</summary>
    private IEnumerable<Layer> Layers => _layers.Concat(_tables);

    private void Share(Action<int> part)
    {
        long work = _rows * _weightCount + (_sparse is null ? 0 : (long)_sparse.Rows.Length * _layers[0].Outputs);
        _members = work >= SmallestShare * _team.Size ? _team.Size : 1;
        if (_members == 1)
            part(0);
        else
            _team.Run(part);
    }

    private void CopyFeatures(RowPool pool, ReadOnlySpan<int> rows, Span<float> to)
    {
        for (int i = 0; i < rows.Length; i++)
            pool.Features.AsSpan(rows[i] * _features, _features).CopyTo(to[(i * _featureStride)..]);
    }

    private void AddFeatures(RowPool pool, ReadOnlySpan<int> rows, int start)
    {
        AddFeatures(pool, rows, _sparse!.Rows, isNew: start == 0);
        for (int column = 0; column < _tables.Length; column++)
        {
            SparseRows keys = _tables[column].Sparse!.Rows;
            if (start == 0)
                keys.Clear();
            foreach (int row in rows)
                keys.AddOne(KeyOf(pool, row, column));
        }
    }

    /// <summary>Adds rows as what enters the first layer: features, then the embeddings of keys as they are now.</summary>
    private void AddFeatures(RowPool pool, ReadOnlySpan<int> rows, SparseRows to, bool isNew = true)
    {
        if (isNew)
            to.Clear();
        foreach (int row in rows)
        {
            if (pool.Sparse is { } sparse)
                to.Add(sparse, row, _features);
            else
                to.AddWhole(pool.Features.AsSpan(row * pool.FeatureCount, _features));
            int slot = _features;
            for (int column = 0; column < _tables.Length; column++)
            {
                Layer table = _tables[column];
                table.CopyWeightsOf(KeyOf(pool, row, column), to.Extend(slot, table.Outputs));
                slot += table.Outputs;
            }
        }
    }

    /// <summary>A row's keys stand behind its features; 0 is a missing one.</summary>
    private int KeyOf(RowPool pool, int row, int column) => (int)(pool.Sparse is { } sparse ? sparse.ValueOf(row, _features + column)
        : pool.Features[row * pool.FeatureCount + _features + column]);

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
        Forward(_scored!.Pointer, _scoredRows, first, count, forTraining: false);
        Layer last = _layers[^1];
        for (int row = first; row < first + count; row++)
            last.Row(_scoredOutputs[^1], row).CopyTo(_outputs.AsSpan(row * _head.Outputs));
    }

    private void PassRows(int member)
    {
        (int first, int count) = RowsOf(member);
        if (count <= 0)
            return;
        Forward(_batch.Pointer, _sparse?.Rows, first, count, forTraining: true);
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

        int slot = _features;
        foreach (Layer table in _tables)
        {
            for (int row = first; row < first + count; row++)
                _layers[0].PassBack(row, slot, table.Row(table.Gradient, row));
            slot += table.Outputs;
        }
    }

    private void Forward(float* features, SparseRows? sparse, int first, int count, bool forTraining)
    {
        float* x = features + (nint)first * _featureStride;
        nint stride = _featureStride;
        for (int i = 0; i < _layers.Length; i++)
        {
            Layer layer = _layers[i];
            AlignedFloats output = forTraining ? layer.Output : _scoredOutputs[i];
            float* y = output.Pointer + (nint)first * layer.Stride;
            if (i == 0 && sparse is not null)
                ForwardSparse(sparse, layer, y, first, count);
            else
                DenseKernel.Forward(x, stride, layer.Weights.Pointer, layer.Bias.Pointer, y, layer.Stride, count, layer.Inputs,
                    layer.Panels);
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

    private static void ForwardSparse(SparseRows rows, Layer layer, float* y, int first, int count)
    {
        fixed (int* slots = rows.Slots)
        fixed (float* values = rows.Values)
        {
            for (int row = first; row < first + count; row++, y += layer.Stride)
                DenseKernel.ForwardSparse(slots + rows.Start(row), values + rows.Start(row), rows.LengthOf(row), layer.Weights.Pointer,
                    layer.Bias.Pointer, y, layer.Inputs, layer.Panels);
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

        foreach (Layer table in _tables)
            UseStored<TVector, TLanes, TUpdate>(member, table, in update);
        foreach (Layer layer in _layers)
        {
            (int first, int end) = layer.Sparse is null ? Part(member, layer.Weights.Length / TLanes.Count) : (0, 0);
            if (layer.Sparse is not null)
                UseStored<TVector, TLanes, TUpdate>(member, layer, in update);
            for (int i = first; i < end; i++)
                update.Apply(layer.WeightMemory.At(i * (nint)TLanes.Count),
                    TLanes.Load(layer.WeightGradient!.Pointer + i * (nint)TLanes.Count));
            (first, end) = Part(member, layer.Bias.Length / TLanes.Count);
            for (int i = first; i < end; i++)
                update.Apply(layer.BiasMemory.At(i * (nint)TLanes.Count),
                    TLanes.Load(layer.BiasGradient!.Pointer + i * (nint)TLanes.Count));
        }
    }

    /// <summary>Gives a member's part of the touched inputs' stored gradients to the update.</summary>
    private void UseStored<TVector, TLanes, TUpdate>(int member, Layer layer, in TUpdate update)
        where TLanes : struct, ILanes<TVector>
        where TUpdate : struct, IWeightUpdate<TVector>
    {
        SparseInput input = layer.Sparse!;
        float* gradient = input.Gradient!.Pointer;
        (int first, int end) = Part(member, input.TouchedCount);
        for (int i = first; i < end; i++)
        {
            for (int panel = 0; panel < layer.Panels; panel++)
            {
                WeightMemory weights = layer.WeightMemory.At(layer.IndexOf(input.Touched[i], panel));
                for (int at = 0; at < DenseKernel.PanelWidth; at += TLanes.Count)
                    update.Apply(weights.At(at), TLanes.Load(gradient + (i * (nint)layer.Panels + panel) * DenseKernel.PanelWidth + at));
            }
        }
    }

    /// <summary>The same as <see cref="EachGradient"/> for the inputs that some row touches.</summary>
    private void EachTouched<TVector, TLanes, TUpdate>(int member, Layer layer, bool toGradients, in TUpdate update)
        where TLanes : struct, ILanes<TVector>
        where TUpdate : struct, IWeightUpdate<TVector>
    {
        SparseInput input = layer.Sparse!;
        (int first, int end) = Part(member, input.TouchedCount);
        fixed (int* rows = input.RowsByInput)
        fixed (float* values = input.ValuesByInput)
        {
            for (int i = first; i < end; i++)
            {
                int start = input.Starts[i], count = input.Starts[i + 1] - start;
                for (int panel = 0; panel < layer.Panels; panel++)
                {
                    if (i + 1 < end && !toGradients)
                        layer.WeightMemory.At(layer.IndexOf(input.Touched[i + 1], panel)).Prefetch(DenseKernel.PanelWidth);
                    nint stored = (i * (nint)layer.Panels + panel) * DenseKernel.PanelWidth;
                    DenseKernel.SparseWeightGradient<TVector, TLanes, TUpdate>(layer.Gradient.Pointer + panel * DenseKernel.PanelWidth,
                        layer.Stride, rows + start, values + start, count, toGradients
                            ? new WeightMemory(null, input.Gradient!.Pointer + stored, null, null)
                            : layer.WeightMemory.At(layer.IndexOf(input.Touched[i], panel)), in update);
                }
            }
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
        foreach (Layer table in _tables)
            EachTouched<TVector, TLanes, TUpdate>(member, table, toGradients, in update);
        foreach (Layer layer in _layers)
        {
            if (layer.Sparse is not null)
                EachTouched<TVector, TLanes, TUpdate>(member, layer, toGradients, in update);
            WeightMemory weights = !toGradients ? layer.WeightMemory
                : layer.Sparse is null ? new WeightMemory(null, layer.WeightGradient!.Pointer, null, null) : default;
            WeightMemory biases = toGradients ? new WeightMemory(null, layer.BiasGradient!.Pointer, null, null) : layer.BiasMemory;
            int unitsPerPanel = layer.Sparse is not null ? 1 : (layer.Inputs + InputsPerUnit - 1) / InputsPerUnit;
            (int first, int end) = Part(member, layer.Panels * unitsPerPanel);
            for (int unit = first; unit < end; unit++)
            {
                (int panel, int part) = Math.DivRem(unit, unitsPerPanel);
                float* gradient = layer.Gradient.Pointer + panel * DenseKernel.PanelWidth;
                int input = part * InputsPerUnit;
                // Of a layer with sparse inputs the bias alone is left.
                int inputs = layer.Sparse is not null ? 0 : Math.Min(InputsPerUnit, layer.Inputs - input);
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
        if (bias is not null)
            Optimizer.Floats(bias).CopyTo(layer.Bias.Span);
        for (int i = 0; i < state.Weight.Length; i++)
            layer.ToPanels(Optimizer.Floats(state.Weight[i]), layer.WeightState[i]);
        for (int i = 0; i < state.Bias.Length; i++)
            Optimizer.Floats(state.Bias[i]).CopyTo(layer.BiasState[i].Span);
    });

    private void CopyToModel() => Exchange((layer, weight, bias, state) =>
    {
        layer.FromPanels(layer.Weights, Optimizer.Floats(weight));
        if (bias is not null)
            layer.Bias.Span[..layer.Outputs].CopyTo(Optimizer.Floats(bias));
        for (int i = 0; i < state.Weight.Length; i++)
            layer.FromPanels(layer.WeightState[i], Optimizer.Floats(state.Weight[i]));
        for (int i = 0; i < state.Bias.Length; i++)
            layer.BiasState[i].Span[..layer.Outputs].CopyTo(Optimizer.Floats(state.Bias[i]));
    });

    private void Exchange(Action<Layer, Tensor, Tensor?, (Tensor[] Weight, Tensor[] Bias)> copy)
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

        for (int i = 0; i < _tables.Length; i++)
        {
            int weight = Array.FindIndex(parameters, p => p.Name == $"{MultilayerPerceptron.TableName(i)}.weight");
            copy(_tables[i], parameters[weight].Value, null, (state[weight], []));
        }
    }

    /// <summary>One layer's weights, what the optimizer notes of each, and the buffers of a batch.</summary>
    private sealed class Layer : IDisposable
    {
        private readonly AlignedFloats?[] _bestWeights = new AlignedFloats?[2];
        private readonly AlignedFloats?[] _averages = new AlignedFloats?[2];
        private readonly LateAverage? _late;

        /// <param name="inputs">Inputs.</param>
        /// <param name="outputs">Outputs.</param>
        /// <param name="rows">Rows of a batch.</param>
        /// <param name="states">Numbers that the optimizer notes of each weight.</param>
        /// <param name="sparse">What enters it; null: the layer below, or whole rows of features.</param>
        public Layer(int inputs, int outputs, int rows, int states, SparseInput? sparse)
        {
            Inputs = inputs;
            Outputs = outputs;
            Sparse = sparse;
            Panels = DenseKernel.Panels(outputs);
            Stride = DenseKernel.Stride(outputs);
            int padded = Panels * DenseKernel.PanelWidth;
            Weights = new AlignedFloats((long)padded * inputs);
            Bias = new AlignedFloats(padded);
            WeightState = [.. Enumerable.Range(0, states).Select(_ => new AlignedFloats((long)padded * inputs))];
            BiasState = [.. Enumerable.Range(0, states).Select(_ => new AlignedFloats(padded))];
            Output = new AlignedFloats((long)rows * Stride);
            Gradient = new AlignedFloats((long)rows * Stride);
            _late = sparse is null ? null : new LateAverage(inputs);
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

        public AlignedFloats? BeforeActivation { get; init; }

        public AlignedFloats? WeightGradient { get; private init; }

        public AlignedFloats? BiasGradient { get; private init; }

        /// <summary>What enters it where a batch touches few of its inputs; null: all of them.</summary>
        public SparseInput? Sparse { get; }

        /// <summary>Whether it is a table of embeddings: without bias, and its weights stand in the model input by input.</summary>
        public bool IsTable { get; init; }

        /// <summary>Whether gradients are written down before they are used.</summary>
        public bool KeepsGradient
        {
            get => BiasGradient is not null;
            init
            {
                if (!value)
                    return;
                WeightGradient = Sparse is null ? new AlignedFloats(Weights.Length) : null;
                BiasGradient = new AlignedFloats(Bias.Length);
            }
        }

        /// <summary>Whether the gradient of its inputs is asked for.</summary>
        public bool PassesGradientOn
        {
            init => Transposed = value ? new AlignedFloats((long)DenseKernel.Panels(Inputs) * DenseKernel.PanelWidth * Outputs) : null;
        }

        /// <summary>The weights once more, in panels of inputs, for the gradient of the inputs; null for the first layer, whose inputs need
        /// none.</summary>
        public AlignedFloats? Transposed { get; private init; }

        public WeightMemory WeightMemory => Memory(Weights, WeightState);

        public WeightMemory BiasMemory => Memory(Bias, BiasState);

        public Span<float> Row(AlignedFloats buffer, int row) => buffer.Span.Slice(row * Stride, Outputs);

        public double SumOfSquaredGradients()
        {
            ReadOnlySpan<float> ofWeights = Sparse is null ? WeightGradient!.Span
                : Sparse.Gradient!.Span[..(Sparse.TouchedCount * Panels * DenseKernel.PanelWidth)];
            return (double)TensorPrimitives.SumOfSquares(ofWeights)
                + (IsTable ? 0 : TensorPrimitives.SumOfSquares<float>(BiasGradient!.Span));
        }

        /// <summary>Where an input's weights of a panel stand.</summary>
        public nint IndexOf(int input, int panel) => (panel * (nint)Inputs + input) * DenseKernel.PanelWidth;

        /// <summary>Finds the inputs that the batch touches, before their weights change.</summary>
        public void TakeTouched(int rows)
        {
            Sparse!.Transpose(rows);
            if (KeepsGradient)
                Sparse.KeepGradient(Panels * DenseKernel.PanelWidth);
            if (_averages[0] is { } average)
                _late!.CatchUp(Sparse.Touched, Weights, average, this);
        }

        /// <summary>Copies the weights of an input.</summary>
        public void CopyWeightsOf(int input, Span<float> to)
        {
            for (int output = 0; output < Outputs; output++)
                to[output] = Weights.Pointer[IndexOf(input, output / DenseKernel.PanelWidth) + output % DenseKernel.PanelWidth];
        }

        /// <summary>The gradient of some inputs of a row, from that of its outputs.</summary>
        public void PassBack(int row, int firstInput, Span<float> gradient)
        {
            int width = DenseKernel.PanelWidth;
            for (int i = 0; i < gradient.Length; i++)
            {
                float sum = 0f;
                for (int panel = 0; panel < Panels; panel++)
                    sum += TensorPrimitives.Dot(new ReadOnlySpan<float>(Gradient.Pointer + row * (nint)Stride + panel * width, width),
                        new ReadOnlySpan<float>(Weights.Pointer + IndexOf(firstInput + i, panel), width));
                gradient[i] = sum;
            }
        }

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
                        to[output] = rows[IsTable ? input * Outputs + first + output : (first + output) * Inputs + input];
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
                        rows[IsTable ? input * Outputs + first + output : (first + output) * Inputs + input] = from[output];
                }
            }
        }

        public void AverageWeights(float keep)
        {
            if (Sparse is not null && keep > 0f && _averages[0] is { } average)
                _late!.Take(Sparse.Touched, Weights, average, keep, this);
            else
                Average(ref _averages[0], Weights, keep);
            if (keep == 0f)
                _late?.Restart();
            Average(ref _averages[1], Bias, keep);
        }

        public void ExchangeAverage()
        {
            _late?.CatchUp(Weights, _averages[0]!, this);
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
            Sparse?.Dispose();
        }

        private static WeightMemory Memory(AlignedFloats weights, AlignedFloats[] state)
            => new(weights.Pointer, state.Length > 0 ? state[0].Pointer : null, state.Length > 1 ? state[1].Pointer : null,
                state.Length > 2 ? state[2].Pointer : null);
    }

    /// <summary>The running mean of weights of which a step changes few: a mean goes towards a weight that stands still by a factor a
    /// step, which is made up for before the weight moves.</summary>
    private sealed class LateAverage(int inputs)
    {
        private readonly double[] _at = new double[inputs];     // of each input, the sum so far when its mean was right
        private double _logKept;                                // sum of ln keep over the steps

        public void Restart()
        {
            _logKept = 0;
            Array.Clear(_at);
        }

        /// <summary>Makes up for the touched inputs.</summary>
        public void CatchUp(ReadOnlySpan<int> touched, AlignedFloats weights, AlignedFloats average, Layer layer)
        {
            foreach (int input in touched)
                CatchUp(input, weights, average, layer);
        }

        /// <summary>Makes up for all.</summary>
        public void CatchUp(AlignedFloats weights, AlignedFloats average, Layer layer)
        {
            for (int input = 0; input < _at.Length; input++)
                CatchUp(input, weights, average, layer);
        }

        /// <summary>Takes the touched inputs' weights after a step into their mean.</summary>
        public void Take(ReadOnlySpan<int> touched, AlignedFloats weights, AlignedFloats average, float keep, Layer layer)
        {
            _logKept += Math.Log(keep);
            foreach (int input in touched)
                CatchUp(input, weights, average, layer);
        }

        private void CatchUp(int input, AlignedFloats weights, AlignedFloats average, Layer layer)
        {
            if (_at[input] == _logKept)
                return;
            float take = (float)(1 - Math.Exp(_logKept - _at[input]));
            _at[input] = _logKept;
            for (int panel = 0; panel < layer.Panels; panel++)
            {
                int at = (int)layer.IndexOf(input, panel);
                Span<float> mean = average.Span.Slice(at, DenseKernel.PanelWidth);
                TensorPrimitives.Lerp(mean, weights.Span.Slice(at, DenseKernel.PanelWidth), take, mean);
            }
        }
    }
}
