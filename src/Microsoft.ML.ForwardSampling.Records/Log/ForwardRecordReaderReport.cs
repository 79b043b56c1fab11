namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a reader of segment files counted so far; a snapshot.</summary>
public sealed record ForwardRecordReaderReport : RecordReaderReport
{
    /// <summary>Whole blocks read.</summary>
    public long Blocks { get; init; }

    /// <summary>Segment files begun.</summary>
    public int Segments { get; init; }

    /// <summary>Places where a file's header or blocks were damaged and reading went on behind.</summary>
    public long DamagedPlaces { get; init; }

    /// <summary>Bytes skipped at those places.</summary>
    public long DamagedBytes { get; init; }

    /// <summary>Bytes at the ends of segments that their writers left incomplete; no acknowledged record was in them.</summary>
    public long TornBytes { get; init; }

    /// <summary>The latest damage, with file, offset and length; null when there was none.</summary>
    public string? LatestDamage { get; init; }
}
