using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>Culture, time zone and current directory of a process are not the log's.</summary>
public class SurroundingsTests
{
    [Theory]
    [InlineData("tr-TR", "Europe/Istanbul")]
    [InlineData("ar-SA", "Asia/Riyadh")]
    [InlineData("de-DE", "Europe/Berlin")]
    [InlineData("th-TH", "America/St_Johns")]
    public async Task LogAndJoin_UnderAnyCultureAndTimeZone_FromRelativePaths_GiveTheSame(string culture, string timeZone)
    {
        string[] expected = await Run("", "UTC"), actual = await Run(culture, timeZone);
        Assert.Equal(expected, actual);
        Assert.Equal(600 + 3, actual.Length);
        Assert.Equal("join.state join.state.lock labels records", actual[600]);
    }

    private static async Task<string[]> Run(string culture, string timeZone)
    {
        using var folder = new LogFolder();
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "RecordWriter.dll"), "surroundings",
            folder.Path, culture])
        { RedirectStandardOutput = true };
        start.Environment["TZ"] = timeZone;
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return output.Split('\n');
    }
}
