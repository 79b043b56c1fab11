using System.Diagnostics;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>A RecordWriter process that is killed at the latest when the test ends, also when it fails.</summary>
internal sealed class Child : IDisposable
{
    public Child(bool locksOff, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "RecordWriter.dll"), .. arguments])
        { RedirectStandardOutput = true };
        start.Environment["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = locksOff ? "1" : "0";
        Process = Process.Start(start)!;
    }

    public Process Process { get; }

    public void Dispose()
    {
        Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
    }
}
