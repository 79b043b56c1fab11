using Microsoft.ML.Data;
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
        return model.Dense is not { } dense ? new TorchBatch(model, capacity, withActivationNorms)
            : dense.TakesSparse ? new SparseBatch(model, dense, capacity, withActivationNorms)
            : new DenseBatch(model, dense, capacity, withActivationNorms);
    }

    /// <summary>How many rows a batch of the model's may have: at most <paramref name="most"/>, fewer where their memory is known to be
    /// large.</summary>
    public static int RowsFor(NetworkModel model, int most)
        => model.Dense is { TakesSparse: true } ? most : RowBlocks.RowsFor(model.FeatureCount, most);

    /// <summary>Whether no further row should be set: the rows have many values.</summary>
    public virtual bool IsFull => false;

    /// <summary>Sets a row; row 0 first, then one after the other.</summary>
    public abstract void Set(int row, in VBuffer<float> features);

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

        public override void Set(int row, in VBuffer<float> features)
            => features.CopyTo(_features.AsSpan(row * _featureCount, _featureCount));

        protected override void Forward(int rows) => network.Forward(_features, rows, Scores, _scratch, ActivationNorms);
    }

    /// <summary>The same for rows with embeddings, or so wide that they may be sparse.</summary>
    private sealed class SparseBatch(NetworkModel model, DenseNetwork network, int capacity, bool withActivationNorms)
        : ScoringBatch(model, capacity, withActivationNorms)
    {
        private const int DenseShare = 4;   // from one value in four that is not zero, whole rows side by side are faster

        private readonly SparseRows _rows = new();
        private readonly DenseNetwork.Scratch _scratch = new(network);
        private readonly int _featureCount = model.FeatureCount;
        private readonly int _scoreCount = model.ScoreCount;
        private float[] _whole = [];

        public override bool IsFull => _rows.Length >= RowBlocks.MostValues;

        public override void Set(int row, in VBuffer<float> features)
        {
            if (row == 0)
                _rows.Clear();
            _rows.Add(features);
        }

        protected override void Forward(int rows)
        {
            if (!network.TakesWhole || _rows.Length < _rows.Count * (long)_featureCount / DenseShare)
            {
                network.Forward(_rows, Scores, _scratch, ActivationNorms);
                return;
            }

            int most = RowBlocks.RowsFor(_featureCount, rows);
            if (_whole.Length == 0)
                _whole = new float[RowBlocks.RowsFor(_featureCount, Capacity) * _featureCount];
            for (int start = 0; start < rows; start += most)
            {
                int count = Math.Min(most, rows - start);
                for (int row = 0; row < count; row++)
                    _rows.CopyTo(start + row, _whole.AsSpan(row * _featureCount, _featureCount));
                network.Forward(_whole, count, Scores.AsSpan(start * _scoreCount), _scratch,
                    ActivationNorms.Length == 0 ? [] : ActivationNorms.AsSpan(start, count));
            }
        }
    }

    /// <summary>A user's own network, or one on a GPU: one call of torch for all rows.</summary>
    private sealed class TorchBatch(NetworkModel model, int capacity, bool withActivationNorms)
        : ScoringBatch(model, capacity, withActivationNorms)
    {
        private readonly NetworkModel _network = model;
        private readonly Tensor _features = empty(capacity, model.FeatureCount, dtype: ScalarType.Float32, device: CPU)
            .DetachFromDisposeScope();

        public override void Set(int row, in VBuffer<float> features) => features.CopyTo(Optimizer.Floats(_features)
            .Slice(row * _network.FeatureCount, _network.FeatureCount));

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
