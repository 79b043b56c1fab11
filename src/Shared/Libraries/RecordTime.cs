namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>The times that records, labels and options take.</summary>
internal static class RecordTime
{
    public static DateTime Checked(DateTime time) => time.Kind switch
    {
        DateTimeKind.Utc => time,
        DateTimeKind.Local => time.ToUniversalTime(),
        _ => time.Ticks == 0 ? time : throw new ArgumentException(
            "The time must be UTC or local: its Kind is Unspecified. Use DateTime.UtcNow, or leave it out and the log stamps the record.",
            nameof(time)),
    };
}
