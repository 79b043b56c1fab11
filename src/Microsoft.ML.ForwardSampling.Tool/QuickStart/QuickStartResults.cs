using Microsoft.ML.ForwardSampling.Tool.Compare;
using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.ForwardSampling.Tool;

/// <summary>A network of a stream, tested, and what it took to get there.</summary>
/// <param name="Pass">The pass that ended here, or 0 within the first.</param>
/// <param name="Accuracy">Share of the test rows classified correctly.</param>
/// <param name="BackwardRows">Rows that got a backward pass.</param>
/// <param name="RecordedRows">Rows whose serving forward pass was recorded.</param>
/// <param name="ForwardRows">Rows scored for the sake of training only.</param>
/// <param name="RecordSeconds">Scoring and writing the statistics of the recorded rows.</param>
/// <param name="ReadSeconds">Selecting, and reading what was selected.</param>
/// <param name="TrainSeconds">The rest of Fit.</param>
internal sealed record CurvePoint(
    int Pass, double Accuracy, long BackwardRows, long RecordedRows, long ForwardRows, double RecordSeconds, double ReadSeconds, double TrainSeconds);

/// <summary>One policy at one seed.</summary>
internal sealed record PolicyRun(string Policy, int Seed, IReadOnlyList<CurvePoint> Curve)
{
    /// <summary>The last network of the stream.</summary>
    public CurvePoint Last => Curve[^1];
}

/// <summary>One row of the table: the same network position over all seeds.</summary>
/// <param name="Name">The policy, or full training.</param>
/// <param name="Points">The tested network of each seed.</param>
internal sealed record PolicySummary(string Name, IReadOnlyList<CurvePoint> Points)
{
    /// <summary>Seeds.</summary>
    public int Count => Points.Count;

    /// <summary>Mean test accuracy.</summary>
    public double Accuracy => Points.Average(p => p.Accuracy);

    /// <summary>Sample standard deviation of the test accuracy over seeds (divided by n - 1); NaN for one seed.</summary>
    public double StandardDeviation => Statistics.StandardDeviation([.. Points.Select(p => p.Accuracy)]);

    /// <summary>Rows that got a backward pass: the same at every seed.</summary>
    public long BackwardRows => Points[0].BackwardRows;

    /// <summary>Rows whose serving forward pass was recorded: the same at every seed.</summary>
    public long RecordedRows => Points[0].RecordedRows;

    /// <summary>Rows scored for the sake of training only: the same at every seed.</summary>
    public long ForwardRows => Points[0].ForwardRows;

    /// <summary>Mean seconds of a seed.</summary>
    public double RecordSeconds => Points.Average(p => p.RecordSeconds);

    /// <summary>Mean seconds of a seed.</summary>
    public double ReadSeconds => Points.Average(p => p.ReadSeconds);

    /// <summary>Mean seconds of a seed.</summary>
    public double TrainSeconds => Points.Average(p => p.TrainSeconds);
}

/// <summary>Everything the quick start found.</summary>
internal sealed record QuickStartResults
{
    /// <summary>Name of the arm without selection.</summary>
    public const string FullTraining = "Full training";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The experiment.</summary>
    public required QuickStartOptions Options { get; init; }

    /// <summary>Training rows of a pass.</summary>
    public required int TrainingRows { get; init; }

    /// <summary>Test rows.</summary>
    public required int TestRows { get; init; }

    /// <summary>Every stream.</summary>
    public required IReadOnlyList<PolicyRun> Runs { get; init; }

    /// <summary>Wall-clock of the whole, evaluation and reading included.</summary>
    public required double Seconds { get; init; }

    /// <summary>The rows of the table.</summary>
    public required IReadOnlyList<PolicySummary> Table { get; init; }

    /// <summary>Each policy against Uniform, in points of accuracy, paired by seed.</summary>
    public required IReadOnlyList<(string Policy, PairedDifference Points)> Differences { get; init; }

    /// <summary>Puts the streams together.</summary>
    public static QuickStartResults Of(QuickStartOptions options, FashionMnist data, IReadOnlyList<PolicyRun> runs, double seconds)
    {
        ILookup<string, PolicyRun> byPolicy = runs.ToLookup(run => run.Policy);
        var table = byPolicy.Where(policy => policy.Key != FullTraining)
            .Select(policy => new PolicySummary(policy.Key, [.. policy.Select(run => run.Last)])).ToList();
        if (byPolicy.Contains(FullTraining))
        {
            // The network after one pass is on the way to the last one: near the others' budget, for reference.
            if (options.Passes > 1)
                table.Add(new PolicySummary($"{FullTraining}, 1 pass", [.. byPolicy[FullTraining].Select(run => run.Curve.Single(point => point.Pass == 1))]));
            table.Add(new PolicySummary(FullTraining, [.. byPolicy[FullTraining].Select(run => run.Last)]));
        }

        double[] uniform = Accuracies("Uniform");
        return new QuickStartResults
        {
            Options = options,
            TrainingRows = data.Training.Count,
            TestRows = data.Test.Count,
            Runs = runs,
            Seconds = seconds,
            Table = table,
            Differences = [.. byPolicy.Select(policy => policy.Key).Where(name => name is not (FullTraining or "Uniform"))
                .Select(name => (name, PairedDifference.Of(Accuracies(name), uniform)))],
        };

        double[] Accuracies(string name) => [.. byPolicy[name].Select(run => 100 * run.Last.Accuracy)];
    }

