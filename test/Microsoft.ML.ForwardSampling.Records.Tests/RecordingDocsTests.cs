using System.Globalization;
using System.Xml.Linq;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>docs/recording.md says what the code says.</summary>
public class RecordingDocsTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "recording.md"));

    [Fact]
    public void Defaults_AreThoseOfTheOptions()
    {
        var options = new ForwardRecordLogOptions();
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"| `BlockBytes` | {options.BlockBytes:N0} |"), s_page,
            StringComparison.Ordinal);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"| `MemoryBytes` | {options.MemoryBytes:N0} |"), s_page,
            StringComparison.Ordinal);
        Assert.Contains($"| `SegmentBytes`, `SegmentAge` | {options.SegmentBytes >> 20} MiB, {options.SegmentAge.TotalHours} h |", s_page,
            StringComparison.Ordinal);
        Assert.Contains($"| `FlushInterval`, `RetryInterval` | {options.FlushInterval.TotalMilliseconds} ms, "
            + $"{options.RetryInterval.TotalSeconds} s |", s_page, StringComparison.Ordinal);
        Assert.Equal((null, null), (options.RetentionBytes, options.RetentionAge));
        Assert.Contains("| `RetentionBytes`, `RetentionAge` | none |", s_page, StringComparison.Ordinal);
        Assert.Empty(options.KeepUnread);
        Assert.Contains("| `KeepUnread` | none |", s_page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RecordDurability.ProcessCrash)]
    [InlineData(RecordDurability.PowerLoss)]
    public void Durability_SentenceOfThePage_IsThatOfTheApi(RecordDurability level)
    {
        XDocument api = XDocument.Load(Path.ChangeExtension(typeof(RecordDurability).Assembly.Location, ".xml"));
        string name = $"F:{typeof(RecordDurability).FullName}.{level}";
        string sentence = api.Descendants("member").Single(m => (string?)m.Attribute("name") == name).Element("summary")!.Value;
        sentence = string.Join(' ', sentence.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)); // however its lines break
        Assert.Contains(char.ToLowerInvariant(sentence[0]) + sentence[1..], s_page, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_AreThoseOfTheFormat()
    {
        Assert.Contains($"| `RegressionRecord` | {RegressionRecord.EncodedBytes} |", s_page, StringComparison.Ordinal);
        Assert.Contains($"| `BinaryRecord` | {BinaryRecord.EncodedBytes} |", s_page, StringComparison.Ordinal);
        Assert.Contains($"| `MulticlassRecord` | {MulticlassRecord.EncodedBytes} |", s_page, StringComparison.Ordinal);
        double share = (BlockFormat.HeaderBytes + BlockFormat.VersionBytes) / (double)new ForwardRecordLogOptions().BlockBytes;
        Assert.Contains(string.Create(CultureInfo.InvariantCulture,
            $"takes {16 * (1 + share):F2}·n bytes for regression and binary, {32 * (1 + share):F2}·n for multiclass"), s_page,
            StringComparison.Ordinal);
    }
}
