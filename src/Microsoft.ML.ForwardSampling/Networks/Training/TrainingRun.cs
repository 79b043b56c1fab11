using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>One call of Fit: passes over the rows, selection, steps, evaluation and counts.</summary>
internal sealed class TrainingRun : IDisposable
{
    private const int StepsBetweenReports = 100;

    private readonly NetworkTrainerOptions _options;
    private readonly TaskHead _head;
    private readonly TrainingEngine _engine;
    private readonly RowFeed _rows;
    private readonly RowFeed? _validation;
    private readonly bool _isNew;
    private readonly int _heldOutSeed;
    private readonly RowSelector? _selector;
    private readonly WindowStatistics? _window;
    private readonly bool _selectionContinued;
    private readonly int[] _classes = [];
    private readonly float _labelDeviation;             // losses are told in units of the label, whatever scale the network is trained on
    private readonly StratifiedBatches? _batches;
    private readonly int[] _dealtRows = [];
    private readonly float[] _dealtWeights = [];
    private readonly Random _order;
    private readonly Action<TrainingProgress> _report;
    private readonly AndersonMixer? _mixer;
    private readonly int _featureCount;
    private readonly long _started = Stopwatch.GetTimestamp();

    private float[] _rowLosses = [];
    private float[] _strata = [];                       // fresh ones of a window's rows, by their place in the pool
    private RowPool? _part;                             // the rows at hand
    private long _firstRow;                             // their first one's number in the pass
    private HeldOutRows? _heldOut;
    private long _heldOutRows;
    private EarlyStopping? _stopping;
    private int _bestEpoch;
    private long _bestStep;
    private int _pending;
    private int _mixes;
    private int _mixesKept;
    private int _epoch;
    private long _step;
    private long _averaged;                             // steps in the running mean of the weights
    private long _totalSteps;
    private long _backwardRows;
    private long _forwardRows;
    private float _learningRate;
    private float _meanLoss = float.NaN;
    private float _bestValidationLoss = float.PositiveInfinity;
    private float _lossToImproveOn = float.PositiveInfinity;
    private int _evaluationsWithoutImprovement;
    private bool _stoppedEarly;
    private bool _hasBestWeights;
    private TimeSpan _selectTime;
    private TimeSpan _stepTime;
    private TimeSpan _validateTime;

    public TrainingRun(
        NetworkTrainerOptions options, NetworkModel model, RowFeed rows, RowFeed? validation, TrainingColumns columns, int seed,
        (IRowSelectionPolicy Policy, RowSelectorState State)? previousSelection, AveragedTraining? previousAverage,
        MixedTraining? previousMix, bool isNew, Action<TrainingProgress> report)
    {
        _options = options;
        _head = model.Head;
        _labelDeviation = (float)model.Standardization.LabelDeviation;
        _rows = rows;
        _validation = validation;
        _report = report;
        _stopping = options.EarlyStopping;
        _isNew = isNew;
        _heldOutSeed = seed;
        _featureCount = columns.NumberCount;
        _order = new Random(seed);
        if (options.Batches == BatchComposition.Stratified)
        {
            _batches = new StratifiedBatches();
            _dealtRows = new int[options.BatchRows];
            _dealtWeights = new float[options.BatchRows];
        }

        if (options.Selection is { } selection)
        {
            _selector = new RowSelector(selection.Policy, _order.Next());
            if (previousSelection is var (policy, state) && policy.Equals(selection.Policy) && !state.PolicyState.IsEmpty)
            {
                _selector = new RowSelector(policy, _selector.State with { PolicyState = state.PolicyState });
                _selectionContinued = true;
            }

            _window = new WindowStatistics(selection.WindowSize, selection.Policy.Needs, _head.Task, columns.FeatureCount,
                selection.Limits is { AreSet: true, OldRecords: OldRecords.Discount });
            if (LearnsFromLosses && _head.Task != PredictionTask.Regression)
                _classes = new int[options.BatchRows];
        }

        // Last: nothing after it throws, so whoever gets a run disposes its engine.
        _engine = TrainingEngine.Create(model, options, columns.FeatureCount,
            weighted: columns.Weight is not null || options.Selection is not null, rows.IsSparse);
        if (options.WeightAveraging is not null && previousAverage is { } before && before.Engine == _engine.GetType())
        {
            _engine.ResumeAverage(before.Weights);
            _averaged = before.Steps;
        }

        if (options.AndersonMixing is { } mixing)
            _mixer = new AndersonMixer(mixing, _engine.CopyTrained(), previousMix?.Engine == _engine.GetType() ? previousMix : null);
    }

