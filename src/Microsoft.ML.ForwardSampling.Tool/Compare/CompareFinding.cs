using System.Globalization;
using static Microsoft.ML.ForwardSampling.Tool.Compare.CompareText;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The answer in one sentence, and no more than the figures show.</summary>
internal static class CompareFinding
{
    /// <summary>Adjusted chance below which a difference counts.</summary>
    public const double Level = 0.05;

    /// <summary>Writes the sentence.</summary>
    /// <param name="table">The table, with adjusted chances.</param>
    /// <param name="metric">The figure that decides.</param>
    /// <param name="experiment">The rules.</param>
    public static string Of(IReadOnlyList<CompareSummary> table, CompareMetric metric, CompareExperiment experiment)
    {
        CompareSummary[] policies = [.. table.Where(row => CompareArm.BaseOf(row.Arm) is not CompareArm.Baseline and var name
            && name != CompareArm.EarlyStopped.Name && name != CompareArm.Full.Name)];
        CompareSummary[] tested = [.. policies.Where(row => row.AgainstUniform is not null)];
        if (tested.Length == 0)
            return "Nothing can be said yet: no policy has a finished run at a seed of Uniform's.";
        if (tested.All(row => row.AgainstUniform!.Pairs < 2))
            return "Nothing can be said yet: from one seed a policy's effect cannot be told from chance, so use --seeds 5.";

        CompareSummary[] better = [.. tested.Where(row => IsShown(row) && IsBetter(row.AgainstUniform!.Mean))
            .OrderByDescending(row => Gain(row.AgainstUniform!.Mean))];
        CompareSummary[] worse = [.. tested.Where(row => IsShown(row) && !IsBetter(row.AgainstUniform!.Mean))];
        string rows = string.Create(CultureInfo.InvariantCulture,
            $"at {table[0].Last?.BackwardRows:N0} backward rows ({100 * experiment.Budget:0.##} %)");
        string others = worse.Length > 0 ? $"; {List(worse)} {(worse.Length == 1 ? "is" : "are")} worse than it" : "";
        if (better.Length == 0)
            return $"No policy beats Uniform here {rows}, over {tested[0].AgainstUniform!.Pairs} seeds{others}{EarlyStopped(table, null)}.";
        PairedDifference best = better[0].AgainstUniform!;
        string also = better.Length > 1 ? $", and so {(better.Length == 2 ? "does" : "do")} {List(better[1..])}" : "";
        return $"{better[0].Arm} beats Uniform here {rows}: {Difference(metric, best)} "
            + $"{(metric.IsShare ? "points of " : "")}{metric.Name} (p "
            + $"{Chance(better[0].PValue).Replace("<", "< ", StringComparison.Ordinal)}, {best.Pairs} "
            + $"seeds){also}{others}{EarlyStopped(table, better[0])}.";

        bool IsBetter(double difference) => Gain(difference) > 0;
        double Gain(double difference) => metric.LowerIsBetter ? -difference : difference;

        // Beating an even draw is not enough: the simplest use of the same budget is to stop early.
        string EarlyStopped(IReadOnlyList<CompareSummary> rows, CompareSummary? best)
        {
            if (rows.SingleOrDefault(row => row.Arm == CompareArm.EarlyStopped.Name) is not { AgainstUniform: { Pairs: >= 2 } early } row)
                return "";
            string name = CompareArm.EarlyStopped.Name.ToLowerInvariant();
            if (best is not null)
                return Gain(early.Mean) >= Gain(best.AgainstUniform!.Mean) ? $"; {name} does as well or better"
                    : $"; {name} ends {Difference(metric, early.Mean)} from Uniform";
            return IsShown(row) && IsBetter(early.Mean) ? $"; {name} does" : "";
        }
    }

    private static bool IsShown(CompareSummary row) => row.PValue < Level;

    private static string List(IReadOnlyList<CompareSummary> rows)
        => rows.Count == 1 ? rows[0].Arm : $"{string.Join(", ", rows.Take(rows.Count - 1).Select(row => row.Arm))} and {rows[^1].Arm}";
}
