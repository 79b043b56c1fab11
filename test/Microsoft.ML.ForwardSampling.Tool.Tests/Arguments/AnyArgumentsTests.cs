using FsCheck;
using FsCheck.Fluent;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Arguments;

/// <summary>Whatever is typed: a message, never a place in the code.</summary>
public sealed class AnyArgumentsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static readonly string[] s_options = ["--label", "--task", "--features", "--ignore", "--categories", "--separator",
        "--test-share", "--test", "--rare-class", "--rare-share", "--record-age", "--hidden", "--learning-rate", "--schedule", "--loss",
        "--policies", "--budget", "--seeds", "--full-seeds", "--noise", "--passes", "--chunk", "--window", "--statistic-bits",
        "--validation", "--json", "--html", "--resume", "--table", "--across", "--quick",
        "--numbers", "--missing", "--decimal", "--encoding", "--rows", "--strict"];

    private static readonly string[] s_values = ["", " ", ",", "\"", "\"a", "-1", "0", "1e400", "NaN", "∞", "99999999999999999999", "1,2",
        "all", "all,", "@no-such-file", "[red]", "\u001b[31m", "\0", "\ud800", "a\nb", "..", "/", "y", "binary", "--", "tab", "\\t", "''",
        new string('x', 5000)];

    [Fact]
    public void Run_AnyArguments_FailsWithAMessageAndNoStackTrace()
    {
        // The file to read is never there, so that nothing is trained.
        string missing = _folder.File("no-such-file.csv");
        Gen<string[]> arguments = Gen.Elements(s_options).SelectMany(option => Gen.Elements(s_values), (option, value) => (option, value))
            .ListOf(4).SelectMany(_ => Gen.Elements("compare", "quick-start", "records", "profile", ""), (pairs, command) => (string[])
                [command, .. command == "records" ? [] : new[] { "--data", missing },
                    .. pairs.SelectMany(pair => new[] { pair.option, pair.value })]);

        Properties.Hold(arguments, args =>
        {
            (int exitCode, _, string error) = Runner.RunAsync(args).GetAwaiter().GetResult();

            Assert.InRange(exitCode, 1, 2);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
            Assert.DoesNotContain("Exception", error, StringComparison.Ordinal);
            Assert.NotEqual("", error.Trim());
        });
    }

    private static string[] OfAFile(string option)
        => option is "--test" or "--task" or "--separator" or "--decimal" or "--encoding" or "--rows"
            ? ["--data", "no-such.csv", "--label", "y", .. option == "--task" ? [] :
            new[] { "--task", "binary" }] : [];

    /// <summary>One wrong value at a time: the option, the value and what is allowed.</summary>
    [Theory]
    [InlineData("--seeds", "many", "a number between 1 and 1000")]
    [InlineData("--budget", "", "a number between 0.001 and 1")]
    [InlineData("--hidden", "64,a few", "numbers between 1 and 65536", "a few")]
    [InlineData("--hidden", "0", "numbers between 1 and 65536")]
    [InlineData("--hidden", "64.5", "numbers between 1 and 65536")]
    [InlineData("--statistic-bits", "", "8, 12 or 16")]
    [InlineData("--json", "", "a path")]
    [InlineData("--html", " ", "a path")]
    [InlineData("--resume", "", "a path")]
    [InlineData("--data", "", "a path")]
    [InlineData("--test", "", "a path")]
    [InlineData("--table", "", "paths")]
    [InlineData("--across", "", "paths")]
    [InlineData("--task", "", "one of regression, binary, multiclass")]
    [InlineData("--schedule", "Linear", "one of linear, constant")]
    [InlineData("--separator", "ab", "tab, space, or one character")]
    [InlineData("--rows", "20", "a whole number from 21 to 2147483647")]
    [InlineData("--rows", "all", "a whole number from 21 to 2147483647")]
    [InlineData("--separator", "5", "tab, space, or one character")]
    [InlineData("--decimal", "comma", ". or ,")]
    [InlineData("--encoding", "ebcdic?", "the name of an encoding")]
    [InlineData("--encoding", "utf-7", "the name of an encoding")]
    [InlineData("--encoding", "", "the name of an encoding")]
    [InlineData("--policies", "cube,best", "top-loss", "best")]
    public async Task Compare_AWrongValue_IsNamedWithTheOptionAndWhatIsAllowed(string option, string value, string allowed,
        string? named = null)
    {
        (int exitCode, _, string error) = await Runner.RunAsync(["compare", option, value, .. OfAFile(option)],
            TestContext.Current.CancellationToken);

        Assert.Equal(1, exitCode);
        Assert.Contains(error.Split('\n'), line => line.StartsWith(option, StringComparison.Ordinal)
            && line.Contains(allowed, StringComparison.Ordinal)
            && line.TrimEnd().EndsWith($"Got '{named ?? value}'.", StringComparison.Ordinal));
    }
}
