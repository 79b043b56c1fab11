using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>The Python reader and writer of docs/record-format.md, run against the library: ours reads theirs, theirs reads ours.</summary>
public sealed partial class RecordFormatDocsTests : IDisposable
{
    private const string PrintAll = """
        import sys, datetime, forward_log
        for record in forward_log.read(sys.argv[1]):
            ticks = (record.pop("time") - datetime.datetime(1, 1, 1)) // datetime.timedelta(microseconds=1) * 10
            print(ticks, *(f"{name}={value!r}" for name, value in record.items()))
        """;

    private static readonly DateTime s_start = new(2026, 1, 1, 8, 0, 0, DateTimeKind.Utc);
    private static readonly string s_page = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "record-format.md"));

    private readonly LogFolder _folder = new();
    private readonly string _scripts = Directory.CreateTempSubdirectory("python-").FullName;

    public RecordFormatDocsTests() => File.WriteAllText(Path.Combine(_scripts, "forward_log.py"), Code(0));

    public void Dispose()
    {
        _folder.Dispose();
        Directory.Delete(_scripts, recursive: true);
    }

    [Fact]
    public void Page_ReaderAndWriter_HaveAtMost60Lines()
        => Assert.InRange(Code(0).Split('\n').Count(line => line.Trim().Length > 0), 1, 60);

    [Fact]
    public void Read_RegressionsOfTheLibrary_AllFields()
    {
        float[] scores = [0f, -1.5f, 1e-30f, float.NaN, float.NegativeInfinity];
        Write([.. scores.Select((score, i) => new RegressionRecord(ulong.MaxValue - (ulong)i, score, modelVersion: (ulong)i % 3,
            s_start.AddSeconds(i), keepingProbability: i == 2 ? 0.3f : 1f))]);
        AssertSame<RegressionRecord>(record => $"kind='regression' key={record.Key} version={record.ModelVersion} classes=0 "
            + $"kept={Text(record.KeepingProbability)} score={Text(record.Score)}");
    }

    [Fact]
    public void Read_OtherKindsOfTheLibrary_AllFields()
    {
        Write(BinaryRecord.FromScore(1, -2.5f, 7, s_start),
            BinaryRecord.FromScore(2, 30f, ulong.MaxValue, s_start.AddHours(1), 1f / 65536));
        AssertSame<BinaryRecord>(record => $"kind='binary' key={record.Key} version={record.ModelVersion} classes=0 "
            + $"kept={Text(record.KeepingProbability)} log_odds={Text(record.LogOdds)}");
        Clear();
        Write(new LabelEvent(1, 3f, s_start), new LabelEvent(2, float.NaN, s_start.AddDays(1)));
        AssertSame<LabelEvent>(label => $"kind='label' key={label.Key} version=0 classes=0 kept=1.0 label={Text(label.Label)}");
        Clear();
        Write(MulticlassRecord.FromProbabilities(1, [0.1f, 0.2f, 0.3f, 0.25f, 0.15f], 4, s_start),
            MulticlassRecord.FromProbabilities(2, [0.75f, 0.25f], 5, s_start.AddSeconds(1)),
            MulticlassRecord.FromProbabilities(3, [2f, 3f, 4f], 5, s_start.AddSeconds(2)));
        // What follows class3, the root of the others' squares, has no property here.
        AssertSame<MulticlassRecord>(record => $"kind='multiclass' key={record.Key} version={record.ModelVersion} "
            + $"classes={record.Classes} kept=1.0 class1={Class(record.Class1)} class2={Class(record.Class2)} "
            + $"class3={Class(record.Class3)} p1={Text(record.Probability1)} p2={Text(record.Probability2)} "
            + $"p3={Text(record.Probability3)}", line => Rest().Replace(line, ""));

        static int Class(int value) => value < 0 ? 65535 : value;
    }

    [Fact]
    public void Read_DamagedAndTornBlocks_TheSameKeysAsTheLibrary()
    {
        string file = _folder.Write(100, 10, 5, 10, 10);
        byte[] bytes = File.ReadAllBytes(file);
        int block = 64 + (10 * 16) + (3 * 16);
        bytes[64 + 100] ^= 1;                               // a record of the first block
        bytes[20] ^= 1;                                     // the file's own header
        File.WriteAllBytes(file, bytes[..^(64 + (block / 2))]);   // half of the last block
        ulong[] ours = _folder.Keys(out ForwardRecordReaderReport report);
        Assert.Equal((1, 15), (report.DamagedPlaces, ours.Length));
        Assert.Equal(ours, Keys());

        File.Copy(file, file.Replace("-00000000", "-00000001", StringComparison.Ordinal));    // the same numbers twice
        Assert.Equal(_folder.Keys(out report), Keys());
        Assert.Equal(15, report.DuplicateRecords);
    }

    [Fact]
    public void Read_NewerFormat_IsRefused()
    {
        string file = _folder.Write(0, 1);
        byte[] bytes = File.ReadAllBytes(file);
        bytes[8] = 2;
        BitConverter.GetBytes(Crc32C.Of(bytes.AsSpan(0, 60))).CopyTo(bytes, 60);
        File.WriteAllBytes(file, bytes);
        string[] lines = Python.Run(_scripts, """
            import sys, forward_log
            try:
                list(forward_log.read(sys.argv[1]))
            except ValueError as e:
                print(e)
            """, _folder.Path);
        Assert.Equal([$"{file} is of a newer format."], lines);
        Assert.Throws<NotSupportedException>(() => _folder.Keys(out _));
    }

    [Fact]
    public void Write_Regressions_TheLibraryReadsThem()
    {
        Python.Run(_scripts, """
            import sys, datetime, forward_log
            start = datetime.datetime(2026, 1, 1, 8)
            log = forward_log.Writer(sys.argv[1], "regression")
            for block in range(3):
                log.write([{"key": 2**64 - 1 - i, "time": start + datetime.timedelta(seconds=i), "version": i % 16,
                            "kept": [1, 0.5, 0.3, 2**-16][i % 4], "score": i / 3}
                           for i in range(1000 * block, 1000 * (block + 1))])
            log.close()
            """, _folder.Path);
        RegressionRecord[] records = _folder.Read(out ForwardRecordReaderReport report);
        Assert.Equal((3000, 3, 0, 0), (report.Records, report.Blocks, report.DamagedPlaces, report.TornBytes));
        float[] kept = [1f, 0.5f, KeepingProbability.Decode(KeepingProbability.Encode(0.3f)), 1f / 65536];
        foreach ((int i, RegressionRecord record) in records.Index())
        {
            Assert.Equal((ulong.MaxValue - (ulong)i, i / 3f, (ulong)i % 16, kept[i % 4]),
                (record.Key, record.Score, record.ModelVersion, record.KeepingProbability));
            Assert.Equal(s_start.AddSeconds(i), record.Time, TimeSpan.FromSeconds(999.0 / 4095));
        }

        Assert.True(Assert.Single(ForwardRecordDirectory.Inspect(_folder.Path).Segments).IsFinished);
    }

    [Fact]
    public void Write_OtherKinds_TheLibraryReadsWhatItWouldHaveWritten()
    {
        MulticlassRecord[] expected = [MulticlassRecord.FromProbabilities(1, [0.5f, 0.25f, 0.125f, 0.125f], 4, s_start),
            MulticlassRecord.FromProbabilities(2, [0.75f, 0.25f], 4, s_start)];
        PythonWrites("multiclass", """
            {"key": 1, "time": time, "version": 4, "classes": 4, "class1": 0, "class2": 1, "class3": 2, "p1": 0.5, "p2": 0.25, "p3": 0.125,
             "rest": 0.125},
            {"key": 2, "time": time, "version": 4, "classes": 2, "class1": 0, "class2": 1, "class3": 65535, "p1": 0.75, "p2": 0.25,
             "p3": 0, "rest": 0},
            """);
        Assert.Equal(expected, ReadAll<MulticlassRecord>());
        Clear();
        PythonWrites("binary", """{"key": 5, "time": time, "log_odds": -1.25, "version": 2**64 - 1}""");
        Assert.Equal([BinaryRecord.FromScore(5, -1.25f, ulong.MaxValue, s_start)], ReadAll<BinaryRecord>());
        Clear();
        PythonWrites("label", """{"key": 5, "time": time, "label": 1}""");
        Assert.Equal([new LabelEvent(5, 1f, s_start)], ReadAll<LabelEvent>());
    }

    [Fact]
    public void Write_KilledOrStillWriting_ALogOfOursFinishesOnlyWhatIsNotInUse()
    {
        if (OperatingSystem.IsWindows())
            return;                                         // flock is the page's lock
        const string WriteAndWait = """
            import sys, datetime, forward_log
            log = forward_log.Writer(sys.argv[1], "regression")
            log.write([{"key": 7, "time": datetime.datetime(2026, 1, 1), "score": 1}])
            print("written", flush=True)
            sys.stdin.read()
            """;
        using Process writing = Python.Start(_scripts, WriteAndWait, _folder.Path);
        Assert.Equal("written", writing.StandardOutput.ReadLine());
        string file = Assert.Single(_folder.Files);
        using (new ForwardRecordLog<RegressionRecord>(_folder.Path, LogFolder.Small))
        {
        }

        Assert.False(Segment().IsFinished);
        writing.Kill();
        writing.WaitForExit();
        using (new ForwardRecordLog<RegressionRecord>(_folder.Path, LogFolder.Small))
        {
        }

        Assert.True(Segment().IsFinished);
        Assert.Equal([7ul], _folder.Keys(out _));

        ForwardRecordSegment Segment()
            => ForwardRecordDirectory.Inspect(_folder.Path).Segments.Single(s => s.Name == Path.GetFileName(file));
    }

    [Fact]
    public void Page_UseOfIt_RunsAsItStands()
    {
        Directory.CreateDirectory(Path.Combine(_scripts, "records/clicks"));
        Assert.Equal(["4711 2026-01-01 08:30:00 12 1.0 -1.5"], Python.Run(_scripts, Code(1)));
    }

    [Fact]
    public void Page_ChecksumAndKeyOfAName_AreThoseOfTheLibrary()
    {
        const string Expression = """int.from_bytes(hmac.digest(secret, name.encode(), "sha256")[:8], "little")""";
        Assert.Contains(Expression, s_page, StringComparison.Ordinal);
        Assert.Contains($"0x{Crc32C.Of("123456789"u8):X8}", s_page, StringComparison.Ordinal);
        string[] lines = Python.Run(_scripts, $"""
            import hmac, forward_log
            secret, name = b"0123456789abcdef", "Ærøskøbing"
            print({Expression})
            print(forward_log.crc32c(b"123456789").hex())
            """);
        Assert.Equal([$"{RecordKey.FromString("Ærøskøbing", "0123456789abcdef"u8)}", "839206e3"], lines);
    }

    private void Write<T>(params T[] records)
        where T : struct, ILogRecord<T>
    {
        using var log = new ForwardRecordLog<T>(_folder.Path, LogFolder.Small);
        foreach (T record in records)
            log.Append(record);
    }

    private void PythonWrites(string kind, string records) => Python.Run(_scripts, $"""
        import sys, datetime, forward_log
        time = datetime.datetime(2026, 1, 1, 8)
        log = forward_log.Writer(sys.argv[1], "{kind}")
        log.write([{records}])
        log.close()
        """, _folder.Path);

    private T[] ReadAll<T>()
        where T : struct, ILogRecord<T>
    {
        using var reader = new ForwardRecordReader<T>(_folder.Path);
        return LogFolder.ReadAll(reader);
    }

    private void Clear() => Array.ForEach(_folder.Files, File.Delete);

    private ulong[] Keys() => [.. Python.Run(_scripts, PrintAll, _folder.Path)
        .Select(line => ulong.Parse(KeyOf().Match(line).Groups[1].Value, CultureInfo.InvariantCulture))];

    /// <summary>Each record that the library reads, as the page's reader prints it; times to the microsecond.</summary>
    private void AssertSame<T>(Func<T, string> text, Func<string, string>? edit = null)
        where T : struct, ILogRecord<T>
    {
        T[] ours = ReadAll<T>();
        Assert.True(ours.Length > 1);
        Assert.Equal(ours.Select(record => $"{record.Time.Ticks / 10 * 10} {text(record)}"),
            Python.Run(_scripts, PrintAll, _folder.Path).Select(edit ?? (line => line)));
    }

    /// <summary>A Single as Python writes the double of its value.</summary>
    private static string Text(float value)
    {
        if (!float.IsFinite(value))
            return float.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        string text = ((double)value).ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
        return text.Contains('.', StringComparison.Ordinal) || text.Contains('e', StringComparison.Ordinal) ? text : text + ".0";
    }

    private static string Code(int block) => PythonBlock().Matches(s_page)[block].Groups[1].Value;

    [GeneratedRegex(@"^```python\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex PythonBlock();

    [GeneratedRegex(@" rest=\S+")]
    private static partial Regex Rest();

    [GeneratedRegex(@" key=(\d+)")]
    private static partial Regex KeyOf();
}
