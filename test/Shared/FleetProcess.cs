using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tests.Shared;

/// <summary>A process of a fleet, to be killed, and what it said: a line of a number alone is how many of its records are
/// acknowledged.</summary>
internal abstract class FleetProcess
{
    private readonly Task _reading;

    /// <summary>Starts it.</summary>
    /// <param name="number">Its number, which it is given with its arguments.</param>
    /// <param name="program">An assembly beside this one.</param>
    /// <param name="arguments">The program's.</param>
    /// <param name="errors">Is given its lines of standard error; null: they go where this process's go.</param>
    protected FleetProcess(int number, string program, string[] arguments, Action<string>? errors = null)
    {
        Number = number;
        Process = Process.Start(new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, program), .. arguments])
        { RedirectStandardOutput = true, RedirectStandardError = errors is not null })!;
        if (errors is not null)
        {
            Process.ErrorDataReceived += (_, e) =>
            {
                if (e.Data is not null)
                    errors(e.Data);
            };
            Process.BeginErrorReadLine();
        }

        _reading = Task.Run(Read);
    }

    public int Number { get; }

    public long Acknowledged { get; private set; }

    protected Process Process { get; }

    /// <summary>Kills it if it has not ended, and hears its last lines.</summary>
    public async Task End()
    {
        Process.Kill();
        await Process.WaitForExitAsync();
        await _reading;
    }

    /// <summary>Takes a line that is no number. It may come before a derived constructor's body has run.</summary>
    protected abstract void Hear(string line);

    private async Task Read()
    {
        // A last line that the kill cut off has no end, but its beginning could pass for a number: it is left out.
        string rest = "";
        char[] buffer = new char[4096];
        for (int n; (n = await Process.StandardOutput.ReadAsync(buffer)) > 0;)
        {
            string[] lines = (rest + new string(buffer, 0, n)).Split('\n');
            rest = lines[^1];
            foreach (string line in lines[..^1])
            {
                if (long.TryParse(line, CultureInfo.InvariantCulture, out long count))
                    Acknowledged = count;
                else
                    Hear(line);
            }
        }
    }
}
