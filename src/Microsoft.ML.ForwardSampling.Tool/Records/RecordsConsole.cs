using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tool.Pages;
using Spectre.Console;
using static Microsoft.ML.ForwardSampling.Tool.Records.RecordsText;

namespace Microsoft.ML.ForwardSampling.Tool.Records;

/// <summary>The report in a terminal: a table for each writer, what is damaged, totals.</summary>
internal static class RecordsConsole
{
    private static readonly string[] Headings = ["file", "kind", "state", "records", "blocks", "first, UTC", "last, UTC", "model versions",
        "kept", "bytes", "damage"];

    /// <summary>Shows it.</summary>
    public static void Write(IAnsiConsole console, ForwardRecordDirectoryReport report)
    {
        console.WriteText(report.Directory);
        foreach (IGrouping<ulong, ForwardRecordSegment> writer in report.Segments.GroupBy(s => s.Writer))
        {
            console.WriteLine();
            console.WriteText(string.Create(CultureInfo.InvariantCulture,
                $"Writer {Writer(writer.Key)}: files {string.Join(", ", Ranges(writer.Select(s => s.Ordinal)))}; "
                + $"records: {writer.Sum(s => s.Records):N0}"));
            var table = new Table { Border = TableBorder.Simple };
            foreach ((int i, string heading) in Headings.Index())
                table.AddColumn((i is 3 or 4 or 9 ? new TableColumn(heading).RightAligned() : new TableColumn(heading)).NoWrap().PadLeft(0)
                    .PadRight(1));
            foreach (ForwardRecordSegment segment in writer)
                table.AddRow([.. Cells(segment).Select(cell => ShownText.Markup(cell))]);
            console.Write(table);
        }

        foreach (ForwardRecordSegment segment in report.Segments)
        {
            foreach (ForwardRecordDamage damage in segment.Damage)
                console.WriteText(string.Create(CultureInfo.InvariantCulture,
                    $"{segment.Name} at byte {damage.Offset}: {damage.Reason}; {damage.Bytes:N0} bytes are skipped."));
            if (segment.LostRecords > 0)
                console.WriteText(string.Create(CultureInfo.InvariantCulture,
                    $"{segment.Name}: lost records between its whole blocks: {segment.LostRecords:N0}."));
            if (segment.UnfinishedBytes > 0)
                console.WriteText(string.Create(CultureInfo.InvariantCulture,
                    $"{segment.Name} at byte {segment.Bytes - segment.UnfinishedBytes}: {segment.UnfinishedBytes:N0} "
                    + $"bytes that are no whole block: being written, or torn when the writer was killed; last written "
                    + $"{Time(segment.LastWritten)}."));
        }

        foreach (ForwardRecordNamedReader reader in report.Readers)
            console.WriteText(Reader(reader));
        if (report.OtherFiles.Count > 0)
            console.WriteText(Others(report));
        var totals = RecordsTotals.Of(report);
        IEnumerable<string> kinds = totals.RecordsByKind.Select(kind =>
            string.Create(CultureInfo.InvariantCulture, $"{kind.Key} {kind.Value:N0}"));
        console.WriteLine();
        console.WriteText(string.Create(CultureInfo.InvariantCulture, $"Records: {totals.Records:N0} ({string.Join(", ", kinds)}), "
            + $"{Time(totals.EarliestTime)} to {Time(totals.LatestTime)}; blocks: {totals.Blocks:N0}; files: {totals.Segments:N0}, "
            + $"unfinished: {totals.Unfinished:N0}; writers: {totals.Writers:N0}; bytes: {totals.Bytes:N0}."));
        console.WriteText(string.Create(CultureInfo.InvariantCulture,
            $"Damaged places: {totals.DamagedPlaces:N0}, bytes: {totals.DamagedBytes:N0}; lost records: "
            + $"{totals.LostRecords:N0}; other files: {totals.OtherFiles:N0}."));
    }

    private static string Reader(ForwardRecordNamedReader reader)
    {
        string name = reader.Problem is null
            ? string.Create(CultureInfo.InvariantCulture, $"Reader {reader.Name} ({reader.Kind}, saved {Time(reader.SavedAt)})")
            : $"Reader {reader.Name} (saved {Time(reader.SavedAt)}; its position cannot be made out, and counts as nothing read: "
                + $"{ShownText.Printable(reader.Problem)})";
        string places = Some(reader.Places, place => string.Create(CultureInfo.InvariantCulture,
            $"{Writer(place.Writer)} file {place.Ordinal} byte {place.Offset}"));
        return string.Create(CultureInfo.InvariantCulture, $"{name}: at {places}; records behind: {reader.UnreadRecords:N0}; files not "
            + $"read to their end, kept where KeepUnread names it: {reader.UnreadSegments.Count:N0} "
            + $"({Some(reader.UnreadSegments, file => file)}).");
    }

    private static IEnumerable<string> Cells(ForwardRecordSegment segment)
    {
        yield return segment.Name;
        yield return segment.Kind?.ToString() ?? "?";
        yield return segment.IsFinished ? "finished" : "unfinished";
        yield return string.Create(CultureInfo.InvariantCulture, $"{segment.Records:N0}");
        yield return string.Create(CultureInfo.InvariantCulture, $"{segment.Blocks:N0}");
        yield return Time(segment.EarliestTime);
        yield return Time(segment.LatestTime);
        yield return Some(segment.ModelVersions, version => string.Create(CultureInfo.InvariantCulture, $"{version}"));
        yield return Some(segment.KeepingProbabilities, probability => string.Create(CultureInfo.InvariantCulture, $"{probability:G4}"));
        yield return string.Create(CultureInfo.InvariantCulture, $"{segment.Bytes:N0}");
        yield return segment.Damage.Count == 0 ? (segment.UnfinishedBytes > 0 ? "end" : "–")
            : string.Create(CultureInfo.InvariantCulture, $"{segment.Damage.Count:N0}");
    }

    private static string Time(DateTime? time) => time?.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "–";

    /// <summary>Numbers in a row as 3–7, so that a missing one shows.</summary>
    private static IEnumerable<string> Ranges(IEnumerable<uint> ordinals)
    {
        uint[] sorted = [.. ordinals.Order()];
        for (int from = 0, to; from < sorted.Length; from = to + 1)
        {
            to = from;
            while (to + 1 < sorted.Length && sorted[to + 1] == sorted[to] + 1)
                to++;
            yield return from == to ? string.Create(CultureInfo.InvariantCulture, $"{sorted[from]}")
                : string.Create(CultureInfo.InvariantCulture, $"{sorted[from]}–{sorted[to]}");
        }
    }
}
