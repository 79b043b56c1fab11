using System.Globalization;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>What is wrong with results that are whole JSON and that no comparison wrote.</summary>
internal static class ResultsFault
{
    // Beyond any figure, and far from where squares overflow.
    private const double MostFigure = 1e100;

    /// <summary>The first fault, or null.</summary>
    public static string? Of(CompareResults results)
    {
        if (HasNull(results.Runs) || HasNull(results.Tries) || HasNull(results.Classes) || HasNull(results.Notes))
            return "an entry of a list is null";
        CompareExperiment experiment = results.Experiment;
        if (!Enum.IsDefined(experiment.Task) || !Enum.IsDefined(experiment.Order) || !Enum.IsDefined(experiment.Schedule)
            || !Enum.IsDefined(experiment.Loss))
            return "a choice of the experiment has no name";
        if (!AreFigures([experiment.Budget, experiment.Noise, experiment.RareShare, experiment.LearningRate]))
            return $"a number of the experiment is beyond {MostFigure}";
        if (results.Tries.Any(one => !IsSetting(one.Setting) || !AreFigures([one.Value ?? 0])))
            return "what was tried has a number out of range";
        var seen = new HashSet<(string, int)>();
        foreach (CompareRun run in results.Runs)
        {
            if (!seen.Add((run.Arm, run.Seed)))
                return Text($"{run.Arm} has seed {run.Seed} twice");
            if (OfRun(run, results) is { } fault)
                return Text($"{run.Arm}, seed {run.Seed}: {fault}");
        }

        return null;
    }

    private static string? OfRun(CompareRun run, CompareResults results)
    {
        if (run.Failure is null == (run.Curve.Count == 0))
            return run.Failure is null ? "it has no figures, and no failure" : "it has figures and a failure";
        foreach (ComparePoint point in run.Curve)
        {
            if (point is null || point.Values.Count != results.Metrics.Count)
                return Text($"a point has not the {results.Metrics.Count} figures of the task");
            if (!AreFigures([.. point.Values, point.RecordSeconds, point.SelectSeconds, point.TrainSeconds]))
                return $"a figure is beyond {MostFigure}";
        }

        return run.Setting is { } setting && !IsSetting(setting) ? "its setting has a number out of range"
            : run.Selection is { } shape && !IsShape(shape, results.Classes.Count) ? "the shares of what was chosen do not fit the classes "
                + "and bins" : null;
    }

    private static bool IsSetting(CompareSetting setting)
        => setting.Batch > 0 && AreFigures([setting.LearningRate]) && Enum.IsDefined(setting.Batches);

    private static bool IsShape(SelectionShape shape, int classes)
        => shape.ByLoss is null or { Count: 10 } && (shape.ByClass.Count == 0 || shape.ByClass.Count == classes)
            && shape.Weights.Count == SelectionProfile.WeightBins.Count
            && AreFigures([.. shape.ByLoss ?? [], .. shape.ByClass, .. shape.Weights]);

    private static bool AreFigures(IReadOnlyList<double> values) => values.All(value => Math.Abs(value) <= MostFigure);

    private static bool HasNull<T>(IReadOnlyList<T> list)
        where T : class? => list.Any(item => item is null);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
