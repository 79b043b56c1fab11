using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tool.Records;

/// <summary>Sums over the files of a directory.</summary>
internal sealed record RecordsTotals
{
    public required int Segments { get; init; }

    public required int Writers { get; init; }

    public required int Unfinished { get; init; }

    public required IReadOnlyDictionary<string, long> RecordsByKind { get; init; }

    public required long Records { get; init; }

    public required long Blocks { get; init; }

    public required long Bytes { get; init; }

    public required DateTime? EarliestTime { get; init; }

    public required DateTime? LatestTime { get; init; }

    public required IReadOnlyList<ulong> ModelVersions { get; init; }

    public required int DamagedPlaces { get; init; }

    public required long DamagedBytes { get; init; }

    public required long LostRecords { get; init; }

    public required long UnfinishedBytes { get; init; }

    public required int OtherFiles { get; init; }

    public static RecordsTotals Of(ForwardRecordDirectoryReport report)
    {
        IReadOnlyList<ForwardRecordSegment> segments = report.Segments;
        return new RecordsTotals
        {
            Segments = segments.Count,
            Writers = segments.DistinctBy(s => s.Writer).Count(),
            Unfinished = segments.Count(s => !s.IsFinished),
            RecordsByKind = segments.Where(s => s.Kind is not null).GroupBy(s => s.Kind!.Value).OrderBy(kind => kind.Key)
                .ToDictionary(kind => kind.Key.ToString(), kind => kind.Sum(s => s.Records)),
            Records = segments.Sum(s => s.Records),
            Blocks = segments.Sum(s => s.Blocks),
            Bytes = segments.Sum(s => s.Bytes),
            EarliestTime = segments.Min(s => s.EarliestTime),
            LatestTime = segments.Max(s => s.LatestTime),
            ModelVersions = [.. segments.SelectMany(s => s.ModelVersions).Distinct().Order()],
            DamagedPlaces = segments.Sum(s => s.Damage.Count),
            DamagedBytes = segments.Sum(s => s.Damage.Sum(d => d.Bytes)),
            LostRecords = segments.Sum(s => s.LostRecords),
            UnfinishedBytes = segments.Sum(s => s.UnfinishedBytes),
            OtherFiles = report.OtherFiles.Count,
        };
    }
}
