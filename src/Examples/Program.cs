using System.CommandLine;
using Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary><c>dotnet run --project src/Examples -- EXAMPLE [options]</c>; without an example it lists them.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) => RunAsync(args, Console.Out, Console.Error);

    /// <summary>The whole program; tests call it with their own output.</summary>
    /// <returns>0; 1 after a failure, told on <paramref name="error"/>; 130 when stopped.</returns>
    internal static async Task<int> RunAsync(
        IReadOnlyList<string> args, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        var root = new RootCommand("Examples of Microsoft.ML.ForwardSampling.");
        root.Add(ServeAndTrainCommand.Create(output, (token, run) => CommandGuard.RunAsync(error, run, token)));
        foreach (Example example in Example.All)
            root.Add(example.CreateCommand((rows, seed, token) =>
                CommandGuard.RunAsync(error, () => example.Run(output, rows, seed, token), token)));
        var readme = new System.CommandLine.Command("readme", "The example of README.md: record, select, train, evaluate, save.");
        readme.SetAction((_, token) => CommandGuard.RunAsync(error, ReadmeExample.Run, token));
        root.Add(readme);
        root.SetAction(_ =>
        {
            List(root, output);
            return 0;
        });

        var invocation = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            ProcessTerminationTimeout = CommandGuard.TimeToStop
        };
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
}
