using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Trains a TorchSharp network on a data view; made by <c>mlContext.ForwardSampling().Trainers</c>.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Task</term><description>Label column; output columns</description></listheader>
/// <item><term>Regression</term><description>Single; <c>Score</c> (Single)</description></item>
/// <item><term>Binary</term><description>Boolean; <c>Score</c> (Single, the logit), <c>Probability</c> (Single), <c>PredictedLabel</c>
/// (Boolean)</description></item>
/// <item><term>Multiclass</term><description>Key; <c>Score</c> (vector of Single, the class probabilities), <c>PredictedLabel</c>
/// (Key)</description></item>
/// </list>
/// <para>Features should be normalised. Rows with a missing feature, label or weight are skipped and counted
/// (<see cref="TrainingReport.RowsSkipped"/>).</para>
/// <para>One seed, one order of rows and one thread give the same model again.</para>
/// </remarks>
public sealed class NetworkTrainer : IEstimator<NetworkPredictionTransformer>, IPromisesActivationNorm
{
    private const string MoreFeatures = $"{nameof(NetworkTrainerOptions)}.{nameof(NetworkTrainerOptions.MoreFeatureColumns)}";
    private const string Embeddings = $"{nameof(NetworkTrainerOptions)}.{nameof(NetworkTrainerOptions.EmbeddingColumns)}";

    private readonly IHost _host;
    private readonly int _seed;

    internal NetworkTrainer(IHostEnvironment environment, PredictionTask task, NetworkTrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(task);
        Task = task;
        Options = options;
        _host = environment.Register($"ForwardSampling.{task}NetworkTrainer");
        _seed = options.Seed ?? _host.Rand.Next();
    }

    bool IPromisesActivationNorm.PromisesActivationNorm => Options.Network is null;

    /// <summary>What the network predicts.</summary>
    public PredictionTask Task { get; }

    /// <summary>The options the trainer was made with.</summary>
    public NetworkTrainerOptions Options { get; }

