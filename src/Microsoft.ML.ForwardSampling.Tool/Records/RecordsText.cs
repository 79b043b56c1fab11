using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tool.Pages;

namespace Microsoft.ML.ForwardSampling.Tool.Records;

/// <summary>The report as text.</summary>
internal static class RecordsText
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Everything, with totals. A writer is written as in its files' names.</summary>
    public static string ToJson(ForwardRecordDirectoryReport report) => JsonSerializer.Serialize(
        new
        {
            report.Directory,
            Totals = RecordsTotals.Of(report),
            Segments = report.Segments.Select(s => new
            {
                s.Name,
                Writer = Writer(s.Writer),
                s.Ordinal,
                s.Kind,
                s.IsFinished,
                s.Records,
                s.Blocks,
                s.Bytes,
                s.Begun,
                s.LastWritten,
                s.EarliestTime,
                s.LatestTime,
                s.ModelVersions,
                s.KeepingProbabilities,
                s.Damage,
                s.LostRecords,
                s.UnfinishedBytes,
            }),
            Readers = report.Readers.Select(r => new
            {
                r.Name,
                r.Kind,
                r.SavedAt,
                r.UnreadRecords,
                r.UnreadSegments,
                Places = r.Places.Select(p => new { Writer = Writer(p.Writer), p.Ordinal, p.Offset }),
                r.Problem,
            }),
            report.OtherFiles,
        },
        Json);

    /// <summary>The number of a writer as in its files' names.</summary>
    public static string Writer(ulong writer) => writer.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>A few values, or how many there are and the ends.</summary>
    public static string Some<T>(IReadOnlyList<T> values, Func<T, string> text) => values.Count switch
    {
        0 => "–",
        <= 3 => string.Join(", ", values.Select(text)),
        _ => string.Create(CultureInfo.InvariantCulture, $"{text(values[0])} … {text(values[^1])} ({values.Count:N0})"),
    };

    /// <summary>Which files are no segments, and why.</summary>
    public static string Others(ForwardRecordDirectoryReport report) => report.OtherFiles.Count switch
    {
        0 => "It is empty.",
        int count => string.Create(CultureInfo.InvariantCulture, $"It holds {count:N0} other {(count == 1 ? "file" : "files")}: ")
            + string.Join("; ", report.OtherFiles.Take(MostNamed)
                .Select(file => $"{ShownText.Printable(file.Name)} ({ShownText.Printable(file.Reason)})"))
            + (count > MostNamed ? "; …" : "."),
    };

    /// <summary>Why there is nothing to show.</summary>
    public static InvalidDataException NoSegments(ForwardRecordDirectoryReport report)
        => new($"{ShownText.Printable(report.Directory)} holds no segment file (records-*.fsl). {Others(report)}");

    private const int MostNamed = 10;
}
