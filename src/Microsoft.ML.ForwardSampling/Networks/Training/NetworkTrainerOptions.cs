using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Builds a user's own network.</summary>
/// <param name="inputs">Features of a row.</param>
/// <param name="outputs">1 for regression (the score) and binary (the logit), the number of classes for multiclass (the logits).</param>
/// <param name="device">Where the module's weights must be made: give it to every layer.</param>
/// <returns>A module from [rows, inputs] to [rows, outputs], both Single; the model owns and disposes it.</returns>
public delegate nn.Module<Tensor, Tensor> NetworkFactory(int inputs, int outputs, Device device);

/// <summary>What a network trainer needs to know; every value has a default and is checked when it is set.</summary>
public sealed record NetworkTrainerOptions
{
    private const int UsualBatchRows = 64;
    private const int SelectedBatchRows = 16;

    /// <summary>What is held out of rows of many slots.</summary>
    internal const double UsualHeldOutShare = 0.1;

    /// <summary>The label column: Single for regression, Boolean for binary, Key for multiclass.</summary>
    /// <value>Default "Label".</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string LabelColumnName { get; init => field = Require.NotEmpty(value, nameof(NetworkTrainerOptions)); } = "Label";

    /// <summary>The feature column: a vector of Single of known size.</summary>
    /// <value>Default "Features".</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string FeatureColumnName { get; init => field = Require.NotEmpty(value, nameof(NetworkTrainerOptions)); } = "Features";