    /// <summary>Trains the network to its last step, or to the step at which early stopping ends it.</summary>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">There was no row to train on, or the loss is no longer finite.</exception>
    public TrainingReport Train()
    {
        HoldOut();
        _totalSteps = CountSteps();
        while (_epoch < _options.Epochs && !Finished)
        {
            _epoch++;
            _firstRow = 0;
            foreach (RowPool part in _rows.Parts(_options.CancellationToken))
            {
                TrainOn(part);
                _firstRow += part.Count;
                if (Finished)
                    break;
            }

            if (!Finished)
                FlushBatch();
            if (_options.AndersonMixing is { EveryNSteps: null })
                Mix();
            if (Validates && _stopping?.EveryNSteps is null)
                Evaluate();
            else
                Report(null);
        }

        // The last steps may be the best ones: they count only if they are evaluated.
        if (Validates && !_stoppedEarly && _stopping?.EveryNSteps is { } every && _step % every != 0)
            Evaluate();
        if (_step == 0)
            throw new InvalidOperationException(
                "Training made no step: there was one usable row, and batch normalisation needs at least two in a batch.");
        if (_averaged > 0)
        {
            Averaged = new AveragedTraining(_engine.GetType(), _engine.CopyWeights(), _averaged);
            _engine.ExchangeAverage();
        }

        _engine.Finish();
        return Summary();
    }

    /// <summary>The policy and where its selector stands; null without selection.</summary>
    public (IRowSelectionPolicy Policy, RowSelectorState State)? Selection => _selector is null ? null
        : (_selector.Policy, _selector.State);

    /// <summary>For how long to train a network anew on all rows, those held out among them; null: the model is what this run
    /// trained.</summary>
    public NetworkTrainerOptions? OnAllRows => !TrainsAgain || !_hasBestWeights ? null
        : _stopping!.EveryNSteps is null ? _options with { Epochs = _bestEpoch, HeldOutShare = 0, EarlyStopping = null }
        : _options with { MaximumSteps = (int)_bestStep, HeldOutShare = 0, EarlyStopping = null };

    /// <summary>Where training stands when the model has averaged weights; null when it has those of the last step.</summary>
    public AveragedTraining? Averaged { get; private set; }

    /// <summary>Where mixing stands; null without it.</summary>
    public MixedTraining? Mixed => _mixer?.State(_engine.GetType());

    public void Dispose() => _engine.Dispose();

    /// <summary>One unit of loss on the scale of training, in units of the label.</summary>
    private float LossUnit => _labelDeviation * _labelDeviation;

    private bool Finished => _stoppedEarly || _step >= (_options.MaximumSteps ?? long.MaxValue);

    private bool Validates => _validation is not null || _heldOut is not null;

    /// <summary>A selection that has learned from its losses is not begun anew.</summary>
    private bool TrainsAgain => _heldOut is not null && _selector is null;

    private bool LearnsFromLosses => _selector is not null && (_selector.Feedback & SelectionFeedback.TrainingLoss) != 0;

    private int WindowSize => _options.Selection?.WindowSize ?? _options.BatchRows;

