using System.Text.Json.Serialization;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>What is trained, by which rules: runs of equal experiments can stand in one table.</summary>
/// <remarks>Policies and seeds are not part of it: a later run may add some to the same results.</remarks>
internal sealed record CompareExperiment
{
    /// <summary>Name of the data set.</summary>
    public required string Data { get; init; }

    /// <summary>Number that changes with any of its values.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>What is predicted.</summary>
    public required PredictionTask Task { get; init; }

    /// <summary>Share of each window that gets a backward pass.</summary>
    public required double Budget { get; init; }

    /// <summary>Share of the training labels that is replaced at random.</summary>
    public required double Noise { get; init; }

    /// <summary>Class that is thinned out, or null.</summary>
    public required string? RareClass { get; init; }

    /// <summary>Its share of the training rows afterwards.</summary>
    public required double RareShare { get; init; }

    /// <summary>Refreshes of the deployed network between the one that recorded a row and its training; 0: recorded at selection.</summary>
    public required int RecordAge { get; init; }

    /// <summary>Times the stream brings every row.</summary>
    public required int Passes { get; init; }

    /// <summary>Rows between two deployments.</summary>
    public required int Chunk { get; init; }

    /// <summary>Rows that compete with each other.</summary>
    public required int Window { get; init; }

    /// <summary>Rows of a step.</summary>
    public required int Batch { get; init; }

    /// <summary>Units of each hidden layer, as 256-128.</summary>
    public required string Network { get; init; }

    /// <summary>Adam's step size at the start.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The usual setting: Uniform's, full training's, and what the others are named beside.</summary>
    [JsonIgnore]
    public CompareSetting Setting => new(Batch, LearningRate, BatchComposition.Shuffled);

    /// <summary>Whether the step size falls to 0 over each run, or stays.</summary>
    public required CompareSchedule Schedule { get; init; }

    /// <summary>What a regression minimises.</summary>
    public required CompareLoss Loss { get; init; }

    /// <summary>Bits in which recorded loss and gradient norm are kept, or null: as a Single. Files written before there was this option
    /// lack it.</summary>
    public int? StatisticBits { get; init; }

    /// <summary>Training rows that no training sees, on which policies that learn from a validation loss are told theirs; 0: the rows that
    /// arrive serve. Files written before there was this option lack it.</summary>
    public int ValidationRows { get; init; }

    /// <summary>In what order rows arrive. Files written before there was this option lack it.</summary>
    public CompareOrder Order { get; init; }
}

/// <summary>In what order rows arrive.</summary>
internal enum CompareOrder
{
    /// <summary>Another at each pass and seed.</summary>
    Shuffled,

    /// <summary>The data's own, at each pass and seed: time's, where they are sorted by it.</summary>
    Given,
}

/// <summary>How the learning rate changes over a run.</summary>
internal enum CompareSchedule
{
    /// <summary>A straight line to 0, over each run's own backward rows.</summary>
    Linear,

    /// <summary>It stays.</summary>
    Constant,
}

/// <summary>What a regression minimises.</summary>
internal enum CompareLoss
{
    /// <summary>The squared error.</summary>
    Squared,

    /// <summary>Huber's loss: squared up to one standard deviation of the label, linear beyond.</summary>
    Huber,
}

/// <summary>What the command line asks for; null: as suits the data.</summary>
internal sealed record CompareOptions
{
    /// <summary>A built-in data set, or a CSV file.</summary>
    public string Data { get; init; } = "fashion-mnist";

    /// <summary>How the file is read; null for a built-in data set.</summary>
    public CsvOptions? Csv { get; init; }

    /// <summary>Keys of the policies to compare with Uniform.</summary>
    public IReadOnlyList<string> Policies { get; init; } = ["mean-matching", "selective-backprop", "balanced-gradient-norm"];

    /// <summary>Repetitions of each policy and of early-stopped full training.</summary>
    public int Seeds { get; init; } = 5;

    /// <summary>Repetitions of full training; 0 leaves it out.</summary>
    public int FullSeeds { get; init; } = 5;

    /// <summary>Share of each window that gets a backward pass.</summary>
    public double Budget { get; init; } = 0.1;

    /// <summary>Share of the training labels that is replaced at random.</summary>
    public double Noise { get; init; }

    /// <summary>Class to thin out, or null.</summary>
    public string? RareClass { get; init; }

    /// <summary>Its share of the training rows afterwards.</summary>
    public double RareShare { get; init; } = 0.01;

    /// <summary>Refreshes between recording and training; 0: recorded at selection.</summary>
    public int RecordAge { get; init; } = 1;

    /// <summary>Times the stream brings every row.</summary>
    public int? Passes { get; init; }

    /// <summary>Rows between two deployments.</summary>
    public int? Chunk { get; init; }

    /// <summary>Rows that compete with each other.</summary>
    public int? Window { get; init; }

    /// <summary>Units of each hidden layer.</summary>
    public IReadOnlyList<int>? HiddenLayers { get; init; }

    /// <summary>Adam's step size at the start.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Rows of a step; the first is the usual one, and policies are trained at each.</summary>
    public IReadOnlyList<int> Batch { get; init; } = [64];

    /// <summary>How rows are put together into batches: policies are trained with each. Empty: shuffled, and where <see cref="Batch"/> has
    /// one value, Uniform and the default policy also as the trainer does by itself with selected rows.</summary>
    public IReadOnlyList<BatchComposition> Batches { get; init; } = [];

