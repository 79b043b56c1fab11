using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

/// <summary>A log, a join and a reader under a culture, with relative paths and a current directory that changes once they are
/// open.</summary>
internal static class Surroundings
{
    /// <summary>Prints what was joined, in a form that depends on nothing.</summary>
    public static void Run(string folder, string culture, TextWriter output)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentUICulture =
            CultureInfo.CurrentUICulture = Microsoft.ML.ForwardSampling.Tests.ForeignCulture.Get(culture);
        var start = new DateTime(2026, 3, 29, 0, 30, 0, DateTimeKind.Utc);      // clocks are set forward in Europe an hour after it
        var options = new LabelJoinOptions { Wait = TimeSpan.FromHours(1), Lateness = TimeSpan.Zero, DefaultLabel = 0.5f };
        var rows = new JoinedRecord[1000];
        Directory.SetCurrentDirectory(folder);
        var small = new ForwardRecordLogOptions
        {
            BlockBytes = 1024,
            MemoryBytes = 64 << 10,
            SegmentBytes = 4096,
            RetentionBytes = 1 << 20,
            RetentionAge = TimeSpan.FromDays(1)
        };
        using (var records = new ForwardRecordLog<RegressionRecord>("records", small))
        using (var labels = new ForwardRecordLog<LabelEvent>("labels", small))
        using (var join = new ForwardRecordJoin<RegressionRecord>("records", "labels", "join.state", options))
        {
            Directory.SetCurrentDirectory(Path.GetPathRoot(folder)!);
            for (int i = 0; i < 600; i++)
            {
                DateTime local = start.AddSeconds(10 * i).ToLocalTime();
                records.Append(new RegressionRecord(RecordKey.FromString($"İıI-{i}"), i + 0.25f, 1, local));
                if (i % 2 == 0)
                    labels.Append(new LabelEvent(RecordKey.FromString($"İıI-{i}"), -i - 0.75f, local));
            }

            records.Flush();
            labels.Flush();
            Print(join.Read(rows.AsSpan(0, 100)));
            join.Save();
        }

        using (var join = new ForwardRecordJoin<RegressionRecord>(Path.Combine(folder, "records"), Path.Combine(folder, "labels"),
            Path.Combine(folder, "join.state"), options))
        {
            join.Complete();
            for (int n; (n = join.Read(rows)) > 0;)
                Print(n);
        }

        output.WriteLine(string.Join(' ', Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)));
        output.WriteLine(Directory.GetFiles(Path.Combine(folder, "records")).Length.ToString(CultureInfo.InvariantCulture));

        // Times to the second: a block's are exact to 1/8190 of what it spans, and where blocks end is a matter of chance.
        void Print(int count)
        {
            foreach (JoinedRecord row in rows.AsSpan(0, count))
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{row.Key:x16} {row.Label} {row.ScoredAt.AddSeconds(0.5):s} {row.IsDefaultLabel}"));
        }
    }
}
