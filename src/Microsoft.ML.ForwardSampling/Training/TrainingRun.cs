using System.Diagnostics;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Recording;
using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.ForwardSampling.Training;

/// <summary>One call of Fit: passes over the rows, selection, steps, evaluation and counts.</summary>
internal sealed class TrainingRun : IDisposable
{
    private const int MostRowsPerEvaluation = 1024;
    private const int StepsBetweenReports = 100;

    private readonly NetworkTrainerOptions _options;
    private readonly TaskHead _head;
    private readonly nn.Module<Tensor, Tensor> _network;
    private readonly Tensor[] _parameters;
    private readonly Optimizer _optimizer;
    private readonly RowFeed _rows;
    private readonly RowFeed? _validation;
    private readonly bool _weighted;
    private readonly BatchTensors _batch;
    private readonly BatchTensors _scored;
    private readonly RowSelector? _selector;
    private readonly WindowStatistics? _window;
    private readonly bool _selectionContinued;
    private readonly int[] _classes = [];
    private readonly Random _order;
    private readonly Action<TrainingProgress> _report;
    private readonly List<Tensor> _losses = [];
    private readonly long _started = Stopwatch.GetTimestamp();

    private readonly int _rowsPerEvaluation;

    private int _pending;
    private int _epoch;
    private long _step;
    private long _totalSteps;
    private long _backwardRows;
    private long _forwardRows;
    private float _learningRate;
    private float _meanLoss = float.NaN;
    private float _bestValidationLoss = float.PositiveInfinity;
    private float _lossToImproveOn = float.PositiveInfinity;
    private int _evaluationsWithoutImprovement;
    private bool _stoppedEarly;
    private Tensor[]? _bestWeights;
    private TimeSpan _selectTime;
    private TimeSpan _stepTime;
    private TimeSpan _validateTime;

    public TrainingRun(
        NetworkTrainerOptions options, TaskHead head, nn.Module<Tensor, Tensor> network, Optimizer optimizer,
        RowFeed rows, RowFeed? validation, TrainingColumns columns, Device device, int seed,
        (IRowSelectionPolicy Policy, RowSelectorState State)? previousSelection, Action<TrainingProgress> report)
    {
        _options = options;
        _head = head;
        _network = network;
        _parameters = [.. network.parameters().Where(p => p.requires_grad)];
        _optimizer = optimizer;
        _rows = rows;
        _validation = validation;
        _report = report;
        _order = new Random(seed);
        _batch = new BatchTensors(options.BatchSize, columns.FeatureCount, head.LabelType, device);
        _rowsPerEvaluation = RowBlocks.RowsFor(columns.FeatureCount, MostRowsPerEvaluation);
        _scored = new BatchTensors(_rowsPerEvaluation, columns.FeatureCount, head.LabelType, device);
        _weighted = columns.Weight is not null || options.Selection is not null;
        if (options.Selection is { } selection)
        {
            _selector = new RowSelector(selection.Policy, _order.Next());
            if (previousSelection is var (policy, state) && policy.Equals(selection.Policy) && !state.PolicyState.IsEmpty)
            {
                _selector = new RowSelector(policy, _selector.State with { PolicyState = state.PolicyState });
                _selectionContinued = true;
            }

            _window = new WindowStatistics(selection.WindowSize, selection.Policy.Needs, head.Task, columns.FeatureCount, selection.Columns is { LimitsRecords: true, OldRecords: OldRecords.Discount });
            if (LearnsFromLosses && head.Task != PredictionTask.Regression)
                _classes = new int[options.BatchSize];
        }
    }

    /// <summary>Trains the network to its last step, or to the step at which early stopping ends it.</summary>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">There was no row to train on, or the loss is no longer finite.</exception>
    public TrainingReport Train()
    {
        _totalSteps = CountSteps();
        while (_epoch < _options.Epochs && !Finished)
        {
            _epoch++;
            _network.train();
            foreach (RowPool part in _rows.Parts(_options.CancellationToken))
            {
                TrainOn(part);
                if (Finished)
                    break;
            }

            if (!Finished)
                FlushBatch();
            if (_validation is not null && _options.EarlyStopping?.EveryNSteps is null)
                Evaluate();
            else
                Report(null);
        }

        // The last steps may be the best ones: they count only if they are evaluated.
        if (_validation is not null && !_stoppedEarly && _options.EarlyStopping?.EveryNSteps is { } every && _step % every != 0)
            Evaluate();
        if (_step == 0)
            throw new InvalidOperationException("Training made no step: there was one usable row, and batch normalisation needs at least two in a batch.");
        RestoreBestWeights();
        _network.eval();
        return Summary();
    }

