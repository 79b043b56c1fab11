using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>A policy that can be asked for by name.</summary>
/// <param name="Key">What to write on the command line.</param>
/// <param name="Name">What tables show.</param>
/// <param name="Create">Makes one; called for each run.</param>
internal sealed record KnownPolicy(string Key, string Name, Func<IRowSelectionPolicy> Create);

/// <summary>Every policy the examples know: a new one is one line here.</summary>
internal static class PolicyTable
{
    /// <summary>In the order of tables; Uniform, with which all are compared, first.</summary>
    public static IReadOnlyList<KnownPolicy> All { get; } =
    [
        Of("uniform", () => new UniformPolicy()),
        Of("mean-matching", () => new MeanMatchingPolicy()),
        Of("mean-matching-stride", () => new MeanMatchingPolicy { Refinement = MeanMatchingRefinement.Stride }, "MeanMatching, stride"),
        Of("loss-stratified", () => new LossStratifiedPolicy()),
        Of("selective-backprop", () => new SelectiveBackpropPolicy()),
        Of("gradient-norm", () => new GradientNormPolicy()),
        Of("balanced-gradient-norm", () => new BalancedGradientNormPolicy()),
        Of("selective-backprop-history", () => new SelectiveBackpropPolicy { History = 1024 }, "SelectiveBackprop, history"),
        Of("adaptive-percentile", () => new AdaptivePercentilePolicy()),
        Of("assisted", () => new AssistedPolicy()),
        Of("cube", () => new CubePolicy()),
        Of("info-batch", () => new InfoBatchPolicy()),
        Of("reducible-loss", () => new ReducibleLossPolicy()),
        Of("uniform-floor", () => new UniformFloorPolicy { Inner = new SelectiveBackpropPolicy() }),
        Of("weight-cap", () => new WeightCapPolicy()),
        Of("group-budget", () => new GroupBudgetPolicy()),
        Of("top-loss", () => new TopLossPolicy()),
        Of("bottom-loss", () => new BottomLossPolicy()),
    ];

    /// <summary>The keys, in order.</summary>
    public static IEnumerable<string> Keys => All.Select(policy => policy.Key);

    /// <summary>The policies of a comma list, Uniform first, each once.</summary>
    /// <param name="keys">Keys that exist.</param>
    public static IReadOnlyList<KnownPolicy> Named(IEnumerable<string> keys)
    {
        HashSet<string> wanted = [.. keys, "uniform"];
        return [.. All.Where(policy => wanted.Contains(policy.Key))];
    }

    private static KnownPolicy Of(string key, Func<IRowSelectionPolicy> create, string? name = null) =>
        new(key, name ?? create().Name, create);
}
