using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>One training at one seed, from the first network to the last.</summary>
internal sealed class CompareStream : IDisposable
{
    // Where a run is tested, as shares of its backward rows.
    private static readonly double[] TestedAt = [0.0625, 0.125, 0.25, 0.375, 0.5, 0.75, 1];

    private readonly CompareExperiment _experiment;
    private readonly TabularData _data;
    private readonly CompareArm _arm;
    private readonly int _seed;
    private readonly IProgress<RunProgress> _progress;
    private readonly CancellationToken _cancellation;
    private readonly MLContext _mlContext;
    private readonly CompareNetworks _networks;
    private readonly IDataView _test;
    private readonly RowSelector? _evenly;
    private readonly RowSelector? _selector;
    private readonly SelectionProfile _profile;
    private readonly SelectionBudget _budget;
    private readonly int[] _rows;
    private readonly float[] _weights;

    // The newest first; older ones only as far back as records may come from.
    private readonly LinkedList<NetworkPredictionTransformer> _deployed = [];
    private readonly List<ComparePoint> _curve = [];
    private SelectionExamples? _examples;
    private int _nextTest;
    private long _plannedRows;
    private long _backwardRows;
    private long _recordedRows;
    private long _forwardRows;
    private long _steps;
    private TimeSpan _recordTime;
    private TimeSpan _selectTime;
    private TimeSpan _trainTime;

    private CompareStream(CompareExperiment experiment, TabularData data, CompareArm arm, int seed,
        IProgress<RunProgress> progress, CancellationToken cancellation)
    {
        (_experiment, _data, _arm, _seed, _progress, _cancellation) = (experiment, data, arm, seed, progress, cancellation);
        _mlContext = new MLContext(seed);
        _networks = new CompareNetworks(_mlContext, experiment, data, cancellation);
        _test = data.ToView(_mlContext, data.Test);
        _budget = SelectionBudget.Share(experiment.Budget);
        _profile = new SelectionProfile(data.Classes.Count);
        _rows = new int[experiment.Window];
        _weights = new float[experiment.Window];
        if (arm.Policy is not null)
        {
            _selector = new RowSelector(arm.Policy.Create(), seed);
            _evenly = new RowSelector(new UniformPolicy(), seed);
        }
    }

