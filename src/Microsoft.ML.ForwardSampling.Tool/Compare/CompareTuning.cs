using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>One try of a setting.</summary>
/// <param name="Arm">The training's name.</param>
/// <param name="Setting">What was tried.</param>
/// <param name="Value">The first figure, on validation rows; null: training failed.</param>
internal sealed record CompareTry(string Arm, CompareSetting Setting, double? Value);

/// <summary>The setting that suits each training best, so that none wins because another's was chosen badly.</summary>
/// <remarks>Each is tried once, at a seed that the comparison does not use, and judged on training rows held out of the stream: the test
/// rows are not looked at.</remarks>
internal static class CompareTuning
{
    /// <summary>Seed of every try.</summary>
    private const int Seed = 0;

    /// <summary>The grid: a quarter of the usual batch and the usual one; a quarter, half, once and twice the usual step size; shuffled and
    /// stratified.</summary>
    public static IReadOnlyList<CompareSetting> Grid(CompareSetting usual) =>
    [
        .. new[] { Math.Max(1, usual.Batch / 4), usual.Batch }.Distinct().SelectMany(batch
            => new[] { 0.25, 0.5, 1, 2 }.SelectMany(factor => Enum.GetValues<BatchComposition>().Select(composition
                => new CompareSetting(batch, factor * usual.LearningRate, composition)))),
    ];

    /// <summary>Tries what was not tried yet.</summary>
    /// <param name="experiment">The rules, with validation rows.</param>
    /// <param name="data">The data, before a seed's noise.</param>
    /// <param name="arms">Trainings at the usual setting.</param>
    /// <param name="known">What was tried; grows.</param>
    /// <param name="progress">Told of each try.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    public static void Run(CompareExperiment experiment, TabularData data, IEnumerable<CompareArm> arms, List<CompareTry> known,
        IProgress<RunProgress> progress, CancellationToken cancellation)
    {
        TabularData prepared = CompareRunner.Prepare(data, experiment, Seed);
        TabularData judged = prepared with { Test = [.. prepared.Training.TakeLast(experiment.ValidationRows)] };
        foreach (CompareArm arm in arms)
        {
            foreach ((int n, CompareSetting setting) in Grid(experiment.Setting).Index()
                .Where(entry => !known.Any(tried => tried.Arm == arm.Name && tried.Setting == entry.Item)))
            {
                CompareRun run = CompareStream.Run(experiment, judged, arm with { Setting = setting }, Seed,
                    new TryProgress(progress, n + 1), cancellation);
                known.Add(new CompareTry(arm.Name, setting, run.Failure is null ? run.Curve[^1].Values[0] : null));
            }
        }
    }

    /// <summary>The best of a training's tries; null when all failed.</summary>
    public static CompareSetting? Best(IEnumerable<CompareTry> tries, string arm, CompareMetric metric)
        => tries.Where(tried => tried.Arm == arm && tried.Value is not null)
            .MinBy(tried => metric.LowerIsBetter ? tried.Value : -tried.Value)?.Setting;

    /// <summary>Counts tries where a run counts seeds.</summary>
    private sealed class TryProgress(IProgress<RunProgress> progress, int number) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => progress.Report(value with { Seed = number });
    }
}
