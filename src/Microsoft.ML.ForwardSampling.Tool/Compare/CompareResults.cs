using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.ForwardSampling.Networks;
using static Microsoft.ML.ForwardSampling.Tool.Compare.CompareText;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>A mean over seeds.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="HalfWidth">Half the width of its 95 % interval (Student's t); NaN for one seed.</param>
internal sealed record CompareEstimate(double Mean, double HalfWidth)
{
    /// <summary>Estimates from one value a seed.</summary>
    public static CompareEstimate Of(IReadOnlyList<double> values)
        => new(values.Average(), Statistics.StudentT95(values.Count - 1) * Statistics.StandardDeviation(values) / Math.Sqrt(values.Count));
}

/// <summary>One row of the table.</summary>
/// <param name="Arm">Name of the training.</param>
/// <param name="Seeds">Finished runs; one that failed is not among them.</param>
/// <param name="Failed">Runs that could not be finished.</param>
/// <param name="Values">Each figure's mean over seeds; empty when every run failed.</param>
/// <param name="AgainstUniform">Difference of the first figure to Uniform's, paired by seed; null where there are no pairs, where a run
/// failed, and for Uniform itself.</param>
/// <param name="PValue">Of that difference, adjusted for the number of trainings of the same budget (Holm); NaN where there is
/// none.</param>
/// <param name="GapClosed">Share of the way from Uniform to full training, in the first figure; null where full training was left out, or
/// is no better.</param>
/// <param name="Last">Means of what a run took.</param>
internal sealed record CompareSummary(string Arm, int Seeds, int Failed, IReadOnlyList<CompareEstimate> Values,
    PairedDifference? AgainstUniform, double PValue, CompareEstimate? GapClosed, ComparePoint? Last);

/// <summary>Everything a comparison has found so far.</summary>
internal sealed record CompareResults
{
    private const int FormatVersion = 1;

    private static readonly string ReducibleLoss = new Selection.ReducibleLossPolicy().Name;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the file is not put into a page
    };

    /// <summary>Trainings in the order of tables.</summary>
    public static IReadOnlyList<string> Order { get; } = [.. PolicyTable.All.Select(policy => policy.Name), CompareArm.EarlyStopped.Name,
        CompareArm.Full.Name];

    /// <summary>The rules of all runs.</summary>
    public required CompareExperiment Experiment { get; init; }

    /// <summary>Rows of the data set.</summary>
    public required int TrainingRows { get; init; }

    /// <summary>Rows tested on.</summary>
    public required int TestRows { get; init; }

    /// <summary>Features of a row.</summary>
    public required int Features { get; init; }

    /// <summary>Names of the classes; empty for a regression.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>What was said about the data.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Runs that were asked for; more than there are: the comparison was stopped.</summary>
    public required int Planned { get; init; }

    /// <summary>The finished runs.</summary>
    public required IReadOnlyList<CompareRun> Runs { get; init; }

    /// <summary>What was tried for the trainings at their own best; files written before there was such a choice lack it.</summary>
    public IReadOnlyList<CompareTry> Tries { get; init; } = [];

    /// <summary>What models are judged by; the first decides.</summary>
    [JsonIgnore]
    public IReadOnlyList<CompareMetric> Metrics => CompareMetrics.Of(Experiment);

    /// <summary>Whether runs are missing.</summary>
    [JsonIgnore]
    public bool IsPartial => Runs.Count < Planned;

    /// <summary>"partial: 3 of 20 runs", or null.</summary>
    [JsonIgnore]
    public string? PartialText => IsPartial
        ? string.Create(CultureInfo.InvariantCulture, $"partial: {Runs.Count} of {Planned} runs") : null;

    /// <summary>The table: policies as in the policy table, then the trainings without selection.</summary>
    public IReadOnlyList<CompareSummary> Table()
    {
        List<CompareSummary> table = [];
        ILookup<string, CompareRun> byArm = Runs.ToLookup(run => run.Arm);
        CompareRun[] uniform = [.. byArm[CompareArm.Baseline]], full = [.. byArm[CompareArm.Full.Name]];
        foreach (string arm in Ordered(byArm.Select(runs => runs.Key)))
            table.Add(Summarize(arm, [.. byArm[arm].OrderBy(run => run.Seed)], uniform, full));

        // One family of tests: everything that trains on as many rows as Uniform.
        double[] adjusted = Statistics.Holm(
            [.. table.Select(row => CompareArm.BaseOf(row.Arm) == CompareArm.Full.Name ? double.NaN
                : row.AgainstUniform?.PValue ?? double.NaN)]);
        return [.. table.Select((row, i) => row with { PValue = adjusted[i] })];
    }

    /// <summary>Trainings in the order of tables: each beside itself at other settings, and what is not known at the end.</summary>
    public static IEnumerable<string> Ordered(IEnumerable<string> arms)
    {
        string[] order = [.. Order];
        return arms.Distinct().OrderBy(arm => Array.IndexOf(order, CompareArm.BaseOf(arm)) is >= 0 and var place ? place : order.Length);
    }

    /// <summary>Puts the answer in one sentence.</summary>
    public string Finding() => CompareFinding.Of(Table(), Metrics[0], Experiment);

    /// <summary>What was run, in words.</summary>
    public string Protocol()
    {
        CompareExperiment e = Experiment;
        string noise = e.Noise > 0 ? string.Create(CultureInfo.InvariantCulture,
            $" {100 * e.Noise:0.#} % of the training labels are replaced by "
            + $"{(e.Task == PredictionTask.Regression ? "another row's" : "a random class")}.") : "";
        string rare = e.RareClass is not null
            ? string.Create(CultureInfo.InvariantCulture,
                $" Class {e.RareClass} is thinned to {100 * e.RareShare:0.##} % of the training rows.") : "";
        string bits = e.StatisticBits is { } width
            ? string.Create(CultureInfo.InvariantCulture, $", loss and gradient norm in {width} bits each") : "";
        string heldOut = e.ValidationRows > 0
            ? string.Create(CultureInfo.InvariantCulture,
                $" The last {e.ValidationRows:N0} training rows are held out of the stream, for policies that learn from the loss on "
            + $"them.") : "";
        string age = e.RecordAge switch
        {
            0 => "Each window is scored at selection by the network as it is then",
            1 => $"Each chunk is scored by the deployed network, which records its statistics{bits}",
            _ => string.Create(CultureInfo.InvariantCulture,
                $"Each chunk's statistics were recorded{bits} by the network deployed {e.RecordAge} refreshes before the one that "
                + $"is trained on it (at the start by the oldest there is)"),
        };
        string order = e.Order == CompareOrder.Shuffled ? "in another order each time" : "in the order of the data each time";
        string rate = e.Schedule == CompareSchedule.Linear ? "falling in a straight line to 0 over each run's own backward rows"
            : "constant";
        return string.Create(CultureInfo.InvariantCulture,
            $"{e.Data}: {TrainingRows:N0} training rows of {Features:N0} features arrive in chunks of {e.Chunk:N0}, {e.Passes} "
            + $"times, {order}; {TestRows:N0} test rows.{noise}{rare}{heldOut} ")
            + string.Create(CultureInfo.InvariantCulture,
                $"{age}; the policy selects {100 * e.Budget:0.##} % of each window of {e.Window:N0} rows, and the next network "
                + $"({(e.Network.Length > 0 ? $"hidden layers {e.Network}" : "linear: no hidden layer")}) "
                + $"is trained from the deployed one on those rows, once, in batches of {e.Batch} (Adam, "
                + $"{e.LearningRate:0.#####}, {rate}{(e.Loss == CompareLoss.Huber ? ", Huber's loss" : "")}). ")
            + "The first chunk has no deployed network: there every policy draws evenly. Early-stopped full training takes every row "
                + "that comes, until it has had as many backward rows as the policies. Full training takes every row of every pass."
            + SettingsText()
            + (Runs.FirstOrDefault(run => run.Arm == ReducibleLoss && run.Failure is null) is { } run
                ? string.Create(CultureInfo.InvariantCulture,
                    $" {ReducibleLoss} compares with two networks that each learnt from one half of the rows and scored the other "
                    + $"half: its backward rows are {run.Curve[^1].BackwardRows:N0} more than the table says, and its seconds of "
                    + $"selection hold theirs.")
                : "");
    }

    /// <summary>What is named after a training's name.</summary>
    private string SettingsText()
    {
        CompareRun[] others = [.. Runs.Where(run => run.Setting is not null)];
        if (others.Length == 0)
            return "";
        string grid = Tries.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture,
            $" Own best is chosen on {Experiment.ValidationRows:N0} held-out training rows, at one seed that is not compared, among "
            + $"{CompareTuning.Grid(Experiment.Setting).Count} settings: {string.Join("; ", CompareTuning.Grid(Experiment.Setting))}.");
        IEnumerable<string> chosen = others.DistinctBy(run => run.Arm).Select(run => $"{run.Arm}: {run.Setting}");
        return $" Where a name says more, its rows became steps in another way ({string.Join("; ", chosen)}).{grid}";
    }

    /// <summary>What figures mean.</summary>
    public const string TestNote =
        "Intervals are 95 % (Student's t over seeds). Differences to Uniform are paired by seed; p is of the paired t test, adjusted by "
            + "Holm over all trainings with the same backward rows. Gap closed is the share of the way from Uniform to full training, both "
            + "at the usual setting.";

    /// <summary>What figures leave out.</summary>
    public const string CostNote =
        "Recorded rows were scored by the deployed network, which serves them anyway: that cost is already paid; where it would be run "
            + "only to select, it must be added. Extra forward rows were scored for training only. Seconds are means of a run, without "
            + "testing.";

    /// <summary>All figures, unrounded; reads back by <see cref="FromJson"/>.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Example = "compare",
            FormatVersion,
            Partial = PartialText,
            Finding = Finding(),
            Protocol = Protocol(),
            Metrics,
            Table = Table().Select(row => new
            {
                row.Arm,
                row.Seeds,
                row.Failed,
                Values = row.Values.Select(value => new { value.Mean, HalfWidth = Finite(value.HalfWidth) }),
                AgainstUniform = row.AgainstUniform is { } d
                    ? new
                    {
                        d.Mean,
                        Low = Finite(d.Low),
                        High = Finite(d.High),
                        d.Pairs,
                        P = Finite(d.PValue),
                        AdjustedP = Finite(row.PValue)
                    } : null,
                GapClosed = row.GapClosed?.Mean,
                GapClosedHalfWidth = row.GapClosed is { } closed ? Finite(closed.HalfWidth) : null,
                row.Last?.BackwardRows,
                row.Last?.RecordedRows,
                row.Last?.ForwardRows,
                row.Last?.Steps,
                row.Last?.RecordSeconds,
                row.Last?.SelectSeconds,
                row.Last?.TrainSeconds,
            }),
            Results = this,
        },
        Json);

    /// <summary>Reads a results file.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">It is no results file of this program, or one of another version; the message names
    /// it.</exception>
    public static CompareResults FromFile(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path} is missing: a comparison writes it with --json {path}.", path);
        try
        {
            using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(path));
            if (!file.RootElement.TryGetProperty("example", out JsonElement example) || example.GetString() != "compare")
                throw new InvalidDataException($"{path} is no results file of compare.");
            int version = file.RootElement.GetProperty("formatVersion").GetInt32();
            if (version != FormatVersion)
                throw new InvalidDataException(
                    $"{path} has format version {version}; this program reads {FormatVersion}. Run the comparison again.");
            CompareResults results = file.RootElement.GetProperty("results").Deserialize<CompareResults>(Json)
                ?? throw new InvalidDataException($"{path} holds no results.");
            return ResultsFault.Of(results) is { } fault
                ? throw new InvalidDataException($"{path} is no whole results file of compare: {fault}.") : results;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{path} is no whole results file of compare: {e.Message}", e);
        }
    }

    /// <summary>Refuses to mix runs of different experiments.</summary>
    /// <exception cref="InvalidDataException">An option or the data differ; the message names the first difference.</exception>
    public void CheckContinues(CompareExperiment experiment, string path)
    {
        JsonElement then = JsonSerializer.SerializeToElement(Experiment, Json), now = JsonSerializer.SerializeToElement(experiment, Json);
        foreach (JsonProperty option in now.EnumerateObject())
        {
            string before = then.GetProperty(option.Name).GetRawText(), asked = option.Value.GetRawText();
            if (before != asked)
                throw new InvalidDataException(
                    $"{path} holds runs with {option.Name} {before}, and this comparison has {asked}: give the same options, or leave "
                    + $"out --resume.");
        }
    }

    private CompareSummary Summarize(string arm, CompareRun[] runs, CompareRun[] uniform, CompareRun[] full)
    {
        CompareRun[] finished = [.. runs.Where(run => run.Failure is null)];
        int failed = runs.Length - finished.Length;
        if (finished.Length == 0)
            return new CompareSummary(arm, 0, failed, [], null, double.NaN, null, null);
        CompareEstimate[] values = [.. Metrics.Select((_, i) => CompareEstimate.Of([.. finished.Select(run => run.Curve[^1].Values[i])]))];
        ComparePoint[] last = [.. finished.Select(run => run.Curve[^1])];
        ComparePoint mean = last[0] with
        {
            RecordSeconds = last.Average(point => point.RecordSeconds),
            SelectSeconds = last.Average(point => point.SelectSeconds),
            TrainSeconds = last.Average(point => point.TrainSeconds),
        };
        (CompareRun Run, CompareRun Uniform)[] pairs = arm == CompareArm.Baseline || failed > 0
            ? []
            : [.. finished.Join(uniform.Where(run => run.Failure is null), run => run.Seed, run => run.Seed, (run, other) => (run, other))];
        PairedDifference? difference = pairs.Length == 0
            ? null
            : PairedDifference.Of([.. pairs.Select(pair => pair.Run.Curve[^1].Values[0])],
                [.. pairs.Select(pair => pair.Uniform.Curve[^1].Values[0])]);
        CompareEstimate? closed = failed > 0 ? null : GapClosed.Of(Final(finished), Final(uniform), Final(full), Metrics[0].LowerIsBetter);
        return new CompareSummary(arm, finished.Length, failed, values, difference, double.NaN, closed, mean);

        static Dictionary<int, double> Final(IEnumerable<CompareRun> runs)
            => runs.Where(run => run.Failure is null).ToDictionary(run => run.Seed, run => run.Curve[^1].Values[0]);
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
