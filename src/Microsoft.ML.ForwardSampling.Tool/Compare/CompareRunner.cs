using Microsoft.ML.ForwardSampling.Tool.Files;
using Microsoft.ML.ForwardSampling.Tool.Pages;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>Does it pay on these data? Every policy against an even draw, early-stopped and full training.</summary>
internal static class CompareRunner
{
    /// <summary>Runs what is missing and writes results and page after each run.</summary>
    /// <exception cref="PartialResultsException">It was stopped; the files hold what was finished.</exception>
    /// <exception cref="InvalidDataException">The data, an option or the file to go on from is wrong; the message says where.</exception>
    public static CompareResults Run(CompareOptions options, IAnsiConsole console, CancellationToken cancellation = default)
    {
        CheckOutputs(options); // before a large file is read
        return Run(options, options.Csv is { } csv ? CsvData.Load(options.Data, csv, cancellation, Show)
            : BuiltInData.All[options.Data](), console, cancellation);

        void Show(CsvReading reading)
        {
            ProfileConsole.Write(console, reading);
            if (reading.Columns.Any(column => column.Verdict.Problem is not null))
            {
                // Else they are shown with those of the comparison.
                foreach (string note in reading.Notes)
                    console.WriteText(note);
            }
        }
    }

    /// <summary>The same on data that are read already.</summary>
    /// <inheritdoc cref="Run(CompareOptions, IAnsiConsole, CancellationToken)" path="/exception"/>
    internal static CompareResults Run(CompareOptions options, TabularData data, IAnsiConsole console, CancellationToken cancellation)
    {
        CheckOutputs(options);
        CompareExperiment experiment = options.On(data);
        IReadOnlyList<CompareArm> arms = CompareArm.Of(options, experiment);
        CompareResults? earlier = options.Resume is { } file ? CompareResults.FromFile(file) : null;
        earlier?.CheckContinues(experiment, options.Resume!);

        List<CompareRun> runs = [.. earlier?.Runs ?? []];
        List<CompareTry> tries = [.. earlier?.Tries ?? []];
        HashSet<(string, int)> finished = [.. runs.Select(run => (run.Arm, run.Seed))];
        CompareArm[] bases = [.. CompareArm.Bases(options)];
        IEnumerable<string> tuned = options.Tune ? bases.Select(arm => arm.OwnBestName) : [];
        int planned = runs.Count + arms.Sum(arm => Missing(arm.Name)) + tuned.Sum(Missing);
        TabularData example = Prepare(data, experiment, 1);

        CompareConsole.WriteProtocol(console, Results());
        if (earlier is not null)
            console.WriteText($"{options.Resume}: {runs.Count} runs are finished, {planned - runs.Count} are missing.");
        try
        {
            if (planned > runs.Count)
                WarmUp(experiment, example, arms, cancellation);
            if (options.Tune)
            {
                RunDisplay.Watch(console, "try", [.. bases.Select(arm => (arm.Name, CompareTuning.Grid(experiment.Setting).Count))],
                    progress => CompareTuning.Run(experiment, data, bases, tries, progress, cancellation));
                Write(options, Results());
                arms = [.. arms, .. OwnBests()];
            }

            RunDisplay.Watch(console, "seed", [.. arms.Select(arm => (arm.Name, SeedsOf(arm.Name)))], progress =>
            {
                TabularData prepared = example;
                int preparedFor = 1;
                foreach ((CompareArm arm, int seed) in Enumerable.Range(1, Math.Max(options.Seeds, options.FullSeeds))
                    .SelectMany(seed => arms.Where(arm => IsMissing(arm.Name, seed)).Select(arm => (arm, seed))))
                {
                    if (seed != preparedFor)
                        (prepared, preparedFor) = (Prepare(data, experiment, seed), seed);
                    runs.Add(CompareStream.Run(experiment, prepared, arm, seed, progress, cancellation));
                    Write(options, Results());
                }
            });
        }
        catch (OperationCanceledException)
        {
            Write(options, Results());
            throw new PartialResultsException(
                $"Stopped: {Results().PartialText}. Written: {Path.GetFullPath(options.Json)} and {Path.GetFullPath(options.Html)}. Go "
                + $"on with the same options and --resume {options.Json}", cancellation);
        }

        CompareResults results = Results();
        Write(options, results);
        CompareConsole.WriteResults(console, results);
        console.WriteText($"Written: {Path.GetFullPath(options.Json)}");
        console.WriteText($"Written: {Path.GetFullPath(options.Html)}");
        return results;

        int SeedsOf(string arm) => CompareArm.BaseOf(arm) == CompareArm.Full.Name ? options.FullSeeds : options.Seeds;

        bool IsMissing(string arm, int seed) => seed <= SeedsOf(arm) && !finished.Contains((arm, seed));

        int Missing(string arm) => Enumerable.Range(1, SeedsOf(arm)).Count(seed => IsMissing(arm, seed));

        IEnumerable<CompareArm> OwnBests()
        {
            foreach (CompareArm arm in bases)
            {
                if (CompareTuning.Best(tries, arm.Name, CompareMetrics.Of(experiment)[0]) is { } best)
                    yield return arm.AtOwnBest(best);
                else
                    planned -= Missing(arm.OwnBestName);
            }
        }

        CompareResults Results() => new()
        {
            Experiment = experiment,
            TrainingRows = example.Training.Count,
            TestRows = data.Test.Count,
            Features = data.FeatureCount,
            Classes = data.Classes,
            Notes = [.. data.Notes, .. options.Notes],
            Planned = planned,
            Runs = [.. runs],
            Tries = [.. tries],
        };
    }

