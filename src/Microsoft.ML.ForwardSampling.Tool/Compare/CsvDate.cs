using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>Dates and times as they are usually written.</summary>
internal static class CsvDate
{
    private static readonly string[] s_dates = ["yyyy-M-d", "yyyy/M/d", "yyyy.M.d", "d.M.yyyy", "d.M.yy", "d/M/yyyy", "M/d/yyyy", "d/M/yy",
        "M/d/yy", "d-M-yyyy", "M-d-yyyy", "d-MMM-yyyy", "d MMM yyyy", "d MMMM yyyy", "MMM d, yyyy", "MMMM d, yyyy", "ddd, d MMM yyyy"];

    private static readonly string[] s_times = ["H:mm", "H:mm:ss", "H:mm:ss.FFFFFFF", "h:mm tt", "h:mm:ss tt"];

    private static readonly string[] s_all = [.. s_dates, .. s_times, .. s_dates.SelectMany(date => s_times.SelectMany(time => (string[])
        [$"{date} {time}", $"{date}'T'{time}", $"{date}'T'{time}K", $"{date} {time}K", $"{date} {time} 'UTC'", $"{date} {time} 'GMT'"]))];

    /// <summary>Whether a number is a date, as 20240131.</summary>
    public static bool IsCompact(string text) => text.Length == 8 && (text[0] is '1' or '2')
        && DateTime.TryParseExact(text, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime date)
        && date.Year is >= 1900 and <= 2100;

    /// <summary>Whether a text is one.</summary>
    public static bool Is(string text) => text.Length is >= 4 and <= 40 && text.AsSpan().IndexOfAny("-/.:, ") > 0
        && char.IsLetterOrDigit(text[0]) && text.AsSpan().IndexOfAnyInRange('0', '9') >= 0
        && DateTime.TryParseExact(text, s_all, CultureInfo.InvariantCulture, DateTimeStyles.AllowWhiteSpaces, out _);
}