    /// <summary>Rows in another order, window by window: select, then a step for each full batch.</summary>
    private void TrainOn(RowPool part)
    {
        _part = part;
        int[] order = RowsOf(part, _firstRow, held: false);
        if (_options.Shuffle)
            _order.Shuffle(order);

        _selector?.CountOldRecords(part.Excluded, 0);
        if (_batches is not null && _selector is null)
        {
            Deal(part, order, []);
            return;
        }

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
            if (_batches is null)
                AddToBatch(part, chosen, weights);
            else
                Deal(part, chosen, weights);
        }
    }

    /// <summary>A step for each stratified batch of the rows.</summary>
    private void Deal(RowPool part, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
    {
        bool isNumber = _head.Task == PredictionTask.Regression;
        float[] strata = _strata.Length > 0 ? _strata : part.Strata.Length > 0 ? part.Strata : isNumber ? part.Labels : [];
        _batches!.Deal(rows, isNumber ? [] : part.Labels, strata, _options.BatchRows, _order);
        for (int n = 0; n < _batches.Count && !Finished; n++)
        {
            ReadOnlySpan<int> batch = _batches.Batch(n);
            for (int i = 0; i < batch.Length; i++)
            {
                _dealtRows[i] = rows[batch[i]];
                _dealtWeights[i] = weights.IsEmpty ? 1f : weights[batch[i]];
            }

            AddToBatch(part, _dealtRows.AsSpan(0, batch.Length), weights.IsEmpty ? [] : _dealtWeights.AsSpan(0, batch.Length));
            if (!Finished)
                FlushBatch();
        }
    }

    private void AddToBatch(RowPool part, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
    {
        while (rows.Length > 0 && !Finished)
        {
            int taken = Math.Min(rows.Length, _options.BatchRows - _pending);
            _engine.Fill(part, rows[..taken], weights.IsEmpty ? [] : weights[..taken], _pending);
            _pending += taken;
            rows = rows[taken..];
            weights = weights.IsEmpty ? [] : weights[taken..];
            if (_pending == _options.BatchRows)
                Step();
        }
    }

    /// <summary>The last, shorter batch of a pass. One row has no variance: where a network may normalise over the batch, it waits for the
    /// next pass.</summary>
    private void FlushBatch()
    {
        bool mayNormalizeOverBatch = _options.Network is not null ? _options.BatchRows > 1 : _options.Normalization == Normalization.Batch;
        if (_pending > 1 || (_pending == 1 && !mayNormalizeOverBatch))
            Step();
    }

    private void Step()
    {
        _options.CancellationToken.ThrowIfCancellationRequested();
        long began = Stopwatch.GetTimestamp();
        _learningRate = (float)_options.Optimizer.LearningRate * _options.LearningRateSchedule.Factor(_step, _totalSteps);
        _engine.Step(_pending, _learningRate);
        if (_options.WeightAveraging is { } averaging)
            _engine.Average(averaging.KeepAt(_averaged++));
        if (LearnsFromLosses)
            ReportTraining();
        _step++;
        _backwardRows += _pending;
        TrainingMeters.Count(_head.Task, _pending);
        _pending = 0;
        _stepTime += Stopwatch.GetElapsedTime(began);
        if (_mixer?.EndsStretch() == true)
            Mix();
        if (_step % StepsBetweenReports == 0)
            Report(null);
        if (Validates && _stopping?.EveryNSteps is { } every && _step % every == 0)
            Evaluate();
    }

    /// <summary>Goes to the combination of the last stretches where the loss is lower there, on rows spread over those at hand.</summary>
    private void Mix()
    {
        const int MostRows = 1024;
        long began = Stopwatch.GetTimestamp();
        RowPool part = _part!;
        int[] rows = new int[Math.Min(Math.Min(MostRows, _engine.MostRowsPerScoring), part.Count)];
        for (int i = 0; i < rows.Length; i++)
            rows[i] = (int)((long)i * part.Count / rows.Length);
        float[][] reached = _engine.CopyTrained(), mixed = _mixer!.Combine(reached);
        double before = _engine.Evaluate(part, rows).Loss;
        _engine.SetTrained(mixed);
        bool isKept = _engine.Evaluate(part, rows).Loss < before;
        if (!isKept)
            _engine.SetTrained(reached);
        _mixer.Begin(isKept ? mixed : reached);
        _forwardRows += 2 * rows.Length;
        _mixes++;
        _mixesKept += isKept ? 1 : 0;
        _stepTime += Stopwatch.GetElapsedTime(began);
    }

    private void ReportTraining()
    {
        Span<int> classes = _classes.AsSpan(0, Math.Min(_classes.Length, _pending));
        _engine.CopyClasses(classes);
        ReadOnlySpan<float> losses = _engine.RowLosses(_pending);
        if (_labelDeviation != 1)
        {
            if (_rowLosses.Length < _pending)
                _rowLosses = new float[_options.BatchRows];
            TensorPrimitives.Multiply(losses, LossUnit, _rowLosses);
            losses = _rowLosses.AsSpan(0, _pending);
        }

        _selector!.ReportTraining(losses, _engine.FeatureValues(_pending), classes);
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
        if (_batches is not null && _strata.Length < part.Count)
            _strata = new float[part.Count];
        for (int start = 0; start < window.Length; start += _engine.MostRowsPerScoring)
        {
            ReadOnlySpan<int> rows = window.Slice(start, Math.Min(_engine.MostRowsPerScoring, window.Length - start));
            ReadOnlySpan<float> outputs = _engine.Score(part, rows, _window!.ActivationNorms(start, rows.Length));
            for (int i = 0; i < rows.Length; i++)
            {
                ClassificationStatistics statistics = _head.Statistics(outputs.Slice(i * _head.Outputs, _head.Outputs),
                    part.Labels[rows[i]]);
                if (_labelDeviation != 1)
                    statistics = statistics with
                    {
                        Loss = statistics.Loss * LossUnit,
                        GradientNorm = statistics.GradientNorm * _labelDeviation
                    };
                if (_batches is not null)
                    _strata[rows[i]] = _head.Task == PredictionTask.Regression ? outputs[i] - part.Labels[rows[i]] : statistics.Loss;
                _window!.Set(start + i, statistics);
            }

            _forwardRows += rows.Length;
        }
    }

    /// <summary>Mean weighted loss over the validation rows; keeps the best weights and decides on early stopping.</summary>
    private void Evaluate()
    {
        if (_averaged > 0)
            _engine.ExchangeAverage();
        EvaluateWeights();
        if (_averaged > 0)
            _engine.ExchangeAverage();
    }

    private void EvaluateWeights()
    {
        long began = Stopwatch.GetTimestamp();
        double sum = 0, weightSum = 0;
        long first = 0;
        foreach (RowPool part in (_validation ?? _rows).Parts(_options.CancellationToken))
        {
            int[] rows = RowsOf(part, first, held: _validation is null);
            first += part.Count;
            for (int start = 0; start < rows.Length; start += _engine.MostRowsPerScoring)
            {
                ReadOnlySpan<int> some = rows.AsSpan(start, Math.Min(_engine.MostRowsPerScoring, rows.Length - start));
                (double loss, double weight) = _engine.Evaluate(part, some);
                sum += loss;
                weightSum += weight;
                _forwardRows += some.Length;
            }
        }

        if (weightSum == 0)
            throw new InvalidOperationException(
                "The validation data have no usable row: every row misses a feature or its label, or weighs 0.");
        float mean = (float)(sum / weightSum) * LossUnit;
        _validateTime += Stopwatch.GetElapsedTime(began);
        JudgeEvaluation(mean);
        if (float.IsFinite(mean))
            _selector?.ReportValidation(mean);
        Report(mean);
    }

    private void JudgeEvaluation(float validationLoss)
    {
        EarlyStopping? stopping = _stopping;
        if (validationLoss < _bestValidationLoss)
        {
            _bestValidationLoss = validationLoss;
            (_bestEpoch, _bestStep) = (_epoch, _step);
            if (stopping is not null)
            {
                if (!TrainsAgain)
                    _engine.KeepBestWeights();
                _hasBestWeights = true;
            }
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

    /// <summary>Keeps some rows from training where nothing else says when to stop.</summary>
    private void HoldOut()
    {
        if (_validation is not null)
            return;
        IReadOnlyList<int> parts = PartRows();
        double share = _options.HeldOutShare ?? (_isNew && _options is { Epochs: > 1, MaximumSteps: null, Selection: null }
            && _rows.MostlyZero(_featureCount) ? NetworkTrainerOptions.UsualHeldOutShare : 0);
        if (share == 0)
            return;
        _heldOut = new HeldOutRows(share, _heldOutSeed);
        _heldOutRows = parts.Sum(rows => (long)rows) - TrainedRows().Sum(rows => (long)rows);
        if (_heldOutRows == 0 || _heldOutRows == parts.Sum(rows => (long)rows))
            (_heldOut, _heldOutRows) = (null, 0);           // a handful of rows
        else
            _stopping ??= new EarlyStopping();
    }

    private IReadOnlyList<int> PartRows() => _rows.PartRows ?? [.. _rows.Parts(_options.CancellationToken).Select(part => part.Count)];

    /// <summary>Rows of each part that are trained on.</summary>
    private IReadOnlyList<int> TrainedRows()
    {
        IReadOnlyList<int> parts = PartRows();
        if (_heldOut is null)
            return parts;
        long first = 0;
        var trained = new List<int>();
        foreach (int rows in parts)
        {
            trained.Add(_heldOut.In(first, rows, held: false).Length);
            first += rows;
        }

        return trained;
    }

    /// <summary>The rows of a part that are trained on, or those that are held out.</summary>
    private int[] RowsOf(RowPool part, long first, bool held)
        => _heldOut?.In(first, part.Count, held) ?? [.. Enumerable.Range(0, part.Count)];

    /// <summary>Steps of the whole run, known beforehand because every window keeps its exact budget. Data that do not fit in memory are
    /// read once more for it, unless they were read for their scale.</summary>
    private long CountSteps()
    {
        IReadOnlyList<int> parts = TrainedRows();
        long chosen = parts.Sum(CountChosen);
        if (chosen == 0)
            throw new InvalidOperationException(
                $"There is no row to train on: {_rows.RowsRead} rows were read, {_rows.RowsSkipped} skipped because a feature, the label "
                + $"or the weight was missing, and {_rows.RowsExcluded} left out because their record is too old.");
        long steps = (_batches is null ? StepsFor(chosen) : parts.Sum(CountDealt)) * _options.Epochs;
        return Math.Min(steps, _options.MaximumSteps ?? long.MaxValue);
    }

    private long StepsFor(long rows) => (rows + _options.BatchRows - 1) / _options.BatchRows;

    /// <summary>Steps on a part whose rows, or whose windows' chosen rows, are dealt by themselves.</summary>
    private long CountDealt(int rows)
    {
        if (_options.Selection is not { } selection)
            return StepsFor(rows);
        (int windows, int last) = Math.DivRem(rows, selection.WindowSize);
        return (windows * StepsFor(selection.Budget.For(selection.WindowSize, selection.WindowSize)))
            + (last == 0 ? 0 : StepsFor(selection.Budget.For(last, selection.WindowSize)));
    }

    /// <summary>How many of a part's rows get a backward pass: windows end where a part ends.</summary>
    private long CountChosen(int rows)
    {
        if (_options.Selection is not { } selection)
            return rows;
        (int windows, int last) = Math.DivRem(rows, selection.WindowSize);
        return (long)windows * selection.Budget.For(selection.WindowSize, selection.WindowSize)
            + (last == 0 ? 0 : selection.Budget.For(last, selection.WindowSize));
    }

    private void Report(float? validationLoss)
    {
        if (_engine.TakeMeanLoss() is { } meanLoss)
        {
            _meanLoss = meanLoss * LossUnit;
            // Under early stopping the best weights are kept, and they were finite.
            if (!float.IsFinite(meanLoss))
                _stoppedEarly = _hasBestWeights ? true : throw Diverged();
        }

        _report(new TrainingProgress(_epoch, _step, _totalSteps, _backwardRows, _forwardRows, _meanLoss, validationLoss, _learningRate,
            Stopwatch.GetElapsedTime(_started)));
    }

    /// <summary>The one message for a loss or weights that are no longer finite.</summary>
    public InvalidOperationException Diverged()
        => new($"Training diverged: the loss or a weight is no longer finite at step {_step} (learning rate {_learningRate}). Lower the "
            + $"learning rate, normalise the features, or set {nameof(NetworkTrainerOptions.MaximumGradientNorm)}.");

    private TrainingReport Summary() => new()
    {
        Steps = _step,
        Epochs = _epoch,
        RowsRead = _rows.RowsRead,
        RowsSkipped = _rows.RowsSkipped,
        HeldOutRows = _heldOutRows,
        BackwardRows = _backwardRows,
        ForwardRows = _forwardRows,
        Selection = _selector?.Report,
        SelectionContinued = _selectionContinued,
        StoppedEarly = _stoppedEarly,
        BestValidationLoss = float.IsFinite(_bestValidationLoss) ? _bestValidationLoss : null,
        FinalLoss = _meanLoss,
        Mixes = _mixes,
        MixesKept = _mixesKept,
        ReadSeconds = _rows.ReadTime.TotalSeconds + (_validation?.ReadTime.TotalSeconds ?? 0),
        SelectSeconds = _selectTime.TotalSeconds,
        StepSeconds = _stepTime.TotalSeconds,
        ValidateSeconds = _validateTime.TotalSeconds,
    };
}
