using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class KeepUnreadTests
{
    private static readonly ForwardRecordLogOptions s_small = LogFolder.Small with
    { SegmentBytes = 4096, RetentionBytes = 4096, KeepUnread = ["nightly", "audit"] };

    [Fact]
    public void Files_NotReadByANamedReader_StayUntilAllOfThemAreThrough()
    {
        using var folder = new LogFolder();
        using var nightly = new ForwardRecordReader<RegressionRecord>(folder.Path);
        using var audit = new ForwardRecordReader<RegressionRecord>(folder.Path);
        Assert.Equal((0, true), Write(folder, 0));          // neither has ever said anything

        Assert.Equal(2000, LogFolder.ReadAll(nightly).Length);
        nightly.SavePositionAs("nightly");
        (int deleted, bool isKept) = Write(folder, 2000);
        Assert.Equal((0, true), (deleted, isKept));

        Assert.Equal(4000, LogFolder.ReadAll(audit).Length);
        audit.SavePositionAs("audit");
        (deleted, isKept) = Write(folder, 4000);
        Assert.True(deleted > 3 && isKept, $"{deleted} deleted");

        // The slower reader has lost nothing; what both had read is gone.
        RegressionRecord[] rest = LogFolder.ReadAll(nightly);
        Assert.Equal(LogFolder.Range(2000, 4000), rest.Select(record => record.Key).Order());
        Assert.Equal((0, 0), (nightly.Report.DeletedRecords, nightly.Report.VanishedWriters));
        Assert.DoesNotContain(0ul, folder.Keys(out _));
    }

    [Fact]
    public void Position_InsideAFile_KeepsItAndWhatComesAfter()
    {
        using var folder = new LogFolder();
        Write(folder, 0);
        int files = folder.Files.Length;
        using (var reader = new ForwardRecordReader<RegressionRecord>(folder.Path))
        {
            Assert.Equal(1000, Fill(reader, 1000));
            reader.SavePositionAs("nightly");
            reader.SavePositionAs("audit");
        }

        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, s_small))
            Assert.InRange(log.Report.DeletedSegments, 1, files - 2);
        byte[] position = File.ReadAllBytes(Path.Combine(folder.Path, "nightly.position"));
        using var next = new ForwardRecordReader<RegressionRecord>(folder.Path, position);
        Assert.Equal(LogFolder.Range(1000, 1000), LogFolder.ReadAll(next).Select(record => record.Key));
        Assert.Equal(0, next.Report.DeletedRecords);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no position")]
    public void Position_ThatCannotBeMadeOut_CountsAsNothingRead(string content)
    {
        using var folder = new LogFolder();
        using (var reader = new ForwardRecordReader<RegressionRecord>(folder.Path))
        {
            Write(folder, 0);
            LogFolder.ReadAll(reader);
            reader.SavePositionAs("nightly");
        }

        File.WriteAllText(Path.Combine(folder.Path, "audit.position"), content);
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, s_small);
        Assert.Equal(0, log.Report.DeletedSegments);
        Assert.True(log.Report.KeptSegments > 3);
    }

    [Fact]
    public void Join_WithAReaderName_TellsBothLogsAtEachSave()
    {
        using var records = new LogFolder();
        using var labels = new LogFolder();
        using var states = new LogFolder();
        Write(records, 0);
        using (var log = new ForwardRecordLog<LabelEvent>(labels.Path, LogFolder.Small))
            log.Append(new LabelEvent(1, 1, DateTime.UtcNow));
        using var join = new ForwardRecordJoin<RegressionRecord>(records.Path, labels.Path, Path.Combine(states.Path, "join.state"))
        { ReaderName = "nightly" };
        join.Read(new JoinedRecord[8]);
        Assert.False(File.Exists(Path.Combine(records.Path, "nightly.position")));
        join.Save();

        ForwardRecordLogOptions options = s_small with { KeepUnread = ["nightly"] };
        using (var log = new ForwardRecordLog<RegressionRecord>(records.Path, options))
            Assert.True(log.Report.DeletedSegments > 0);
        Assert.True(File.Exists(Path.Combine(labels.Path, "nightly.position")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("Nightly")]
    public void Name_ThatIsNotTheSameFileEverywhere_IsRefused(string name)
    {
        using var folder = new LogFolder();
        string message = $"A reader's name has 1 to 100 of the characters a-z, 0-9, '-', '_' and '.', and does not begin with '.'. Got "
            + $"'{name}'.";
        Assert.StartsWith(message, Assert.Throws<ArgumentException>(() => new ForwardRecordLogOptions { KeepUnread = [name] }).Message,
            StringComparison.Ordinal);
        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        Assert.StartsWith(message, Assert.Throws<ArgumentException>(() => reader.SavePositionAs(name)).Message, StringComparison.Ordinal);
    }

    /// <summary>Writes 2,000 records into files of 4 KiB.</summary>
    private static (int Deleted, bool IsKept) Write(LogFolder folder, ulong first)
    {
        using var log = new ForwardRecordLog<RegressionRecord>(folder.Path, s_small);
        for (ulong i = first; i < first + 2000; i++)
        {
            log.Append(LogFolder.Record(i));
            if (i % 50 == 0)
                log.Flush();
        }

        log.Flush();
        return (log.Report.DeletedSegments, log.Report.KeptSegments > 0);
    }

    private static int Fill(ForwardRecordReader<RegressionRecord> reader, int count)
    {
        var records = new RegressionRecord[count];
        int filled = 0;
        for (int n; filled < count && (n = reader.Read(records.AsSpan(filled))) > 0;)
            filled += n;
        return filled;
    }
}
