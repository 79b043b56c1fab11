using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Steps by torch's differentiation: any module, any device.</summary>
internal sealed class TorchEngine : TrainingEngine
{
    private const int MostRows = 1024;

    private readonly NetworkTrainerOptions _options;
    private readonly TaskHead _head;
    private readonly nn.Module<Tensor, Tensor> _network;
    private readonly Tensor[] _parameters;
    private readonly Optimizer _optimizer;
    private readonly bool _weighted;
    private readonly BatchTensors _batch;
    private readonly BatchTensors _scored;
    private readonly List<Tensor> _losses = [];
    private bool _outputsChecked;
    private bool _training;
    private Tensor? _rowLosses;
    private Tensor? _outputs;
    private Tensor[]? _bestWeights;
    private Tensor[]? _averages;

    public TorchEngine(NetworkModel model, NetworkTrainerOptions options, int featureCount, bool weighted)
    {
        _options = options;
        _head = model.Head;
        _network = model.Network;
        _optimizer = model.Optimizer!;
        _weighted = weighted;
        _parameters = [.. _network.parameters().Where(p => p.requires_grad)];
        MostRowsPerScoring = DataViews.RowBlocks.RowsFor(featureCount, MostRows);
        _batch = new BatchTensors(options.BatchRows, featureCount, _head.LabelType, model.Device);
        _scored = new BatchTensors(MostRowsPerScoring, featureCount, _head.LabelType, model.Device);
    }

    public override int MostRowsPerScoring { get; }

    public override void Fill(RowPool pool, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights, int start) =>
        _batch.Fill(pool, rows, weights, start);

    public override void Step(int rows, float learningRate)
    {
        SetMode(training: true);
        using DisposeScope scope = NewDisposeScope();
        Tensor outputs = _network.call(_batch.Features(rows));
        CheckOutputs(outputs, rows, forTraining: true);
        Tensor losses = _head.RowLosses(outputs, _batch.Labels(rows));
        Tensor loss = TaskHead.MeanLoss(losses, _weighted ? _batch.Weights(rows) : null);
        IList<Tensor> gradients = autograd.grad([loss], _parameters, allow_unused: true);
        using (no_grad())
        {
            Tensor?[] present = [.. gradients.Select(g => g is null || g.IsInvalid ? null : g)];
            _optimizer.Step(_parameters, present, learningRate, GradientScale(present));
        }

        _rowLosses?.Dispose();
        _rowLosses = losses.detach().DetachFromDisposeScope();
        // Kept until the next report: reading a loss waits for the device.
        _losses.Add(loss.detach().DetachFromDisposeScope());
    }

    public override ReadOnlySpan<float> RowLosses(int rows)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor host = _rowLosses!.cpu().contiguous();
        if (!ReferenceEquals(host, _rowLosses))
        {
            _rowLosses.Dispose();
            _rowLosses = host.DetachFromDisposeScope();
        }