    /// <summary>Runs the stream.</summary>
    /// <param name="experiment">The rules.</param>
    /// <param name="data">The rows, with this seed's noise.</param>
    /// <param name="arm">What is trained.</param>
    /// <param name="seed">Of the order, the weights and the draws: at one seed every arm meets the same rows in the same order.</param>
    /// <param name="progress">Told after each chunk.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    /// <returns>The run; one whose loss was no longer finite says so and has no curve.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static CompareRun Run(CompareExperiment experiment, TabularData data, CompareArm arm, int seed,
        IProgress<RunProgress> progress, CancellationToken cancellation)
    {
        using var stream = new CompareStream(experiment, data, arm, seed, progress, cancellation);
        try
        {
            stream.Train();
            return new CompareRun(arm.Name, seed, stream._curve, stream._profile.ToShape(), null, arm.Setting)
            {
                Examples = stream._examples
            };
        }
        catch (InvalidOperationException e) when (e.InnerException is not OperationCanceledException)
        {
            progress.Report(new RunProgress(arm.Name, seed, 1, "failed"));
            return new CompareRun(arm.Name, seed, [], null, e.Message, arm.Setting);
        }
    }

    /// <summary>Releases the networks.</summary>
    public void Dispose()
    {
        foreach (NetworkPredictionTransformer network in _deployed)
            network.Dispose();
    }

    private void Train()
    {
        var random = new Random(_seed);
        TabularRow[] stream = [.. _data.Training.SkipLast(_experiment.ValidationRows)];
        _plannedRows = _arm.SameBudget ? BudgetOf(stream.Length) * _experiment.Passes : (long)stream.Length * _experiment.Passes;
        if (_selector is not null && _selector.Policy.Needs.HasFlag(RecordStatistics.ReferenceLoss))
            AddReferenceLosses(stream);
        while (_backwardRows < _plannedRows)
        {
            if (_experiment.Order == CompareOrder.Shuffled)
                random.Shuffle(stream);
            for (int start = 0; start < stream.Length && _backwardRows < _plannedRows; start += _experiment.Chunk)
            {
                _cancellation.ThrowIfCancellationRequested();
                int chunkSeed = random.Next();
                var arrived = new ArraySegment<TabularRow>(stream, start, Math.Min(_experiment.Chunk, stream.Length - start));
                TrainOn(arrived, chunkSeed);
                Test();
            }
        }
    }

    /// <summary>What a policy that asks for another network's losses costs before the stream begins: counted as forward rows and as
    /// selection.</summary>
    private void AddReferenceLosses(TabularRow[] stream)
    {
        long started = Stopwatch.GetTimestamp();
        ReferenceLosses.AddTo(stream, _networks, _plannedRows, _seed);
        _forwardRows += stream.Length;
        _selectTime += Stopwatch.GetElapsedTime(started);
    }

    /// <summary>What arrived is recorded, selected from, trained on; the network that comes out is deployed.</summary>
    private void TrainOn(ArraySegment<TabularRow> arrived, int chunkSeed)
    {
        if (_arm.Policy is null)
        {
            int taken = (int)Math.Min(arrived.Count, _plannedRows - _backwardRows);
            Deploy(Fit(arrived[..taken], taken, chunkSeed, null));
            return;
        }

        // The first chunk has no deployed network: there, every policy draws evenly.
        RowSelector selector = _deployed.Count == 0 ? _evenly! : _selector!;
        if (_experiment.RecordAge == 0 && selector.Policy.Needs != RecordStatistics.None)
        {
            var fresh = new InTrainingSelection
            {
                Policy = selector.Policy,
                WindowSize = _experiment.Window,
                Budget = _budget,
                Statistics = StatisticsSource.Fresh
            };
            Deploy(Fit(arrived, (int)BudgetOf(arrived.Count), chunkSeed, fresh));
            return;
        }

        Statistics statistics = Record(arrived, selector.Policy.Needs, chunkSeed);
        bool isValidated = selector.Feedback.HasFlag(SelectionFeedback.ValidationLoss);
        if (isValidated && _experiment.ValidationRows == 0)
            selector.ReportValidation(statistics.Loss.Where(float.IsFinite).Average());
        float[] weights = new float[arrived.Count];
        List<TabularRow> chosen = Select(arrived, statistics, selector, weights);
        if (_seed == 1 && _arm.Setting is null && selector == _selector && _backwardRows + chosen.Count >= _plannedRows)
            _examples = SelectionExamples.Of(_data, arrived, statistics.Loss, weights);
        Deploy(Fit(chosen, chosen.Count, chunkSeed, null));
        if (isValidated && _experiment.ValidationRows > 0)
            ReportValidation(selector);
        if (selector.Feedback.HasFlag(SelectionFeedback.TrainingLoss))
            ReportTraining(selector, chosen);
    }

    /// <summary>Tells a policy how the network does on rows that are never trained on: scored for that alone, which is counted.</summary>
    private void ReportValidation(RowSelector selector)
    {
        long started = Stopwatch.GetTimestamp();
        float[] losses = new float[_experiment.ValidationRows];
        _networks.Read(_deployed.First!.Value, _data.Training.TakeLast(losses.Length), [(ForwardColumns.Loss, losses)]);
        selector.ReportValidation(losses.Where(float.IsFinite).Average());
        _forwardRows += losses.Length;
        _selectTime += Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Tells a policy that learns by itself how hard its last rows were: scored once more, which is counted.</summary>
    private void ReportTraining(RowSelector selector, List<TabularRow> chosen)
    {
        long started = Stopwatch.GetTimestamp();
        float[] losses = new float[chosen.Count];
        _networks.Read(_deployed.First!.Value, chosen, [(ForwardColumns.Loss, losses)]);
        selector.ReportTraining(losses, FeaturesOf(chosen), _data.Classes.Count > 0 ? [.. chosen.Select(row => row.ClassIndex)] : []);
        _forwardRows += chosen.Count;
        _selectTime += Stopwatch.GetElapsedTime(started);
    }

    private float[] FeaturesOf(IReadOnlyCollection<TabularRow> rows)
    {
        float[] features = new float[rows.Count * _data.FeatureCount];
        foreach ((int i, TabularRow row) in rows.Index())
            row.Features.CopyTo(features, i * _data.FeatureCount);
        return features;
    }

    /// <summary>The statistics that the deployed network of the asked-for age leaves when it serves these rows.</summary>
    private Statistics Record(ArraySegment<TabularRow> arrived, RecordStatistics needs, int seed)
    {
        const RecordStatistics Columns =
            RecordStatistics.Loss | RecordStatistics.GradientNorm | RecordStatistics.Margin | RecordStatistics.Entropy;
        var statistics = new Statistics(_data.FeatureCount)
        {
            Label = _data.Classes.Count > 0 ? [.. arrived.Select(row => row.ClassIndex)] : [],
            Features = needs.HasFlag(RecordStatistics.Features) ? FeaturesOf(arrived) : [],
            ReferenceLoss = needs.HasFlag(RecordStatistics.ReferenceLoss) ? [.. arrived.Select(row => row.ReferenceLoss)] : [],
            Group = needs.HasFlag(RecordStatistics.Group) ? [.. arrived.Select(row => row.ClassIndex)] : [], // a regression is one group
        };
        bool isValidated = _selector!.Feedback.HasFlag(SelectionFeedback.ValidationLoss);
        bool isStratified = _arm.Setting?.IsStratified == true && _experiment.RecordAge > 0;
        if (_deployed.Count == 0 || ((needs & Columns) == 0 && !isValidated && !isStratified))
            return statistics;

        // The loss is always read: the page shows where along it a policy chooses.
        long started = Stopwatch.GetTimestamp();
        List<(string, float[])> wanted = [(ForwardColumns.Loss, statistics.Loss = new float[arrived.Count])];
        if (needs.HasFlag(RecordStatistics.GradientNorm))
            wanted.Add((ForwardColumns.GradientNorm, statistics.GradientNorm = new float[arrived.Count]));
        if (needs.HasFlag(RecordStatistics.Margin))
            wanted.Add((ForwardColumns.Margin, statistics.Margin = new float[arrived.Count]));
        if (isStratified && _experiment.Task == PredictionTask.Regression)
            wanted.Add((ForwardColumns.Residual, statistics.Residual = new float[arrived.Count]));
        if (needs.HasFlag(RecordStatistics.Entropy))
            wanted.Add((ForwardColumns.Entropy, statistics.Entropy = new float[arrived.Count]));
        _recordedRows += _networks.Read(_deployed.ElementAt(Math.Min(_experiment.RecordAge, _deployed.Count) - 1), arrived, wanted);
        if (_experiment.StatisticBits is { } bits)
            Compact(statistics, new CompactStatisticsOptions { Bits = bits, Seed = seed });
        _recordTime += Stopwatch.GetElapsedTime(started);
        return statistics;
    }

    /// <summary>Keeps loss and gradient norm in a few bits instead, as a store of millions of rows would.</summary>
    private static void Compact(Statistics statistics, CompactStatisticsOptions options)
    {
        var store = new CompactStatistics(statistics.Loss.Length, options);
        for (int row = 0; row < store.Rows; row++)
        {
            store.Set(row, statistics.Loss[row], statistics.GradientNorm.Length > 0 ? statistics.GradientNorm[row] : float.NaN);
            statistics.Loss[row] = store.Loss(row);
            if (statistics.GradientNorm.Length > 0)
                statistics.GradientNorm[row] = store.GradientNorm(row);
        }
    }

    /// <param name="arrived">The chunk.</param>
    /// <param name="statistics">What was recorded of it.</param>
    /// <param name="selector">What chooses.</param>
    /// <param name="weights">Out: of each row; 0 where it is passed over.</param>
    private List<TabularRow> Select(ArraySegment<TabularRow> arrived, Statistics statistics, RowSelector selector, float[] weights)
    {
        List<TabularRow> chosen = new((int)BudgetOf(arrived.Count));
        for (int start = 0; start < arrived.Count; start += _experiment.Window)
        {
            int count = Math.Min(_experiment.Window, arrived.Count - start);
            int budget = _budget.For(count, _experiment.Window);
            SelectionWindow window = statistics.Window(start, count, selector.Scratch);

            long started = Stopwatch.GetTimestamp();
            selector.Select(in window, _rows.AsSpan(0, budget), _weights.AsSpan(0, budget));
            for (int i = 0; i < budget; i++)
                chosen.Add(arrived[start + _rows[i]].AsChosen(_weights[i], statistics.Stratum(start + _rows[i])));
            _selectTime += Stopwatch.GetElapsedTime(started);

            for (int i = 0; i < budget; i++)
                weights[start + _rows[i]] = _weights[i];
            if (selector == _selector)
                _profile.Add(in window, _rows.AsSpan(0, budget), _weights.AsSpan(0, budget));
        }

        return chosen;
    }

    /// <summary>One Fit, from the newest deployed network; Adam goes on with its moments, and the learning rate falls along its part of the
    /// line.</summary>
    private NetworkPredictionTransformer Fit(
        IReadOnlyList<TabularRow> rows, int backwardRows, int chunkSeed, InTrainingSelection? selection)
    {
        double from = (double)_backwardRows / _plannedRows, to = (double)(_backwardRows + backwardRows) / _plannedRows;
        long started = Stopwatch.GetTimestamp();
        NetworkPredictionTransformer next = _networks.Fit(rows,
            options => options with { Epochs = 1, Selection = selection, Seed = chunkSeed }, from, to, _arm.Setting,
            _deployed.First?.Value);
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        TrainingReport report = next.Model.Report!;
        if (report.RowsSkipped > 0 || report.BackwardRows != backwardRows || (_deployed.Count > 0 && !report.OptimizerContinued))
        {
            next.Dispose();
            throw new InvalidDataException(
                $"{_arm.Name}: {report.RowsSkipped} rows skipped, {report.BackwardRows} of {backwardRows} trained on, optimizer "
                + $"{(report.OptimizerContinued ? "" : "not ")}continued: this would be another experiment.");
        }

        var selecting = TimeSpan.FromSeconds(report.SelectSeconds);
        _selectTime += selecting;
        _trainTime += took - selecting;
        _backwardRows += report.BackwardRows;
        _forwardRows += report.ForwardRows;
        _steps += report.Steps;
        return next;
    }

    private void Deploy(NetworkPredictionTransformer next)
    {
        _deployed.AddFirst(next);
        while (_deployed.Count > Math.Max(1, _experiment.RecordAge))
        {
            _deployed.Last!.Value.Dispose();
            _deployed.RemoveLast();
        }
    }

    private void Test()
    {
        double share = (double)_backwardRows / _plannedRows;
        string? result = null;
        if (share >= TestedAt[_nextTest])
        {
            double[] values = CompareMetrics.Evaluate(_mlContext, _deployed.First!.Value, _test, _data, _experiment);
            if (!values.All(double.IsFinite))
                throw new InvalidOperationException(
                    $"After {_backwardRows} backward rows a test figure is not finite: {string.Join(", ", values)}.");
            _curve.Add(new(values, _backwardRows, _recordedRows, _forwardRows, _steps, _recordTime.TotalSeconds, _selectTime.TotalSeconds,
                _trainTime.TotalSeconds));
            while (_nextTest < TestedAt.Length - 1 && share >= TestedAt[_nextTest])
                _nextTest++; // a run of few chunks passes several places at once
            result = CompareText.Value(CompareMetrics.Of(_experiment)[0], values[0]);
        }

        _progress.Report(new RunProgress(_arm.Name, _seed, share, result));
    }

    /// <summary>Backward rows that the windows of so many rows come to.</summary>
    private long BudgetOf(int rows)
    {
        long sum = 0;
        for (int start = 0; start < rows; start += _experiment.Chunk)
        {
            int chunk = Math.Min(_experiment.Chunk, rows - start);
            for (int window = 0; window < chunk; window += _experiment.Window)
                sum += _budget.For(Math.Min(_experiment.Window, chunk - window), _experiment.Window);
        }

        return sum;
    }

    /// <summary>What was recorded of a chunk; empty where it was not.</summary>
    private sealed class Statistics(int featureCount)
    {
        public float[] Loss { get; set; } = [];

        public float[] GradientNorm { get; set; } = [];

        public float[] Residual { get; set; } = [];

        public float[] Margin { get; set; } = [];

        public float[] Entropy { get; set; } = [];

        public required int[] Label { get; init; }

        public required float[] Features { get; init; }

        public required float[] ReferenceLoss { get; init; }

        public required int[] Group { get; init; }

        /// <summary>What batches are stratified by; not a number where nothing was recorded.</summary>
        public float Stratum(int row) => Residual.Length > 0 ? Residual[row] : Loss.Length > 0 ? Loss[row] : float.NaN;

        public SelectionWindow Window(int start, int count, SelectionScratch scratch) => new(count, scratch)
        {
            Loss = Part(Loss, start, count),
            GradientNorm = Part(GradientNorm, start, count),
            Margin = Part(Margin, start, count),
            Entropy = Part(Entropy, start, count),
            Label = Part(Label, start, count),
            Group = Part(Group, start, count),
            ReferenceLoss = Part(ReferenceLoss, start, count),
            Features = Part(Features, start * featureCount, count * featureCount),
        };

        private static ReadOnlySpan<T> Part<T>(T[] values, int start, int count) => values.Length == 0 ? [] : values.AsSpan(start, count);
    }
}
