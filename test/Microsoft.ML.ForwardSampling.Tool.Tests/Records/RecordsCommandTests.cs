using System.Text.Json;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tool.Records;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Records;

public sealed class RecordsCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_TwoWriters_ShowsEachFileAndTheTotals()
    {
        string first = Write(30), second = Write(20);

        (int exitCode, string output, string error) = await RunAsync();

        Assert.Equal((0, ""), (exitCode, error));
        foreach ((string file, int records) in ((string, int)[])[(first, 30), (second, 20)])
        {
            string line = Assert.Single(output.Split('\n'), l => l.TrimStart().StartsWith(file, StringComparison.Ordinal));
            Assert.Equal([file, "Binary", "finished", $"{records}", "1", "2026-01-02", "03:00:00", "2026-01-02", $"03:{records - 1:00}:00",
                "7", "1", $"{64 + 64 + (records * 16) + 16 + 64}", "–"],
                line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(cell => cell.Trim()));
        }

        Assert.Contains("Records: 50 (Binary 50), 2026-01-02 03:00:00 to 2026-01-02 03:29:00; blocks: 2; files: 2, unfinished: 0; "
            + "writers: 2; bytes: ", Joined(output), StringComparison.Ordinal);
        Assert.Contains("Damaged places: 0, bytes: 0; lost records: 0; other files: 0.", Joined(output), StringComparison.Ordinal);
        Assert.Contains($"Writer {first[8..24]}: files 0; records: 30", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Json_HoldsEverything()
    {
        string file = Write(30);

        (int exitCode, string output, string error) = await RunAsync("--json");

        Assert.Equal((0, ""), (exitCode, error));
        using var json = JsonDocument.Parse(output);
        JsonElement segment = Assert.Single(json.RootElement.GetProperty("segments").EnumerateArray().ToArray());
        Assert.Equal(file, segment.GetProperty("name").GetString());
        Assert.Equal(file[8..24], segment.GetProperty("writer").GetString());
        Assert.Equal("Binary", segment.GetProperty("kind").GetString());
        Assert.Equal((0, 30, 1), (segment.GetProperty("ordinal").GetInt32(), segment.GetProperty("records").GetInt32(),
            segment.GetProperty("blocks").GetInt32()));
        Assert.True(segment.GetProperty("isFinished").GetBoolean());
        Assert.Equal([7ul], segment.GetProperty("modelVersions").EnumerateArray().Select(v => v.GetUInt64()));
        Assert.Equal(new DateTime(2026, 1, 2, 3, 0, 0, DateTimeKind.Utc), segment.GetProperty("earliestTime").GetDateTime());
        Assert.Equal(30, json.RootElement.GetProperty("totals").GetProperty("recordsByKind").GetProperty("Binary").GetInt32());
    }

    [Fact]
    public async Task Run_DamageAndATornEnd_AreNamedWithTheirPlaces()
    {
        string damaged = Write(30), torn = Write(20);
        using (FileStream stream = File.OpenWrite(_folder.File(damaged)))
        {
            stream.Position = 64 + 100;
            stream.WriteByte(0xFF);
        }

        using (FileStream stream = File.OpenWrite(_folder.File(torn)))
            stream.SetLength(64 + 64 + (20 * 16) + 16 + 5);

        (int exitCode, string output, _) = await RunAsync();

        Assert.Equal(0, exitCode);
        Assert.Contains($"{damaged} at byte 64: no whole block; 560 bytes are skipped.", Joined(output), StringComparison.Ordinal);
        Assert.Contains($"{torn} at byte 464: 5 bytes that are no whole block: being written, or torn when the writer was killed",
            Joined(output), StringComparison.Ordinal);
        Assert.Contains("files: 2, unfinished: 1; writers: 2", Joined(output), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NamedReaders_AreShownWithWhatTheyHaveNotRead()
    {
        string file = Write(30);
        using (var reader = new ForwardRecordReader<BinaryRecord>(_folder.Path))
        {
            Assert.Equal(12, reader.Read(new BinaryRecord[12]));
            reader.SavePositionAs("nightly");
        }

        File.WriteAllText(_folder.File("audit.position"), "\e[31m");
        (int exitCode, string output, string error) = await RunAsync();
        (_, string text, _) = await RunAsync("--json");

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains($": at {file[8..24]} file 0 byte 64; records behind: 18; files not read to their end, kept where KeepUnread names "
            + $"it: 1 ({file}).", Joined(output), StringComparison.Ordinal);
        Assert.Contains("Reader nightly (Binary, saved ", Joined(output), StringComparison.Ordinal);
        Assert.Contains("its position cannot be made out, and counts as nothing read: 5 bytes are no reader's position: they do not begin "
            + $"as one.): at –; records behind: 30; files not read to their end, kept where KeepUnread names it: 1 ({file}).",
            Joined(output), StringComparison.Ordinal);
        Assert.Contains("other files: 0.", Joined(output), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(text);
        JsonElement[] readers = [.. json.RootElement.GetProperty("readers").EnumerateArray()];
        Assert.Equal(["audit", "nightly"], readers.Select(r => r.GetProperty("name").GetString()));
        Assert.Equal([30, 18], readers.Select(r => r.GetProperty("unreadRecords").GetInt64()));
        Assert.Equal(file, readers[1].GetProperty("unreadSegments")[0].GetString());
        Assert.Equal((file[8..24], 0, 64), (readers[1].GetProperty("places")[0].GetProperty("writer").GetString(),
            readers[1].GetProperty("places")[0].GetProperty("ordinal").GetInt32(),
            readers[1].GetProperty("places")[0].GetProperty("offset").GetInt32()));
    }

    [Fact]
    public async Task Run_WhileALogWrites_ShowsWhatIsThere()
    {
        using var log = new ForwardRecordLog<BinaryRecord>(_folder.Path);
        log.Append(BinaryRecord.FromScore(1, 0.5f));
        log.Flush();

        (int exitCode, string output, string error) = await RunAsync();

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("unfinished", output, StringComparison.Ordinal);
        Assert.Contains("Records: 1 (Binary 1)", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NamesWithMarkupAndControlCharacters_AreShownAsTheyAre()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such names.");
        Write(1);
        File.WriteAllText(_folder.File("[red]a[b]\e[31m"), "");

        (int exitCode, string output, string error) = await RunAsync();

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains(@"It holds 1 other file: [red]a[b]\u001b[31m (its name is not that of a segment file).", Joined(output),
            StringComparison.Ordinal);
        Assert.DoesNotContain("\e", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NothingToShow_FailsWithOneLine()
    {
        (int missing, _, string missingError) = await Runner.RunAsync(["records", _folder.File("none")], Token);
        (int empty, _, string emptyError) = await RunAsync();
        File.WriteAllText(_folder.File("notes.txt"), "");
        File.WriteAllBytes(_folder.File("records-00000000000000aa-00000000.fsl"), new byte[100]);
        (int foreign, _, string foreignError) = await RunAsync();

        Assert.Equal((1, 1, 1), (missing, empty, foreign));
        Assert.Equal($"{_folder.File("none")} does not exist.", missingError.TrimEnd());
        Assert.Equal($"{_folder.Path} holds no segment file (records-*.fsl). It is empty.", emptyError.TrimEnd());
        Assert.Equal(
            $"{_folder.Path} holds no segment file (records-*.fsl). It holds 2 other files: notes.txt (its name is not that of a segment "
                + $"file); records-00000000000000aa-00000000.fsl (it begins with no segment's header, and holds no whole block).",
            foreignError.TrimEnd());
    }

    [Theory]
    [InlineData(new ulong[0], "–")]
    [InlineData(new ulong[] { 3, 5 }, "3, 5")]
    [InlineData(new ulong[] { 3, 5, 7, 9 }, "3 … 9 (4)")]
    public void Some_Values_AreFewOrTheEnds(ulong[] values, string expected) =>
        Assert.Equal(expected, RecordsText.Some(values, value => $"{value}"));

    private Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] more) =>
        Runner.RunAsync(["records", _folder.Path, .. more], Token);

    /// <summary>The words of a text, wherever lines were broken.</summary>
    private static string Joined(string output) => string.Join(' ', output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Writes a file with a record a minute, and gives its name.</summary>
    private string Write(int records)
    {
        string[] before = Directory.GetFiles(_folder.Path);
        using (var log = new ForwardRecordLog<BinaryRecord>(_folder.Path))
        {
            for (int i = 0; i < records; i++)
                log.Append(BinaryRecord.FromScore((ulong)i, 0.5f, modelVersion: 7,
                    new DateTime(2026, 1, 2, 3, 0, 0, DateTimeKind.Utc).AddMinutes(i)));
        }

        return Path.GetFileName(Directory.GetFiles(_folder.Path).Except(before).Single());
    }
}
