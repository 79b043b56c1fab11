using System.CommandLine;
using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Tool.Pages;
using Microsoft.ML.ForwardSampling.Tool.QuickStart;
using Microsoft.ML.ForwardSampling.Tool.Records;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool;

/// <summary><c>forward-sampling COMMAND [options]</c>.</summary>
internal static class Program
{
    // A name may begin with @: no file is read in its place.
    private static readonly ParserConfiguration Literal = new() { ResponseFileTokenReplacer = null };

    private static async Task<int> Main(string[] args)
    {
        IAnsiConsole console = AnsiConsole.Console;
        if (!console.Profile.Out.IsTerminal)
            console.Profile.Width = 160; // a file or a pipe has no width to keep to
        return await RunAsync(args, console, Console.Out, Console.Error);
    }

    /// <summary>The whole program; tests call it with their own output.</summary>
    /// <returns>0; 1 after a failure, told on <paramref name="error"/>; 130 when stopped.</returns>
    internal static async Task<int> RunAsync(
        IReadOnlyList<string> args, IAnsiConsole console, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        error = new ShownTextWriter(error); // messages quote data and arguments
        var root = new RootCommand("Microsoft.ML.ForwardSampling: does selection pay on your data, and what is in a record log.")
        {
            CompareCommand.Create(
                (options, token) => CommandGuard.RunAsync(error, () => CompareRunner.Run(options, console, token), token),
                (write, token) => CommandGuard.RunAsync(error, () => write(output), token)),
            ProfileCommand.Create(console, (token, run) => CommandGuard.RunAsync(error, run, token)),
            QuickStartCommand.Create((options, folder, token) =>
                CommandGuard.RunAsync(error, () => CompareRunner.Run(options, BuiltInData.Fashion(folder), console, token), token)),
            RecordsCommand.Create(console, output, (token, run) => CommandGuard.RunAsync(error, run, token)),
        };
        var invocation = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            ProcessTerminationTimeout = CommandGuard.TimeToStop
        };
        return await root.Parse(args, Literal).InvokeAsync(invocation, cancellation);
    }
}
