using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Trains a group network on groups that are drawn anew at each step.</summary>
/// <remarks>Every other group of a step has one positive member and every other none (arXiv 2011.10704, section 3: a balanced draw of one
/// row, and M − 1 negative ones). Negative rows, and positive ones, come from a shuffled deck each, so that all are used equally
/// often.</remarks>
internal sealed class GroupTrainingRun : IDisposable
{
    private const int StepsOfFinalLoss = 100;

    private readonly GroupTestingOptions _options;
    private readonly GroupNetwork _network;
    private readonly RowPool _pool;
    private readonly Random _random;
    private readonly int[] _sizes;
    private readonly Deck _positives;
    private readonly Deck _negatives;
    private readonly Optimizer _optimizer;
    private readonly Tensor _features;
    private readonly Tensor _labels;

    public GroupTrainingRun(GroupTestingOptions options, GroupNetwork network, RowPool pool, int seed)
    {
        _options = options;
        _network = network;
        _pool = pool;
        _random = new Random(seed);
        _sizes = [.. options.Schedule.GroupSizes];
        _positives = new Deck([.. Enumerable.Range(0, pool.Count).Where(row => pool.Labels[row] > 0f)], _random);
        _negatives = new Deck([.. Enumerable.Range(0, pool.Count).Where(row => pool.Labels[row] <= 0f)], _random);
        if (_positives.Count == 0 || _negatives.Count == 0)
            throw new InvalidOperationException($"Training needs rows of both classes in column '{options.LabelColumnName}': "
                + $"{_positives.Count} of {pool.Count} usable rows are positive.");
        _optimizer = options.Optimizer.Create();
        _features = empty((long)options.BatchSize * _sizes[0] * pool.FeatureCount, dtype: ScalarType.Float32, device: CPU)
            .DetachFromDisposeScope();
        _labels = empty(options.BatchSize, dtype: ScalarType.Float32, device: CPU).DetachFromDisposeScope();
        Span<float> labels = Optimizer.Floats(_labels);
        for (int group = 0; group < labels.Length; group++)
            labels[group] = group % 2 == 0 ? 1f : 0f;
    }

    /// <summary>Makes all steps.</summary>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The loss is no longer finite.</exception>
    public GroupTrainingReport Train()
    {
        long started = Stopwatch.GetTimestamp();
        var head = TaskHead.Create(PredictionTask.Binary, 1, RegressionLoss.Squared);
        Tensor[] parameters = [.. _network.Parts.SelectMany(part => part.Module.parameters()).Where(p => p.requires_grad)];
        foreach (NetworkPart part in _network.Parts)
            part.Module.train();
        double sum = 0;
        for (int step = 0; step < _options.Steps; step++)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            int size = _sizes[step % _sizes.Length];
            Deal(size);
            float loss = Step(head, parameters, size, step);
            if (step >= _options.Steps - StepsOfFinalLoss)
                sum += loss;
        }

        float finalLoss = (float)(sum / Math.Min(_options.Steps, StepsOfFinalLoss));
        if (!float.IsFinite(finalLoss) || !AllFinite())
            throw new InvalidOperationException($"Training diverged: the loss or a weight is no longer finite after {_options.Steps} steps "
                + $"(learning rate {_options.Optimizer.LearningRate}). Lower the learning rate, or normalise the features.");
        return new GroupTrainingReport
        {
            PositiveRows = _positives.Count,
            Steps = _options.Steps,
            Groups = (long)_options.Steps * _options.BatchSize,
            PositiveGroups = (long)_options.Steps * ((_options.BatchSize + 1) / 2),
            FinalLoss = finalLoss,
            StepSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds,
        };
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _features.Dispose();
        _labels.Dispose();
    }

    private float Step(TaskHead head, Tensor[] parameters, int size, int step)
    {
        using DisposeScope scope = NewDisposeScope();
        long rows = (long)_options.BatchSize * size;
        Tensor features = _features.narrow(0, 0, rows * _pool.FeatureCount).reshape(rows, _pool.FeatureCount);
        Tensor logits = _network.Forward(features, size);
        if (step == 0)
            CheckLogits(logits);
        Tensor loss = TaskHead.MeanLoss(head.RowLosses(logits, _labels), null);
        IList<Tensor> gradients = autograd.grad([loss], parameters, allow_unused: true);
        using (no_grad())
        {
            Tensor?[] present = [.. gradients.Select(g => g is null || g.IsInvalid ? null : g)];
            float rate = (float)_options.Optimizer.LearningRate * _options.LearningRateSchedule.Factor(step, _options.Steps);
            _optimizer.Step(parameters, present, rate, 1f);
        }

        return loss.item<float>();
    }

    private void CheckLogits(Tensor logits)
    {
        _network.Body.CheckOutput(logits, _options.BatchSize);
        // autograd.grad ends the process when there is nothing to differentiate.
        if (!logits.requires_grad)
            throw new InvalidOperationException($"{nameof(GroupTestingOptions)}.{nameof(GroupTestingOptions.Modules)} gave logits that "
                + $"depend on no trainable parameter: register the modules' layers with RegisterComponents().");
    }

    /// <summary>Puts groups of one size into the batch.</summary>
    private void Deal(int size)
    {
        Span<float> features = Optimizer.Floats(_features);
        int at = 0;
        for (int group = 0; group < _options.BatchSize; group++)
        {
            int positive = group % 2 == 0 ? _random.Next(size) : -1;
            for (int member = 0; member < size; member++, at += _pool.FeatureCount)
            {
                int row = (member == positive ? _positives : _negatives).Next();
                _pool.Features.AsSpan(row * _pool.FeatureCount, _pool.FeatureCount).CopyTo(features[at..]);
            }
        }
    }

    private bool AllFinite()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return _network.Weights.Values.All(weight => WindowSums.AllFinite(Optimizer.Floats(weight.detach().@float().contiguous())));
    }

    /// <summary>Rows in a shuffled order, shuffled again when all were dealt.</summary>
    private sealed class Deck(int[] rows, Random random)
    {
        private int _next = rows.Length;

        public int Count => rows.Length;

        public int Next()
        {
            if (_next == rows.Length)
            {
                random.Shuffle(rows);
                _next = 0;
            }

            return rows[_next++];
        }
    }
}
