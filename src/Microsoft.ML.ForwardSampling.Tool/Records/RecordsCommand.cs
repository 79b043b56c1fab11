using System.CommandLine;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tool.Arguments;
using Microsoft.ML.ForwardSampling.Tool.Records.Export;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Records;

/// <summary>What is in the directory of a record log.</summary>
internal static class RecordsCommand
{
    /// <summary>The command.</summary>
    /// <param name="console">Where the table is shown.</param>
    /// <param name="output">Where JSON is written.</param>
    /// <param name="guarded">Runs what the command line asks for.</param>
    public static System.CommandLine.Command Create(IAnsiConsole console, TextWriter output,
        Func<CancellationToken, Action, Task<int>> guarded)
    {
        Argument<string> directory = Directory();
        Option<bool> json = new("--json") { Description = "Writes the report as JSON instead of tables." };
        var command = new System.CommandLine.Command("records",
            "What is in a record log: files, writers, kinds, records, times, model versions, damage, named readers.")
        { directory, json, ExportCommand.Create(output, guarded) };
        command.SetAction((parsed, cancellation) => guarded(cancellation, () =>
        {
            ForwardRecordDirectoryReport report = ForwardRecordDirectory.Inspect(parsed.GetValue(directory)!, cancellation);
            if (report.Segments.Count == 0)
                throw RecordsText.NoSegments(report);
            if (parsed.GetValue(json))
                output.WriteLine(RecordsText.ToJson(report));
            else
                RecordsConsole.Write(console, report);
        }));
        return command;
    }

    /// <summary>The argument that names the log.</summary>
    public static Argument<string> Directory()
    {
        Argument<string> directory = new("directory")
        { Description = "Folder of the segment files. Nothing in it is changed or locked; logs may go on writing." };
        directory.Validators.Add(result =>
        {
            foreach (string value in result.Tokens.Select(token => token.Value).Where(value => !TextOption.IsPath(value)))
                result.AddError($"The directory must be a path. Got '{value}'.");
        });
        return directory;
    }
}
