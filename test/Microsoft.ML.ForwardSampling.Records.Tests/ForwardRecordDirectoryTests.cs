using System.Buffers.Binary;
using Microsoft.ML.ForwardSampling.Tests;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public sealed class ForwardRecordDirectoryTests : IDisposable
{
    private const int BlockOfTen = 64 + (10 * 16) + (3 * 16); // header, records, the three model versions of LogFolder.Record

    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Inspect_FinishedFile_CountsWhatIsInIt()
    {
        string file = _folder.Write(100, 10, 5);

        ForwardRecordDirectoryReport report = ForwardRecordDirectory.Inspect(_folder.Path);

        ForwardRecordSegment segment = Assert.Single(report.Segments);
        Assert.Equal((Path.GetFileName(file), 0u, RecordKind.Regression, true),
            (segment.Name, segment.Ordinal, segment.Kind, segment.IsFinished));
        Assert.Equal(segment.Name, SegmentFormat.FileName(segment.Writer, segment.Ordinal));
        Assert.Equal((15, 2, new FileInfo(file).Length), (segment.Records, segment.Blocks, segment.Bytes));
        // a block keeps times in 4,095 steps
        Assert.Equal(LogFolder.Record(100).Time, segment.EarliestTime!.Value, TimeSpan.FromSeconds(1));
        Assert.Equal(LogFolder.Record(114).Time, segment.LatestTime!.Value, TimeSpan.FromSeconds(1));
        Assert.Equal(new FileInfo(file).LastWriteTimeUtc, segment.LastWritten);
        Assert.Equal([0ul, 1, 2], segment.ModelVersions);
        Assert.Equal([1f], segment.KeepingProbabilities);
        Assert.Equal((0, 0, 0), (segment.Damage.Count, segment.LostRecords, segment.UnfinishedBytes));
        Assert.Empty(report.OtherFiles);
    }

    [Fact]
    public void Inspect_OtherKinds_NeedNotBeKnown()
    {
        _folder.Write(0, 3);
        using (var labels = new ForwardRecordLog<LabelEvent>(_folder.Path, LogFolder.Small))
            labels.Append(new LabelEvent(1, 2f));
        using (var binary = new ForwardRecordLog<BinaryRecord>(_folder.Path, LogFolder.Small))
        {
            binary.Append(BinaryRecord.FromScore(1, 0.5f, modelVersion: 9, keepingProbability: 0.25f));
            binary.Append(BinaryRecord.FromScore(2, 0.5f, modelVersion: 9));
        }

        Dictionary<RecordKind, ForwardRecordSegment> segments = ForwardRecordDirectory.Inspect(_folder.Path)
            .Segments.ToDictionary(s => s.Kind!.Value);

        Assert.Equal([(RecordKind.Regression, 3), (RecordKind.Binary, 2), (RecordKind.Label, 1)],
            segments.OrderBy(s => s.Key).Select(s => (s.Key, s.Value.Records)));
        Assert.Equal([1f, 0.25f], segments[RecordKind.Binary].KeepingProbabilities);
        Assert.Equal([9ul], segments[RecordKind.Binary].ModelVersions);
        Assert.Empty(segments[RecordKind.Label].ModelVersions);
        Assert.Empty(segments[RecordKind.Label].KeepingProbabilities);
    }

    [Fact]
    public void Inspect_WhileALogWrites_IsUnfinishedAndNobodyNotices()
    {
        using var log = new ForwardRecordLog<RegressionRecord>(_folder.Path, LogFolder.Small);
        log.Append(LogFolder.Record(1));
        log.Flush();
        string file = Assert.Single(_folder.Files);
        DateTime written = File.GetLastWriteTimeUtc(file);

        ForwardRecordSegment before = Assert.Single(ForwardRecordDirectory.Inspect(_folder.Path).Segments);
        Assert.Equal(written, File.GetLastWriteTimeUtc(file));
        log.Append(LogFolder.Record(2));
        log.Flush();
        ForwardRecordSegment after = Assert.Single(ForwardRecordDirectory.Inspect(_folder.Path).Segments);

        Assert.Equal((false, 1), (before.IsFinished, before.Records));
        Assert.Equal((false, 2), (after.IsFinished, after.Records));
    }

    [Fact]
    public void Open_AFileThatIsLookedAt_CanStillBeHadAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows keeps every open file from being opened alone.");
        string file = _folder.Write(0, 10);

        using SafeFileHandle looked = UnlockedFile.Open(file);
        using SafeFileHandle? alone = FileLock.TryOpenAlone(file);

        Assert.NotNull(alone);
        Assert.Equal(RandomAccess.GetLength(alone), RandomAccess.GetLength(looked));
    }

    [Fact]
    public void Inspect_DamagedBlock_IsPlacedAndItsRecordsAreLost()
    {
        string file = _folder.Write(0, 10, 10, 10);
        Flip(file, SegmentFormat.HeaderBytes + BlockOfTen + 100);

        ForwardRecordSegment segment = Assert.Single(ForwardRecordDirectory.Inspect(_folder.Path).Segments);

        Assert.Equal([new ForwardRecordDamage(SegmentFormat.HeaderBytes + BlockOfTen, BlockOfTen, "no whole block")], segment.Damage);
        Assert.Equal((20, 2, 10, true), (segment.Records, segment.Blocks, segment.LostRecords, segment.IsFinished));
    }

    [Fact]
    public void Inspect_DamagedHeader_IsDamageAndTheBlocksStandForThemselves()
    {
        Flip(_folder.Write(0, 10), 40);

        ForwardRecordSegment segment = Assert.Single(ForwardRecordDirectory.Inspect(_folder.Path).Segments);

        Assert.Equal([new ForwardRecordDamage(0, SegmentFormat.HeaderBytes, "the file's header is damaged")], segment.Damage);
        Assert.Equal((RecordKind.Regression, 10, null), (segment.Kind, segment.Records, segment.Begun));
    }

    [Fact]
    public void Inspect_BlockOfAnotherWriter_IsDamage()
    {
        string first = _folder.Write(0, 10), second = _folder.Write(50, 10);
        byte[] foreign = File.ReadAllBytes(second)[SegmentFormat.HeaderBytes..(SegmentFormat.HeaderBytes + BlockOfTen)];
        File.WriteAllBytes(first, [.. File.ReadAllBytes(first), .. foreign]);

        ForwardRecordSegment segment = ForwardRecordDirectory.Inspect(_folder.Path).Segments.Single(s => s.Name == Path.GetFileName(first));

        Assert.Equal("a block of another file", Assert.Single(segment.Damage).Reason);
        Assert.Equal(10, segment.Records);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(200)]
    public void Inspect_TornEnd_IsCountedAndNothingElse(int left)
    {
        string file = _folder.Write(0, 10, 10);
        using (FileStream stream = File.OpenWrite(file))
            stream.SetLength(SegmentFormat.HeaderBytes + BlockOfTen + left);

        ForwardRecordSegment segment = Assert.Single(ForwardRecordDirectory.Inspect(_folder.Path).Segments);

        Assert.Equal((false, 10, left, 0), (segment.IsFinished, segment.Records, segment.UnfinishedBytes, segment.Damage.Count));
    }

    [Fact]
    public void Inspect_FileJustBegun_IsASegmentWithoutRecords()
    {
        File.WriteAllBytes(Path.Combine(_folder.Path, SegmentFormat.FileName(7, 3)), []);

        ForwardRecordSegment segment = Assert.Single(ForwardRecordDirectory.Inspect(_folder.Path).Segments);

        Assert.Equal((7ul, 3u, null, 0, null), (segment.Writer, segment.Ordinal, segment.Kind, segment.Records, segment.EarliestTime));
    }

    [Fact]
    public void Inspect_ForeignFiles_AreNamedWithTheReason()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "notes.txt"), "hello");
        File.WriteAllBytes(Path.Combine(_folder.Path, SegmentFormat.FileName(1, 0)), new byte[500]);
        byte[] newer = new byte[SegmentFormat.HeaderBytes];
        SegmentFormat.WriteHeader(newer, RecordKind.Binary, 16, 2, 0, DateTime.UtcNow);
        BinaryPrimitives.WriteUInt16LittleEndian(newer.AsSpan(8), 2);
        BinaryPrimitives.WriteUInt32LittleEndian(newer.AsSpan(60), Crc32C.Of(newer.AsSpan(0, 60)));
        File.WriteAllBytes(Path.Combine(_folder.Path, SegmentFormat.FileName(2, 0)), newer);

        ForwardRecordDirectoryReport report = ForwardRecordDirectory.Inspect(_folder.Path);

        Assert.Empty(report.Segments);
        Assert.Equal(
            [
                new ForwardRecordOtherFile("notes.txt", "its name is not that of a segment file"),
                new ForwardRecordOtherFile(SegmentFormat.FileName(1, 0), "it begins with no segment's header, and holds no whole block"),
                new ForwardRecordOtherFile(SegmentFormat.FileName(2, 0),
                    "its format version is 2, and this library reads versions up to 1"),
            ],
            report.OtherFiles);
    }

    [Fact]
    public void Inspect_NamedReaders_SayWhereTheyAreAndWhatTheyHaveNotRead()
    {
        using (var log = new ForwardRecordLog<RegressionRecord>(_folder.Path, LogFolder.Small with { SegmentBytes = 4096 }))
        {
            for (ulong key = 0; key < 600; key++)
                log.Append(LogFolder.Record(key));
        }

        ForwardRecordSegment[] files = [.. ForwardRecordDirectory.Inspect(_folder.Path).Segments];
        Assert.Equal(3, files.Length);
        int inFirst = (int)files[0].Records;
        Read("all", 600);
        Read("inside", inFirst + 5);
        Read("nothing", 0);
        File.WriteAllText(Path.Combine(_folder.Path, "broken.position"), "no position");
        File.WriteAllText(Path.Combine(_folder.Path, "No.position"), "no name of a reader");

        ForwardRecordDirectoryReport report = ForwardRecordDirectory.Inspect(_folder.Path);

        Assert.Equal(["all", "broken", "inside", "nothing"], report.Readers.Select(r => r.Name));
        Assert.Equal([0, 600, 600 - inFirst - 5, 600], report.Readers.Select(r => r.UnreadRecords));
        ForwardRecordNamedReader all = report.Readers[0], broken = report.Readers[1], inside = report.Readers[2];
        Assert.Equal((RecordKind.Regression, null, 0), (all.Kind, all.Problem, all.UnreadSegments.Count));
        Assert.Equal(files.Skip(1).Select(f => f.Name), inside.UnreadSegments);
        Assert.Equal(new ForwardRecordReaderPlace(files[1].Writer, 1, SegmentFormat.HeaderBytes), Assert.Single(inside.Places));
        Assert.Equal(files.Select(f => f.Name), report.Readers[3].UnreadSegments);
        Assert.Equal((null, 0, 3), (broken.Kind, broken.Places.Count, broken.UnreadSegments.Count));
        Assert.Equal("11 bytes are no reader's position: they do not begin as one.", broken.Problem);
        Assert.Equal("No.position", Assert.Single(report.OtherFiles).Name);

        // The reader that goes on is given what was said to be left.
        using var next = new ForwardRecordReader<RegressionRecord>(_folder.Path,
            File.ReadAllBytes(Path.Combine(_folder.Path, "inside.position")));
        Assert.Equal(inside.UnreadRecords, LogFolder.ReadAll(next).Length);

        void Read(string name, int count)
        {
            using var reader = new ForwardRecordReader<RegressionRecord>(_folder.Path);
            for (int read = 0; read < count; read++)
                Assert.Equal(1, reader.Read(new RegressionRecord[1]));
            if (count == 600)
                Assert.Equal(0, reader.Read(new RegressionRecord[1]));
            reader.SavePositionAs(name);
        }
    }

    [Fact]
    public void Inspect_FileThatCannotBeOpened_IsNamedWithTheReason()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A link that leads in a circle.");
        string name = SegmentFormat.FileName(1, 0);
        File.CreateSymbolicLink(Path.Combine(_folder.Path, name), name);

        ForwardRecordOtherFile other = Assert.Single(ForwardRecordDirectory.Inspect(_folder.Path).OtherFiles);

        Assert.Equal(name, other.Name);
        Assert.StartsWith("it cannot be read: ", other.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_NoFolder_SaysSo()
    {
        string file = Path.Combine(_folder.Path, "file");
        File.WriteAllText(file, "");

        Assert.Equal($"{file}2 does not exist.",
            Assert.Throws<DirectoryNotFoundException>(() => ForwardRecordDirectory.Inspect(file + "2")).Message);
        Assert.Equal($"{file} is a file: give the folder that holds the segment files.",
            Assert.Throws<DirectoryNotFoundException>(() => ForwardRecordDirectory.Inspect(file)).Message);
        Assert.Throws<ArgumentException>(() => ForwardRecordDirectory.Inspect(" "));
    }

    [Fact]
    public void Inspect_Cancelled_Ends()
    {
        _folder.Write(0, 10);

        Assert.Throws<OperationCanceledException>(
            () => ForwardRecordDirectory.Inspect(_folder.Path, new CancellationToken(canceled: true)));
    }

    private static void Flip(string file, int at)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[at] ^= 1;
        File.WriteAllBytes(file, bytes);
    }
}