    /// <summary>Columns of numbers that are read beside <see cref="FeatureColumnName"/>, as if they were concatenated to it in this
    /// order.</summary>
    /// <value>Names of columns of Single, or of a vector of Single of known size; default none.</value>
    /// <exception cref="ArgumentException">An empty name, or one twice.</exception>
    public IReadOnlyList<string> MoreFeatureColumns
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(MoreFeatureColumns));
            field = [.. value.Select(name => Require.NotEmpty(name, nameof(NetworkTrainerOptions)))];
            if (field.Distinct().Count() < field.Count)
                throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(MoreFeatureColumns)} must name each column once. Got "
                    + $"{string.Join(", ", field)}.", nameof(MoreFeatureColumns));
        }
    } = [];

    /// <summary>Key columns that are read beside the features, and how many learned numbers stand for a key of each:
    /// <c>EmbeddingColumns = new Dictionary&lt;string, int&gt; { ["Origin"] = 8 }</c>.</summary>
    /// <remarks>Each has a table with a row a key and one for a missing key, which starts as zeros and is learned from the rows that miss
    /// it: where none does, it adds nothing. MapValueToKey gives a value that it has not seen as a missing key. A key that no training row
    /// has keeps the random numbers it starts with. Not for a user's own <see cref="Network"/>.</remarks>
    /// <value>Names, and widths in [1, 4096]; default none.</value>
    /// <exception cref="ArgumentException">An empty name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A width outside the range; the message names the column.</exception>
    public IReadOnlyDictionary<string, int> EmbeddingColumns
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(EmbeddingColumns));
            // In the order of their names: that of a dictionary is nobody's.
            field = new SortedDictionary<string, int>(value.ToDictionary(
                column => Require.NotEmpty(column.Key, nameof(NetworkTrainerOptions)),
                column => Require.InRange(column.Value, 1, 4096, nameof(NetworkTrainerOptions),
                    $"{nameof(EmbeddingColumns)}[\"{column.Key}\"]")), StringComparer.Ordinal);
        }
    } = new SortedDictionary<string, int>();

    /// <summary>Whether rows are held, and stepped on, as all of their features or as those that are not zero.</summary>
    /// <value>Default <see cref="FeatureStorage.Auto"/>: a wide column of few values takes the sparse way.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not one of the named values.</exception>
    public FeatureStorage FeatureStorage { get; init => field = Require.Defined(value, nameof(NetworkTrainerOptions)); }

    /// <summary>The weight column (Single): the factor of a row's loss. A batch's loss is the sum of weight x loss over its rows, divided
    /// by its number of rows.</summary>
    /// <value>Null (the default): <c>Forward.Weight</c>, which <c>SelectRows</c> adds, where the data has it; else
    /// <c>Forward.RecordWeight</c> of thinned records; else every row weighs 1.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string? ExampleWeightColumnName { get; init => field = Require.NullOrNotEmpty(value, nameof(NetworkTrainerOptions)); }

    /// <summary>Units of each hidden layer. Empty: a linear model.</summary>
    /// <value>At most 64 layers of [1, 1048576] units; default [128, 64].</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public IReadOnlyList<int> HiddenLayers
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(HiddenLayers));
            Require.InRange(value.Count, 0, 64, nameof(NetworkTrainerOptions), "HiddenLayers.Count");
            field = [.. value.Select((units, layer) => Require.InRange(units, 1, 1 << 20, nameof(NetworkTrainerOptions),
                $"{nameof(HiddenLayers)}[{layer}]"))];
        }
    } = [128, 64];

    /// <summary>The function after each hidden layer.</summary>
    /// <value>Default <see cref="Activation.ReLU"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not one of the named values.</exception>
    public Activation Activation { get; init => field = Require.Defined(value, nameof(NetworkTrainerOptions)); }

    /// <summary>What normalises a hidden layer before its activation.</summary>
    /// <value>Default <see cref="Normalization.None"/>. With <see cref="Normalization.Batch"/> a last batch of one row, which has no
    /// variance, waits for the next pass, and is left out after the last.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not one of the named values.</exception>
    public Normalization Normalization { get; init => field = Require.Defined(value, nameof(NetworkTrainerOptions)); }

    /// <summary>Share of hidden units silenced at random in each training step.</summary>
    /// <value>[0, 1); default 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double Dropout { get; init => field = Require.SingleInRange(value, 0, 1, nameof(NetworkTrainerOptions), maxInclusive: false); }

    /// <summary>Builds the user's own network instead of <see cref="HiddenLayers"/>, <see cref="Activation"/>, <see cref="Normalization"/>
    /// and <see cref="Dropout"/>, which are then not used.</summary>
    /// <remarks>Its initial weights and its dropout follow torch's global generator, so <see cref="Seed"/> covers the order of rows and the
    /// selection only. Loading such a model takes the same factory: <c>fs.Load(path, out schema, factory)</c>.</remarks>
    /// <value>Default null.</value>
    public NetworkFactory? Network { get; init; }

    /// <summary>What a regression minimises; the other tasks have one loss each (binary: logistic, multiclass: cross entropy).</summary>
    /// <value>Default <see cref="RegressionLoss.Squared"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public RegressionLoss RegressionLoss { get; init => field = Require.NotNull(value, nameof(NetworkTrainerOptions)); } =
        RegressionLoss.Squared;

    /// <summary>Whether a regression is trained on labels less their mean, divided by their standard deviation (weighted, over the rows it
    /// is given; rounded to a power of two). The trained network scores in the label's own unit, and reported losses are in it.</summary>
    /// <remarks>Not used for the other tasks, nor for a user's own <see cref="Network"/>, which sees labels as they come.</remarks>
    /// <value>Default true.</value>
    public bool NormalizeLabel { get; init; } = true;

    /// <summary>What is done about features that are far from unit scale.</summary>
    /// <value>Default <see cref="FeatureNormalization.Auto"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not one of the named values.</exception>
    public FeatureNormalization NormalizeFeatures { get; init => field = Require.Defined(value, nameof(NetworkTrainerOptions)); }

    /// <summary>How gradients become updates.</summary>
    /// <value>Default <see cref="AdamOptions"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public OptimizerOptions Optimizer { get; init => field = Require.NotNull(value, nameof(NetworkTrainerOptions)); } = new AdamOptions();

    /// <summary>How the learning rate changes over the run.</summary>
    /// <value>Default <see cref="LearningRateSchedule.Constant"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public LearningRateSchedule LearningRateSchedule { get; init => field = Require.NotNull(value, nameof(NetworkTrainerOptions)); } =
        LearningRateSchedule.Constant;

    /// <summary>Length to which a longer gradient (Euclidean norm over all weights) is cut back; null: never.</summary>
    /// <value>(0, 1e30], or null (the default).</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double? MaximumGradientNorm
    {
        get; init => field = value is { } norm
        ? Require.SingleInRange(norm, 0, 1e30f, nameof(NetworkTrainerOptions), minInclusive: false) : null;
    }

    /// <summary>Rows of one step.</summary>
    /// <remarks>Selection leaves few rows, and with them few steps: smaller batches give some back (docs/training.md has the figures and
    /// what they cost). The learning rate is the optimizer's own, whatever the batch.</remarks>
    /// <value>[1, 1048576] rows. Null (the default): 16 where rows are selected, by <see cref="Selection"/> or by <c>SelectRows</c>, whose
    /// <c>Forward.Weight</c> is then the weight column, and the network is trained by this library's own kernels (no <see cref="Network"/>
    /// of yours, <see cref="Normalization"/> or <see cref="Dropout"/>, on the CPU); else 64.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int? BatchSize
    {
        get; init => field = value is { } rows ? Require.InRange(rows, 1, 1 << 20, nameof(NetworkTrainerOptions)) : null;
    }

    /// <summary>Passes over the data.</summary>
    /// <value>[1, 1000000]; default 10.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int Epochs { get; init => field = Require.InRange(value, 1, 1_000_000, nameof(NetworkTrainerOptions)); } = 10;

    /// <summary>Steps after which training ends although epochs are left; null: no such limit.</summary>
    /// <value>[1, 2147483647] steps, or null (the default).</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int? MaximumSteps
    {
        get; init => field = value is { } steps
        ? Require.InRange(steps, 1, int.MaxValue, nameof(NetworkTrainerOptions)) : null;
    }

    /// <summary>Whether rows are put in another order at each pass.</summary>
    /// <value>Default true. With less memory than the data need, rows are shuffled within what is held at a time
    /// (<see cref="MaximumRowMegabytes"/>).</value>
    public bool Shuffle { get; init; } = true;

    /// <summary>Memory for rows. Data that fit are read once; otherwise they are read again at each pass, in parts of this size.</summary>
    /// <value>[1, 1048576] megabytes (1,048,576 bytes each); default 1,024.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int MaximumRowMegabytes { get; init => field = Require.InRange(value, 1, 1 << 20, nameof(NetworkTrainerOptions)); } = 1024;

    /// <summary>How rows are put together into batches.</summary>
    /// <remarks><see cref="BatchComposition.Stratified"/> makes an order of its own, except for the windows of a selection, so that it does
    /// not go with <see cref="Shuffle"/> switched off without one.</remarks>
    /// <value>Null (the default): <see cref="BatchComposition.Stratified"/> where rows are selected (as for <see cref="BatchSize"/>),
    /// unless <see cref="Shuffle"/> is off or the windows of <see cref="Selection"/> leave less than two batches each; else
    /// <see cref="BatchComposition.Shuffled"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not one of the named values.</exception>
    public BatchComposition? Batches
    {
        get; init => field = value is { } batches ? Require.Defined(batches, nameof(NetworkTrainerOptions)) : null;
    }

    /// <summary>Selection by the trainer itself; null: every row it is given gets a backward pass.</summary>
    /// <value>Default null.</value>
    public InTrainingSelection? Selection { get; init; }

    /// <summary>When training ends before its last step; needs validation data, or a <see cref="HeldOutShare"/>.</summary>
    /// <value>Default null: validation data, if given, is only reported.</value>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Share of the rows that is first kept from training and evaluated instead, to find out after how many passes the loss is
    /// lowest; a network is then trained anew on all rows for as many. It needs no validation data, so that it works in pipelines,
    /// CrossValidate and SelectThen.</summary>
    /// <remarks>Slots of texts and categories come in few rows each, and a network of them learns those by heart within a few passes
    /// (docs/wide-networks.md has figures). Each row is drawn by itself, the same in every pass; <see cref="TrainingReport.HeldOutRows"/>
    /// counts them. The first training ends as <see cref="EarlyStopping"/> says (null: as its defaults say); with <see cref="Selection"/>
    /// there is no second, and the model has the best weights of the first.</remarks>
    /// <value>[0, 0.5]; 0: none. Null (the default): 0.1 for a new network over 256 features or more of which at most one in sixteen is not
    /// 0, where <see cref="Epochs"/> is above 1 and neither validation data, <see cref="MaximumSteps"/> nor <see cref="Selection"/> are
    /// given; else 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double? HeldOutShare
    {
        get; init => field = value is { } share ? Require.InRange(share, 0, 0.5, nameof(NetworkTrainerOptions)) : null;
    }

    /// <summary>Whether the model gets the running mean of the weights instead of the last step's.</summary>
    /// <value>Default null: the last step's.</value>
    public WeightAveraging? WeightAveraging { get; init; }

    /// <summary>Whether the weights jump now and then to a combination of those that the optimizer has passed; not with
    /// <see cref="WeightAveraging"/>.</summary>
    /// <value>Default null: the optimizer's own steps alone.</value>
    public AndersonMixing? AndersonMixing { get; init; }

    /// <summary>Seed of the initial weights, the order of rows, dropout and selection.</summary>
    /// <value>Null (the default): drawn from the MLContext when the trainer is made, so a seeded context gives the same model again.
    /// One trainer draws alike in each of its Fit calls: to go on chunk by chunk, make a trainer for each chunk or give each its own
    /// seed.</value>
    public int? Seed { get; init; }

    /// <summary>Threads that train, torch's among them (its own number is put back at the end); at most one a processor where the network
    /// is trained without torch. Null: as many as torch uses.</summary>
    /// <value>[1, 1024], or null; default 1: networks of this size gain little from more, and lose much on a busy machine.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int? Threads
    {
        get; init => field = value is { } threads ? Require.InRange(threads, 1, 1024, nameof(NetworkTrainerOptions))
        : null;
    } = 1;

    /// <summary>Where the network trains and scores: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    /// <value>Default "cpu".</value>
    /// <exception cref="ArgumentException">Another text.</exception>
    public string Device
    {
        get;
        init
        {
            bool known = value is "cpu" or "cuda"
                || (value?.StartsWith("cuda:", StringComparison.Ordinal) == true && uint.TryParse(value.AsSpan(5), out _));
            field = known ? value! : throw new ArgumentException(
                $"{nameof(NetworkTrainerOptions)}.{nameof(Device)} must be 'cpu', 'cuda' or 'cuda:N'. Got '{value}'.", nameof(Device));
        }
    } = "cpu";

    /// <summary>Told how far training is, at each epoch's end and at least every 100 steps.</summary>
    /// <value>Default null.</value>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Ends training between two steps with an <see cref="OperationCanceledException"/>; nothing is left half-made.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Rows of one step, once <see cref="WithBatches"/> has said.</summary>
    internal int BatchRows => BatchSize ?? throw new InvalidOperationException($"{nameof(BatchSize)} is not settled yet.");

    /// <summary>The same options with nothing left open about batches.</summary>
    /// <param name="isSelected">Whether the rows carry the weights of a selection.</param>
    internal NetworkTrainerOptions WithBatches(bool isSelected)
    {
        isSelected |= Selection is not null;
        // Torch's small steps cost nearly what its large ones do, and the variance of sixteen rows is a poor one to normalise by.
        bool isOurs = Network is null && Normalization == Normalization.None && Dropout == 0 && Device == "cpu";
        int rows = BatchSize ?? (isSelected && isOurs ? SelectedBatchRows : UsualBatchRows);
        bool isStratified = isSelected && (Selection is { } selection
            ? selection.Budget.For(selection.WindowSize, selection.WindowSize) >= 2 * rows : Shuffle);
        return this with
        {
            BatchSize = rows,
            Batches = Batches ?? (isStratified ? BatchComposition.Stratified : BatchComposition.Shuffled)
        };
    }
    /// <summary>What keeps a network from being trained on sparse rows; null: nothing.</summary>
    internal string? WhyNotSparse()
        => Network is not null ? $"{nameof(Network)} is set"
            : Normalization != Normalization.None ? $"{nameof(Normalization)} is {Normalization}"
            : Dropout > 0 ? $"{nameof(Dropout)} is {Dropout}"
            : Device != "cpu" ? $"{nameof(Device)} is {Device}"
            : Selection is { } selection && selection.Policy.Needs.HasFlag(RecordStatistics.Features)
                ? $"policy {selection.Policy.Name} reads features"
            : null;

    /// <summary>Checks what only pairs of options, or a task, can say.</summary>
    /// <exception cref="ArgumentException">Two options contradict each other.</exception>
    internal void Validate(PredictionTask task)
    {
        if (task != PredictionTask.Regression && RegressionLoss is not SquaredLoss)
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(RegressionLoss)} is for regression. Got "
                + $"{RegressionLoss.GetType().Name} for a {task.ToString().ToLowerInvariant()} trainer.", nameof(RegressionLoss));
        if (LabelColumnName == FeatureColumnName)
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(LabelColumnName)} and {nameof(FeatureColumnName)} must "
                + $"be different columns. Both are '{LabelColumnName}'.", nameof(FeatureColumnName));
        if (MoreFeatureColumns.Concat(EmbeddingColumns.Keys).GroupBy(name => name).FirstOrDefault(names => names.Count() > 1
            || names.Key == LabelColumnName || names.Key == FeatureColumnName) is { Key: var twice })
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(MoreFeatureColumns)} and {nameof(EmbeddingColumns)} must "
                + $"name columns that are used for nothing else. Column '{twice}' is used twice.", nameof(MoreFeatureColumns));
        if (Network is not null && EmbeddingColumns.Count > 0)
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(EmbeddingColumns)} are for networks built from options, "
                + $"and {nameof(Network)} is set: a module of your own takes keys as features of {nameof(MoreFeatureColumns)}.",
                nameof(EmbeddingColumns));
        if (EmbeddingColumns.Count > 0 && Selection is { Policy: var reader } && reader.Needs.HasFlag(RecordStatistics.Features))
            throw new ArgumentException($"Policy {reader.Name} reads features, and {nameof(NetworkTrainerOptions)}."
                + $"{nameof(EmbeddingColumns)} has keys, which are no numbers: use another policy, or select before training.",
                nameof(EmbeddingColumns));
        if (AndersonMixing is not null && WeightAveraging is not null)
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(AndersonMixing)} and {nameof(WeightAveraging)} are both "
                + $"set: a mean of weights that jump is of no use. Give one of them.", nameof(AndersonMixing));
        if (FeatureStorage == FeatureStorage.Sparse && WhyNotSparse() is { } reason)
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(FeatureStorage)} is {FeatureStorage.Sparse}, and "
                + $"{reason}: that takes whole rows. Use {nameof(FeatureStorage)}.{FeatureStorage.Auto}, or leave it out.",
                nameof(FeatureStorage));
        if (BatchSize == 1 && Normalization == Normalization.Batch && Network is null)
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(BatchSize)} must be at least 2 with "
                + $"{nameof(Normalization)}.{nameof(Normalization.Batch)}: one row has no variance. Got 1.", nameof(BatchSize));
        if (Batches == BatchComposition.Stratified && !Shuffle && Selection is null)
            throw new ArgumentException($"{nameof(NetworkTrainerOptions)}.{nameof(Batches)} is {Batches}, which makes an order of its "
                + $"own, and {nameof(Shuffle)} is false: give one of them, or a {nameof(Selection)} whose windows keep the order.",
                nameof(Batches));
        if (Selection is { } selection)
        {
            // Fresh statistics take no column, so the recorded loss may serve as the reference loss.
            if (selection.Statistics == StatisticsSource.Recorded)
                ColumnRoles.RequireDifferent([.. selection.Columns.Roles,
                    ($"{nameof(NetworkTrainerOptions)}.{nameof(LabelColumnName)}", LabelColumnName), .. selection.Limits.Roles]);
            if (selection.Statistics == StatisticsSource.Fresh && selection.Limits is { AreSet: true, OldRecords: OldRecords.Discount })
                throw new ArgumentException($"{nameof(InTrainingSelection)}.{nameof(InTrainingSelection.Limits)} discounts old records, "
                    + $"and {nameof(InTrainingSelection)}.{nameof(InTrainingSelection.Statistics)} is {StatisticsSource.Fresh}: fresh "
                    + $"statistics do not age. Use {nameof(StatisticsSource)}.{StatisticsSource.Recorded}, or "
                    + $"{nameof(OldRecords)}.{OldRecords.Exclude} to leave such rows out.", nameof(InTrainingSelection.Limits));
            if (selection.Statistics == StatisticsSource.Fresh && Network is not null
                && RecordedStatistic.ActivationNorm.IsIn(selection.Policy.Needs))
                throw new ArgumentException($"Policy {selection.Policy.Name} needs the statistic "
                    + $"{RecordedStatistic.ActivationNorm.Name}, which no module of your own tells of itself, and "
                    + $"{nameof(NetworkTrainerOptions)}.{nameof(Network)} is set. Use {nameof(HiddenLayers)} in its place, or "
                    + $"{nameof(StatisticsSource)}.{StatisticsSource.Recorded} with a column of it.", nameof(Network));
            if (selection.Budget.AsRows is int rows && rows > selection.WindowSize)
                throw new ArgumentException($"{nameof(InTrainingSelection)}.{nameof(InTrainingSelection.Budget)} keeps {rows} rows of "
                    + $"each window, and {nameof(InTrainingSelection.WindowSize)} is {selection.WindowSize}: make the window at least as "
                    + $"large as the budget.", nameof(InTrainingSelection.Budget));
        }
    }
}
