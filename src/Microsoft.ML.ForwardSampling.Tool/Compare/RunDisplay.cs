using Microsoft.ML.ForwardSampling.Tool.Pages;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>How far one run of a comparison is.</summary>
/// <param name="Name">The policy, or the training without selection.</param>
/// <param name="Seed">Its seed, from 1.</param>
/// <param name="Share">Share of the run that is done, in [0, 1].</param>
/// <param name="Result">What its latest test found, or null.</param>
internal sealed record RunProgress(string Name, int Seed, double Share, string? Result);

/// <summary>Shows runs while they go on: live bars in a terminal, one line for each finished run elsewhere.</summary>
internal static class RunDisplay
{
    /// <summary>Does the work under the display.</summary>
    /// <param name="console">Where it is shown.</param>
    /// <param name="what">What is counted: seed, or try.</param>
    /// <param name="counts">How many there are of each name, in the order of the bars.</param>
    /// <param name="work">What is done; it reports.</param>
    public static void Watch(IAnsiConsole console, string what, IReadOnlyList<(string Name, int Count)> counts,
        Action<IProgress<RunProgress>> work)
    {
        if (!console.Profile.Out.IsTerminal)
        {
            work(new PlainProgress(console, what, counts));
            return;
        }

        console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                new RemainingTimeColumn())
            .Start(context => work(new LiveProgress(context, what, counts)));
    }

    private static string Line(RunProgress value, string what, int count)
        => $"{value.Name}, {what} {value.Seed} of {count}: {value.Result}";

    private sealed class PlainProgress(IAnsiConsole console, string what, IReadOnlyList<(string Name, int Count)> counts)
        : IProgress<RunProgress>
    {
        private readonly Dictionary<string, int> _counts = counts.ToDictionary(c => c.Name, c => c.Count);

        public void Report(RunProgress value)
        {
            if (value.Share >= 1)
                console.WriteText(Line(value, what, _counts[value.Name]));
        }
    }

    /// <summary>One bar for each name, over all of its seeds.</summary>
    private sealed class LiveProgress(ProgressContext context, string what, IReadOnlyList<(string Name, int Count)> counts)
        : IProgress<RunProgress>
    {
        private readonly Dictionary<string, (ProgressTask Bar, int Count)> _bars =
            counts.ToDictionary(c => c.Name, c => (context.AddTask(ShownText.Markup(c.Name), maxValue: c.Count), c.Count));

        public void Report(RunProgress value)
        {
            (ProgressTask bar, int count) = _bars[value.Name];
            bar.Value = value.Seed - 1 + value.Share;
            if (value.Result is not null)
                bar.Description = ShownText.Markup(Line(value, what, count));
        }
    }
}
