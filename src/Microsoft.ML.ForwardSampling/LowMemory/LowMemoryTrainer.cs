using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>Trains a linear model row by row, in 3 bytes a feature; made by <c>mlContext.ForwardSampling().Trainers</c>.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Task</term><description>Label column; output columns</description></listheader>
/// <item><term>Regression, squared loss</term><description>Single; <c>Score</c> (Single)</description></item>
/// <item><term>Binary, logistic loss</term><description>Boolean; <c>Score</c> (Single, the log-odds), <c>Probability</c> (Single),
/// <c>PredictedLabel</c> (Boolean)</description></item>
/// </list>
/// <para>For wide sparse rows: a row costs its features that are not 0, however many there are in all, and nothing is allocated for it.
/// Rows are learned from in the order in which they come: data sorted by label need a shuffle first. Features should be 0 or of about
/// unit scale. Rows with a missing feature, label or weight are skipped and counted (<see cref="LowMemoryReport.RowsSkipped"/>).</para>
/// <para>One seed and one order of rows give the same model again, and one fit after another that of one longer fit.</para>
/// <para>Source: Golovin, Sculley, McMahan and Young, "Large-scale learning with less RAM via randomization", ICML 2013: coefficients
/// rounded at random, rates from counters of 8 bits. Ours: steps that do not overshoot (arXiv 1011.1576), weights.</para>
/// </remarks>
public sealed class LowMemoryTrainer : IEstimator<LowMemoryPredictionTransformer>
{
    internal const int MaximumFeatures = 1 << 26;

    private readonly IHost _host;
    private readonly int _seed;

    internal LowMemoryTrainer(IHostEnvironment environment, PredictionTask task, LowMemoryTrainerOptions options)
    {
        options.Validate();
        Task = task;
        Options = options;
        _host = environment.Register($"ForwardSampling.LowMemory{task}Trainer");
        _seed = options.Seed ?? _host.Rand.Next();
    }

    /// <summary>Regression or binary.</summary>
    public PredictionTask Task { get; }

    /// <summary>The options the trainer was made with.</summary>
    public LowMemoryTrainerOptions Options { get; }

