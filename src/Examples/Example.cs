using System.CommandLine;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>What a comparison of two trainings on equally many rows found.</summary>
/// <param name="Metric">What the two figures are.</param>
/// <param name="Uniform">The model trained on rows drawn evenly.</param>
/// <param name="Selected">The model trained on rows that the policy selected.</param>
/// <param name="UniformRows">Rows that the first was trained on, each as often as it was used.</param>
/// <param name="SelectedRows">Rows that the second was trained on, likewise.</param>
internal sealed record Comparison(string Metric, double Uniform, double Selected, long UniformRows, long SelectedRows);

/// <summary>An example that the program can run by name.</summary>
/// <param name="Name">What to write on the command line.</param>
/// <param name="Description">One line.</param>
/// <param name="Rows">Rows of training data, by default.</param>
/// <param name="Run">The example: where it prints, rows, seed.</param>
internal sealed record Example(string Name, string Description, int Rows, Func<TextWriter, int, int, CancellationToken, Comparison> Run)
{
    private const int DefaultSeed = 1;

    /// <summary>The examples.</summary>
    public static IReadOnlyList<Example> All { get; } =
    [
        new("heavy-tailed-regression", "A stream of regression rows with heavy-tailed noise: record, select, train, deploy.", 64_000,
            HeavyTailedRegression.Run),
        new("binary-clicks", "A rare event: ML.NET's logistic regression records, a network learns from one row in ten.", 200_000,
            BinaryClicks.Run),
        new("own-network", "Your own torch module, and statistics computed afresh while it trains.", 64_000, OwnNetwork.Run),
        new("fast-tree-deployed", "Boosted trees, deployed and retrained on selected rows: SelectThen with an ML.NET trainer.", 200_000,
            FastTreeDeployed.Run),
        new("light-gbm-deployed", "LightGBM, deployed and retrained on selected rows.", 200_000, LightGbmDeployed.Run),
        new("onnx-deployed", "An ONNX model is deployed, and a network succeeds it.", 64_000, OnnxDeployed.Run),
        new("rare-wide-events", "Rare events on a wide stream: the low-memory model, group testing, selection and a network, counted.",
            200_000, RareWideEvents.Run),
    ];

    /// <summary>The example as a command with <c>--rows</c> and <c>--seed</c>.</summary>
    public System.CommandLine.Command CreateCommand(Func<int, int, CancellationToken, Task<int>> run)
    {
        Option<int?> rows = NumberOption.Create("--rows", $"Rows of training data (default {Rows}).", 100, 10_000_000);
        Option<int?> seed = NumberOption.Create("--seed", $"Seed of the data and of the training (default {DefaultSeed}).", 0,
            int.MaxValue / 2);
        var command = new System.CommandLine.Command(Name, Description) { rows, seed };
        command.SetAction((parsed, cancellation) => run(parsed.GetValue(rows) ?? Rows, parsed.GetValue(seed) ?? DefaultSeed, cancellation));
        return command;
    }
}