    /// <summary>The policy and where its selector stands; null without selection.</summary>
    public (IRowSelectionPolicy Policy, RowSelectorState State)? Selection => _selector is null ? null : (_selector.Policy, _selector.State);

    public void Dispose()
    {
        _batch.Dispose();
        _scored.Dispose();
        ClearLosses();
        foreach (Tensor tensor in _bestWeights ?? [])
            tensor.Dispose();
    }

    private bool Finished => _stoppedEarly || _step >= (_options.MaximumSteps ?? long.MaxValue);

    private bool LearnsFromLosses => _selector is not null && (_selector.Feedback & SelectionFeedback.TrainingLoss) != 0;

    private int WindowSize => _options.Selection?.WindowSize ?? _options.BatchSize;

    /// <summary>Rows in another order, window by window: select, then a step for each full batch.</summary>
    private void TrainOn(RowPool part)
    {
        int[] order = new int[part.Count];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        if (_options.Shuffle)
            _order.Shuffle(order);

        _selector?.CountOldRecords(part.Excluded, 0);
        for (int start = 0; start < order.Length && !Finished; start += WindowSize)
        {
            ReadOnlySpan<int> window = order.AsSpan(start, Math.Min(WindowSize, order.Length - start));
            if (_selector is null)
            {
                AddToBatch(part, window, []);
                continue;
            }

            long began = Stopwatch.GetTimestamp();
            ReadOnlySpan<int> chosen = Select(part, window, out ReadOnlySpan<float> weights);
            _selectTime += Stopwatch.GetElapsedTime(began);
            AddToBatch(part, chosen, weights);
        }
    }

    private void AddToBatch(RowPool part, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
    {
        while (rows.Length > 0 && !Finished)
        {
            int taken = Math.Min(rows.Length, _options.BatchSize - _pending);
            _batch.Fill(part, rows[..taken], weights.IsEmpty ? [] : weights[..taken], _pending);
            _pending += taken;
            rows = rows[taken..];
            weights = weights.IsEmpty ? [] : weights[taken..];
            if (_pending == _options.BatchSize)
                Step();
        }
    }

    /// <summary>The last, shorter batch of a pass. One row has no variance: where a network may normalise over the batch, it waits for the next pass.</summary>
    private void FlushBatch()
    {
        bool mayNormalizeOverBatch = _options.Network is not null ? _options.BatchSize > 1 : _options.Normalization == Normalization.Batch;
        if (_pending > 1 || (_pending == 1 && !mayNormalizeOverBatch))
            Step();
    }

    private void Step()
    {
        _options.CancellationToken.ThrowIfCancellationRequested();
        long began = Stopwatch.GetTimestamp();
        using (NewDisposeScope())
        {
            Tensor outputs = _network.call(_batch.Features(_pending));
            if (_step == 0)
                CheckOutputs(outputs, _pending, forTraining: true);
            Tensor losses = _head.RowLosses(outputs, _batch.Labels(_pending));
            Tensor loss = TaskHead.MeanLoss(losses, _weighted ? _batch.Weights(_pending) : null);
            IList<Tensor> gradients = autograd.grad([loss], _parameters, allow_unused: true);
            _learningRate = _options.Optimizer.LearningRate * _options.LearningRateSchedule.Factor(_step, _totalSteps);
            using (no_grad())
            {
                Tensor?[] present = [.. gradients.Select(g => g is null || g.IsInvalid ? null : g)];
                _optimizer.Step(_parameters, present, _learningRate, GradientScale(present));
            }

            if (LearnsFromLosses)
                ReportTraining(losses);
            // Kept until the next report: reading a loss waits for the device.
            _losses.Add(loss.detach().DetachFromDisposeScope());
        }

        _step++;
        _backwardRows += _pending;
        _pending = 0;
        _stepTime += Stopwatch.GetElapsedTime(began);
        if (_step % StepsBetweenReports == 0)
            Report(null);
        if (_validation is not null && _options.EarlyStopping?.EveryNSteps is { } every && _step % every == 0)
        {
            Evaluate();
            _network.train();
        }
    }

    private void ReportTraining(Tensor losses)
    {
        Span<int> classes = _classes.AsSpan(0, Math.Min(_classes.Length, _pending));
        _batch.CopyClasses(classes);
        _selector!.ReportTraining(Optimizer.Floats(losses.detach().cpu().contiguous()), _batch.FeatureValues(_pending), classes);
    }

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
        const string Option = $"{nameof(NetworkTrainerOptions)}.{nameof(NetworkTrainerOptions.Network)}";
        long[] shape = outputs.shape;
        if (shape.Length != 2 || shape[0] != rows || shape[1] != _head.Outputs)
            throw new InvalidOperationException($"{Option} must give outputs of shape [{rows}, {_head.Outputs}] for {rows} rows. Got [{string.Join(", ", shape)}].");
        // autograd.grad ends the process when there is nothing to differentiate.
        if (forTraining && !outputs.requires_grad)
            throw new InvalidOperationException($"{Option} gave outputs that depend on no trainable parameter: register its layers with RegisterComponents().");
    }