    /// <summary>The columns the trained transformer adds, as ML.NET's own trainer of the task promises them.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <returns>The input's columns and the task's output columns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type; the message names it, what was expected and
    /// what was found.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (string name in Options.MoreFeatureColumns)
            InputColumn.CheckNumbers(ColumnFacts.Find(inputSchema, name), name, MoreFeatures, nameof(inputSchema));
        foreach (string name in Options.EmbeddingColumns.Keys)
            InputColumn.CheckKeys(ColumnFacts.Find(inputSchema, name), name, Embeddings, nameof(inputSchema));
        MLContext context = PrivateContext.Instance;
        (string label, string features, string? weight) = (Options.LabelColumnName, Options.FeatureColumnName,
            Options.ExampleWeightColumnName);
        return Task switch
        {
            PredictionTask.Regression => context.Regression.Trainers.Sdca(label, features, weight).GetOutputSchema(inputSchema),
            PredictionTask.Binary => context.BinaryClassification.Trainers.SdcaLogisticRegression(label, features, weight)
                .GetOutputSchema(inputSchema),
            _ => context.MulticlassClassification.Trainers.SdcaMaximumEntropy(label, features, weight).GetOutputSchema(inputSchema),
        };
    }

    /// <summary>Trains a new network.</summary>
    /// <param name="input">Training data.</param>
    /// <returns>The trained network as a transformer; dispose it when it is no longer used.</returns>
    /// <inheritdoc cref="Fit(IDataView, IDataView, NetworkPredictionTransformer)" path="/exception"/>
    public NetworkPredictionTransformer Fit(IDataView input) => Fit(input, null, null);

    /// <summary>Trains a new network and evaluates it on validation data as it goes.</summary>
    /// <param name="input">Training data.</param>
    /// <param name="validationData">Data with the same columns; needed for <see cref="NetworkTrainerOptions.EarlyStopping"/>.</param>
    /// <returns>The trained network as a transformer; dispose it when it is no longer used.</returns>
    /// <inheritdoc cref="Fit(IDataView, IDataView, NetworkPredictionTransformer)" path="/exception"/>
    public NetworkPredictionTransformer Fit(IDataView input, IDataView validationData) => Fit(input, validationData, null);

    /// <summary>Goes on training from an earlier model, which stays as it is; without one, trains a new network.</summary>
    /// <param name="input">Training data.</param>
    /// <param name="previousModel">Where the weights start; null for the first chunk of a stream. An optimizer of the same kind goes on
    /// with its state, and so does a selection by an equal policy (what the policy remembers; the random numbers are the new seed's),
    /// unless the model was loaded from a file.</param>
    /// <returns>The trained network as a transformer; dispose it when it is no longer used.</returns>
    /// <inheritdoc cref="Fit(IDataView, IDataView, NetworkPredictionTransformer)" path="/exception"/>
    public NetworkPredictionTransformer Fit(IDataView input, NetworkPredictionTransformer? previousModel) =>
        Fit(input, null, previousModel);

    /// <summary>Trains a network, from an earlier model if there is one, with validation data if there are any.</summary>
    /// <param name="input">Training data.</param>
    /// <param name="validationData">Data with the same columns, or null.</param>
    /// <param name="previousModel">Where the weights start, or null. It stays as it is.</param>
    /// <returns>The trained network as a transformer; dispose it when it is no longer used.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="ArgumentException">Early stopping, or a policy that learns from validation losses, without validation data; or a
    /// previous model of another task or shape.</exception>
    /// <exception cref="InvalidOperationException">No usable row, a device that is not there, or a loss that is no longer
    /// finite.</exception>
    /// <exception cref="DllNotFoundException">The native torch library is missing; the message names the package.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NetworkPredictionTransformer Fit(IDataView input, IDataView? validationData, NetworkPredictionTransformer? previousModel)
    {
        ArgumentNullException.ThrowIfNull(input);
        bool holdsOut = Options.HeldOutShare > 0;
        if (holdsOut && validationData is not null)
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(NetworkTrainerOptions.HeldOutShare)} is "
                + $"{Options.HeldOutShare}, and validation data are given: one of them says when to stop.", nameof(validationData));
        if (Options.EarlyStopping is not null && validationData is null && !holdsOut)
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(NetworkTrainerOptions.EarlyStopping)} needs validation "
                + $"data: call Fit(data, validationData), or set {nameof(NetworkTrainerOptions.HeldOutShare)}.", nameof(validationData));
        if (validationData is null && !holdsOut && Options.Selection is { Policy: var policy } && policy.NewState() is { } memory
            && (memory.Feedback & SelectionFeedback.ValidationLoss) != 0)
            throw new ArgumentException($"Policy {policy.Name} learns from the loss on validation data: call Fit(data, validationData).",
                nameof(validationData));
        TrainingColumns columns = Bind(input.Schema);
        NetworkTrainerOptions options = Options.WithBatches(columns.IsSelected);
        columns = columns with { Selection = SelectionColumnsOf(input.Schema), Stratum = Stratum(options, input.Schema) };
        int outputs = CountOutputs(columns.Label);
        var head = TaskHead.Create(Task, outputs, Options.RegressionLoss);
        bool sparse = IsSparse(input, columns);
        CheckSizes(options.BatchRows, columns, outputs, sparse);
        TrainingColumns? validationColumns = validationData is null ? null : Bind(validationData.Schema);
        if (validationColumns is not null)
            CheckAlike(columns, validationColumns, validationData!.Schema);
        if (previousModel is not null)
        {
            CheckKeys(columns.Label, previousModel);
            CheckInputs(columns, previousModel);
        }

        Device device = TorchRuntime.GetDevice(Options.Device);

        using Activity? span = TrainingMeters.StartFit(Task);
        using IChannel channel = _host.Start("Fit");
        using var settings = new TorchSettings(Options.Threads);
        using DisposeScope scope = NewDisposeScope();
        var architecture = Options.Network is null
            ? new NetworkArchitecture(columns.FeatureCount, [.. Options.HiddenLayers], outputs, Options.Activation, Options.Normalization,
                (float)Options.Dropout)
            {
                Embeddings = [.. columns.More.Where(column => column.Input.Keys > 0)
                    .Select(column => new EmbeddingShape(column.Input.Keys, Options.EmbeddingColumns[column.Input.Name]))],
            }
            : null;
        NetworkModel? model = null;
        try
        {
            var rows = new RowFeed(input, columns, MaximumRowBytes, Options.Selection?.Limits, sparse);
            RowFeed? validation = validationData is null ? null
                : new RowFeed(validationData, validationColumns!, MaximumRowBytes, sparse: sparse);
            Standardization standardization = Standardize(rows, validation, previousModel?.Model, columns, channel);
            for (NetworkTrainerOptions? next = options; next is not null;)
            {
                TrainingReport? before = model?.Report;
                model?.Dispose();
                model = Begin(standardization, out bool continued);
                using var run = new TrainingRun(next, model, rows, validation, columns, _seed, previousModel?.Model.Selection,
                    ContinuesScale(previousModel?.Model, model) ? previousModel!.Model.Averaged : null,
                    ContinuesScale(previousModel?.Model, model) ? previousModel!.Model.Mixed : null, isNew: previousModel is null,
                    progress => Tell(channel, progress));
                TrainingReport report = run.Train();
                model.Report = (before?.Then(report) ?? report) with { OptimizerContinued = continued };
                model.Selection = run.Selection;
                model.Averaged = run.Averaged;
                model.Mixed = run.Mixed;
                if (!model.AllFinite())
                    throw run.Diverged();
                next = run.OnAllRows;
            }

            model!.Standardization.Fold(model);
            model.Freeze();
            if (model.Report!.RowsSkipped > 0)
                channel.Warning(MessageSensitivity.None, "{0} of {1} rows were skipped: a feature, the label or the weight was missing.",
                    model.Report.RowsSkipped, model.Report.RowsRead);
            if (model.Report.HeldOutRows > 0)
                channel.Info(MessageSensitivity.None, "{0} rows were held out to find after how many of {1} passes the loss is lowest "
                    + "({2}.{3}).", model.Report.HeldOutRows, Options.Epochs, nameof(NetworkTrainerOptions),
                    nameof(NetworkTrainerOptions.HeldOutShare));
            if (rows.RowsExcluded > 0)
                channel.Info(MessageSensitivity.None, "{0} of {1} rows were left out of training: their record is too old.",
                    rows.RowsExcluded, rows.RowsRead);
            TrainingMeters.Complete(span, model.Report);
            LabelKeyValues? keys = Task == PredictionTask.Multiclass ? LabelKeyValues.Of(columns.Label) : null;
            return new NetworkPredictionTransformer(model, columns.Features.Name, columns.Label.Name, keys)
            {
                MoreInputs = [.. columns.More.Select(column => column.Input)],
            };
        }
        catch (Exception e)
        {
            model?.Dispose();
            TrainingMeters.Fail(span, e);
            WorkerExceptions.ThrowIfCancelled(e);
            throw;
        }

        NetworkModel Begin(Standardization standardization, out bool continued)
        {
            var begun = new NetworkModel(head, columns.FeatureCount, architecture,
                CreateNetwork(architecture, columns.FeatureCount, outputs, device, isContinued: previousModel is not null), device,
                Options.Optimizer.Create());
            try
            {
                continued = previousModel is not null && begun.ContinueFrom(previousModel.Model);
                begun.Standardization = standardization;
                if (previousModel is not null)
                    standardization.Unfold(begun);
                return begun;
            }
            catch
            {
                begun.Dispose();
                throw;
            }
        }
    }

    /// <summary>The scale to train on: the previous model's where there is one, so that the optimizer's state keeps its meaning, else that
    /// of the rows.</summary>
    private Standardization Standardize(RowFeed rows, RowFeed? validation, NetworkModel? previous, TrainingColumns columns,
        IChannel channel)
    {
        bool isBuilt = Options.Network is null, label = Task == PredictionTask.Regression && Options.NormalizeLabel && isBuilt;
        if (Options.NormalizeFeatures == FeatureNormalization.None && !label)
            return Standardization.None;
        Standardization standardization;
        if (previous is { Standardization: var known } && !ReferenceEquals(known, Standardization.None))
        {
            standardization = known with { };
        }
        else
        {
            var statistics = new ScaleStatistics(columns.FeatureCount, columns.NumberCount);
            foreach (RowPool part in rows.Parts(Options.CancellationToken))
                statistics.Add(part, Options.NormalizeFeatures != FeatureNormalization.None, label);
            standardization = statistics.ToStandardization(isBuilt && Options.NormalizeFeatures == FeatureNormalization.Auto);
            TellOfFarFeatures(statistics, columns, isBuilt, channel);
        }

        rows.Standardize(standardization);
        validation?.Standardize(standardization);
        return standardization;
    }

    private void TellOfFarFeatures(ScaleStatistics statistics, TrainingColumns columns, bool isBuilt, IChannel channel)
    {
        (int Slot, double Mean, double Deviation)[] far = [.. statistics.FarFeatures];
        if (far.Length == 0)
            return;
        (int slot, double mean, double deviation) = far.MaxBy(
            f => Math.Abs(Math.Log10(Math.Max(1e-30, Math.Sqrt((f.Mean * f.Mean) + (f.Deviation * f.Deviation))))));
        string name = KeyTexts.SlotName(columns.Features, slot) is { } text ? $" ('{text}')" : "";
        string what = string.Create(CultureInfo.InvariantCulture,
            $"{far.Length} of {columns.NumberCount} features in '{columns.Features.Name}' are far from unit scale, the farthest slot "
            + $"{slot}{name} with mean {mean:G4} and s.d. {deviation:G4}.");
        if (isBuilt && Options.NormalizeFeatures == FeatureNormalization.Auto)
            channel.Info(MessageSensitivity.Schema, "{0} They are standardised for training ({1}.{2}).", what,
                nameof(NetworkTrainerOptions), nameof(NetworkTrainerOptions.NormalizeFeatures));
        else
            channel.Warning(MessageSensitivity.Schema,
                "{0} Networks learn slowly from such features: put NormalizeMeanVariance in front of the trainer.", what);
    }

    /// <summary>Weights of the last step are on the scale of their training: they go on where that is this one's.</summary>
    private static bool ContinuesScale(NetworkModel? previous, NetworkModel model)
        => previous is not null && ReferenceEquals(previous.Standardization, Standardization.None)
            == ReferenceEquals(model.Standardization, Standardization.None);

    private long MaximumRowBytes => (long)Options.MaximumRowMegabytes << 20;

    private nn.Module<Tensor, Tensor> CreateNetwork(NetworkArchitecture? architecture, int inputs, int outputs, Device device,
        bool isContinued)
    {
        if (architecture is not null)
            return new MultilayerPerceptron(architecture, device, _seed, isContinued);
        // What the module keeps beside its state dictionary must not go with a dispose scope of ours, or of the caller's.
        using DisposeScope made = NewDisposeScope();
        nn.Module<Tensor, Tensor>? network = Options.Network!(inputs, outputs, device);
        made.Detach([.. made.DisposablesView]);
        return network ?? throw new InvalidOperationException(
                $"{nameof(NetworkTrainerOptions)}.{nameof(NetworkTrainerOptions.Network)} gave null instead of a module.");
    }

    private void Tell(IChannel channel, TrainingProgress progress)
    {
        channel.Info(
            MessageSensitivity.None,
            progress.ValidationLoss is null ? "Epoch {0}, step {1} of {2}: mean loss {3:G5}, {4} backward rows."
                : "Epoch {0}, step {1} of {2}: mean loss {3:G5}, {4} backward rows, validation loss {5:G5}.",
            progress.Epoch, progress.Step, progress.TotalSteps, progress.MeanLoss, progress.BackwardRows, progress.ValidationLoss ?? 0f);
        Options.Progress?.Report(progress);
    }

    /// <summary>Checks the columns as ML.NET's own trainer would, and finds those that validation reads too.</summary>
    private TrainingColumns Bind(DataViewSchema schema)
    {
        GetOutputSchema(Shapes.Of(schema));
        DataViewSchema.Column? weight = WeightColumn.Find(schema, Options.ExampleWeightColumnName,
            $"{nameof(NetworkTrainerOptions)}.{nameof(NetworkTrainerOptions.ExampleWeightColumnName)}");
        return new TrainingColumns(schema[Options.FeatureColumnName], schema[Options.LabelColumnName], weight, SelectionColumns.None)
        {
            More = [.. Options.MoreFeatureColumns.Select(name => InputColumn.OfNumbers(schema, name, MoreFeatures))
                .Concat(Options.EmbeddingColumns.Keys.Select(name => InputColumn.OfKeys(schema, name, Embeddings)))
                .Select(input => (schema[input.Name], input))],
        };
    }

    /// <summary>Whether rows are held as their values that are not zero.</summary>
    private bool IsSparse(IDataView data, TrainingColumns columns)
    {
        const int FirstRows = 256, Share = 16;
        int width = ((VectorDataViewType)columns.Features.Type).Size;
        if (Options.FeatureStorage != FeatureStorage.Auto)
            return Options.FeatureStorage == FeatureStorage.Sparse;
        if (width < DenseNetwork.WideInputs || Options.WhyNotSparse() is not null)
            return false;
        using DataViewRowCursor cursor = data.GetRowCursor([columns.Features]);
        ValueGetter<VBuffer<float>> getter = cursor.GetGetter<VBuffer<float>>(columns.Features);
        VBuffer<float> features = default;
        long rows = 0, values = 0;
        for (; rows < FirstRows && cursor.MoveNext(); rows++)
        {
            getter(ref features);
            values += features.GetValues().Length - features.GetValues().Count(0f);
        }

        return values * Share <= rows * width;
    }

    /// <summary>The recorded statistic by which batches are stratified, where the data have it; fresh statistics need no column.</summary>
    private DataViewSchema.Column? Stratum(NetworkTrainerOptions options, DataViewSchema schema)
    {
        if (options.Batches != BatchComposition.Stratified || options.Selection is { Statistics: StatisticsSource.Fresh })
            return null;
        string name = Task == PredictionTask.Regression ? ForwardColumns.Residual : options.Selection?.Columns.Loss ?? ForwardColumns.Loss;
        return ColumnFacts.Find(schema, name) is { IsSingle: true } ? schema[name] : null;
    }

    /// <summary>What the selection reads of the data's columns; none for validation data, whose rows all count.</summary>
    private SelectionColumns SelectionColumnsOf(DataViewSchema schema)
    {
        if (Options.Selection is not { } selection)
            return SelectionColumns.None;
        // Classes are the labels that are trained on, and groups are too where no column is named.
        RecordStatistics needs = selection.Policy.Needs & ~(RecordStatistics.Label | RecordStatistics.Features);
        if (selection.Columns.Group is null && Task != PredictionTask.Regression)
            needs &= ~RecordStatistics.Group;
        if (selection.Statistics == StatisticsSource.Fresh)
            needs &= ~RecordedStatistic.OfTheModel;
        SelectionColumns.Check(name => ColumnFacts.Find(schema, name), needs, selection.Columns, Options.LabelColumnName, selection.Limits,
            nameof(NetworkTrainerOptions), nameof(schema), inTraining: true);
        return SelectionColumns.Bind(schema, needs, selection.Columns, Options.LabelColumnName, selection.Limits);
    }

    /// <summary>Validation data must be of the same problem: a row's features and classes mean the same.</summary>
    private static void CheckAlike(TrainingColumns training, TrainingColumns validation, DataViewSchema validationSchema)
    {
        if (validation.FeatureCount != training.FeatureCount)
            throw new ArgumentException($"Feature column '{validation.Features.Name}' of the validation data is "
                + $"{validation.Features.Type}, that of the training data {training.Features.Type}.", "validationData");
        if (validation.Label.Type is KeyDataViewType key && key.Count != ((KeyDataViewType)training.Label.Type).Count)
            throw new ArgumentException($"Label column '{validation.Label.Name}' of the validation data is {validation.Label.Type}, that "
                + $"of the training data {training.Label.Type}. {KeyTexts.Advice}", "validationData");
        foreach ((_, InputColumn input) in training.More)
            input.FindIn(validationSchema, "validationData");
        if (KeyTexts.FirstDifference(KeyTexts.Of(validation.Label.Annotations, KeyTexts.KeyValuesKind),
            KeyTexts.Of(training.Label.Annotations, KeyTexts.KeyValuesKind)) is var (at, found, expected))
            throw new ArgumentException($"Key {at} of label column '{validation.Label.Name}' stands for '{found}' in the validation data "
                + $"and for '{expected}' in the training data. {KeyTexts.Advice}", "validationData");
    }

    /// <summary>The previous model must read the same columns, and its keys mean the same.</summary>
    private static void CheckInputs(TrainingColumns columns, NetworkPredictionTransformer previousModel)
    {
        string[] mine = [.. columns.More.Select(column => column.Input.Name)],
            others = [.. previousModel.MoreInputs.Select(input => input.Name)];
        if (!mine.SequenceEqual(others))
            throw new ArgumentException($"The previous model reads {Text(others)} beside its features; the trainer's options ask for "
                + $"{Text(mine)}. Train with the previous model's columns, or start afresh.", nameof(previousModel));
        foreach ((DataViewSchema.Column column, InputColumn input) in columns.More)
        {
            if (KeyTexts.FirstDifference(KeyTexts.Of(column.Annotations, KeyTexts.KeyValuesKind),
                previousModel.MoreInputs.Single(other => other.Name == input.Name).KeyValues?.Texts()) is var (at, found, expected))
                throw new ArgumentException($"Key {at} of embedding column '{column.Name}' stands for '{found}'; the previous model was "
                    + $"trained with '{expected}'. {KeyTexts.Advice}", nameof(previousModel));
        }

        static string Text(string[] names) => names.Length == 0 ? "no column"
            : string.Join(", ", names.Select(name => $"column '{name}'"));
    }

    private static void CheckKeys(DataViewSchema.Column label, NetworkPredictionTransformer previousModel)
    {
        if (KeyTexts.FirstDifference(KeyTexts.Of(label.Annotations, KeyTexts.KeyValuesKind),
            previousModel.LabelKeyValues?.Texts()) is var (at, found, expected))
            throw new ArgumentException($"Key {at} of label column '{label.Name}' stands for '{found}'; the previous model was trained "
                + $"with '{expected}'. {KeyTexts.Advice}", nameof(previousModel));
    }

    /// <summary>What one tensor holds has a limit: 2^29 Singles are two gigabytes.</summary>
    private void CheckSizes(int batchRows, TrainingColumns columns, int outputs, bool sparse)
    {
        const long Most = 1L << 29;
        if (!sparse)
            Check(batchRows, columns.FeatureCount, $"{nameof(NetworkTrainerOptions.BatchSize)} x features");
        if (Options.Network is not null)
            return;
        foreach (InputColumn column in columns.More.Select(column => column.Input).Where(column => column.Keys > 0))
            Check(column.Keys + 1, Options.EmbeddingColumns[column.Name], $"the embeddings of column '{column.Name}'");
        int inputs = columns.NumberCount + Options.EmbeddingColumns.Values.Sum();
        foreach (int units in Options.HiddenLayers.Append(outputs))
        {
            Check(inputs, units, "the weights of a layer");
            inputs = units;
        }

        static void Check(long first, long second, string what)
        {
            if (first * second > Most)
                throw new ArgumentException($"{nameof(NetworkTrainerOptions)}: {what} must be at most {Most} elements. Got {first} x "
                    + $"{second} = {first * second}.", "input");
        }
    }

    private int CountOutputs(DataViewSchema.Column label)
    {
        if (Task != PredictionTask.Multiclass)
            return 1;
        ulong classes = ((KeyDataViewType)label.Type).Count;
        if (classes is < 2 or > 1 << 20)
            throw new ArgumentOutOfRangeException(nameof(label),
                $"Label column '{label.Name}' must have between 2 and {1 << 20} classes. Its type {label.Type} has {classes}.");
        return (int)classes;
    }
}
