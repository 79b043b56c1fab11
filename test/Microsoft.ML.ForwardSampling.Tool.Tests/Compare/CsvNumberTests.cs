using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

public class CsvNumberTests
{
    [Theory]
    [InlineData("8,483", 8483.0, 8.483)]
    [InlineData("\u0661\u066C\u0662\u0663\u0664\u066B\u0665", 1234.5, 1234.5)]
    [InlineData("\u06F1\u06F2.\u06F5", 12.5, null)]
    [InlineData("\uFF0D\uFF11\uFF12\uFF0E\uFF15\uFF05", -12.5, null)]
    [InlineData("\u096B\u096C", 56.0, 56.0)]
    [InlineData("\u0661a", null, null)]
    [InlineData("1,234,567.5", 1234567.5, null)]
    [InlineData("1.234.567,5", null, 1234567.5)]
    [InlineData("12,34,567", 1234567.0, null)]
    [InlineData("1.234", 1.234, 1234.0)]
    [InlineData("0,500", null, 0.5)]
    [InlineData("1,5", null, 1.5)]
    [InlineData("1 234", 1234.0, 1234.0)]
    [InlineData("1\u00a0234,5", null, 1234.5)]
    [InlineData("1\u202f234.5", 1234.5, null)]
    [InlineData("1'234.50", 1234.5, null)]
    [InlineData("1\u2019234", 1234.0, 1234.0)]
    [InlineData("$84.83", 84.83, null)]
    [InlineData("-$84.83", -84.83, null)]
    [InlineData("$-84.83", -84.83, null)]
    [InlineData("84,83 €", null, 84.83)]
    [InlineData("EUR 5", 5.0, 5.0)]
    [InlineData("5 kr", 5.0, 5.0)]
    [InlineData("£1,200", 1200.0, 1.2)]
    [InlineData("12.5%", 12.5, null)]
    [InlineData("12 %", 12.0, 12.0)]
    [InlineData("\u22125", -5.0, -5.0)]
    [InlineData("5-", -5.0, -5.0)]
    [InlineData("(1,200)", -1200.0, -1.2)]
    [InlineData("($5.00)", -5.0, null)]
    [InlineData(".5", 0.5, null)]
    [InlineData("5.", 5.0, null)]
    [InlineData("+3", 3.0, 3.0)]
    [InlineData("1e-3", 0.001, 0.001)]
    [InlineData("-1.5E+2", -150.0, null)]
    [InlineData("1,23", null, 1.23)]
    [InlineData("1,2345", null, 1.2345)]
    [InlineData("1,,234", null, null)]
    [InlineData("1 2", null, null)]
    [InlineData("12-34", null, null)]
    [InlineData("--5", null, null)]
    [InlineData("(-5)", null, null)]
    [InlineData("$$5", null, null)]
    [InlineData("5%%", null, null)]
    [InlineData("1e39", null, null)]
    [InlineData("Infinity", null, null)]
    [InlineData("", null, null)]
    [InlineData("-", null, null)]
    [InlineData("$", null, null)]
    [InlineData("2024-01-05", null, null)]
    [InlineData("1.2.3", null, null)]
    [InlineData("12 kg", null, null)]
    [InlineData("0x10", null, null)]
    public void TryRead_WithAPointAndWithAComma(string text, double? withPoint, double? withComma)
    {
        Assert.Equal(withPoint, Read(text, '.'));
        Assert.Equal(withComma, Read(text, ','));
    }

    [Fact]
    public void TryRead_AnyNumberAsALanguageWritesIt_IsThatNumber()
    {
        // English, German, French, Swiss, Swedish.
        foreach ((string group, char point, string minus) in ((string, char, string)[])[(",", '.', "-"), (".", ',', "-"),
            ("\u202f", ',', "-"), ("\u2019", '.', "-"), ("\u00a0", ',', "\u2212")])
        {
            var format = new NumberFormatInfo
            { NumberGroupSeparator = group, NumberDecimalSeparator = point.ToString(), NegativeSign = minus };
            Properties.Hold(Gen.Choose(-2_000_000_000, 2_000_000_000).Select(i => i / 100m), value =>
                Assert.Equal((double)value, Read(value.ToString("N2", format), point)));
        }
    }

    [Fact]
    public void TryRead_AnyText_DoesNotThrow()
        => Properties.Hold(Gen.Elements("0123456789.,-+()$€%eE '\u00a0\u2212x".ToCharArray()).ListOf(), characters =>
        {
            string text = string.Concat(characters);
            double? read = Read(text, '.');
            Assert.True(read is null || double.IsFinite(read.Value));
        }, tests: 3000);

    private static double? Read(string text, char point) => CsvNumber.TryRead(text, point, out double value, out _, out _) ? value : null;
}
