using System.CommandLine;
using Microsoft.ML.ForwardSampling.Tool.Arguments;
using Microsoft.ML.ForwardSampling.Tool.Files;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>What a comparison would take each column of a file for, without one.</summary>
internal static class ProfileCommand
{
    /// <summary>The command.</summary>
    /// <param name="console">Where the profile is shown.</param>
    /// <param name="guarded">Runs what the command line asks for.</param>
    public static System.CommandLine.Command Create(IAnsiConsole console, Func<CancellationToken, Action, Task<int>> guarded)
    {
        Argument<string> file = new("file") { Description = "CSV file (also .gz, a pipe, or - for standard input)." };
        file.Validators.Add(result =>
        {
            foreach (string value in result.Tokens.Select(token => token.Value).Where(value => !TextOption.IsPath(value)))
                result.AddError($"The file must be a path. Got '{value}'.");
        });
        var arguments = new CsvArguments();
        var command = new System.CommandLine.Command("profile",
            "What compare would take each column of a file for, what does not fit, and how to say otherwise.") { file };
        foreach (Option option in arguments.All)
            command.Add(option);
        command.SetAction((parsed, cancellation) => guarded(cancellation, () =>
            Show(console, parsed.GetValue(file)!, arguments.Read(parsed), cancellation)));
        return command;
    }

    private static string LabelAdvice(CsvVerdict verdict) => verdict switch
    {
        { Different: < 2 } => "it has one class only, so there is nothing to learn",
        { Different: 2 } => "it has 2 values, for --task binary",
        { Kind: "numbers" } => $"it has {verdict.Different} different numbers, for --task regression, or multiclass where they are classes",
        _ => $"it has {verdict.Different} values, for --task multiclass",
    };

    private static PredictionTask TaskOf(CsvVerdict verdict) => verdict switch
    {
        { Different: 2 } => PredictionTask.Binary,
        { Kind: "numbers" } => PredictionTask.Regression,
        _ => PredictionTask.Multiclass,
    };

    private static void Show(IAnsiConsole console, string path, CsvOptions options, CancellationToken cancellation)
    {
        using InputFile input = InputFile.Open("profile", path, cancellation);
        var file = new CsvFile(input, options);
        int label = options.Label is { } name ? file.Columns.Find("--label", name) : -1;

        // Without a task the label is a column like others.
        var reading = CsvReading.Of(file, options with { Label = null }, _ => false, new MissingWords(options.Missing), cancellation);
        ProfileConsole.Write(console, reading);
        foreach (string note in reading.Notes)
            ProfileConsole.WriteNote(console, note);
        IReadOnlyList<string> leaks = [];
        if (label >= 0)
        {
            CsvVerdict verdict = reading.Columns[label].Verdict;
            ProfileConsole.WriteNote(console, $"{file.Columns.Titles[label]} is the label: {LabelAdvice(verdict)}.");
            leaks = CsvData.Leaks(input, options with { Task = TaskOf(verdict) }, cancellation);
            foreach (string note in leaks)
                ProfileConsole.WriteNote(console, note);
        }

        reading.ThrowProblem();
        if (options.IsStrict)
            CsvReading.ThrowDoubts(input.Name, [.. reading.Doubts, .. leaks]);
    }
}
