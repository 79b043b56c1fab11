using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tool;

/// <summary>The experiment that the quick start runs; the defaults are the ones of <c>./build.sh run</c>.</summary>
internal sealed record QuickStartOptions
{
    /// <summary>Policies by the names that <c>--policies</c> takes, in the order of the table: the six of the first table in docs/benchmarks.md, then those that remember or learn.</summary>
    public static IReadOnlyDictionary<string, IRowSelectionPolicy> KnownPolicies { get; } = PolicyTable
        .Named(["mean-matching", "loss-stratified", "selective-backprop", "gradient-norm", "balanced-gradient-norm", "selective-backprop-history", "adaptive-percentile", "assisted"])
        .ToDictionary(policy => policy.Key, policy => policy.Create());

    /// <summary>Folder with the four files of Fashion-MNIST.</summary>
    public string Data { get; init; } = FashionMnist.DebianFolder;

    /// <summary>Policies to compare with Uniform, which is always there.</summary>
    public IReadOnlyList<string> Policies { get; init; } = ["balanced-gradient-norm"];

    /// <summary>Repetitions of each policy, with seeds 1, 2, ...</summary>
    public int Seeds { get; init; } = 5;

    /// <summary>Repetitions of full training, with seeds 1, 2, ...; 0 leaves it out.</summary>
    public int FullSeeds { get; init; } = 5;

    /// <summary>Times the stream brings every training row.</summary>
    public int Passes { get; init; } = 8;

    /// <summary>Rows served, recorded and trained on between two deployments.</summary>
    public int Chunk { get; init; } = 2560;

    /// <summary>Rows that compete with each other.</summary>
    public int Window { get; init; } = 640;

    /// <summary>Share of each window that gets a backward pass.</summary>
    public double Budget { get; init; } = 0.1;

    /// <summary>Share of the training labels that is replaced by a random class.</summary>
    public double Noise { get; init; }

    /// <summary>Rows at the end of the training set that no policy trains on; null: 2,560 where a policy learns from the loss on them, else none.</summary>
    public int? Validation { get; init; }

    /// <summary>The same as a number.</summary>
    public int ValidationRows => Validation ?? (Policies.Any(name => LearnsFromValidation(KnownPolicies[name])) ? 2560 : 0);

    /// <summary>Bits in which each recorded statistic is kept (8, 12 or 16), or null: as a Single.</summary>
    public int? StatisticBits { get; init; }

    /// <summary>Whether this is the short run, which says that it is one.</summary>
    public bool Quick { get; init; }

    /// <summary>File for the results, or null.</summary>
    public string? Json { get; init; }

    /// <summary>File for the page with the curves.</summary>
    public string Html { get; init; } = Path.Combine("artifacts", "quick-start.html");

    /// <summary>The short run: fewer seeds, fewer passes.</summary>
    public static QuickStartOptions QuickTaste { get; } = new() { Quick = true, Seeds = 3, FullSeeds = 1, Passes = 5 };

    private static bool LearnsFromValidation(IRowSelectionPolicy policy) => ((policy.NewState()?.Feedback ?? 0) & SelectionFeedback.ValidationLoss) != 0;
}
