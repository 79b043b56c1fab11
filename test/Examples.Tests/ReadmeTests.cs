using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.Examples.Tests;

public sealed partial class ReadmeTests
{
    [Fact]
    public void Readme_FirstCSharpBlock_IsTheCompiledExample()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "README.md");
        Assert.True(File.Exists(path), "README.md is missing from the repository.");

        Match block = CSharpBlock().Match(File.ReadAllText(path).ReplaceLineEndings("\n"));

        Assert.True(block.Success, "README.md has no ```csharp block.");
        Assert.Equal(Example(), Lines(block.Groups["code"].Value));
    }

    [Fact]
    public void Example_Regions_MakeAProgramOfUsingsStatementsAndTypes()
    {
        List<string> lines = Example();

        Assert.StartsWith("using ", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.Contains("RecordForwardPass", StringComparison.Ordinal));
        Assert.StartsWith("internal sealed record ", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Example_Run_ImprovesOnTheDeployedModelAndSavesOneThatLoads()
    {
        string path = Path.Combine(Path.GetTempPath(), "trips.zip");
        File.Delete(path);
        TextWriter console = Console.Out;
        var output = new StringWriter();
        Console.SetOut(output);
        try
        {
            ReadmeExample.Run();
        }
        finally
        {
            Console.SetOut(console);
        }

        Match printed = Printed().Match(output.ToString());
        Assert.True(printed.Success, output.ToString());
        Assert.True(double.Parse(printed.Groups["after"].Value) < 0.5 * double.Parse(printed.Groups["before"].Value), printed.Value);
        using var loaded = (IDisposable)new MLContext(1).ForwardSampling().Load(path, out DataViewSchema schema);
        Assert.NotNull(schema.GetColumnOrNull("Features"));
        File.Delete(path);
    }

    /// <summary>The regions named readme, in the file's order, without indentation and blank lines.</summary>
    private static List<string> Example()
    {
        string file = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "ReadmeExample.cs")).ReplaceLineEndings("\n");
        return [.. Region().Matches(file).SelectMany(region => Lines(region.Groups["code"].Value))];
    }

    private static List<string> Lines(string code)
        => [.. code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();

    [GeneratedRegex(@"^ *#region readme\n(?<code>.*?)^ *#endregion", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Region();

    [GeneratedRegex(@"5000 of 50000 rows; RMSE (?<before>[\d.]+) deployed, (?<after>[\d.]+) next")]
    private static partial Regex Printed();
}
