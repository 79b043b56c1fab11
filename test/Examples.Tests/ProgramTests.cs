namespace Microsoft.ML.ForwardSampling.Examples.Tests;

public sealed class ProgramTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_WithoutArguments_ListsEveryExampleOnOneLine()
    {
        (int exitCode, string output, string error) = await Runner.RunAsync([], Token);

        Assert.Equal((0, ""), (exitCode, error));
        string[] lines = output.Split(Environment.NewLine);
        foreach (string name in (string[])["heavy-tailed-regression", "binary-clicks", "own-network", "fast-tree-deployed",
            "light-gbm-deployed", "onnx-deployed", "readme", "serve-and-train"])
            Assert.Single(lines, line => line.StartsWith($"  {name} ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("no-such-example", "no-such-example")]
    [InlineData("own-network --rows 10", "--rows must be a number between 100 and 10000000. Got '10'.")]
    public async Task Run_BadArguments_FailsAndNamesThem(string arguments, string expected)
    {
        (int exitCode, _, string error) = await Runner.RunAsync(arguments.Split(' '), Token);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }
}