    /// <summary>The columns the trained transformer adds, as ML.NET's own trainer of the task promises them.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <returns>The input's columns and the task's output columns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type; the message names it, what was expected and
    /// what was found.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        MLContext context = PrivateContext.Instance;
        (string label, string features, string? weight) = (Options.LabelColumnName, Options.FeatureColumnName,
            Options.ExampleWeightColumnName);
        return Task == PredictionTask.Regression
            ? context.Regression.Trainers.Sdca(label, features, weight).GetOutputSchema(inputSchema)
            : context.BinaryClassification.Trainers.SdcaLogisticRegression(label, features, weight).GetOutputSchema(inputSchema);
    }

    /// <summary>Trains a new model.</summary>
    /// <param name="input">Training data.</param>
    /// <returns>The trained model as a transformer.</returns>
    /// <inheritdoc cref="Fit(IDataView, LowMemoryPredictionTransformer)" path="/exception"/>
    public LowMemoryPredictionTransformer Fit(IDataView input) => Fit(input, null);

    /// <summary>Goes on training from an earlier model, which stays as it is, with its counters and its generator: the result is that of
    /// one fit over both data.</summary>
    /// <param name="input">Training data.</param>
    /// <param name="previousModel">Where coefficients and counters start, of the same task, format and features; null: a new
    /// model.</param>
    /// <returns>The trained model as a transformer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type, or there are too many features.</exception>
    /// <exception cref="ArgumentException">The previous model is of another task, format or shape, or has no counters.</exception>
    /// <exception cref="InvalidOperationException">No usable row.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public LowMemoryPredictionTransformer Fit(IDataView input, LowMemoryPredictionTransformer? previousModel)
    {
        ArgumentNullException.ThrowIfNull(input);
        LinearColumns columns = Bind(input.Schema);
        LowMemoryModel? previous = previousModel?.Model;
        if (previous is not null)
            CheckContinues(previous, columns);
        using IChannel channel = _host.Start("Fit");
        try
        {
            LowMemoryModel model = Train(new RowStream(input, columns), columns.FeatureCount, previous);
            Tell(channel, model.Report!);
            return new LowMemoryPredictionTransformer(model, columns.Features.Name, columns.Label.Name);
        }
        catch (Exception e)
        {
            WorkerExceptions.ThrowIfCancelled(e);
            throw;
        }
    }

    private LowMemoryModel Train(RowStream rows, int featureCount, LowMemoryModel? previous)
    {
        long start = Stopwatch.GetTimestamp();
        LabelScale scale = previous?.Scale
            ?? (Task == PredictionTask.Regression && Options.NormalizeLabel ? rows.ReadScale() : LabelScale.None);
        short[] codes = previous is null ? new short[featureCount] : [.. previous.Learner!.Codes];
        byte[] counts = previous is null ? new byte[featureCount] : [.. previous.Learner!.Counts];
        OnlineLearner learner = Create(codes, counts);
        learner.Intercept = previous?.LearnerIntercept ?? 0;
        learner.WeightSeen = previous?.Learner!.WeightSeen ?? 0;
        learner.Random = previous is null ? new RepeatableRandom(_seed) : new RepeatableRandom(previous.Learner!.Random);
        for (int epoch = 0; epoch < Options.Epochs; epoch++)
            rows.Feed(learner, scale, Options.CancellationToken);
        if (learner.WeightSum == 0)
            throw new InvalidOperationException(
                $"There is no row to train on: {rows.RowsRead} rows were read, {rows.RowsSkipped} skipped because a feature, the label or "
                + $"the weight was missing, and {learner.Rows} weigh 0.");
        // Reported as everywhere in this library: the square, not half of it.
        double lossUnit = Task == PredictionTask.Regression ? 2 * scale.Unit * scale.Unit : 1;
        return new LowMemoryModel(Task, Options.Format, scale, learner.Intercept,
            new LearnerState(codes, counts, learner.WeightSeen, learner.Random.State))
        {
            Report = new LowMemoryReport
            {
                Epochs = Options.Epochs,
                RowsRead = rows.RowsRead,
                RowsSkipped = rows.RowsSkipped,
                NonZeros = learner.NonZeros,
                Clamped = learner.Clamped,
                ProgressiveLoss = learner.LossSum / learner.WeightSum * lossUnit,
                Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
            },
        };
    }

    private OnlineLearner Create(short[] codes, byte[] counts)
    {
        FixedPointFormat format = Options.Format;
        var randomized = new RandomizedCounts(counts, Options.LearningRate, format.Step);
        return (Task, Options.Grid) switch
        {
            (PredictionTask.Regression, RoundingGrid.Fixed) => Learner<FixedGridCoefficients, OnlineSquaredLoss>(new(codes, format)),
            (PredictionTask.Regression, _) => Learner<AdaptiveGridCoefficients, OnlineSquaredLoss>(new(codes, format)),
            (_, RoundingGrid.Fixed) => Learner<FixedGridCoefficients, OnlineLogisticLoss>(new(codes, format)),
            _ => Learner<AdaptiveGridCoefficients, OnlineLogisticLoss>(new(codes, format)),
        };

        OnlineLearner Learner<TCoefficients, TLoss>(TCoefficients coefficients)
            where TCoefficients : struct, ICoefficients
            where TLoss : struct, ILinearLoss
            => new OnlineLearner<TCoefficients, RandomizedCounts, TLoss>(coefficients, randomized, Options.LearningRate);
    }

    private static void Tell(IChannel channel, LowMemoryReport report)
    {
        channel.Info(MessageSensitivity.None, "{0} rows in {1:F2} s, progressive loss {2:G5}.", report.RowsRead, report.Seconds,
            report.ProgressiveLoss);
        if (report.RowsSkipped > 0)
            channel.Warning(MessageSensitivity.None, "{0} of {1} rows were skipped: a feature, the label or the weight was missing.",
                report.RowsSkipped, report.RowsRead);
        if (report.Clamped > 0.001 * report.NonZeros)
            channel.Warning(MessageSensitivity.None, "{0} of {1} steps were cut short by the coefficients' range: give {2}.{3} more, or "
                + "the features a larger scale.", report.Clamped, report.NonZeros, nameof(LowMemoryTrainerOptions),
                nameof(LowMemoryTrainerOptions.IntegerBits));
    }

    /// <summary>Checks the columns as ML.NET's own trainer would, and finds the ones this run reads.</summary>
    private LinearColumns Bind(DataViewSchema schema)
    {
        GetOutputSchema(Shapes.Of(schema));
        DataViewSchema.Column? weight = WeightColumn.Find(schema, Options.ExampleWeightColumnName,
            $"{nameof(LowMemoryTrainerOptions)}.{nameof(LowMemoryTrainerOptions.ExampleWeightColumnName)}");
        var columns = new LinearColumns(schema[Options.FeatureColumnName], schema[Options.LabelColumnName], weight);
        if (columns.FeatureCount > MaximumFeatures)
            throw new ArgumentOutOfRangeException(nameof(schema), $"Feature column '{columns.Features.Name}' must have at most "
                + $"{MaximumFeatures} slots. Its type {columns.Features.Type} has {columns.FeatureCount}: hash to fewer bits.");
        return columns;
    }

    private void CheckContinues(LowMemoryModel previous, LinearColumns columns)
    {
        string? wrong = !previous.CanContinue ? "has no counters: it was made by ForPrediction to score alone"
            : previous.Task != Task ? $"is of {previous.Task}, this trainer of {Task}"
            : previous.FeatureCount != columns.FeatureCount
                ? $"has {previous.FeatureCount} features, column '{columns.Features.Name}' {columns.FeatureCount}"
            : previous.Format != Options.Format ? $"has coefficients in {previous.Format}, this trainer in {Options.Format}"
            : null;
        if (wrong is not null)
            throw new ArgumentException($"The previous model {wrong}.", "previousModel");
    }
}
