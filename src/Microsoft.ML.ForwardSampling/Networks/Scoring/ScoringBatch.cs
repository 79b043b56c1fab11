using Microsoft.ML.ForwardSampling.DataViews;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Rows gathered for one pass of the network. Used by one thread at a time.</summary>
internal abstract class ScoringBatch : IDisposable
{
    private readonly NetworkModel _model;

    private ScoringBatch(NetworkModel model, int capacity, bool withActivationNorms)
    {
        _model = model;
        Capacity = capacity;
        Scores = new float[capacity * model.ScoreCount];
        ActivationNorms = withActivationNorms ? new float[capacity] : [];
    }

    public int Capacity { get; }

    /// <summary>Shape [Capacity, ScoreCount]: the score, the logit, or the class probabilities.</summary>
    public float[] Scores { get; }

    /// <summary>Of each row, the norm of what enters the network's last layer; empty where it is not asked for.</summary>
    public float[] ActivationNorms { get; }

    /// <summary>A batch for the model's own way of scoring.</summary>
    /// <param name="model">The network.</param>
    /// <param name="capacity">Rows.</param>
    /// <param name="withActivationNorms">Whether <see cref="ActivationNorms"/> are filled too: for a network built from options.</param>
    public static ScoringBatch Create(NetworkModel model, int capacity, bool withActivationNorms = false)
    {
        model.ThrowIfDisposed();
        return model.Dense is { } dense ? new DenseBatch(model, dense, capacity, withActivationNorms)
            : new TorchBatch(model, capacity, withActivationNorms);
    }

    /// <summary>Memory of one row's features.</summary>
    public abstract Span<float> Features(int row);

    /// <summary>Scores of one row after <see cref="Score"/>.</summary>
    public ReadOnlySpan<float> ScoresOf(int row) => Scores.AsSpan(row * _model.ScoreCount, _model.ScoreCount);

    /// <summary>Scores the first rows by one pass through the network.</summary>
    public void Score(int rows)
    {
        _model.ThrowIfDisposed();
        Forward(rows);
        if (_model.Task == PredictionTask.Multiclass)
        {
            for (int row = 0; row < rows; row++)
                SoftMaxInPlace(Scores.AsSpan(row * _model.ScoreCount, _model.ScoreCount));
        }
    }

    public virtual void Dispose()
    {
    }

    /// <summary>Writes the network's outputs of the first rows to <see cref="Scores"/>.</summary>
    protected abstract void Forward(int rows);

    private static void SoftMaxInPlace(Span<float> logits)
    {
        // TensorPrimitives.SoftMax does not subtract the largest logit and overflows.
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max<float>(logits), logits);
        TensorPrimitives.Exp<float>(logits, logits);
        TensorPrimitives.Divide(logits, TensorPrimitives.Sum<float>(logits), logits);
    }

    /// <summary>A built network on the CPU: no torch.</summary>
    private sealed class DenseBatch(NetworkModel model, DenseNetwork network, int capacity, bool withActivationNorms)
        : ScoringBatch(model, capacity, withActivationNorms)
    {
        private readonly float[] _features = new float[capacity * model.FeatureCount];
        private readonly DenseNetwork.Scratch _scratch = new(network);
        private readonly int _featureCount = model.FeatureCount;

        public override Span<float> Features(int row) => _features.AsSpan(row * _featureCount, _featureCount);

        protected override void Forward(int rows) => network.Forward(_features, rows, Scores, _scratch, ActivationNorms);
    }

    /// <summary>A user's own network, or one on a GPU: one call of torch for all rows.</summary>
    private sealed class TorchBatch(NetworkModel model, int capacity, bool withActivationNorms)
        : ScoringBatch(model, capacity, withActivationNorms)
    {
        private readonly NetworkModel _network = model;
        private readonly Tensor _features = empty(capacity, model.FeatureCount, dtype: ScalarType.Float32, device: CPU)
            .DetachFromDisposeScope();

        public override Span<float> Features(int row) => Optimizer.Floats(_features)
            .Slice(row * _network.FeatureCount, _network.FeatureCount);

        public override void Dispose() => _features.Dispose();

        protected override void Forward(int rows)
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            Tensor features = rows == Capacity ? _features : _features.narrow(0, 0, rows);
            Tensor outputs = TorchOutputs.Of(_network.Network, TorchRuntime.Move(features, _network.Device),
                ActivationNorms.AsSpan(0, ActivationNorms.Length == 0 ? 0 : rows));
            Optimizer.Floats(outputs.cpu().contiguous()).CopyTo(Scores);
        }
    }
}
