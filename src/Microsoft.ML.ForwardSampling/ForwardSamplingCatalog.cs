using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling;

/// <summary>Everything this library offers, from <see cref="ForwardSamplingExtensions.ForwardSampling(MLContext)"/>: <c>var fs =
/// mlContext.ForwardSampling();</c></summary>
/// <remarks>Holds nothing but the MLContext: make as many as you like.</remarks>
public sealed partial class ForwardSamplingCatalog
{
    private readonly MLContext _context;

    internal ForwardSamplingCatalog(MLContext context) => _context = context;

    private IHostEnvironment Environment => _context;

    // Recording

    /// <summary>Wraps a trainer or a pipeline so that scoring with the trained model also records each row's statistics.</summary>
    /// <param name="trainer">Not yet trained; its last step adds the score.</param>
    /// <param name="options">Task, label and column names.</param>
    /// <returns>An estimator: <c>Fit</c> trains, <c>Transform</c> scores and records.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">Two options name the same column.</exception>
    /// <example><code>
    /// var recorder = mlContext.ForwardSampling().RecordForwardPass(
    ///     mlContext.Regression.Trainers.Sdca(), new ForwardRecordingOptions { Task = PredictionTask.Regression });
    /// IDataView recorded = recorder.Fit(train).Transform(rows);   // adds Forward.Loss, Forward.GradientNorm, Forward.Residual
    /// </code></example>
    public ForwardRecordingEstimator RecordForwardPass(IEstimator<ITransformer> trainer, ForwardRecordingOptions options)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(options);
        return new ForwardRecordingEstimator(Environment, trainer, options);
    }

    /// <summary>Wraps a trainer or a pipeline with ML.NET's usual column names.</summary>
    /// <param name="trainer">Not yet trained; its last step adds the score.</param>
    /// <param name="task">What it predicts.</param>
    /// <returns>An estimator: <c>Fit</c> trains, <c>Transform</c> scores and records.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="trainer"/> is null.</exception>
    public ForwardRecordingEstimator RecordForwardPass(IEstimator<ITransformer> trainer, PredictionTask task)
        => RecordForwardPass(trainer, new ForwardRecordingOptions { Task = task });

    /// <summary>Wraps a model that is trained already, usually the deployed one, so that scoring also records each row's
    /// statistics.</summary>
    /// <param name="model">Trained; its last step adds the score. It stays yours to dispose.</param>
    /// <param name="options">Task, label and column names.</param>
    /// <returns>An estimator whose <c>Fit</c> trains nothing and reads no row: it checks the columns.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">Two options name the same column.</exception>
    /// <example><code>
    /// ITransformer deployed = mlContext.Model.Load("model.zip", out _);
    /// IDataView recorded = mlContext.ForwardSampling()
    ///     .RecordForwardPass(deployed, new ForwardRecordingOptions { Task = PredictionTask.Multiclass })
    ///     .Fit(rows).Transform(rows);   // adds Forward.Loss, Forward.GradientNorm, Forward.Margin, Forward.Entropy
    /// </code></example>
    public ForwardRecordingEstimator RecordForwardPass(ITransformer model, ForwardRecordingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        return new ForwardRecordingEstimator(Environment, model, options);
    }

    /// <summary>Wraps a trained model with ML.NET's usual column names.</summary>
    /// <param name="model">Trained; its last step adds the score. It stays yours to dispose.</param>
    /// <param name="task">What it predicts.</param>
    /// <returns>An estimator whose <c>Fit</c> trains nothing and reads no row: it checks the columns.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> is null.</exception>
    public ForwardRecordingEstimator RecordForwardPass(ITransformer model, PredictionTask task)
        => RecordForwardPass(model, new ForwardRecordingOptions { Task = task });

    // Selection

    /// <summary>Selects, window by window, the rows of a recorded data view that deserve a backward pass, and adds their weights.</summary>
    /// <remarks>For data that is only trained on. Evaluating or splitting the result evaluates or splits selected rows: to train inside a
    /// pipeline or under CrossValidate use
    /// <see cref="SelectThen{TTransformer}(IRowSelectionPolicy, IEstimator{TTransformer}, SelectionOptions?)"/>.</remarks>
    /// <param name="input">Recorded rows: the columns that the policy needs
    /// (<see cref="RecordForwardPass(ITransformer, ForwardRecordingOptions)"/> adds them) and whatever training needs.</param>
    /// <param name="policy">The rule that selects.</param>
    /// <param name="options">Window, budget, seed and column names; null: one row in ten of windows of 640, seed from the
    /// MLContext.</param>
    /// <returns>A lazy view: the input's columns and <see cref="ForwardColumns.Weight"/>. A skipped row's getters are never
    /// called.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="input"/> or <paramref name="policy"/> is null.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, a start state is of another policy, or the policy needs what a
    /// filter does not see.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A needed column is missing or has a wrong type.</exception>
    /// <example><code>
    /// SelectedRows chosen = mlContext.ForwardSampling().SelectRows(recorded, new BalancedGradientNormPolicy(),
    ///     new SelectionOptions { WindowSize = 640, Budget = 0.1 });
    /// var model = mlContext.Regression.Trainers.Sdca(exampleWeightColumnName: ForwardColumns.Weight).Fit(mlContext.Data.Cache(chosen));
    /// </code></example>
    public SelectedRows SelectRows(IDataView input, IRowSelectionPolicy policy, SelectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(policy);
        options ??= new SelectionOptions();
        IHost host = Environment.Register("ForwardSampling.Select");
        return new SelectedRows(host, input, policy, options, options.Seed ?? host.Rand.Next());
    }

    /// <summary>Selects rows of a recorded data view as one window, however long, in memory that does not grow with it, and adds their
    /// weights.</summary>
    /// <remarks>For budgets of a whole log or data set: 10⁸ rows and more. It reads the statistics up to four times;
    /// <see cref="SelectRows"/> reads them once, in windows.</remarks>
    /// <param name="input">Recorded rows, repeatable: the columns that the policy needs and whatever training needs.</param>
    /// <param name="policy">Uniform, LossStratified, GradientNorm, BalancedGradientNorm (it reads the norm only), InfoBatch, TopLoss or
    /// BottomLoss.</param>
    /// <param name="options">Budget, seed and column names; null: one row in ten, seed from the MLContext.</param>
    /// <returns>A lazy view: the input's columns and <see cref="ForwardColumns.Weight"/>.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="input"/> or <paramref name="policy"/> is null.</exception>
    /// <exception cref="ArgumentException">The policy needs all rows of a window at once, or options contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A needed column is missing or has a wrong type.</exception>
    /// <example><code>
    /// StreamedRows chosen = mlContext.ForwardSampling().SelectRowsStreamed(recorded, new GradientNormPolicy(), new
    /// StreamedSelectionOptions { Budget = 0.01 });
    /// </code></example>
    public StreamedRows SelectRowsStreamed(IDataView input, IRowSelectionPolicy policy, StreamedSelectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(policy);
        options ??= new StreamedSelectionOptions();
        IHost host = Environment.Register("ForwardSampling.SelectStreamed");
        return new StreamedRows(host, input, policy, options, options.Seed ?? host.Rand.Next());
    }

    /// <summary>Wraps a trainer or a pipeline so that it is trained on selected rows only. Scoring, saving and CrossValidate's hold-outs
    /// are untouched.</summary>
    /// <typeparam name="TTransformer">What the trainer returns, and so what <c>Fit</c> returns.</typeparam>
    /// <param name="policy">The rule that selects.</param>
    /// <param name="trainer">Any trainer or pipeline; name <see cref="ForwardColumns.Weight"/> as its example-weight column.</param>
    /// <param name="options">Window, budget, seed and column names; null: one row in ten of windows of 640, seed from the
    /// MLContext.</param>
    /// <returns>An estimator to fit on recorded rows. The selected rows are held in memory while it trains.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="policy"/> or <paramref name="trainer"/> is null.</exception>
    /// <exception cref="ArgumentException">Options contradict each other, a start state is of another policy, or the policy needs what a
    /// filter does not see.</exception>
    /// <example><code>
    /// var trainer = mlContext.ForwardSampling().SelectThen(new BalancedGradientNormPolicy(),
    ///     mlContext.Regression.Trainers.FastTree(exampleWeightColumnName: ForwardColumns.Weight));
    /// var model = trainer.Fit(recorded);
    /// </code></example>
    public SelectThenEstimator<TTransformer> SelectThen<TTransformer>(IRowSelectionPolicy policy,
        IEstimator<TTransformer> trainer, SelectionOptions? options = null)
        where TTransformer : class, ITransformer
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(trainer);
        return new SelectThenEstimator<TTransformer>(Environment, policy, trainer, options ?? new SelectionOptions());
    }
}