    /// <summary>The policy's choice among a window's rows, as positions in the pool, with their weights.</summary>
    private ReadOnlySpan<int> Select(RowPool part, ReadOnlySpan<int> window, out ReadOnlySpan<float> weights)
    {
        InTrainingSelection selection = _options.Selection!;
        if (selection.Statistics == StatisticsSource.Recorded)
            _selector!.CountOldRecords(0, _window!.Gather(part, window));
        else if (_window!.NeedsForwardPass)
            ScoreWindow(part, window);
        _window!.GatherRows(part, window);
        return _window.Select(_selector!, window, selection.Budget.For(window.Length, selection.WindowSize), out weights);
    }

    private void ScoreWindow(RowPool part, ReadOnlySpan<int> window)
    {
        _network.eval();
        for (int start = 0; start < window.Length; start += _rowsPerEvaluation)
        {
            ReadOnlySpan<int> rows = window.Slice(start, Math.Min(_rowsPerEvaluation, window.Length - start));
            _scored.Fill(part, rows, [], 0);
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            Tensor outputs = _network.call(_scored.Features(rows.Length));
            if (_step == 0 && start == 0)
                CheckOutputs(outputs, rows.Length, forTraining: false);
            ReadOnlySpan<float> values = Optimizer.Floats(outputs.cpu().contiguous());
            for (int i = 0; i < rows.Length; i++)
                _head.Statistics(values.Slice(i * _head.Outputs, _head.Outputs), part.Labels[rows[i]], _window!, start + i);
            _forwardRows += rows.Length;
        }

        _network.train();
    }

    /// <summary>Mean weighted loss over the validation rows; keeps the best weights and decides on early stopping.</summary>
    private void Evaluate()
    {
        long began = Stopwatch.GetTimestamp();
        _network.eval();
        double sum = 0, weightSum = 0;
        foreach (RowPool part in _validation!.Parts(_options.CancellationToken))
        {
            int[] rows = [.. Enumerable.Range(0, part.Count)];
            for (int start = 0; start < rows.Length; start += _rowsPerEvaluation)
            {
                int count = Math.Min(_rowsPerEvaluation, rows.Length - start);
                _scored.Fill(part, rows.AsSpan(start, count), [], 0);
                using DisposeScope scope = NewDisposeScope();
                using IDisposable noGrad = no_grad();
                Tensor losses = _head.RowLosses(_network.call(_scored.Features(count)), _scored.Labels(count));
                Tensor weights = _scored.Weights(count);
                sum += losses.mul(weights).sum().item<float>();
                weightSum += weights.sum().item<float>();
                _forwardRows += count;
            }
        }

        if (weightSum == 0)
            throw new InvalidOperationException("The validation data have no usable row: every row misses a feature or its label, or weighs 0.");
        float mean = (float)(sum / weightSum);
        _validateTime += Stopwatch.GetElapsedTime(began);
        JudgeEvaluation(mean);
        if (float.IsFinite(mean))
            _selector?.ReportValidation(mean);
        Report(mean);
    }

