using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Tool.Arguments;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Arguments;

public class NameListTests
{
    [Theory]
    [InlineData("a, b ,,c", "a|b|c")]
    [InlineData("", "")]
    [InlineData("\"Income, USD\",age", "Income, USD|age")]
    [InlineData("\"say \"\"hi\"\", you\" , b", "say \"hi\", you|b")]
    [InlineData("5\" disk,b", "5\" disk|b")]
    [InlineData("\"open,b", "\"open|b")]
    public void Split_Quotes_AreThoseOfCsv(string list, string expected)
        => Assert.Equal(expected, string.Join('|', NameList.Split(list)));

    [Theory]
    [InlineData("Income, USD", "Income, USD")]
    [InlineData("age,Income, USD", "age|Income, USD")]
    [InlineData("\"Income, USD\",age", "Income, USD|age")]
    [InlineData("Income,age", "Income|age")]
    public void Resolve_AKnownName_NeedsNoQuotes(string list, string expected)
        => Assert.Equal(expected, string.Join('|', NameList.Resolve(list, name => name is "Income, USD" or "age")));

    [Fact]
    public void Split_AnyNamesQuotedAsCsv_ComeBack()
        => Properties.Hold(Gen.Elements(',', '"', ' ', 'a', 'é', '|', '\n').ListOf().Select(Name).Where(name => name.Length > 0).ListOf(),
            names => Assert.Equal(names,
                NameList.Split(string.Join(',', names.Select(name => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")))));

    private static string Name(IEnumerable<char> characters) => string.Concat(characters);
}
