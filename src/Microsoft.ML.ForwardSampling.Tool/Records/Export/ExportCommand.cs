using System.CommandLine;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tool.Arguments;

namespace Microsoft.ML.ForwardSampling.Tool.Records.Export;

/// <summary>A record log as a table for other programs.</summary>
internal static class ExportCommand
{
    /// <summary>The command.</summary>
    /// <param name="output">Where it says what was written.</param>
    /// <param name="guarded">Runs what the command line asks for.</param>
    public static System.CommandLine.Command Create(TextWriter output, Func<CancellationToken, Action, Task<int>> guarded)
    {
        Argument<string> directory = RecordsCommand.Directory();
        Option<ExportFormat?> to = new("--to")
        {
            Description = "parquet or csv; left out, what the name of the output ends in.",
            HelpName = "parquet|csv",
            CustomParser = result => Format(result.Tokens[0].Value) is { } format ? format
                : Refuse(result, $"--to must be parquet or csv. Got '{result.Tokens[0].Value}'."),
        };
        Option<string> file = TextOption.Path("--output", "File to write; one of the same kind that exists is replaced.");
        file.Required = true;
        var command = new System.CommandLine.Command("export",
            "Writes all records of a log, or its labels, to a Parquet or CSV file.") { directory, to, file };
        command.Validators.Add(result =>
        {
            if (result.GetResult(to) is null && result.GetResult(file) is { Tokens: [var name] } && Format(Extension(name.Value)) is null)
                result.AddError($"--to parquet or --to csv is missing: '{name.Value}' ends in neither.");
        });
        command.SetAction((parsed, cancellation) => guarded(cancellation, () =>
        {
            string path = parsed.GetValue(file)!;
            ExportFormat format = parsed.GetValue(to) ?? Format(Extension(path))!.Value;
            (ForwardRecordReaderReport report, RecordKind kind) = RecordExport.Run(parsed.GetValue(directory)!, format, path, cancellation);
            output.WriteLine(RecordExport.Describe(path, kind, report));
        }));
        return command;
    }

    private static string Extension(string path) => Path.GetExtension(path).TrimStart('.');

    private static ExportFormat? Format(string word)
        => Enum.GetValues<ExportFormat>().Cast<ExportFormat?>()
            .FirstOrDefault(format => format.ToString()!.Equals(word, StringComparison.OrdinalIgnoreCase));

    private static ExportFormat? Refuse(System.CommandLine.Parsing.ArgumentResult result, string message)
    {
        result.AddError(message);
        return null;
    }
}
