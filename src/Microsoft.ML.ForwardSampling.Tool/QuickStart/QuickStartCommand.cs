using Microsoft.ML.ForwardSampling.Tool.Compare;
using System.CommandLine;
using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tool;

/// <summary>The command line of the quick start.</summary>
internal static class QuickStartCommand
{
    private static readonly QuickStartOptions Defaults = new();

    /// <summary>The command.</summary>
    /// <param name="run">What to do with the options.</param>
    public static System.CommandLine.Command Create(Func<QuickStartOptions, CancellationToken, Task<int>> run)
    {
        QuickStartOptions taste = QuickStartOptions.QuickTaste;
        Option<string> data = new("--data") { Description = $"Folder with the four files of Fashion-MNIST (default {Defaults.Data}).", HelpName = "DIR" };
        Option<string> policies = new("--policies") { Description = $"Comma list of {string.Join(", ", QuickStartOptions.KnownPolicies.Keys)}; or all (default {string.Join(',', Defaults.Policies)}; uniform is always there).", HelpName = "LIST" };
        Option<int?> seeds = NumberOption.Create("--seeds", $"Repetitions of each policy (default {Defaults.Seeds}; --quick {taste.Seeds}).", 1, 1000);
        Option<int?> fullSeeds = NumberOption.Create("--full-seeds", $"Repetitions of full training, 0 leaves it out (default {Defaults.FullSeeds}, at most --seeds; --quick {taste.FullSeeds}).", 0, 1000);
        Option<int?> passes = NumberOption.Create("--passes", $"Times the stream brings every row (default {Defaults.Passes}; --quick {taste.Passes}).", 1, 1000);
        Option<int?> chunk = NumberOption.Create("--chunk", $"Rows between two deployments (default {Defaults.Chunk}).", 1, 60_000);
        Option<int?> window = NumberOption.Create("--window", $"Rows that compete with each other (default {Defaults.Window}).", 1, 60_000);
        Option<double?> budget = NumberOption.Create("--budget", $"Share of a window that gets a backward pass (default {Defaults.Budget}).", 0.001, 1.0);
        Option<double?> noise = NumberOption.Create("--noise", $"Share of training labels replaced by a random class (default {Defaults.Noise}).", 0.0, 1.0);
        Option<int?> validation = NumberOption.Create("--validation", "Training rows held out of the stream, for policies that learn from the loss on them (default 2560 where there is one, else 0).", 0, 30_000);
        Option<int?> statisticBits = new("--statistic-bits")
        {
            Description = "Keeps each recorded statistic in 8, 12 or 16 bits, rounded at random (default: as 32-bit floats).",
            HelpName = "N",
            CustomParser = result =>
            {
                if (result.Tokens[0].Value is "8" or "12" or "16")
                    return int.Parse(result.Tokens[0].Value, CultureInfo.InvariantCulture);
                result.AddError($"--statistic-bits must be 8, 12 or 16. Got '{result.Tokens[0].Value}'.");
                return null;
            },
        };
        Option<bool> quick = new("--quick") { Description = "A taste in under a minute: fewer seeds, fewer passes." };
        Option<string> json = new("--json") { Description = "Writes all figures to this file.", HelpName = "FILE" };
        Option<string> html = new("--html") { Description = $"Writes the page with the curves to this file (default {Defaults.Html}).", HelpName = "FILE" };
        policies.Validators.Add(result =>
        {
            string unknown = string.Join(", ", NamesIn(result.Tokens[0].Value).Except(QuickStartOptions.KnownPolicies.Keys));
            if (unknown.Length > 0)
                result.AddError($"--policies must be a comma list of {string.Join(", ", QuickStartOptions.KnownPolicies.Keys)}, or all. Got '{unknown}'.");
        });

        var command = new System.CommandLine.Command("quick-start", "The main job: Fashion-MNIST as a stream, selection against uniform and full training, with table, page and JSON.")
        {
            data, policies, seeds, fullSeeds, passes, chunk, window, budget, noise, validation, statisticBits, quick, json, html,
        };
        command.SetAction((parsed, cancellation) =>
        {
            QuickStartOptions start = parsed.GetValue(quick) ? taste : Defaults;
            int seedCount = parsed.GetValue(seeds) ?? start.Seeds;
            return run(
                start with
                {
                    Data = parsed.GetValue(data) ?? start.Data,
                    Policies = parsed.GetValue(policies) is { } list ? [.. NamesIn(list)] : start.Policies,
                    Seeds = seedCount,
                    FullSeeds = parsed.GetValue(fullSeeds) ?? Math.Min(start.FullSeeds, seedCount),
                    Passes = parsed.GetValue(passes) ?? start.Passes,
                    Chunk = parsed.GetValue(chunk) ?? start.Chunk,
                    Window = parsed.GetValue(window) ?? start.Window,
                    Budget = parsed.GetValue(budget) ?? start.Budget,
                    Noise = parsed.GetValue(noise) ?? start.Noise,
                    Validation = parsed.GetValue(validation),
                    StatisticBits = parsed.GetValue(statisticBits),
                    Json = parsed.GetValue(json),
                    Html = parsed.GetValue(html) ?? start.Html,
                },
                cancellation);
        });
        return command;
    }

    private static IEnumerable<string> NamesIn(string list)
        => list == "all" ? QuickStartOptions.KnownPolicies.Keys : list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
