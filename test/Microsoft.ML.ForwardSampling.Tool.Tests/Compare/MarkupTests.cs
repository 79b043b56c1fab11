using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Tool.Pages;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

/// <summary>Names of classes, columns and files that some place would read as more than text.</summary>
public sealed class MarkupTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("[18-25]", "[18-25]", "[18-25]")]
    [InlineData("[red]", "[red]", "[red]")]
    [InlineData("[/]", "[/]", "[/]")]
    [InlineData("[[x]](y)", "[[x]](y)", "[[x]\\](y)")]
    [InlineData("a|b", "a|b", "a\\|b")]
    [InlineData("a\\|b", "a\\|b", "a\\\\\\|b")]
    [InlineData("a`b", "a`b", "a\\`b")]
    [InlineData("<b>&amp;</b>", "<b>&amp;</b>", "\\<b>\\&amp;\\</b>")]
    [InlineData("<script>x</script>", "<script>x</script>", "\\<script>x\\</script>")]
    [InlineData("a_b*c", "a_b*c", "a\\_b\\*c")]
    [InlineData("\u001b[31mred", "\\u001b[31mred", "\\\\u001b[31mred")]
    [InlineData("two\nlines", "two\\u000alines", "two\\\\u000alines")]
    [InlineData("right\u202eleft", "right\\u202eleft", "right\\\\u202eleft")]
    [InlineData("bell\u0007", "bell\\u0007", "bell\\\\u0007")]
    [InlineData("{0}%s", "{0}%s", "{0}%s")]
    public async Task Compare_AClassThatLooksLikeMarkup_IsTextEverywhere(string rare, string shown, string inMarkdown)
    {
        string csv = _folder.File("rows.csv"), json = _folder.File("results.json");
        File.WriteAllText(csv, $"x,{Quoted($"name {rare}")},band\n" + string.Concat(Enumerable.Range(0, 300).Select(i =>
            string.Create(CultureInfo.InvariantCulture, $"{i % 7},{i % 5},{Quoted(i % 3 == 0 ? rare : i % 3 == 1 ? "b" : "c")}\n"))));

        (int exitCode, string output, string error) = await Runner.RunAsync(["compare", "--data", csv, "--label", "band", "--task",
            "multiclass", "--rare-class", rare, "--rare-share", "0.2", "--seeds", "1", "--full-seeds", "0", "--passes", "1", "--policies",
            "uniform", "--hidden", "", "--json", json], TestContext.Current.CancellationToken);
        (int tableCode, string table, _) = await Runner.RunAsync(["compare", "--table", json], TestContext.Current.CancellationToken);

        Assert.Equal((0, "", 0), (exitCode, error, tableCode));
        Assert.Contains($"Class {shown} is thinned", output, StringComparison.Ordinal);
        Assert.Contains("linear: no hidden layer", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output);
        Assert.Contains($"| recall of {inMarkdown} |", table, StringComparison.Ordinal);
        Assert.All(table.Split('\n').Where(line => line.StartsWith('|')),
            line => Assert.Equal(15, line.Replace("\\\\", "", StringComparison.Ordinal)
                .Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|')));
        string page = File.ReadAllText(_folder.File("results.html"));
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        Assert.Contains(XElement.Load(reader).Descendants("th"), cell => cell.Value == $"recall of {shown}");
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Printable_EveryCharacter_IsShownOrItself()
    {
        for (int i = 0; i <= char.MaxValue; i++)
        {
            string shown = ShownText.Printable(((char)i).ToString());
            Assert.True(shown == ((char)i).ToString() ? !char.IsControl((char)i) : shown == $"\\u{i:x4}");
        }
    }

    [Fact]
    public async Task Error_OfAnArgument_ObeysNothingInIt()
    {
        (int exitCode, _, string error) = await Runner.RunAsync(["compare", "--data", "\u001b]0;title\u0007[red]", "--label", "y", "--task",
            "binary"], TestContext.Current.CancellationToken);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("\\u001b]0;title\\u0007[red] is missing", error, StringComparison.Ordinal);
    }

    private static string Quoted(string text) => $"\"{text}\"";
}
