namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>One of the trainings that are compared.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Policy">Its policy, or null: every row that comes gets a backward pass.</param>
/// <param name="StopsAtBudget">Without a policy: whether it ends at the policies' backward rows.</param>
/// <param name="Setting">How its rows become steps; null: as the experiment says.</param>
internal sealed record CompareArm(string Name, KnownPolicy? Policy, bool StopsAtBudget, CompareSetting? Setting = null)
{
    /// <summary>The policy with which all are compared.</summary>
    public const string Baseline = "Uniform";

    /// <summary>Between a training's name and what its setting changes.</summary>
    public const string Separator = " · ";

    /// <summary>The library's default policy.</summary>
    public static string DefaultPolicy { get; } = new Selection.BalancedGradientNormPolicy().Name;

    /// <summary>Every row that comes, until the policies' number of backward rows is reached; the learning rate's fall is shrunk to
    /// fit.</summary>
    public static CompareArm EarlyStopped { get; } = new("Early-stopped full training", null, true);

    /// <summary>Every row, every pass.</summary>
    public static CompareArm Full { get; } = new("Full training", null, false);

    /// <summary>Whether it trains on as many rows as the policies.</summary>
    public bool SameBudget => Policy is not null || StopsAtBudget;

    /// <summary>What the options ask for at the usual setting and at the others, in the order of the table.</summary>
    /// <param name="options">The command line.</param>
    /// <param name="experiment">The usual setting.</param>
    public static IReadOnlyList<CompareArm> Of(CompareOptions options, CompareExperiment experiment)
    {
        CompareArm[] bases = [.. Bases(options)];
        CompareSetting[] settings = [.. options.Settings(experiment)];
        return [.. bases.SelectMany(arm => Settings(arm).Where(setting => setting != experiment.Setting)
            .Select(setting => arm with { Name = $"{arm.Name}{Separator}{setting.Beside(experiment.Setting)}", Setting = setting })
            .Prepend(arm))];

        // Without a word about batches, the library's own default is shown for the policy that is its default, and for an even draw.
        IEnumerable<CompareSetting> Settings(CompareArm arm) => arm.Policy is null ? []
            : options.Batch.Count > 1 || options.Batches.Count > 0 ? settings
            : arm.Name == Baseline || arm.Name == DefaultPolicy ? [CompareSetting.OfSelectedRows(experiment.Setting)] : [];
    }

    /// <summary>What the options ask for, each once, at the usual setting.</summary>
    public static IEnumerable<CompareArm> Bases(CompareOptions options)
    {
        IEnumerable<CompareArm> arms = [.. PolicyTable.Named(options.Policies).Select(policy => new CompareArm(policy.Name, policy, true)),
            EarlyStopped];
        return options.FullSeeds > 0 ? arms.Append(Full) : arms;
    }

    /// <summary>What tables call the same training at the setting that suited it best.</summary>
    public string OwnBestName => $"{Name}{Separator}own best";

    /// <summary>The same training at the setting that suited it best.</summary>
    public CompareArm AtOwnBest(CompareSetting setting) => this with { Name = OwnBestName, Setting = setting };

    /// <summary>A training's name without its setting.</summary>
    public static string BaseOf(string name) => name.Split(Separator)[0];
}
