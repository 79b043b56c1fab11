using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>The example of a service that references the records package alone.</summary>
public class LogAndJoinTests
{
    [Fact]
    public void Program_BringsRecordsAndTensorsOnly()
        => Assert.Equal(["LogAndJoin", "Microsoft.ML.ForwardSampling.Records", "System.Numerics.Tensors"],
            DependencyClosure.Of("LogAndJoin"));

    [Fact]
    public void Run_LogsAndJoins_ASecondRunInTheSameFolderGoesOn()
    {
        using var folder = new LogFolder();
        string[] first = Run(folder.Path, "1000"), second = Run(folder.Path, "1000");
        Assert.Equal("900 joined, 100 without a label", first[1]);
        Assert.Matches(@"^mean loss 0\.\d{3} nats; 1[0-9]{2} rows were predicted wrong$", first[2]);
        Assert.StartsWith("1,000 records in ", second[0], StringComparison.Ordinal);
        // over both runs: the second one's records have the first one's keys
        Assert.Equal("900 joined, 100 without a label", second[1]);
        string[] wrong = Run(folder.Path, "many");
        Assert.Equal(["ROWS must be a number in [1, 10000000]. Got 'many'."], wrong);
    }

    private static string[] Run(params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "LogAndJoin.dll"), .. arguments])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
