using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Tensors of one batch, filled through their memory and used again for every batch.</summary>
/// <remarks>Filling through memory takes a plain copy; <c>torch.tensor(float[])</c> of a 128 x 784 batch takes about twenty times as
/// long.</remarks>
internal sealed class BatchTensors : IDisposable
{
    private readonly Device _device;
    private readonly Tensor _features;
    private readonly Tensor _labels;
    private readonly Tensor _weights;
    private readonly int _featureCount;

    public BatchTensors(int capacity, int featureCount, ScalarType labelType, Device device)
    {
        _device = device;
        _featureCount = featureCount;
        Capacity = capacity;
        _features = empty(capacity, featureCount, dtype: ScalarType.Float32, device: CPU).DetachFromDisposeScope();
        _labels = empty(capacity, dtype: labelType, device: CPU).DetachFromDisposeScope();
        _weights = empty(capacity, dtype: ScalarType.Float32, device: CPU).DetachFromDisposeScope();
    }

    public int Capacity { get; }

    /// <summary>Copies rows of the pool into slots of the batch.</summary>
    /// <param name="pool">Where the rows are.</param>
    /// <param name="rows">Positions in the pool; at most <see cref="Capacity"/> minus <paramref name="start"/>.</param>
    /// <param name="weights">Factors from selection, one per row, or empty: 1.</param>
    /// <param name="start">First slot.</param>
    public void Fill(RowPool pool, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights, int start)
    {
        Span<float> features = Optimizer.Floats(_features).Slice(start * _featureCount, rows.Length * _featureCount);
        for (int i = 0; i < rows.Length; i++)
            pool.CopyFeatures(rows[i], features[(i * _featureCount)..]);

        if (_labels.dtype == ScalarType.Int64)
        {
            Span<long> labels = MemoryMarshal.Cast<byte, long>(_labels.bytes)[start..];
            for (int i = 0; i < rows.Length; i++)
                labels[i] = (long)pool.Labels[rows[i]];
        }
        else
        {
            Span<float> labels = Optimizer.Floats(_labels)[start..];
            for (int i = 0; i < rows.Length; i++)
                labels[i] = pool.Labels[rows[i]];
        }

        Span<float> factors = Optimizer.Floats(_weights)[start..];
        for (int i = 0; i < rows.Length; i++)
            factors[i] = (weights.IsEmpty ? 1f : weights[i]) * (pool.Weighted ? pool.Weights[rows[i]] : 1f);
    }

    /// <summary>The first rows' features on the device, shape [rows, features].</summary>
    public Tensor Features(int rows) => OnDevice(_features, rows);

    /// <summary>The first rows' labels on the device, shape [rows].</summary>
    public Tensor Labels(int rows) => OnDevice(_labels, rows);

    /// <summary>The first rows' weights on the device, shape [rows].</summary>
    public Tensor Weights(int rows) => OnDevice(_weights, rows);

    /// <summary>The first rows' features in the host's memory, row-major.</summary>
    public ReadOnlySpan<float> FeatureValues(int rows) => Optimizer.Floats(_features)[..(rows * _featureCount)];

    /// <summary>Copies the first rows' labels, which are classes.</summary>
    public void CopyClasses(Span<int> classes)
    {
        bool whole = _labels.dtype == ScalarType.Int64;
        for (int i = 0; i < classes.Length; i++)
            classes[i] = whole ? (int)MemoryMarshal.Cast<byte, long>(_labels.bytes)[i] : (int)Optimizer.Floats(_labels)[i];
    }

    public void Dispose()
    {
        _features.Dispose();
        _labels.Dispose();
        _weights.Dispose();
    }

    private Tensor OnDevice(Tensor tensor, int rows)
    {
        Tensor part = rows == Capacity ? tensor.alias() : tensor.narrow(0, 0, rows);
        return TorchRuntime.Move(part, _device);
    }
}