    private void JudgeEvaluation(float validationLoss)
    {
        EarlyStopping? stopping = _options.EarlyStopping;
        if (validationLoss < _bestValidationLoss)
        {
            _bestValidationLoss = validationLoss;
            if (stopping is not null)
                KeepBestWeights();
        }

        if (stopping is null)
            return;
        if (validationLoss < _lossToImproveOn - stopping.MinimumImprovement)
        {
            _lossToImproveOn = validationLoss;
            _evaluationsWithoutImprovement = 0;
        }
        else if (++_evaluationsWithoutImprovement >= stopping.Patience)
        {
            _stoppedEarly = true;
        }
    }

    private IEnumerable<Tensor> Weights => _network.state_dict().Values;

    private void KeepBestWeights()
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

    private void RestoreBestWeights()
    {
        if (_bestWeights is null)
            return;
        using IDisposable noGrad = no_grad();
        foreach ((Tensor weights, Tensor best) in Weights.Zip(_bestWeights))
            weights.copy_(best);
    }

    /// <summary>Steps of the whole run, known beforehand because every window keeps its exact budget. Data that do not fit in memory are read once more for it.</summary>
    private long CountSteps()
    {
        long chosen = _rows.Parts(_options.CancellationToken).Sum(part => CountChosen(part.Count));
        if (chosen == 0)
            throw new InvalidOperationException($"There is no row to train on: {_rows.RowsRead} rows were read, {_rows.RowsSkipped} skipped because a feature, the label or the weight was missing, and {_rows.RowsExcluded} left out because their record is too old.");
        long steps = (chosen + _options.BatchSize - 1) / _options.BatchSize * _options.Epochs;
        return Math.Min(steps, _options.MaximumSteps ?? long.MaxValue);
    }

    /// <summary>How many of a part's rows get a backward pass: windows end where a part ends.</summary>
    private long CountChosen(int rows)
    {
        if (_options.Selection is not { } selection)
            return rows;
        (int windows, int last) = Math.DivRem(rows, selection.WindowSize);
        return (long)windows * selection.Budget.For(selection.WindowSize, selection.WindowSize) + (last == 0 ? 0 : selection.Budget.For(last, selection.WindowSize));
    }

    private void Report(float? validationLoss)
    {
        if (_losses.Count > 0)
        {
            _meanLoss = (float)_losses.Average(loss => (double)loss.item<float>());
            ClearLosses();
            // Under early stopping the best weights are kept, and they were finite.
            if (!float.IsFinite(_meanLoss))
                _stoppedEarly = _bestWeights is not null ? true : throw Diverged();
        }

        _report(new TrainingProgress(_epoch, _step, _totalSteps, _backwardRows, _forwardRows, _meanLoss, validationLoss, _learningRate, Stopwatch.GetElapsedTime(_started)));
    }

    /// <summary>The one message for a loss or weights that are no longer finite.</summary>
    public InvalidOperationException Diverged()
        => new($"Training diverged: the loss or a weight is no longer finite at step {_step} (learning rate {_learningRate}). Lower the learning rate, normalise the features, or set {nameof(NetworkTrainerOptions.MaximumGradientNorm)}.");

    private void ClearLosses()
    {
        foreach (Tensor loss in _losses)
            loss.Dispose();
        _losses.Clear();
    }

    private TrainingReport Summary() => new()
    {
        Steps = _step,
        Epochs = _epoch,
        RowsRead = _rows.RowsRead,
        RowsSkipped = _rows.RowsSkipped,
        BackwardRows = _backwardRows,
        ForwardRows = _forwardRows,
        Selection = _selector?.Report,
        SelectionContinued = _selectionContinued,
        StoppedEarly = _stoppedEarly,
        BestValidationLoss = float.IsFinite(_bestValidationLoss) ? _bestValidationLoss : null,
        FinalLoss = _meanLoss,
        ReadSeconds = _rows.ReadTime.TotalSeconds + (_validation?.ReadTime.TotalSeconds ?? 0),
        SelectSeconds = _selectTime.TotalSeconds,
        StepSeconds = _stepTime.TotalSeconds,
        ValidateSeconds = _validateTime.TotalSeconds,
    };
}
