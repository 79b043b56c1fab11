namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>One of the trainings that are compared.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Policy">Its policy, or null: every row that comes gets a backward pass.</param>
/// <param name="StopsAtBudget">Without a policy: whether it ends at the policies' backward rows.</param>
internal sealed record CompareArm(string Name, KnownPolicy? Policy, bool StopsAtBudget)
{
    /// <summary>The policy with which all are compared.</summary>
    public const string Baseline = "Uniform";

    /// <summary>Every row that comes, until the policies' number of backward rows is reached; the learning rate's fall is shrunk to
    /// fit.</summary>
    public static CompareArm EarlyStopped { get; } = new("Early-stopped full training", null, true);

    /// <summary>Every row, every pass.</summary>
    public static CompareArm Full { get; } = new("Full training", null, false);

    /// <summary>Whether it trains on as many rows as the policies.</summary>
    public bool SameBudget => Policy is not null || StopsAtBudget;

    /// <summary>What the options ask for, in the order of the table.</summary>
    public static IReadOnlyList<CompareArm> Of(CompareOptions options)
    {
        List<CompareArm> arms = [.. PolicyTable.Named(options.Policies).Select(policy => new CompareArm(policy.Name, policy, true)),
            EarlyStopped];
        if (options.FullSeeds > 0)
            arms.Add(Full);
        return arms;
    }
}