    /// <summary>What the run shows, and no more: one sentence for each policy.</summary>
    public IEnumerable<string> Findings()
    {
        foreach ((string policy, PairedDifference points) in Differences)
        {
            PolicySummary summary = Table.Single(row => row.Name == policy);
            string rows = Text($"{summary.BackwardRows:N0} backward rows");
            string full = Table.SingleOrDefault(row => row.Name == FullTraining) is { } all
                ? Text($"; full training with {(double)all.BackwardRows / summary.BackwardRows:0.#} times the backward rows is at {all.Accuracy:P2}.")
                : ".";
            yield return points switch
            {
                { Pairs: 1 } => Text($"{policy} ends {points.Mean:+0.00;-0.00} points from Uniform at the same {rows}, from one seed: that says nothing yet, use --seeds 5{full}"),
                { IsDifference: true } => Text($"{policy} ends {Math.Abs(points.Mean):0.00} points {(points.Mean > 0 ? "above" : "below")} Uniform at the same {rows} (95 % interval of {points.Pairs} paired differences: {points.Low:+0.00;-0.00} to {points.High:+0.00;-0.00}){full}"),
                _ => Text($"No difference between {policy} and Uniform at the same {rows} is shown: {points.Mean:+0.00;-0.00} points, 95 % interval of {points.Pairs} paired differences {points.Low:+0.00;-0.00} to {points.High:+0.00;-0.00}{full}"),
            };
        }
    }

    /// <summary>What the figures leave out.</summary>
    public const string CostNote =
        "Recording is the forward pass by which the deployed network serves its rows anyway, so its cost is already paid; where it would be run only to select, it must be added. "
        + "Selecting includes reading the selected rows. Seconds are means of a seed, without testing.";

    /// <summary>The experiment in words.</summary>
    public string Protocol() => ProtocolOf(Options, TrainingRows, TestRows);

    /// <summary>The experiment in words, before the data are read.</summary>
    public static string ProtocolOf(QuickStartOptions options, int? trainingRows = null, int? testRows = null)
    {
        string noise = options.Noise > 0 ? Text($" {options.Noise:P0} of the training labels are replaced by a random class.") : "";
        string heldOut = options.ValidationRows > 0 ? Text($" The last {options.ValidationRows:N0} training rows are held out of the stream, for policies that learn from the loss on them.") : "";
        return Text($"Fashion-MNIST: {Count(trainingRows)}training rows arrive in chunks of {options.Chunk:N0}, {options.Passes} times, in another order each time; {Count(testRows)}test rows; pixels have mean 0 and standard deviation 1.{noise}{heldOut} ")
            + $"Each chunk is scored by the deployed network (784-256-128-10, ReLU), which records its statistics{(options.StatisticBits is { } bits ? Text($", loss and gradient norm in {bits} bits each") : "")}. "
            + Text($"The policy selects {options.Budget:P0} of each window of {options.Window:N0} rows; the next network is trained from the deployed one on those rows, once, in batches of 64 (Adam, 0.001), and is deployed. ")
            + "The first chunk has no deployed network: there every policy draws evenly. Full training gives every row a backward pass.";

        static string Count(int? rows) => rows is { } n ? Text($"{n:N0} ") : "";
    }

    /// <summary>All figures, unrounded.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Example = "quick-start",
            Protocol = Protocol(),
            Options.Quick,
            Options.Seeds,
            Options.FullSeeds,
            Options.Passes,
            Options.Chunk,
            Options.Window,
            Options.Budget,
            Options.Noise,
            Options.StatisticBits,
            TrainingRows,
            TestRows,
            Seconds,
            Runtime = System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription,
            Processors = Environment.ProcessorCount,
            Table = Table.Select(row => new
            {
                Policy = row.Name,
                row.Accuracy,
                StandardDeviation = Finite(row.StandardDeviation),
                Seeds = row.Count,
                row.BackwardRows,
                row.RecordedRows,
                row.ForwardRows,
                row.RecordSeconds,
                SelectSeconds = row.ReadSeconds,
                row.TrainSeconds,
            }),
            AgainstUniform = Differences.Select(d => new { d.Policy, Points = d.Points.Mean, Low = Finite(d.Points.Low), High = Finite(d.Points.High), d.Points.Pairs }),
            Findings = Findings(),
            Runs,
        },
        Json);

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
