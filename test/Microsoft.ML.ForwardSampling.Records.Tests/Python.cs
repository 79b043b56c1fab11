using System.ComponentModel;
using System.Diagnostics;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>Runs python3, standard library alone, on code of a page.</summary>
internal static class Python
{
    /// <summary>Runs a script.</summary>
    /// <param name="folder">Where it is started; modules are found there.</param>
    /// <param name="script">The program.</param>
    /// <param name="arguments">What it finds in <c>sys.argv[1:]</c>.</param>
    /// <returns>The lines that it printed.</returns>
    public static string[] Run(string folder, string script, params string[] arguments)
    {
        using Process process = Start(folder, script, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Starts a script and leaves it running.</summary>
    public static Process Start(string folder, string script, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("python3", ["-B", "-c", script, .. arguments])
            {
                WorkingDirectory = folder,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException("python3 is missing: apt-get install python3, as ./build.sh test does.", e);
        }
    }
}