    /// <summary>Whether each training is also shown at its own best of a grid, chosen on validation rows.</summary>
    public bool Tune { get; init; }

    /// <summary>How the learning rate changes over a run.</summary>
    public CompareSchedule Schedule { get; init; }

    /// <summary>What a regression minimises.</summary>
    public CompareLoss Loss { get; init; }

    /// <summary>Bits in which recorded loss and gradient norm are kept (8, 12 or 16), or null: as a Single.</summary>
    public int? StatisticBits { get; init; }

    /// <summary>Training rows at the end of the data that no training sees: policies that learn from a validation loss are told the loss on
    /// them. 0: that on the rows that arrive.</summary>
    public int ValidationRows { get; init; }

    /// <summary>In what order rows arrive.</summary>
    public CompareOrder Order { get; init; }

    /// <summary>What is to be said about the run besides the data's own notes.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Results to go on from, or null.</summary>
    public string? Resume { get; init; }

    /// <summary>File for all figures.</summary>
    public string Json { get; init; } = Path.Combine("artifacts", "compare.json");

    /// <summary>File for the page.</summary>
    public string Html { get; init; } = Path.Combine("artifacts", "compare.html");

    /// <summary>The experiment on these data, with nothing left open.</summary>
    /// <exception cref="InvalidDataException">An option does not suit the data.</exception>
    public CompareExperiment On(TabularData data)
    {
        if (RareClass is { } rare && !data.Classes.Contains(rare))
            throw new InvalidDataException(
                $"--rare-class must be a class of {data.Name}: "
                + $"{(data.Classes.Count > 0 ? string.Join(", ", data.Classes) : "a regression has none")}. Got '{rare}'.");
        if (Loss != CompareLoss.Squared && data.Task != PredictionTask.Regression)
            throw new InvalidDataException(
                $"--loss {Loss.ToString().ToLowerInvariant()} is for regression, and {data.Name} is "
                + $"{data.Task.ToString().ToLowerInvariant()}.");
        if (StatisticBits is not null && (RecordAge == 0 || data.Task == PredictionTask.Regression))
        {
            throw new InvalidDataException(RecordAge == 0
                ? "--statistic-bits is for recorded statistics, and --record-age 0 records none."
                : $"--statistic-bits is for classification, and {data.Name} is a regression: its squared errors have no end that a grid "
                    + $"of few bits could reach.");
        }

        if (RecordAge == 0)
            CheckTrainerCanSelect(data.Task);
        int validation = ValidationRows > 0 || !Tune ? ValidationRows : Math.Clamp(data.Training.Count / 10, 1, 5000);
        int rows = data.Training.Count - validation;
        if (rows < 1)
            throw new InvalidDataException(
                $"--validation {validation} leaves nothing to train on: there are {data.Training.Count} training rows.");
        CompareDefaults defaults = data.Defaults ?? new CompareDefaults([64, 64], 3e-3, Math.Clamp((480_000 + rows - 1) / rows, 4, 100));
        int chunk = Math.Min(rows, Chunk ?? (rows >= 10 * 2560 ? 2560 : 640));
        int window = Window ?? Math.Min(640, chunk);
        if (window > chunk)
            throw new InvalidDataException($"--window must be at most --chunk, {chunk}: a window lies within a chunk. Got {window}.");
        return new CompareExperiment
        {
            Data = data.Name,
            Fingerprint = data.Fingerprint(),
            Task = data.Task,
            Budget = Budget,
            Noise = Noise,
            RareClass = RareClass,
            RareShare = RareClass is null ? 0 : RareShare,
            RecordAge = RecordAge,
            Passes = Passes ?? defaults.Passes,
            Chunk = chunk,
            Window = window,
            Batch = Batch[0],
            Network = string.Join('-', HiddenLayers ?? defaults.HiddenLayers),
            LearningRate = LearningRate ?? defaults.LearningRate,
            Schedule = Schedule,
            Loss = Loss,
            StatisticBits = StatisticBits,
            ValidationRows = validation,
            Order = Order,
        };
    }

    /// <summary>Every batch size with every composition, at the usual step size.</summary>
    public IEnumerable<CompareSetting> Settings(CompareExperiment experiment)
        => Batch.Distinct().SelectMany(batch => Batches.DefaultIfEmpty(BatchComposition.Shuffled).Distinct().Select(composition
            => new CompareSetting(batch, experiment.LearningRate, composition)));

    /// <summary>With statistics computed at selection, the trainer selects; it has no validation rows here, and a regression no
    /// groups.</summary>
    private void CheckTrainerCanSelect(PredictionTask task)
    {
        string[] refused =
        [
            .. PolicyTable.Named(Policies)
                .Where(policy => policy.Create() is var rule
                    && ((rule.NewState()?.Feedback & SelectionFeedback.ValidationLoss) > 0
                        || (task == PredictionTask.Regression && rule.Needs.HasFlag(RecordStatistics.Group))))
                .Select(policy => policy.Key),
        ];
        if (refused.Length > 0)
            throw new InvalidDataException(
                $"--record-age 0 lets the trainer select as it trains, and {string.Join(", ", refused)} would lack validation losses or "
                + $"groups there: leave out {(refused.Length == 1 ? "that policy" : "those policies")}, or give --record-age 1.");
    }
}