    /// <summary>A seed's training rows: a class thinned, labels made noisy.</summary>
    internal static TabularData Prepare(TabularData data, CompareExperiment experiment, int seed)
    {
        var random = new Random(-seed);
        TabularRow[] rows = [.. data.Training];
        if (experiment.RareClass is { } rare)
            rows = Thin(rows, data.Classes.ToList().IndexOf(rare), experiment, random);
        if (experiment.Noise > 0)
            rows = [.. rows.Select(row => random.NextDouble() < experiment.Noise
                ? row.WithLabelOf(RandomLabel(rows, data.Classes.Count, experiment.Task, random)) : row)];
        return data with { Training = rows };
    }

    private static TabularRow RandomLabel(TabularRow[] rows, int classes, PredictionTask task, Random random) => task switch
    {
        PredictionTask.Regression => rows[random.Next(rows.Length)],
        PredictionTask.Binary => new TabularRow { Flag = random.Next(2) == 1 },
        _ => new TabularRow { Class = (uint)random.Next(classes) },
    };

    private static TabularRow[] Thin(TabularRow[] rows, int rare, CompareExperiment experiment, Random random)
    {
        TabularRow[] others = [.. rows.Where(row => row.ClassIndex != rare)], members = [.. rows.Where(row => row.ClassIndex == rare)];
        int kept = (int)Math.Round(others.Length * experiment.RareShare / (1 - experiment.RareShare));
        if (kept < 1 || kept > members.Length)
            throw new InvalidDataException(
                $"--rare-share {experiment.RareShare} of class {experiment.RareClass} would be {kept} rows beside the {others.Length} "
                + $"others: it has {members.Length}, of which at least 1 must stay.");
        random.Shuffle(members);
        return [.. others, .. members[..kept]];
    }

    /// <summary>The first call of anything is slow (native libraries, compilation): short runs that do not count.</summary>
    private static void WarmUp(CompareExperiment experiment, TabularData data,
        IReadOnlyList<CompareArm> arms, CancellationToken cancellation)
    {
        int rows = Math.Min(data.Training.Count, (3 * experiment.Chunk) + experiment.ValidationRows);
        foreach (CompareArm arm in arms)
            CompareStream.Run(experiment with { Passes = 1 }, data with { Training = [.. data.Training.Take(rows)] }, arm, 1,
                new Unwatched(), cancellation);
    }

    /// <summary>A file that cannot be written is told of before the first training.</summary>
    /// <exception cref="InvalidDataException">One cannot be written, or would take the place of something else.</exception>
    private static void CheckOutputs(CompareOptions options)
    {
        string? data = options.Csv is null ? null : options.Data;
        (string, string?)[] read = [("--data", data), ("--test", options.Csv?.TestFile)];
        OutputFile.Check("--json", options.Json, '{', read);
        OutputFile.Check("--html", options.Html, '<', [.. read, ("--json", options.Json), ("--resume", options.Resume)]);
    }

    private static void Write(CompareOptions options, CompareResults results)
    {
        OutputFile.Write(options.Json, results.ToJson());
        OutputFile.Write(options.Html, ComparePage.Of(results));
    }

    private sealed class Unwatched : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
        }
    }
}
