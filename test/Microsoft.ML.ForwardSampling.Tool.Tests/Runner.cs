using System.Text;
using Spectre.Console;

namespace Microsoft.ML.ForwardSampling.Tool.Tests;

/// <summary>Runs the program as a command line would, with its output in a string.</summary>
internal static class Runner
{
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string[] args, CancellationToken cancellation = default)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int exitCode = await Program.RunAsync(args, CreateConsole(output), output, error, cancellation);
        return (exitCode, output.ToString(), error.ToString());
    }

    public static IAnsiConsole CreateConsole(TextWriter output, bool isTerminal = false) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
        ColorSystem = ColorSystemSupport.NoColors,
        Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
        Out = new Output(output, isTerminal),
    });

    private sealed class Output(TextWriter writer, bool isTerminal) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => isTerminal;

        public int Width => 160;

        public int Height => 40;

        public void SetEncoding(Encoding encoding)
        {
        }
    }
}
