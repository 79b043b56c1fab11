using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.ML.ForwardSampling.Nats;
using Microsoft.ML.ForwardSampling.PostgreSql;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Hosting.Tests;

/// <summary>docs/metrics.md against the instruments that there are.</summary>
public sealed partial class MetricsDocsTests
{
    private static readonly Assembly[] s_packages = [typeof(LabelEvent).Assembly, typeof(ForwardSamplingCatalog).Assembly,
        typeof(PostgreSqlRecordStore<BinaryRecord>).Assembly, typeof(NatsRecordStore<BinaryRecord>).Assembly,
        typeof(IServedModel).Assembly];

    private static string Page => File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "metrics.md"));

    [Fact]
    public void Instruments_AreExactlyThoseOfThePage()
        => Assert.Equal(Instruments().Select(Describe).Order(StringComparer.Ordinal),
            Rows().Select(row => $"{row.Name} | {row.Type} | {row.Unit}").Order(StringComparer.Ordinal));

    [Fact]
    public void Instruments_HaveADescriptionAndANameAsOpenTelemetryWantsIt()
        => Assert.All(Instruments(), instrument =>
        {
            Assert.Matches(@"^forward_sampling(\.[a-z]+(_[a-z]+)*){2,}$", instrument.Name);
            Assert.Matches(@"^(\{[a-z]+\}|s|1|By)$", instrument.Unit!);
            Assert.EndsWith(".", instrument.Description, StringComparison.Ordinal);
        });

    [Fact]
    public void Tags_OfEveryMetersSource_AreOnThePage()
    {
        // Every string of the library that looks like a tag of ours, in the file that makes instruments.
        string[] known = [.. Rows().SelectMany(row => row.Tags).Distinct()];
        foreach (string file in Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Root, "src"), "*Meters.cs",
            SearchOption.AllDirectories))
        {
            string source = File.ReadAllText(file);
            foreach (Match tag in Tag().Matches(source))
                Assert.Contains(tag.Groups[1].Value, Page, StringComparison.Ordinal);
        }

        Assert.NotEmpty(known);
    }

    private static Instrument[] Instruments()
    {
        var found = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == ForwardSamplingDiagnostics.MeterName)
                    found.Add(instrument);
            },
        };
        foreach (Type type in s_packages.SelectMany(package => package.GetTypes()))
        {
            if (!type.ContainsGenericParameters && type.GetFields(BindingFlags.Static | BindingFlags.NonPublic).Any(
                field => field.FieldType == typeof(Meter)))
                RuntimeHelpers.RunClassConstructor(type.TypeHandle);
        }

        listener.Start();
        return [.. found];
    }

    private static string Describe(Instrument instrument)
        => $"{instrument.Name} | {instrument.GetType().Name.Split('`')[0]} | {instrument.Unit}";

    private static (string Name, string Type, string Unit, string[] Tags)[] Rows()
        => [.. Row().Matches(Page).Select(row => (row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value,
            Name().Matches(row.Groups[4].Value).Select(tag => tag.Groups[1].Value).ToArray()))];

    [GeneratedRegex(@"^\| `(forward_sampling\.[a-z_.]+)` \| (\w+) \| `([^`]+)` \| ([^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([a-z_.]+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"""(forward_sampling\.[a-z_.]+|db\.[a-z.]+|error\.type)""")]
    private static partial Regex Tag();
}
