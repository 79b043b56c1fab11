namespace Microsoft.ML.ForwardSampling.Examples.Tests;

/// <summary>Runs the program as a command line would, with its output in a string.</summary>
internal static class Runner
{
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string[] args, CancellationToken cancellation = default)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int exitCode = await Program.RunAsync(args, output, error, cancellation);
        return (exitCode, output.ToString(), error.ToString());
    }
}