        return Optimizer.Floats(_rowLosses)[..rows];
    }

    public override ReadOnlySpan<float> FeatureValues(int rows) => _batch.FeatureValues(rows);

    public override void CopyClasses(Span<int> classes) => _batch.CopyClasses(classes);

    public override float? TakeMeanLoss()
    {
        if (_losses.Count == 0)
            return null;
        float mean = (float)_losses.Average(loss => (double)loss.item<float>());
        ClearLosses();
        return mean;
    }

    public override ReadOnlySpan<float> Score(RowPool pool, ReadOnlySpan<int> rows, Span<float> activationNorms = default)
    {
        SetMode(training: false);
        _scored.Fill(pool, rows, [], 0);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor outputs = TorchOutputs.Of(_network, _scored.Features(rows.Length), activationNorms);
        CheckOutputs(outputs, rows.Length, forTraining: false);
        _outputs?.Dispose();
        _outputs = outputs.cpu().contiguous().DetachFromDisposeScope();
        return Optimizer.Floats(_outputs);
    }

    public override (double Loss, double Weight) Evaluate(RowPool pool, ReadOnlySpan<int> rows)
    {
        SetMode(training: false);
        _scored.Fill(pool, rows, [], 0);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor losses = _head.RowLosses(_network.call(_scored.Features(rows.Length)), _scored.Labels(rows.Length));
        Tensor weights = _scored.Weights(rows.Length);
        return (losses.mul(weights).sum().item<float>(), weights.sum().item<float>());
    }

    public override void Average(float keep)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        _averages ??= [.. Weights.Select(w => w.detach().clone().DetachFromDisposeScope())];
        using Scalar kept = keep, taken = 1f - keep;
        foreach ((Tensor weights, Tensor average) in Weights.Zip(_averages))
        {
            // Counters are no numbers to average.
            if (keep == 0f || average.dtype is not (ScalarType.Float32 or ScalarType.Float64))
                average.copy_(weights);
            else
                average.mul_(kept).add_(weights, taken);
        }
    }

    public override void ExchangeAverage()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach ((Tensor weights, Tensor average) in Weights.Zip(_averages!))
        {
            Tensor before = weights.clone();
            weights.copy_(average);
            average.copy_(before);
        }
    }

    public override float[][] CopyWeights()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return [.. Weights.Select(w => Optimizer.Floats(w.detach().cpu().@float().contiguous()).ToArray())];
    }

    public override void ResumeAverage(float[][] weights)
    {
        Average(keep: 0f);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach ((Tensor target, float[] values) in Weights.Zip(weights))
            target.copy_(tensor(values, device: CPU).reshape(target.shape));
    }

    public override float[][] CopyTrained()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return [.. _parameters.Select(p => Optimizer.Floats(p.detach().cpu().@float().contiguous()).ToArray())];
    }

    public override void SetTrained(float[][] weights)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach ((Tensor target, float[] values) in _parameters.Zip(weights))
            target.copy_(tensor(values, device: CPU).reshape(target.shape));
    }

    public override void KeepBestWeights()
    {
        using IDisposable noGrad = no_grad();
        if (_bestWeights is null)
        {
            _bestWeights = [.. Weights.Select(w => w.detach().clone().DetachFromDisposeScope())];
            return;
        }

        foreach ((Tensor weights, Tensor best) in Weights.Zip(_bestWeights))
            best.copy_(weights);
    }

    public override void Finish()
    {
        if (_bestWeights is not null)
        {
            using IDisposable noGrad = no_grad();
            foreach ((Tensor weights, Tensor best) in Weights.Zip(_bestWeights))
                weights.copy_(best);
        }

        _network.eval();
    }

    public override void Dispose()
    {
        _batch.Dispose();
        _scored.Dispose();
        ClearLosses();
        _rowLosses?.Dispose();
        _outputs?.Dispose();
        foreach (Tensor tensor in (Tensor[])[.. _bestWeights ?? [], .. _averages ?? []])
            tensor.Dispose();
    }

    private void SetMode(bool training)
    {
        if (_training == training)
            return;
        _training = training;
        _network.train(training);
    }

    private IEnumerable<Tensor> Weights => _network.state_dict().Values;

    private float GradientScale(Tensor?[] gradients)
    {
        if (_options.MaximumGradientNorm is not { } limit)
            return 1f;
        double squares = 0;
        foreach (Tensor? gradient in gradients)
        {
            if (gradient is null)
                continue;
            if (gradient.device_type == DeviceType.CPU && gradient.is_contiguous())
                squares += TensorPrimitives.SumOfSquares(Optimizer.Floats(gradient));
            else
                squares += gradient.mul(gradient).sum().item<float>();
        }

        double norm = Math.Sqrt(squares);
        return norm > limit ? (float)(limit / norm) : 1f;
    }

    /// <summary>A user's module may give anything; a wrong shape would train on the wrong thing, or end the process.</summary>
    private void CheckOutputs(Tensor outputs, int rows, bool forTraining)
    {
        if (_outputsChecked)
            return;
        const string Option = $"{nameof(NetworkTrainerOptions)}.{nameof(NetworkTrainerOptions.Network)}";
        long[] shape = outputs.shape;
        if (shape.Length != 2 || shape[0] != rows || shape[1] != _head.Outputs)
            throw new InvalidOperationException(
                $"{Option} must give outputs of shape [{rows}, {_head.Outputs}] for {rows} rows. Got [{string.Join(", ", shape)}].");
        // autograd.grad ends the process when there is nothing to differentiate.
        if (forTraining && !outputs.requires_grad)
            throw new InvalidOperationException(
                $"{Option} gave outputs that depend on no trainable parameter: register its layers with RegisterComponents().");
        _outputsChecked = forTraining;
    }

    private void ClearLosses()
    {
        foreach (Tensor loss in _losses)
            loss.Dispose();
        _losses.Clear();
    }
}
