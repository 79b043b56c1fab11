using System.CommandLine;
using Microsoft.ML.ForwardSampling.Examples.Compare;
using Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary><c>dotnet run --project src/Examples -- EXAMPLE [options]</c>; without an example it lists them.</summary>
internal static class Program
{
    private const int Failed = 1;
    private const int Stopped = 130; // as a shell reports Ctrl-C

    // Between Ctrl-C and the process's end: the longest step that is not interrupted is a test of the network.
    private static readonly TimeSpan TimeToStop = TimeSpan.FromSeconds(15);

    private static async Task<int> Main(string[] args)
    {
        IAnsiConsole console = AnsiConsole.Console;
        if (!console.Profile.Out.IsTerminal)
            console.Profile.Width = 160; // a file or a pipe has no width to keep to
        return await RunAsync(args, console, Console.Out, Console.Error);
    }

    /// <summary>The whole program; tests call it with their own output.</summary>
    /// <returns>0; 1 after a failure, told on <paramref name="error"/>; 130 when stopped.</returns>
    internal static async Task<int> RunAsync(IReadOnlyList<string> args, IAnsiConsole console, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        var root = new RootCommand("Examples of Microsoft.ML.ForwardSampling.");
        root.Add(QuickStartCommand.Create((options, token) => Guarded(error, token, () => QuickStart.Run(options, console, token))));
        root.Add(CompareCommand.Create(
            (options, token) => Guarded(error, token, () => CompareRunner.Run(options, console, token)),
            (write, token) => Guarded(error, token, () => write(output))));
        root.Add(ServeAndTrainCommand.Create(output, (token, run) => Guarded(error, token, run)));
        foreach (Example example in Example.All)
            root.Add(example.CreateCommand((rows, seed, token) => Guarded(error, token, () => example.Run(output, rows, seed, token))));
        var readme = new System.CommandLine.Command("readme", "The example of README.md: record, select, train, evaluate, save.");
        readme.SetAction((_, token) => Guarded(error, token, ReadmeExample.Run));
        root.Add(readme);
        root.SetAction(_ =>
        {
            List(root, output);
            return 0;
        });

        var invocation = new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = TimeToStop };
        return await root.Parse(args).InvokeAsync(invocation, cancellation);
    }

    private static void List(RootCommand root, TextWriter output)
    {
        output.WriteLine("Usage: dotnet run --project src/Examples -- EXAMPLE [options]     (EXAMPLE --help lists its options)");
        output.WriteLine();
        int width = root.Subcommands.Max(command => command.Name.Length);
        foreach (System.CommandLine.Command command in root.Subcommands)
            output.WriteLine($"  {command.Name.PadRight(width)}  {command.Description}");
    }

    /// <summary>Runs on another thread, so that Ctrl-C is heard, and turns exceptions into a message and an exit code.</summary>
    private static async Task<int> Guarded(TextWriter error, CancellationToken cancellation, Action run)
    {
        try
        {
            await Task.Run(run, CancellationToken.None);
            return 0;
        }
        catch (PartialResultsException e)
        {
            await error.WriteLineAsync(e.Message);
            return Stopped;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await error.WriteLineAsync("Stopped before the end: no result was written.");
            return Stopped;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or DllNotFoundException)
        {
            // These messages say what to do; the place in the code would only hide it.
            await error.WriteLineAsync(e.Message);
            return Failed;
        }
        catch (Exception e)
        {
            await error.WriteLineAsync(e.ToString());
            return Failed;
        }
    }
}
